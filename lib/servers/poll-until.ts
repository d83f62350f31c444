import { asServerErrorOrThrow, ServerError } from '../errors/server-error';
import { sleepWithAbort } from '../http/sleep';

/** How long and how often to poll. */
export interface PollOptions {
	/** Milliseconds. */
	timeoutMs: number;
	/** Milliseconds between two polls. Default: 500. */
	pauseMs?: number;
	signal?: AbortSignal;
}

/**
 * Polls until `poll` returns a value.
 *
 * @throws the result of `toTimeoutError`, after `timeoutMs`.
 */
export async function pollUntil<Seen>(
	{ timeoutMs, pauseMs = 500, signal }: PollOptions,
	poll: () => Promise<Seen | undefined>,
	toTimeoutError: () => ServerError,
): Promise<Seen> {
	const startedAt = performance.now();
	for (;;) {
		const result = await poll().catch(asServerErrorOrThrow);
		const elapsedMs = performance.now() - startedAt;
		if (result instanceof ServerError) {
			// The last poll gets the rest of the time.
			const isLast = result.type === 'totalTimeout' && elapsedMs + pauseMs > timeoutMs;
			throw isLast ? toTimeoutError() : result;
		}
		if (result !== undefined) return result;
		if (elapsedMs > timeoutMs) throw toTimeoutError();
		await sleepWithAbort(pauseMs, signal);
	}
}
