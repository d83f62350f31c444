import { sleep } from 'n8n-workflow';

/** A pause is slept in pieces, so that a cancelled one leaves no long timer behind. */
const PAUSE_PIECE_MS = 250;

/**
 * Gives up waiting when the signal aborts, for work that does not look at it: the look-up of a name by the egress filter.
 */
export async function raceAgainstAbort<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
	signal.throwIfAborted();
	let onAbort = () => {};
	const aborted = new Promise<never>((_resolve, reject) => {
		onAbort = () => reject(signal.reason as Error);
		signal.addEventListener('abort', onAbort, { once: true });
	});
	try {
		return await Promise.race([work(), aborted]);
	} finally {
		signal.removeEventListener('abort', onAbort);
	}
}

/** Waits, and ends early with the reason of the signal when that aborts. */
export async function pauseFor(ms: number, signal?: AbortSignal): Promise<void> {
	signal?.throwIfAborted();
	let wake = () => {};
	const aborted = new Promise<void>((resolve) => {
		wake = resolve;
		signal?.addEventListener('abort', wake, { once: true });
	});
	for (let left = ms; left > 0; left -= PAUSE_PIECE_MS) {
		await Promise.race([sleep(Math.min(left, PAUSE_PIECE_MS)), aborted]);
		signal?.throwIfAborted();
	}
	signal?.removeEventListener('abort', wake);
}
