/** Decides when a request is sent again. */
import type { ServerError } from '../errors/server-error';
import { createServerError } from '../errors/create-error';
import { isOneOf, getErrorText } from '../errors/error-types';
import { formatDuration } from '../values/duration';
import { asFiniteNumber } from '../values/numbers';

const BACK_OFF_MS = [500, 1000, 2000, 3000, 5000];

/** Share by which a pause is longer or shorter, so that many workers do not return at the same time. */
const JITTER = 0.5;

/** Short, because polling a loading server costs nothing, and a user may be waiting in a chat. */
const MAX_LOADING_DELAY_MS = 2000;

/** Longest accepted pause. If the server requests a longer one, there is no retry. */
const MAX_RETRY_AFTER_MS = 60_000;

/** Statuses while a server behind a gateway is restarting or busy. */
const TRANSIENT_STATUSES = [429, 502, 503, 504];

/** LM Studio unloaded the model during the request. Ollama 0.17.4 with status 400: its runner died; the next is new. */
const MODEL_STOPPED = /\bmodel unloaded\b|do embedding request: .{0,500}EOF/i;

/** A response that said that the model is loading. */
interface LoadingError {
	error: ServerError;
	/** By `performance.now()`. */
	at: number;
}

/**
 * Decides whether a failed request is sent again. All requests of an exchange share the retries. A request is repeated
 * if the server cannot have started it (the model is loading, connections are refused, the server is busy), and an
 * idempotent one after a lost connection as well.
 */
export class RetryPolicy {
	private tries = 0;
	private waits = 0;
	private loadingSince: number | undefined;
	private lastLoading: LoadingError | undefined;

	constructor(
		private readonly maxRetries = 0,
		private readonly isIdempotent = false,
		private readonly random: () => number = Math.random,
	) {}

	/**
	 * Takes the next retry, if there is one for this error.
	 *
	 * @param remainingMs - Milliseconds until the first-token timeout; Infinity without one.
	 * @param onLoading - Called before a pause for a loading model.
	 * @returns milliseconds to wait before the retry.
	 * @throws the error, reworded if more is known, if the request is not sent again.
	 */
	takeDelayMsOrThrow(
		error: ServerError,
		remainingMs: number,
		onLoading?: (waitedMs: number) => void,
	): number {
		if (error.type === 'modelLoading') {
			const loadingDelayMs = this.nextLoadingDelayMs(error, remainingMs);
			onLoading?.(performance.now() - this.loadingSince!);
			return loadingDelayMs;
		}
		if (!this.isTransient(error)) throw error;
		const delayMs = asFiniteNumber(error.facts.retryAfterMs) ?? this.nextBackoffMs();
		const isWorthWaiting = delayMs <= MAX_RETRY_AFTER_MS && delayMs < remainingMs;
		if (this.tries++ < this.maxRetries && isWorthWaiting) return delayMs;
		throw this.toFinalError(error, delayMs);
	}

	private nextLoadingDelayMs(error: ServerError, remainingMs: number) {
		const at = performance.now();
		this.loadingSince ??= at;
		this.lastLoading = { error, at };
		const delayMs = this.nextBackoffMs(MAX_LOADING_DELAY_MS);
		if (delayMs >= remainingMs) throw this.toLoadingError(error);
		return delayMs;
	}

	/** The model was still loading if the request that timed out was sent right after the server had reported it. */
	toTimeoutError(error: ServerError): ServerError {
		const { lastLoading } = this;
		const isLoading =
			error.type === 'firstTokenTimeout' &&
			lastLoading !== undefined &&
			performance.now() - lastLoading.at < 2 * MAX_LOADING_DELAY_MS;
		return isLoading ? this.toLoadingError(lastLoading.error) : error;
	}

	private toLoadingError(error: ServerError) {
		const waitedMs = performance.now() - this.loadingSince!;
		const timeoutMs = Math.ceil(waitedMs / 1000) * 1000;
		const { title } = getErrorText('modelLoading', { timeoutMs });
		return error.copyWith({ title, isServerText: false });
	}

	private isTransient(error: ServerError) {
		const { type, status = 0, serverText = '' } = error;
		if (!this.isIdempotent || isNotStarted(error)) return isNotStarted(error);
		// Sent with 429, but waiting does not help.
		if (type === 'keyBudgetExceeded') return false;
		const isConnectionLost = type === 'closedBeforeResponse' || type === 'connectionLost';
		return (
			isConnectionLost || TRANSIENT_STATUSES.includes(status) || MODEL_STOPPED.test(serverText)
		);
	}

	private nextBackoffMs(maxMs = Infinity) {
		const backoffMs = BACK_OFF_MS[Math.min(this.waits++, BACK_OFF_MS.length - 1)]!;
		const delayMs = Math.min(backoffMs, maxMs);
		return Math.round(delayMs * (1 - JITTER + 2 * JITTER * this.random()));
	}

	private toFinalError(error: ServerError, delayMs: number) {
		// A server that runs out of memory while loading just exits (docs/protocols/llama-server.md 9.2).
		if (error.type === 'connectionRefused' && this.loadingSince !== undefined)
			return error.copyWith({
				type: 'modelLoadFailed',
				title: 'The server exited while loading the model',
				suggestion: createServerError('modelLoadFailed', {}).suggestion,
			});
		if (delayMs <= MAX_RETRY_AFTER_MS) return error;
		return error.withSuggestion(
			`The server requires a wait of ${formatDuration(delayMs)} (Retry-After), so the request was not retried. ${error.suggestion}`,
		);
	}
}

const isRejected = isOneOf('busy', 'connectionRefused', 'modelUnreachable');

/** Whether the server cannot have started the request. */
function isNotStarted({ type, status }: ServerError) {
	// nginx with `limit_req` sends a page with 503, like a proxy whose server is down.
	return isRejected(type) || (type === 'badGateway' && status === 503);
}
