/** Streams text at a rate that n8n can keep up with. */
import { sleep } from 'n8n-workflow';
import { getDeltaInterval, JOIN_DELTAS } from '../chat/read/text-stages';

let streams = 0;

/**
 * Yields the first text immediately, and then, at an interval, all text that arrived since (`JOIN_DELTAS`). `toChunks` yields
 * what the consumer gets for a text.
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
	const start = { released: '', held: JOIN_DELTAS.start, isPaused: false, hasEnded: false };
	const queue = { ...start, wake: () => {} };
	const abandoned = new AbortController();
	const push = (text: string) => {
		const [released, held] = JOIN_DELTAS.step(queue.held, { text, isPaused: queue.isPaused });
		queue.held = held;
		if (released === '') return;
		queue.released += released;
		queue.wake();
	};
	const result = run(push, abandoned.signal);
	const end = result
		.catch(() => {})
		.then(() => {
			queue.released += JOIN_DELTAS.end(queue.held);
			queue.hasEnded = true;
			queue.wake();
		});
	streams++;
	try {
		for (;;) {
			const text = queue.released;
			if (text) {
				queue.released = '';
				yield* toChunks(text);
				if (queue.hasEnded) continue;
				queue.isPaused = true;
				// The end follows the last text without a pause.
				await Promise.race([sleep(getDeltaInterval(streams)), end]);
				queue.isPaused = false;
				if (!queue.hasEnded) push('');
			} else if (queue.hasEnded) return await result;
			else await new Promise<void>((resolve) => (queue.wake = resolve));
		}
	} finally {
		streams--;
		if (!queue.hasEnded) abandoned.abort();
	}
}
