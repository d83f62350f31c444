import { failure } from '../errors/failure';
import type { FailureKind } from '../errors/kinds';
import type { ServerError } from '../errors/server-error';
import type { Connection } from '../http/connection';
import { DEFAULT_LIMITS, type Limits } from '../http/limits';
import { MAX_RETRY_AFTER_MS } from '../http/retry-after';
import type { ErrorContext, RetryPolicy } from '../http/types';

const BACK_OFF_MS = [500, 1000, 2000, 3000, 5000];
/** A loading server answers at once and at no cost, and somebody waits in front of a chat. */
const MAX_LOADING_PAUSE_MS = 2000;

export interface RetryOptions {
	/** How often a refused connection, or a server that is too busy to take the request up, is tried again. */
	retries?: number;
	/** The first-token limit in milliseconds: how long a model may load. */
	firstTokenMs?: number;
	about?: ErrorContext;
}

/** What clients of model servers are told about their requests. */
export interface ClientSettings {
	model: string;
	limits: Partial<Limits>;
	/** Tries after a refused connection or a busy server. */
	retries: number;
}

/** The same from the settings of a client. */
export function retryOptions({ retries, limits, model }: ClientSettings): RetryOptions {
	return { retries, firstTokenMs: limits.firstTokenMs, about: { model: model.trim() } };
}

/** How a client sends its requests to a pool: again until the server is ready. */
export function untilReady(settings: ClientSettings, signal?: AbortSignal) {
	return {
		model: settings.model.trim(),
		use: 'chat',
		limits: settings.limits,
		retry: (connection: Connection) => retryUntilReady(connection, retryOptions(settings)),
		signal,
	};
}

/**
 * When a request to a model server is sent again: as long as the server is loading its model, and a few times where
 * nothing listens or the server is too busy. A server has not taken up the request in any of these cases.
 */
export function retryUntilReady(
	connection: Connection,
	{ retries = 0, firstTokenMs = DEFAULT_LIMITS.firstTokenMs, about }: RetryOptions = {},
): RetryPolicy {
	let [waits, tries] = [0, 0];
	let wasLoading = false;
	return (failed, leftMs) => {
		const { kind } = failed;
		if (kind !== 'loading' && kind !== 'busy' && kind !== 'refused') return failed;
		const pause = askedPause(failed) ?? pauseBefore(kind, waits++);
		if (kind === 'loading') {
			if (pause >= leftMs) return stillLoading(connection, failed, firstTokenMs, about);
		} else if (tries++ >= retries) {
			return kind === 'refused' && wasLoading ? exitedWhileLoading(connection, failed, about) : failed;
		}
		wasLoading = kind === 'loading';
		return pause;
	};
}

/** Answers of a gateway in front of a server that is restarting or busy. */
const PASSING_STATUSES: ReadonlySet<number | undefined> = new Set([429, 502, 503, 504]);
const PASSING_KINDS: ReadonlySet<FailureKind> = new Set(['refused', 'busy', 'closedBeforeAnswer', 'connectionLost']);
/** Seen with Ollama 0.17.4, status 400: its runner died. The next request starts another. */
const RUNNER_DIED = /do embedding request: .{0,500}EOF/i;

/**
 * The same for requests that change nothing, such as those for embeddings: also after a connection that was lost, and
 * after what a gateway answers for a while. Nothing that would fail again is repeated. `retryAfterMs` among the facts
 * of a failure is obeyed.
 */
export function retryIdempotent(connection: Connection, { retries = 0, ...rest }: RetryOptions = {}): RetryPolicy {
	const untilLoaded = retryUntilReady(connection, rest);
	let tries = 0;
	return (failed, leftMs) => {
		const { kind } = failed;
		if (kind === 'loading') return untilLoaded(failed, leftMs);
		if (!isTransient(failed) || tries >= retries) return failed;
		const pause = pauseBefore('busy', tries++);
		return askedPause(failed) ?? pause;
	};
}

/** How long a busy server or a gateway wants to be left alone (header Retry-After). */
function askedPause({ kind, facts: { retryAfterMs: asked } }: ServerError): number | undefined {
	return typeof asked === 'number' && kind !== 'loading' ? Math.min(asked, MAX_RETRY_AFTER_MS) : undefined;
}

/** Whether a request that changes nothing may do better the next time. */
export function isTransient({ kind, status, serverText = '' }: ServerError): boolean {
	return PASSING_KINDS.has(kind) || PASSING_STATUSES.has(status) || RUNNER_DIED.test(serverText);
}

/** Milliseconds to wait before a request is sent again, after so many waits. */
export function pauseBefore(reason: 'loading' | 'busy' | 'refused', waits: number): number {
	const pause = BACK_OFF_MS[Math.min(waits, BACK_OFF_MS.length - 1)]!;
	return reason === 'loading' ? Math.min(pause, MAX_LOADING_PAUSE_MS) : pause;
}

/** A server that runs out of memory while it loads just exits (docs/protocols/llama-server.md 9.2). */
function exitedWhileLoading(connection: Connection, failed: ServerError, about?: ErrorContext): ServerError {
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
	return failure('loading', connection.contextOf(url ?? '', about), { status, serverText, about: { limitMs } });
}
