import type { EventStream } from '../../http/types';
import { asFailed, ServerError } from '../../errors/server-error';
import { afterMs } from '../../http/limits';
import type { DifyClient } from '../client';
import { createRun, finish, isUnfinished, reduce, type RunState } from '../events';
import { difyFailure } from '../errors/failure';
import { exactJson, type JsonRecord, messageOf } from '../../values';
import { RecordWatch, type RecordLookup } from './record-watch';
import { RunClock, type RunLimits } from './limits';
import type { RunRecord } from './record';
import type { FinishReason, RunHints, RunResult, RunStep, TextDelta } from '../types';

/**
 * How long a stopped run is still read, so that Dify stores the answer: it ended 60 of 60 streams 0.1 to 1.2 s after
 * the stop (docs/protocols/dify.md 12.1, 12.2).
 */
export const AFTER_STOP_MS = 3_000;

/** How long Stop waits for the task ID of a new run, without which Dify cannot stop it. */
export const TASK_ID_WAIT_MS = 1_000;

/** Long, since a stream is often silent while a node works. */
const LOOKS_MS = [15_000];

export interface ReadingOptions {
	hints?: RunHints;
	/** Called with text changes for a live display. */
	onDeltas?: (deltas: TextDelta[]) => Promise<void>;
	/** Called with every event, as Dify sent it. */
	onEvent?: (event: unknown) => void;
	/** Called when the ID of the workflow run is known, perhaps more than once. */
	onRunId?: (runId: string) => void;
	/** Abandons a run of another conversation: Dify 1.14 starts a new one if a chatflow's conversation is unknown. */
	onlyConversation?: string;
	/** Looks at the record of a workflow run while its stream says nothing. */
	look?: RecordLookup;
	/** Milliseconds of silence before each lookup; the last value repeats. */
	looksMs?: readonly number[];
}

/** Why the run was abandoned before its end. */
export interface AbandonReason {
	reason: Exclude<FinishReason, 'eof' | 'closed'>;
	detail?: string;
}

/** How the reading of a stream ended. */
export interface Reading {
	reason: 'eof' | 'closed';
	detail?: string;
	/** A JSON answer in place of a stream. */
	whole?: string;
	/** The error for a web page in place of a stream. */
	refused?: ServerError;
	/** The run is over, and only its record tells how. */
	record?: RunRecord;
}

/**
 * Sends a run, watches its limits and reads its stream. Abandoning it (Stop, a time limit, a chat that cannot be
 * written to) does not close the connection: Dify is told to stop, and the stream is read until Dify ends it.
 */
export class RunReader {
	readonly state: RunState;
	abandoned: AbandonReason | undefined;
	/** Whether Dify accepted the request to stop; undefined where none was sent. */
	stopRequested: boolean | undefined;
	private readonly clock: RunClock;
	/** Closes the connection, also while it is being made. */
	private readonly line = new AbortController();
	private readonly closed = new Promise<undefined>((resolve) =>
		this.line.signal.addEventListener('abort', () => resolve(undefined), { once: true }),
	);
	private stopping: Promise<void> | undefined;
	private closeAt: (() => void) | undefined;
	private hasEnded = false;
	private readonly watch: RecordWatch | undefined;
	private closeStream = () => this.line.abort();
	private readonly onAbort = () => this.abandon({ reason: 'abort' });

	/**
	 * @param stop tells Dify to stop the run with this task ID; undefined where the run should go on
	 * @param state what is already known of the run
	 */
	constructor(
		private readonly client: DifyClient,
		private readonly options: ReadingOptions,
		limits: RunLimits,
		private readonly stop?: (taskId: string) => Promise<boolean>,
		state?: RunState,
	) {
		this.state = state ?? createRun(options.hints);
		this.watch =
			options.look &&
			new RecordWatch(options.look, options.looksMs ?? LOOKS_MS, () => this.closeStream());
		this.clock = new RunClock(
			limits,
			(detail, limit) =>
				void this.limitReached({ reason: limit === 'queueMs' ? 'queued' : 'idle', detail }),
		);
		if (client.signal?.aborted === true) this.line.abort();
		else client.signal?.addEventListener('abort', this.onAbort, { once: true });
	}

	/**
	 * Opens the stream of the run.
	 *
	 * @param also also aborts the wait for the answer
	 * @throws {ServerError}
	 */
	async open(
		url: string,
		request: { method?: 'GET'; json?: JsonRecord },
		also?: AbortSignal,
	): Promise<EventStream> {
		const signal =
			also === undefined ? this.line.signal : AbortSignal.any([this.line.signal, also]);
		const opening = this.client.stream(url, {
			...request,
			signal,
			onBytes: () => this.clock.piece(),
		});
		return await opening.catch((error: unknown) => {
			const { abandoned } = this;
			const isLate = abandoned !== undefined && abandoned.reason !== 'abort';
			if (!isLate || asFailed(error).failed.kind !== 'cancelled') throw error;
			const meaning = `A time limit ran out: ${abandoned.detail}`;
			throw difyFailure('timeout', { url, meaning, about: { startsRun: true } });
		});
	}

	/** Reads the stream to its end. Never throws. */
	async read(stream: EventStream): Promise<Reading> {
		this.clock.answered();
		const grace = new Grace(stream);
		this.closeStream = () => stream.close();
		this.watch?.again(this.state.workflowRunId);
		try {
			for await (const batch of stream.batches) {
				const whole = batch.find(({ event }) => event === 'whole-answer');
				if (whole !== undefined) return { reason: 'eof', whole: whole.data };
				this.clock.events();
				const step = this.reduceBatch(batch.map(({ data }) => data));
				if (this.abandoned !== undefined) {
					this.stopOnce();
					continue;
				}
				await this.show(step.deltas);
				if (step.next === 'close' && !this.isAbandoned()) return { reason: 'closed' };
				grace.follow(step);
			}
			if (this.watch?.found !== undefined) return { reason: 'closed', record: this.watch.found };
			return grace.isOver
				? { reason: 'closed' }
				: { reason: 'eof', detail: stream.strayLines()[0] };
		} catch (error) {
			if (this.watch?.found !== undefined) return { reason: 'closed', record: this.watch.found };
			if (isAnswer(error)) return { reason: 'closed', refused: error };
			return { reason: 'closed', ...(grace.isOver ? {} : { detail: errorText(error) }) };
		} finally {
			this.hasEnded = true;
			this.watch?.end();
			grace.end();
			stream.close();
			await this.stopping;
		}
	}

	/** The result of the run after the reading has ended. */
	resultOf(reading: Reading): RunResult {
		const { reason, detail } = this.abandoned ?? reading;
		return finish(
			this.state,
			reason,
			detail === undefined ? undefined : this.client.connection.mask(detail),
		);
	}

	/** Releases timers and listeners. Must be called at the end. */
	end(): void {
		this.clock.end();
		this.watch?.end();
		this.closeAt?.();
		this.client.signal?.removeEventListener('abort', this.onAbort);
	}

	/** A function, since the value changes during an `await`. */
	private isAbandoned(): boolean {
		return this.abandoned !== undefined;
	}

	/** If the run is over, its record is the result, even after a time limit. */
	private async limitReached(why: AbandonReason): Promise<void> {
		if ((await this.watch?.lookNow()) !== true) this.abandon(why);
	}

	private abandon(why: AbandonReason): void {
		if (this.abandoned !== undefined || this.hasEnded) return;
		this.clock.end();
		this.watch?.end();
		// The outcome is known; only speech or the end of the stream is missing.
		if (!isUnfinished(this.state)) return this.line.abort();
		this.abandoned = why;
		this.state.abandoned = true;
		if (this.stop === undefined) this.line.abort();
		else if (this.state.taskId !== undefined) this.stopOnce();
		// After a time limit without any event there is no further wait.
		else if (why.reason === 'abort') this.closeAfter(TASK_ID_WAIT_MS);
		else this.line.abort();
	}

	private stopOnce(): void {
		const { taskId } = this.state;
		if (this.stopping !== undefined || taskId === undefined || this.stop === undefined) return;
		this.closeAfter(AFTER_STOP_MS);
		this.stopping = this.stop(taskId).then((taken) => {
			this.stopRequested = taken;
			// Without the stop, the run would not end soon.
			if (!taken) this.line.abort();
		});
	}

	private closeAfter(ms: number): void {
		this.closeAt?.();
		this.closeAt = afterMs(ms, () => this.line.abort());
	}

	/** Shows the changes. If that fails, nobody would see the rest of the answer, so the run is abandoned. */
	private async show(deltas: TextDelta[]): Promise<void> {
		if (deltas.length === 0) return;
		// A chat that hangs must not block a run that was stopped.
		const showing = failureOf(async () => await this.options.onDeltas?.(deltas));
		const notShown = await Promise.race([showing, this.closed]);
		if (notShown !== undefined)
			this.abandon({ reason: 'abort', detail: `the answer could not be passed on: ${notShown}` });
	}

	/** Applies events that arrived together. Returns their text changes and the last event's next step. */
	private reduceBatch(batch: string[]) {
		const { onEvent, onlyConversation } = this.options;
		const deltas: TextDelta[] = [];
		let last: Pick<RunStep<RunState>, 'next' | 'graceMs'> = { next: 'continue' };
		let graceAnew = false;
		for (const data of batch) {
			const { value: event, large } = exactJson(data);
			large.forEach((number) => this.state.inexact.add(number));
			onEvent?.(event ?? data);
			const step = reduce(this.state, event);
			const { conversationId, workflowRunId } = this.state;
			if (workflowRunId !== undefined) this.options.onRunId?.(workflowRunId);
			if (onlyConversation !== undefined && isOtherConversation(conversationId, onlyConversation))
				this.abandon({ reason: 'otherConversation' });
			for (const delta of step.deltas) deltas.push(delta);
			graceAnew ||= step.graceAnew === true;
			last = step;
			if (step.next === 'close') break;
		}
		this.watch?.again(this.state.workflowRunId);
		return { ...last, graceAnew, deltas };
	}
}

/** Whether Dify names a conversation that is not the one asked for. */
export function isOtherConversation(conversationId: string | undefined, wanted: string): boolean {
	return conversationId !== undefined && conversationId.toLowerCase() !== wanted.toLowerCase();
}

/** The error text of `work`; undefined where it succeeded. */
export async function failureOf(work: () => Promise<void>): Promise<string | undefined> {
	try {
		await work();
		return undefined;
	} catch (error) {
		return messageOf(error);
	}
}

/** Whether the error is an answer in place of a stream: other failures while reading have no status. */
function isAnswer(error: unknown): error is ServerError {
	return error instanceof ServerError && error.status !== undefined;
}

/** Text of an error; undefined for a broken connection, which is reported anyway. */
function errorText(error: unknown): string | undefined {
	if (!(error instanceof ServerError)) return messageOf(error);
	return error.kind === 'connectionLost' ? undefined : error.meaning;
}

/**
 * Closes a stream that stays open after the run is over, after a grace period for late events (docs/protocols/dify.md
 * 3.8).
 */
class Grace {
	isOver = false;
	private callOff: (() => void) | undefined;

	constructor(private readonly stream: EventStream) {}

	/** Starts the period at the first step that gives one, or restarts it; a step without one cancels it. */
	follow({ graceMs, graceAnew }: Pick<RunStep<unknown>, 'graceMs' | 'graceAnew'>): void {
		if (graceMs === undefined || graceAnew === true) this.end();
		if (graceMs !== undefined)
			this.callOff ??= afterMs(graceMs, () => {
				this.isOver = true;
				this.stream.close();
			});
	}

	end(): void {
		this.callOff?.();
		this.callOff = undefined;
	}
}
