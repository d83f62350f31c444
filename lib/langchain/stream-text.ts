/** Streams text at a rate that n8n can keep up with. */
import { sleep } from 'n8n-workflow';

/** Deltas per second for all streams of one n8n process. With many streams, each gets fewer and larger ones. */
const MAX_DELTAS_PER_SECOND = 400;

let streams = 0;

/** 25 deltas per second look like a steady stream. */
const DELTA_INTERVAL_MS = 40;

/**
 * Yields the first text immediately, and then, at an interval, all text that arrived since. The
 * work per delta (LangChain's chunks, n8n's events, a line to the browser) is thus not done per token, but readers see
 * a steady stream. `toChunks` yields what the consumer gets for a text.
 *
 * If the consumer stops before the end, the signal of `run` aborts, which closes the connection and frees the server's
 * slot.
 *
 * @returns the result of `run`
 */
export async function* streamText<R, C>(
	run: (onDelta: (delta: string) => void, abandoned: AbortSignal) => Promise<R>,
	toChunks: (text: string) => AsyncIterable<C> | Iterable<C>,
): AsyncGenerator<C, R> {
	const queue = { pending: '', hasEnded: false, wake: () => {} };
	const abandoned = new AbortController();
	const result = run((delta) => {
		queue.pending += delta;
		queue.wake();
	}, abandoned.signal);
	const end = result
		.catch(() => {})
		.then(() => {
			queue.hasEnded = true;
			queue.wake();
		});
	streams++;
	try {
		for (;;) {
			const text = queue.pending;
			if (text) {
				queue.pending = '';
				yield* toChunks(text);
				// The end follows the last text without a pause.
				const intervalMs = Math.max(DELTA_INTERVAL_MS, (streams / MAX_DELTAS_PER_SECOND) * 1000);
				await Promise.race([sleep(intervalMs), end]);
			} else if (queue.hasEnded) return await result;
			else await new Promise<void>((resolve) => (queue.wake = resolve));
		}
	} finally {
		streams--;
		if (!queue.hasEnded) abandoned.abort();
	}
}
