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

/** Yields the steps at the model's speed; steps that are not deltas as finished writes. */
export async function* paced(
	job: Job,
): AsyncGenerator<{ delta: Delta; first: boolean } | { write: Write }> {
	let first = true;
	for (const step of job.steps) {
		if (job.signal.aborted) return;
		if (typeof step === 'string' || !isSpecial(step)) {
			if (job.tokenDelayMs > 0) await waitFor(job.tokenDelayMs, job.signal);
			if (job.signal.aborted) return;
			const delta = typeof step === 'string' ? { content: step } : step;
			job.produced.push(delta);
			for (const lease of job.leases) lease.decoded();
			yield { delta, first };
			first = false;
		} else if ('wait' in step) {
			await waitFor(step.wait, job.signal);
		} else if ('event' in step) yield { write: event(step.event) };
		else if ('comment' in step) yield { write: `${step.comment}\n\n` };
		else if ('raw' in step) yield { write: step.raw };
		else {
			const choice: Choice = { index: 0, finish: null, delta: job.dialect.opening ?? {} };
			yield { write: event(job.dialect.chunk(job.meta, [choice], { progress: step.progress })) };
		}
	}
}

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
		if (delta && 'role' in delta) return false;
		return !(job.roleByToken && (delta?.content?.codePointAt(0) ?? 0) > 0xffff);
	};

	for await (const item of paced(job)) {
		if ('write' in item) {
			yield item.write;
			continue;
		}
		const { delta, first } = item;
		for (const index of perChoice.keys()) {
			const logprobs = task.logprobs ? logprobsOf(delta) : undefined;
			const text = event(dialect.chunk(meta, [{ index, finish: null, delta, logprobs }]));
			const role = first && wantsRole(delta) ? opening(index) : '';
			if (role === '' || delta.content) yield role + text;
			else {
				yield role;
				yield text;
			}
		}
	}
	if (job.signal.aborted) return;
	if (job.steps.length === 0) yield opening(0);

	if (options.error) {
		yield dialect.streamError(options.error);
		if (dialect.doneAfterError) yield event('[DONE]');
		return;
	}
	if (options.finish !== false) yield* finishWrites(job, perChoice);
	if (options.done !== false) yield event('[DONE]');
}

function* finishWrites(job: Job, perChoice: Totals[]): Generator<string> {
	const { dialect, meta, task } = job;
	const streamOptions = task.body.stream_options as { include_usage?: unknown } | undefined;
	const wished =
		typeof streamOptions?.include_usage === 'boolean' ? streamOptions.include_usage : undefined;
	const separate = dialect.usageIn(wished) === 'separate';
	for (const [index, { usage, timings: measured, finish }] of perChoice.entries()) {
		let write = event(
			dialect.chunk(meta, [{ index, finish, delta: {} }], {
				timings: separate ? undefined : measured,
			}),
		);
		// Timings are in the last JSON event, with or without choices.
		if (separate) write += event(dialect.chunk(meta, [], { usage, timings: measured }));
		yield write;
	}
}
