import type { ServerError } from '../errors/server-error';
import { sleepWithAbort } from '../http/sleep';

const PAUSE_MS = 500;

interface PollOptions {
	timeoutMs: number;
	pauseMs?: number;
	signal?: AbortSignal;
}

/** Polls until `look` returns a value. @throws what `late` returns, after `limitMs` */
export async function pollUntil<Seen>(
	{ timeoutMs, pauseMs = PAUSE_MS, signal }: PollOptions,
	look: () => Promise<Seen | undefined>,
	late: () => ServerError,
): Promise<Seen> {
	const startedAt = performance.now();
	for (;;) {
		const seen = await look();
		if (seen !== undefined) return seen;
		if (performance.now() - startedAt > timeoutMs) throw late();
		await sleepWithAbort(pauseMs, signal);
	}
}
