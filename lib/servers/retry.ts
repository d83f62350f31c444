import { failure } from '../errors/failure';
import type { FailureKind } from '../errors/kinds';
import type { ServerError } from '../errors/server-error';
import type { Connection } from '../http/connection';
import { DEFAULT_LIMITS, type Limits } from '../http/limits';
import { MAX_RETRY_AFTER_MS } from '../http/retry-after';
import type { ErrorContext, RetryPolicy } from '../http/types';

const BACK_OFF_MS = [500, 1000, 2000, 3000, 5000];
/** Short, because asking a loading server costs nothing, and somebody may be waiting in a chat. */
const MAX_LOADING_PAUSE_MS = 2000;

export interface RetryOptions {
	/** Retries after a refused connection, or when the server is too busy. */
	retries?: number;
	/** The first-token limit in milliseconds, for the error when loading takes longer. */
	firstTokenMs?: number;
	about?: ErrorContext;
}

/** Settings of all clients of model servers. */
export interface ClientSettings {
	model: string;
	limits: Partial<Limits>;
	/** Retries after a refused connection or a busy server. */
	retries: number;
}

/** The retry options from a client's settings. */
export function retryOptions({ retries, limits, model }: ClientSettings): RetryOptions {
	return { retries, firstTokenMs: limits.firstTokenMs, about: { model: model.trim() } };
}

/** How requests of one piece of work are sent to a model. */
export interface Attempt {
	connection: Connection;
	model: string;
	limits: Partial<Limits>;
	/** Makes the retry policy of one request. */
	newRetryPolicy: () => RetryPolicy;
}

/** Requests that are retried until the server is ready. */
export function untilReady(connection: Connection, settings: ClientSettings): Attempt {
	const { limits } = settings;
	const newRetryPolicy = () => retryUntilReady(connection, retryOptions(settings));
	return { connection, model: settings.model.trim(), limits, newRetryPolicy };
}

/**
 * Retry policy: as long as the server is loading its model, and up to `retries` times if nothing listens or the server
 * is busy. In all these cases the server has not started on the request.
 */
export function retryUntilReady(
	connection: Connection,
	{ retries = 0, firstTokenMs = DEFAULT_LIMITS.firstTokenMs, about }: RetryOptions = {},
): RetryPolicy {
	let waits = 0;
	let tries = 0;
	let wasLoading = false;
	return (failed, leftMs) => {
		const { kind } = failed;
		if (kind === 'loading') {
			wasLoading = true;
			const pause = pauseBefore(kind, waits++);
			return pause < leftMs ? pause : stillLoading(connection, failed, firstTokenMs, about);
		}
		if (!isBusy(failed) && kind !== 'refused') return failed;
		const pause = requestedPause(failed) ?? pauseBefore('busy', waits++);
		const isLast = tries++ >= retries || !isWorthWaiting(pause, leftMs);
		if (isLast && kind === 'refused' && wasLoading)
			return exitedWhileLoading(connection, failed, about);
		wasLoading = false;
		return isLast ? failed : pause;
	};
}

/**
 * Whether the request reached no server because of too many others. nginx with `limit_req` and HAProxy with a full queue
 * send a page with 503, like a proxy whose server is down.
 */
function isBusy({ kind, status }: ServerError): boolean {
	return kind === 'busy' || (kind === 'gateway' && status === 503);
}

/** Statuses while a server behind a gateway is restarting or busy. */
const PASSING_STATUSES: ReadonlySet<number | undefined> = new Set([429, 502, 503, 504]);
const PASSING_KINDS: ReadonlySet<FailureKind> = new Set([
	'refused',
	'busy',
	'closedBeforeAnswer',
	'connectionLost',
]);
/** Seen with Ollama 0.17.4, status 400: its runner died. The next request starts a new one. */
const RUNNER_DIED = /do embedding request: .{0,500}EOF/i;

/**
 * Retry policy for idempotent requests, such as embeddings: also after a lost connection, and after transient answers
 * of a gateway. Waits for `retryAfterMs` of the failure's facts if present.
 */
export function retryIdempotent(
	connection: Connection,
	{ retries = 0, ...rest }: RetryOptions = {},
): RetryPolicy {
	const untilLoaded = retryUntilReady(connection, rest);
	let tries = 0;
	return (failed, leftMs) => {
		const { kind } = failed;
		if (kind === 'loading') return untilLoaded(failed, leftMs);
		if (!isTransient(failed) || tries >= retries) return failed;
		const pause = requestedPause(failed) ?? pauseBefore('busy', tries);
		tries += 1;
		return isWorthWaiting(pause, leftMs) ? pause : failed;
	};
}

/** Milliseconds that the server asks to wait (header Retry-After). */
function requestedPause({ facts: { retryAfterMs } }: ServerError): number | undefined {
	return typeof retryAfterMs === 'number' ? retryAfterMs : undefined;
}

/** Whether a pause ends before the first-token limit, and is one that somebody waits for. */
function isWorthWaiting(pause: number, leftMs: number): boolean {
	return pause <= MAX_RETRY_AFTER_MS && pause < leftMs;
}

/** Whether an idempotent request may succeed the next time. */
export function isTransient({ kind, status, serverText = '' }: ServerError): boolean {
	// Sent with 429, but no wait helps.
	if (kind === 'budgetSpent') return false;
	return PASSING_KINDS.has(kind) || PASSING_STATUSES.has(status) || RUNNER_DIED.test(serverText);
}

/** Milliseconds to wait before the next try. @param waits how many waits came before */
function pauseBefore(reason: 'loading' | 'busy', waits: number): number {
	const pause = BACK_OFF_MS[Math.min(waits, BACK_OFF_MS.length - 1)]!;
	return reason === 'loading' ? Math.min(pause, MAX_LOADING_PAUSE_MS) : pause;
}

/** A server that runs out of memory while loading just exits (docs/protocols/llama-server.md 9.2). */
function exitedWhileLoading(
	connection: Connection,
	failed: ServerError,
	about?: ErrorContext,
): ServerError {
	return failure('modelFailedToLoad', connection.contextOf(failed.url ?? '', about), {
		message: 'The server exited while it was loading the model',
		facts: failed.facts,
	});
}

function stillLoading(
	connection: Connection,
	{ url, status, serverText }: ServerError,
	limitMs: number,
	about?: ErrorContext,
): ServerError {
	return failure('loading', connection.contextOf(url ?? '', about), {
		status,
		serverText,
		about: { limitMs },
	});
}
