/** When a request is sent again. */
import { createServerError } from '../errors/create-error';
import { formatDuration } from '../errors/texts';
import type { ServerError } from '../errors/server-error';

const BACK_OFF_MS = [500, 1000, 2000, 3000, 5000];

/** Short, because asking a loading server costs nothing, and somebody may be waiting in a chat. */
const MAX_LOADING_PAUSE_MS = 2000;

/** Longest pause that is waited for. A server that asks for a longer one is not asked again. */
const MAX_RETRY_AFTER_MS = 60_000;

/** Statuses while a server behind a gateway is restarting or busy. */
const TRANSIENT_STATUSES: ReadonlySet<number | undefined> = new Set([429, 502, 503, 504]);

/** Seen with Ollama 0.17.4, status 400: its runner died. The next request starts a new one. */
const OLLAMA_RUNNER_DIED = /do embedding request: .{0,500}EOF/i;

/**
 * Decides after each failed attempt of one request. What the server cannot have taken up is sent again: it is loading its
 * model, refuses connections, or is too busy. Idempotent requests also after a lost connection.
 */
export class RetryPolicy {
	private tries = 0;
	private waits = 0;
	private wasLoading = false;

	constructor(
		private readonly maxRetries: number,
		private readonly isIdempotent: boolean,
	) {}

	/**
	 * @param leftMs milliseconds until the first-token limit; Infinity without one
	 * @returns milliseconds to wait before the next attempt
	 * @throws {ServerError} where there is none
	 */
	nextDelayMs(failed: ServerError, leftMs: number): number {
		if (failed.type === 'modelLoading') return this.pauseForLoading(failed, leftMs);
		if (!this.isTransient(failed)) throw failed;
		const pause = requestedPause(failed) ?? this.nextPause();
		const isWorthWaiting = pause <= MAX_RETRY_AFTER_MS && pause < leftMs;
		if (this.tries++ < this.maxRetries && isWorthWaiting) return pause;
		throw this.lastFailure(failed, pause);
	}

	private pauseForLoading(failed: ServerError, leftMs: number): number {
		this.wasLoading = true;
		const pause = Math.min(this.nextPause(), MAX_LOADING_PAUSE_MS);
		if (pause < leftMs) return pause;
		throw failed;
	}

	private isTransient({ type, status, serverText = '' }: ServerError): boolean {
		// nginx with `limit_req` sends a page with 503, like a proxy whose server is down.
		const isRefused =
			type === 'busy' || type === 'connectionRefused' || (type === 'badGateway' && status === 503);
		if (isRefused || !this.isIdempotent) return isRefused;
		// Sent with 429, but no wait helps.
		if (type === 'keyBudgetExceeded') return false;
		const isLost = type === 'closedBeforeResponse' || type === 'connectionLost';
		return isLost || TRANSIENT_STATUSES.has(status) || OLLAMA_RUNNER_DIED.test(serverText);
	}

	private nextPause(): number {
		return BACK_OFF_MS[Math.min(this.waits++, BACK_OFF_MS.length - 1)]!;
	}

	private lastFailure(failed: ServerError, pause: number): ServerError {
		// A server that runs out of memory while loading just exits (docs/protocols/llama-server.md 9.2).
		if (failed.type === 'connectionRefused' && this.wasLoading)
			return failed.copyWith({
				type: 'modelLoadFailed',
				message: 'The server exited while loading the model',
				suggestion: createServerError('modelLoadFailed', {}).suggestion,
			});
		if (pause <= MAX_RETRY_AFTER_MS) return failed;
		return failed.withSuggestion(
			`The server requires a wait of ${formatDuration(pause)} (Retry-After), so the request was not retried. ${failed.suggestion}`,
		);
	}
}

/** Milliseconds that the server asks to wait. */
function requestedPause({ facts: { retryAfterMs } }: ServerError): number | undefined {
	return typeof retryAfterMs === 'number' ? retryAfterMs : undefined;
}
