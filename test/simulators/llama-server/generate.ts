/** A generation from its first token to its last: as a stream of writes, or collected for one response. */
import { waitFor } from '../http-server';
import type { Write } from '../http-server';
import type { Profile } from './options';
import { isPause } from './reply';
import type { Delta, GenerationOptions, Step, ToolCallDelta } from './reply';

export type Json = Readonly<Record<string, unknown>>;

export interface Job {
	body: Json;
	steps: Step[];
	options: GenerationOptions;
	id: string;
	model: string;
	/** Seconds since the epoch. */
	created: number;
	profile: Profile;
	promptTokens: number;
	/** Aborts when the response is no longer needed. */
	signal: AbortSignal;
	tokenDelayMs: number;
}

/** A response that is not streamed. */
interface Completion {
	content: string;
	reasoning: string;
	calls: ToolCallDelta[];
}

export const event = (data: object | string): string =>
	`data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`;

const isLlama = ({ profile }: Job): boolean => profile === 'llama-server' || profile === 'router';

const toDelta = (step: Step): Delta[] => {
	if (typeof step === 'string') return [{ content: step }];
	return isPause(step) ? [] : [step];
};

/** Merges deltas into a completion. */
function collect(deltas: readonly Delta[]): Completion {
	const completion: Completion = { content: '', reasoning: '', calls: [] };
	for (const delta of deltas) {
		completion.content += delta.content ?? '';
		completion.reasoning += delta.reasoning_content ?? delta.reasoning ?? '';
		for (const { index = 0, id, function: called } of delta.tool_calls ?? []) {
			const call = (completion.calls[index] ??= { index, type: 'function', id, function: {} });
			const { name = call.function!.name, arguments: more = '' } = called ?? {};
			call.function = {
				name,
				arguments: `${String(call.function!.arguments ?? '')}${String(more)}`,
			};
		}
	}
	return completion;
}

const completionOf = ({ steps }: Job): Completion => collect(steps.flatMap(toDelta));

/**
 * Steps in the form of the server: Ollama sends whole calls, a simple FastAPI server one chunk, and all but llama-server
 * call the thinking `reasoning`.
 */
export function toServerSteps(steps: Step[], profile: Profile): Step[] {
	if (profile === 'llama-server' || profile === 'router') return steps;
	const { content, calls } = collect(steps.flatMap(toDelta));
	const isWhole = profile === 'fastapi';
	const others = steps.flatMap((step): Step[] => {
		if (typeof step === 'string') return isWhole ? [] : [step];
		if (isPause(step)) return [step];
		const { reasoning_content: thought } = step;
		return thought === undefined ? [] : [{ reasoning: thought }];
	});
	if (isWhole && content !== '') others.push(content);
	return calls.length === 0 ? others : [...others, { tool_calls: calls }];
}

function finishOf(job: Job): string | null {
	const { finish } = job.options;
	if (finish === undefined) return completionOf(job).calls.length > 0 ? 'tool_calls' : 'stop';
	return finish || null;
}

/** Tokens of the prompt that the server has from an earlier request: not none, so that a count that is lost is missed. */
const cachedOf = ({ promptTokens }: Job): number => Math.ceil(promptTokens / 3);

function usageOf(job: Job): object {
	const generated = job.steps.flatMap(toDelta).length + (finishOf(job) === 'length' ? 0 : 1);
	const completion_tokens = job.options.completionTokens ?? generated;
	const prompt_tokens = job.promptTokens;
	return {
		prompt_tokens,
		completion_tokens,
		total_tokens: prompt_tokens + completion_tokens,
		...(isLlama(job) ? { prompt_tokens_details: { cached_tokens: cachedOf(job) } } : {}),
	};
}

/** Timings of llama-server, from artificial durations. */
function timingsOf(job: Job): object {
	if (!isLlama(job)) return {};
	const predicted = job.steps.flatMap(toDelta).length + 1;
	const cached = cachedOf(job);
	const read = job.promptTokens - cached;
	const timings = {
		cache_n: cached,
		prompt_n: read,
		prompt_ms: read * 0.25,
		prompt_per_second: 4000,
		predicted_n: predicted,
		predicted_ms: predicted * 0.5,
		predicted_per_second: 2000,
	};
	return { timings };
}

/** Yields the deltas at the model's speed. */
async function* paced(job: Job): AsyncGenerator<Delta> {
	for (const step of job.steps) {
		if (isPause(step)) await waitFor(step.wait, job.signal);
		else if (job.tokenDelayMs > 0) await waitFor(job.tokenDelayMs, job.signal);
		if (job.signal.aborted) return;
		yield* toDelta(step);
	}
}

/** Waits until all steps have passed. */
export async function passSteps(job: Job): Promise<void> {
	const steps = paced(job);
	while (!(await steps.next()).done);
}

const headOf = ({ id, created, model }: Job, object: string): object => ({
	id,
	object,
	created,
	model,
});

function chatChunk(job: Job, delta: Delta, finish: string | null = null): object {
	const choices = [{ index: 0, delta, finish_reason: finish }];
	return { ...headOf(job, 'chat.completion.chunk'), choices };
}

/** Usage and timings come in their own event if the client asks for usage, as in OpenAI's API. */
function* chatEnding(job: Job): Generator<string> {
	const finish = chatChunk(job, {}, finishOf(job));
	const { include_usage: isWanted } = (job.body.stream_options ?? {}) as Json;
	if (isWanted !== true || job.profile === 'fastapi') {
		yield event({ ...finish, ...timingsOf(job) });
		return;
	}
	yield event(finish);
	yield event({ ...finish, choices: [], usage: usageOf(job), ...timingsOf(job) });
}

export async function* chatStream(job: Job): AsyncGenerator<Write> {
	let hasRole = job.profile === 'fastapi';
	for await (const delta of paced(job)) {
		if (!hasRole) yield event(chatChunk(job, { role: 'assistant', content: null }));
		hasRole = true;
		yield event(chatChunk(job, delta));
	}
	if (job.signal.aborted) return;
	const { error, finish, done } = job.options;
	if (error !== undefined) {
		yield event({ error: { code: 500, type: 'server_error', ...error } });
		return;
	}
	if (finish !== false) yield* chatEnding(job);
	if (done !== false) yield event('[DONE]');
}

export function chatCompletion(job: Job): object {
	const { content, reasoning, calls } = completionOf(job);
	const message = {
		role: 'assistant',
		content,
		...(reasoning === '' ? {} : { [isLlama(job) ? 'reasoning_content' : 'reasoning']: reasoning }),
		...(calls.length === 0 ? {} : { tool_calls: calls }),
	};
	return {
		...headOf(job, 'chat.completion'),
		choices: [{ index: 0, message, finish_reason: finishOf(job) }],
		usage: usageOf(job),
		...timingsOf(job),
	};
}

function textChunk(job: Job, text: string, finish: string | null = null): object {
	const choices = [{ index: 0, text, logprobs: null, finish_reason: finish }];
	return { ...headOf(job, 'text_completion'), choices };
}

const textEnding = (job: Job, text: string): object => ({
	...textChunk(job, text, finishOf(job)),
	usage: usageOf(job),
	...timingsOf(job),
});

export async function* textStream(job: Job): AsyncGenerator<Write> {
	for await (const { content } of paced(job)) yield event(textChunk(job, content ?? ''));
	if (job.signal.aborted) return;
	yield event(textEnding(job, ''));
	yield event('[DONE]');
}

export const textCompletion = (job: Job): object => textEnding(job, completionOf(job).content);

const lineOf = (job: Job, rest: object): object => ({
	model: job.model,
	created_at: new Date(job.created * 1000).toISOString(),
	...rest,
});

/** A message of Ollama's API: the arguments of calls are objects. */
function ollamaMessage({ content, reasoning, calls }: Completion): object {
	const tool_calls = calls.map(({ id, index, function: called }) => ({
		id,
		function: {
			index,
			name: called?.name,
			arguments: JSON.parse(String(called?.arguments ?? '{}')) as unknown,
		},
	}));
	return {
		role: 'assistant',
		content,
		...(reasoning === '' ? {} : { thinking: reasoning }),
		...(calls.length === 0 ? {} : { tool_calls }),
	};
}

function ollamaEnding(job: Job): object {
	const completion = job.steps.flatMap(toDelta).length + 1;
	return {
		done: true,
		// Ollama has no reason for calls.
		done_reason: finishOf(job)?.replace('tool_calls', 'stop') ?? 'stop',
		load_duration: 25_000_000,
		prompt_eval_count: job.promptTokens,
		prompt_eval_duration: 1_000_000,
		eval_count: completion,
		eval_duration: 1_000_000,
	};
}

/** The lines of a stream of Ollama's `/api/chat` (docs/protocols/ollama.md 4). */
export async function* ollamaStream(job: Job): AsyncGenerator<Write> {
	const line = (rest: object) => `${JSON.stringify(lineOf(job, rest))}\n`;
	for await (const delta of paced(job))
		yield line({ message: ollamaMessage(collect([delta])), done: false });
	if (job.signal.aborted) return;
	yield line({ message: { role: 'assistant', content: '' }, ...ollamaEnding(job) });
}

export const ollamaCompletion = (job: Job): object =>
	lineOf(job, { message: ollamaMessage(completionOf(job)), ...ollamaEnding(job) });
