import type { EventStream } from '../http/types';
import { ServerError } from '../errors/server-error';
import { afterMs, type LimitName } from '../http/limits';
import { seconds } from '../errors/remedies';
import { resultOfBlocking } from './blocking';
import type { DifyClient } from './client';
import { DIFY_REMEDIES } from './codes';
import { createRun, finish, reduce, type RunState } from './events';
import { DifyError, answerError, hasBegun, runError } from './failure';
import { isFields, parseJson, text, type Fields } from './read';
import type { FinishReason, RunHints, RunResult, TextDelta } from './types';

/** Time limits of a run in milliseconds; 0 = none. */
export interface RunLimits {
	/** From sending to the first byte of the answer. */
	firstByteMs: number;
	/** Between two pieces. Dify sends a ping every 10 s, which counts. */
	idleMs: number;
	/** Between two events. Pings do not count: a hung run pings for ever (contract 3.8). */
	progressMs: number;
	/** From sending to the end. Dify itself ends a run after 20 minutes, unless it was told otherwise. */
	totalMs: number;
}

export const DEFAULT_RUN_LIMITS: RunLimits = { firstByteMs: 120_000, idleMs: 60_000, progressMs: 600_000, totalMs: 0 };

export interface RunOptions {
	/** Ends the run: the socket is closed and Dify is told to stop. */
	signal?: AbortSignal;
	limits?: Partial<RunLimits>;
	/** How often a run that Dify did not take up is sent again. */
	retries?: number;
	/** Pause before the first of them in milliseconds, doubled each time; default 1 s. */
	retryPauseMs?: number;
	hints?: RunHints;
	/** Called with what to change on a live display. */
	onDeltas?: (deltas: TextDelta[]) => Promise<void>;
	/** Called with every event as Dify sent it. */
	onEvent?: (event: unknown) => void;
}

/** Where runs are started and stopped, by type of app. */
export interface RunRoute {
	start: string;
	stop: (taskId: string) => string;
}

export const RUN_ROUTES = {
	chat: { start: '/chat-messages', stop: (taskId: string) => `/chat-messages/${encodeURIComponent(taskId)}/stop` },
	completion: {
		start: '/completion-messages',
		stop: (taskId: string) => `/completion-messages/${encodeURIComponent(taskId)}/stop`,
	},
	workflow: {
		start: '/workflows/run',
		stop: (taskId: string) => `/workflows/tasks/${encodeURIComponent(taskId)}/stop`,
	},
} as const satisfies Record<string, RunRoute>;

const STOP_LIMIT_MS = 5_000;
const LONGEST_PAUSE_MS = 15_000;

/**
 * Starts a run and reads its stream to the end. Always streams: agent apps refuse anything else, and proxies cut long silent answers. A run
 * that Dify may have begun is never sent again.
 *
 * @param body the request without `user` and `response_mode`
 * @returns a run that succeeded, paused, or was stopped by someone else
 * @throws {DifyError} with the partial result and all ids; {ServerError} when Dify was not reached
 */
export async function startRun(
	client: DifyClient,
	route: RunRoute,
	body: Fields,
	user: string,
	options: RunOptions = {},
): Promise<RunResult> {
	const url = client.url(route.start);
	const json = { ...body, user, response_mode: 'streaming' };
	for (let tries = 0; ; tries++) {
		const outcome = await attempt(client, route, url, json, user, options);
		if ('result' in outcome) return outcome.result;
		if (tries >= (options.retries ?? 0) || !wasNotTakenUp(outcome.failed)) throw outcome.failed;
		await client.pause(Math.min((options.retryPauseMs ?? 1_000) * 2 ** tries, LONGEST_PAUSE_MS), url, options.signal);
	}
}

/** Stops a run. Dify answers "success" whatever it is told (contract 2.2), so the result says only whether it was told. */
export async function stopRun(client: DifyClient, route: RunRoute, taskId: string, user: string): Promise<boolean> {
	try {
		await client.send('POST', route.stop(taskId), { user }, { timeoutMs: STOP_LIMIT_MS, idempotent: true });
		return true;
	} catch {
		return false;
	}
}

/** A refused connection, or a refusal for being too many at once: contract 5.3. Everything else may have begun. */
function wasNotTakenUp(error: ServerError): boolean {
	if (!(error instanceof DifyError)) return error.kind === 'refused';
	return error.retryable && !hasBegun(error.result);
}

type Outcome = { result: RunResult } | { failed: ServerError };

async function attempt(
	client: DifyClient,
	route: RunRoute,
	url: string,
	json: Fields,
	user: string,
	options: RunOptions,
): Promise<Outcome> {
	const opened = await open(client, url, json, options);
	if ('failed' in opened) return opened;
	const state = createRun(options.hints);
	const reading = await read(opened, state, options);
	const { connection } = client;
	if (reading.refused !== undefined) return { failed: reading.refused };
	if (reading.whole !== undefined) return wholeOutcome(client, opened, reading.whole, options);
	const gaveUp = reading.reason === 'abort' || reading.reason === 'idle';
	const result = finish(
		state,
		reading.reason,
		reading.detail === undefined ? undefined : connection.mask(reading.detail),
	);
	if (result.status !== 'failed') return { result };
	const stopRequested =
		gaveUp && state.taskId !== undefined ? await stopRun(client, route, state.taskId, user) : undefined;
	return { failed: runError(connection, result, opened, stopRequested) };
}

async function open(
	client: DifyClient,
	url: string,
	json: Fields,
	options: RunOptions,
): Promise<EventStream | { failed: ServerError }> {
	const { firstByteMs, ...limits } = { ...DEFAULT_RUN_LIMITS, ...options.limits };
	try {
		const stream = await client.connection.stream(url, {
			json,
			signal: options.signal,
			limits: { firstTokenMs: firstByteMs, ...limits },
			refuse: (answer) => answerError(client.connection, answer, 'POST'),
		});
		// The headers come with the first byte: Dify's first event may be minutes away, its pings are not.
		stream.firstToken();
		return stream;
	} catch (error) {
		return { failed: inDifysWords(error as ServerError, url, options) };
	}
}

/** The limits have other names here, and advice about GPUs is of no use. */
function inDifysWords(error: ServerError, url: string, options: RunOptions): ServerError {
	if (error.kind === 'aborted') {
		return new DifyError(
			{
				status: 0,
				kind: 'cancelled',
				message: 'The execution was stopped before Dify answered',
				remedy: DIFY_REMEDIES.cancelled,
				retryable: false,
			},
			{ url },
		);
	}
	const detail = limitDetail(error, options);
	if (detail === undefined) return error;
	const remedy = `${DIFY_REMEDIES.timeout} A run may have been started.`;
	return new DifyError(
		{ status: 0, kind: 'timeout', message: `A time limit ran out: ${detail}`, remedy, retryable: false },
		{ url },
	);
}

interface Reading {
	reason: FinishReason;
	detail?: string;
	/** A JSON answer although a stream was asked for. */
	whole?: string;
	/** A web page although a stream was asked for. */
	refused?: DifyError;
}

async function read(stream: EventStream, state: RunState, options: RunOptions): Promise<Reading> {
	const grace = new Grace(stream);
	try {
		for await (const batch of stream.batches) {
			const whole = batch.find(({ event }) => event === 'whole-answer');
			if (whole !== undefined) return { reason: 'eof', whole: whole.data };
			const step = reduceBatch(
				state,
				batch.map(({ data }) => data),
				options,
			);
			if (step.deltas.length > 0) {
				const notShown = await failureOf(async () => await options.onDeltas?.(step.deltas));
				// Nobody would see the rest of the answer, so it is not to be thought of either.
				if (notShown !== undefined)
					return { reason: 'abort', detail: `the answer could not be passed on: ${notShown}` };
			}
			if (step.next === 'close') return { reason: 'closed' };
			grace.follow(step);
		}
		return grace.isOver ? { reason: 'closed' } : { reason: 'eof', detail: stream.strayLines()[0] };
	} catch (error) {
		if (error instanceof DifyError) return { reason: 'closed', refused: error };
		return grace.isOver ? { reason: 'closed' } : broken(error, options);
	} finally {
		grace.end();
	}
}

async function failureOf(work: () => Promise<void>): Promise<string | undefined> {
	try {
		await work();
		return undefined;
	} catch (error) {
		return error instanceof Error ? error.message : String(error);
	}
}

/** Events that arrived together: their changes in one list, and what the last of them asks for. */
function reduceBatch(state: RunState, batch: string[], options: RunOptions) {
	const deltas: TextDelta[] = [];
	let last: { next: 'continue' | 'grace' | 'close'; graceMs?: number } = { next: 'continue' };
	for (const data of batch) {
		const event = parseJson(data);
		options.onEvent?.(event ?? data);
		const step = reduce(state, event);
		deltas.push(...step.deltas);
		last = step;
		if (step.next === 'close') break;
	}
	return { ...last, deltas };
}

/** Closes a stream that is left open after the run is over, once what may still follow has had its time (contract 3.8). */
class Grace {
	isOver = false;
	private callOff: (() => void) | undefined;

	constructor(private readonly stream: EventStream) {}

	/** The time runs from the first step that gives one; a step that wants to go on calls it off. */
	follow({ next, graceMs }: { next: string; graceMs?: number }): void {
		if (next !== 'grace') {
			this.end();
		} else {
			this.callOff ??= afterMs(graceMs ?? 0, () => {
				this.isOver = true;
				this.stream.close();
			});
		}
	}

	end(): void {
		this.callOff?.();
		this.callOff = undefined;
	}
}

function broken(error: unknown, options: RunOptions): Reading {
	if (options.signal?.aborted === true) return { reason: 'abort' };
	const limit = limitDetail(error, options);
	if (limit !== undefined) return { reason: 'idle', detail: limit };
	const code = error instanceof ServerError ? error.facts.code : undefined;
	return {
		reason: 'closed',
		detail: typeof code === 'string' ? code : error instanceof ServerError ? error.message : String(error),
	};
}

/** Which limit ran out, in words; undefined for another error. */
function limitDetail(error: unknown, options: RunOptions): string | undefined {
	if (!(error instanceof ServerError)) return undefined;
	const { firstByteMs, idleMs, progressMs, totalMs } = { ...DEFAULT_RUN_LIMITS, ...options.limits };
	const details: Record<LimitName, string> = {
		firstTokenLimit: `Dify sent nothing within ${seconds(firstByteMs)} (First Byte Limit)`,
		idleLimit: `nothing arrived for ${seconds(idleMs)}, not even a ping (Idle Limit)`,
		progressLimit: `Dify sent nothing but pings for ${seconds(progressMs)} (Progress Limit)`,
		totalLimit: `the run took longer than ${seconds(totalMs)} (Total Limit)`,
	};
	return error.kind in details ? details[error.kind as LimitName] : undefined;
}

/** Some proxies and old versions answer as blocking, or with an error inside a 200, although a stream was asked for. */
async function wholeOutcome(
	client: DifyClient,
	stream: EventStream,
	whole: string,
	options: RunOptions,
): Promise<Outcome> {
	const body = parseJson(whole);
	options.onEvent?.(body ?? whole);
	const { connection } = client;
	if (!isFields(body) || isErrorEnvelope(body)) {
		const answer = { status: stream.status, headers: stream.headers, text: whole, json: body, url: stream.url };
		return { failed: answerError(connection, answer, 'POST') };
	}
	const result = resultOfBlocking(body, options.hints);
	if (result.status === 'failed') return { failed: runError(connection, result, stream) };
	// The answer is there, whether it can be passed on or not.
	if (result.text !== '')
		await failureOf(async () => await options.onDeltas?.([{ type: 'append', text: result.text }]));
	return { result };
}

function isErrorEnvelope(body: Fields): boolean {
	if (typeof body.answer === 'string' || isFields(body.data)) return false;
	return text(body.code) !== undefined || text(body.message) !== undefined || body.error !== undefined;
}
