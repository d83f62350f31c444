/** A generation from its first token to its last: as a stream of writes, or collected for one answer. */
import { waitFor, type Write } from '../wire-reply';
import type { Task } from './chat';
import {
	type Answer,
	type Choice,
	collect,
	type Dialect,
	event,
	type Meta,
	type Usage,
} from './dialects';
import { type Timings, timings } from './params';
import { type Delta, type GenerationOptions, isSpecial, type Step } from './reply';
import type { Lease, SlotPool } from './slots';
import { countTokens } from './text';

/** Silence before a comment ping (`--sse-ping-interval`), unless the request sets it. */
const PING_MS = 30_000;

export interface Job {
	task: Task;
	steps: Step[];
	options: GenerationOptions;
	meta: Meta;
	dialect: Dialect;
	/** One per choice. */
	leases: Lease[];
	pool: SlotPool;
	/** Aborts when the answer is no longer needed. */
	signal: AbortSignal;
	/** Deltas generated so far, which stay in the slot after an abort. */
	produced: Delta[];
	tokenDelayMs: number;
	/** Prompt tokens per batch and progress event. */
	batch: number;
	/** Whether to skip the rest of the thinking. */
	isToldToAnswer?: boolean;
	/** The role chunk comes with the first token unless that token is only a part of a character. */
	roleByToken: boolean;
}

export interface Totals {
	usage: Usage;
	timings: Timings;
	finish: string | null;
}

const deltasOf = (steps: readonly Step[]): Delta[] => {
	const deltas: Delta[] = [];
	for (const step of steps) {
		if (typeof step === 'string') deltas.push({ content: step });
		else if (!isSpecial(step)) deltas.push(step);
	}
	return deltas;
};

/** Cuts the text before the first stop word. */
const untilStop = (steps: Step[], stop: readonly string[]): Step[] => {
	if (stop.length === 0) return steps;
	const keptSteps: Step[] = [];
	let text = '';
	for (const step of steps) {
		if (typeof step !== 'string') {
			keptSteps.push(step);
			continue;
		}
		const found = stop.map((word) => (text + step).indexOf(word)).filter((at) => at >= 0);
		if (found.length > 0) {
			const rest = step.slice(0, Math.max(0, Math.min(...found) - text.length));
			if (rest !== '') keptSteps.push(rest);
			return keptSteps;
		}
		text += step;
		keptSteps.push(step);
	}
	return keptSteps;
};

/**
 * Cuts a default answer at the token limit; `max_tokens` 0 still gives one token (docs/protocols/llama-server.md 2.6).
 */
export const limited = (
	steps: Step[],
	task: Task,
	room: number,
): { steps: Step[]; cut: boolean } => {
	const stopped = untilStop(steps, task.stop);
	const maxTokens = task.maxTokens < 0 ? Infinity : Math.max(1, task.maxTokens);
	const limit = Math.min(maxTokens, Math.max(1, room));
	if (stopped.length < limit) return { steps: stopped, cut: false };
	return { steps: stopped.slice(0, limit), cut: true };
};

/** Counts and durations of one choice; scripted usage takes precedence. */
export const totals = (job: Job, lease: Lease): Totals => {
	const deltas = deltasOf(job.steps);
	const { finish, usage: said = {} } = job.options;
	const calls = collect(deltas).calls.length > 0;
	const reason = finish === undefined ? (calls ? 'tool_calls' : 'stop') : finish || null;
	const usage: Usage = {
		completion: said.completion ?? deltas.length + (reason === 'length' ? 0 : 1),
		prompt: said.prompt ?? lease.promptTokens,
		cached: said.cached ?? lease.cachedTokens,
	};
	return {
		usage,
		timings: timings(usage.cached, usage.prompt - usage.cached, usage.completion),
		finish: reason,
	};
};

export const answerOf = (job: Job): Answer => collect(deltasOf(job.steps));

/**
 * Waits. Meanwhile the server pings, if no other slot generates either (docs/protocols/llama-server.md 3.5).
 */
async function* quiet(job: Job, what: number | Promise<unknown>): AsyncGenerator<Write> {
	if (!job.dialect.pings || !job.task.stream) {
		await waitFor(what, job.signal);
		return;
	}
	const pingSeconds = job.task.pingSeconds;
	const every =
		pingSeconds === undefined ? PING_MS : pingSeconds <= 0 ? Infinity : pingSeconds * 1000;
	// Clears the ping timer, too.
	const over = new AbortController();
	const end = waitFor(what, job.signal).then(() => over.abort());
	const either = AbortSignal.any([job.signal, over.signal]);
	while (!either.aborted && Number.isFinite(every)) {
		await waitFor(every, either);
		if (either.aborted) break;
		if (Date.now() - job.pool.lastResultAt >= Math.min(1000, every)) yield ':\n\n';
	}
	await end;
}

/** Yields the steps at the model's speed; steps that are not deltas as finished writes. */
export async function* paced(
	job: Job,
): AsyncGenerator<{ delta: Delta; first: boolean } | { write: Write }> {
	let first = true;
	for (const step of job.steps) {
		if (job.signal.aborted) return;
		if (job.isToldToAnswer === true && typeof step === 'object' && 'reasoning_content' in step)
			continue;
		if (typeof step === 'string' || !isSpecial(step)) {
			if (job.tokenDelayMs > 0) await waitFor(job.tokenDelayMs, job.signal);
			if (job.signal.aborted) return;
			const delta = typeof step === 'string' ? { content: step } : step;
			job.produced.push(delta);
			for (const lease of job.leases) lease.decoded();
			yield { delta, first };
			first = false;
		} else if ('wait' in step) {
			for await (const write of quiet(job, step.wait)) yield { write };
		} else if ('event' in step) yield { write: event(step.event) };
		else if ('comment' in step) yield { write: `${step.comment}\n\n` };
		else if ('raw' in step) yield { write: step.raw };
		else {
			const choice: Choice = { index: 0, finish: null, delta: job.dialect.opening ?? {} };
			yield { write: event(job.dialect.chunk(job.meta, [choice], { progress: step.progress })) };
		}
	}
}

/**
 * Prompt progress (docs/protocols/llama-server.md 3.3): first event with `processed == cache`, last with
 * `processed == total`, one per batch.
 */
const progressWrites = (job: Job, { usage }: Totals): string[] => {
	const done: number[] = [usage.cached];
	while (done.at(-1)! < usage.prompt) done.push(Math.min(usage.prompt, done.at(-1)! + job.batch));
	return done.map((processed) => {
		const progress = {
			total: usage.prompt,
			cache: usage.cached,
			processed,
			time_ms: Math.floor((processed - usage.cached) / 4),
		};
		const choice: Choice = { index: 0, finish: null, delta: job.dialect.opening ?? {} };
		return event(job.dialect.chunk(job.meta, [choice], { progress }));
	});
};

const logprobsOf = (delta: Delta): object | undefined => {
	if (!delta.content) return undefined;
	const token = {
		id: countTokens(delta.content),
		token: delta.content,
		bytes: [...Buffer.from(delta.content)],
	};
	const entry = { ...token, logprob: -0.5 };
	return { content: [{ ...entry, top_logprobs: [entry] }] };
};

/**
 * The writes of a chat stream, one HTTP chunk each as recorded: role with the first text, finish with usage, `[DONE]`
 * alone.
 */
export async function* chatStream(job: Job): AsyncGenerator<Write> {
	const { dialect, meta, options, task } = job;
	const perChoice = job.leases.map((lease) => totals(job, lease));
	const opening = (index: number): string =>
		dialect.opening
			? event(dialect.chunk(meta, [{ index, finish: null, delta: dialect.opening }]))
			: '';
	const wantsRole = (delta: Delta | undefined): boolean => {
		if (options.role !== undefined && options.role !== 'auto') return options.role !== 'none';
		if (delta && 'role' in delta) return false;
		return !(job.roleByToken && (delta?.content?.codePointAt(0) ?? 0) > 0xffff);
	};
	if (task.returnProgress && perChoice[0]) yield* progressWrites(job, perChoice[0]);

	let predicted = 0;
	for await (const item of paced(job)) {
		if ('write' in item) {
			yield item.write;
			continue;
		}
		const { delta, first } = item;
		predicted += 1;
		for (const [index, { usage }] of perChoice.entries()) {
			const soFar = task.timingsPerToken
				? timings(usage.cached, usage.prompt - usage.cached, predicted)
				: undefined;
			const logprobs = task.logprobs ? logprobsOf(delta) : undefined;
			const text = event(
				dialect.chunk(meta, [{ index, finish: null, delta, logprobs }], { timings: soFar }),
			);
			const role = first && wantsRole(delta) ? opening(index) : '';
			if (role === '' || (delta.content && options.role !== 'apart')) yield role + text;
			else {
				yield role;
				yield text;
			}
		}
	}
	if (job.signal.aborted) return;
	if (job.steps.length === 0 && options.role !== 'none') yield opening(0);

	if (options.error) {
		yield dialect.streamError(options.error);
		if (options.error.thenDone ?? dialect.doneAfterError) yield event('[DONE]');
		return;
	}
	if (options.finish !== false) yield* finishWrites(job, perChoice);
	if (options.done !== false) yield event('[DONE]');
}

function* finishWrites(job: Job, perChoice: Totals[]): Generator<string> {
	const { dialect, meta, options, task } = job;
	const streamOptions = task.body.stream_options as { include_usage?: unknown } | undefined;
	const wished =
		typeof streamOptions?.include_usage === 'boolean' ? streamOptions.include_usage : undefined;
	const usageIn = options.usageIn ?? dialect.usageIn(wished);
	for (const [index, { usage, timings: measured, finish }] of perChoice.entries()) {
		const separate = usageIn === 'separate' || usageIn === 'both';
		const inFinish = usageIn === 'finish' || usageIn === 'both';
		let write = event(
			dialect.chunk(meta, [{ index, finish, delta: {} }], {
				usage: inFinish ? usage : undefined,
				timings: separate ? undefined : measured,
			}),
		);
		// Timings are in the last JSON event, with or without choices.
		if (separate) write += event(dialect.chunk(meta, [], { usage, timings: measured }));
		yield write;
	}
}
