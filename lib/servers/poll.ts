import type { ServerError } from '../errors/server-error';
import { sleepWithAbort } from '../http/sleep';

const PAUSE_MS = 500;

interface PollOptions {
	timeoutMs: number;
	pauseMs?: number;
	signal?: AbortSignal;
}

/** Polls until `poll` returns a value. @throws the result of `toTimeoutError`, after `timeoutMs` */
export async function pollUntil<Seen>(
	{ timeoutMs, pauseMs = PAUSE_MS, signal }: PollOptions,
	poll: () => Promise<Seen | undefined>,
	toTimeoutError: () => ServerError,
): Promise<Seen> {
	const startedAt = performance.now();
	for (;;) {
		const result = await poll();
		if (result !== undefined) return result;
		if (performance.now() - startedAt > timeoutMs) throw toTimeoutError();
		await sleepWithAbort(pauseMs, signal);
	}
}
