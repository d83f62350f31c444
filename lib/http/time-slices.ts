import { setImmediate } from '../vendor';

/** Milliseconds of work in a row. */
const SLICE_MS = 20;

/** Waits until n8n has answered others; undefined if it has had the chance within 20 ms. */
export type Pause = () => Promise<void> | undefined;

/** Waits until n8n has answered others. */
export async function breather(): Promise<void> {
	await new Promise<void>((resolve) => {
		setImmediate(resolve);
	});
}

/** For loops over many items, which would keep n8n from everything else. The time of a slice begins with this call. */
export function timeSlices(): Pause {
	let startedAt = performance.now();
	return () => {
		if (performance.now() - startedAt < SLICE_MS) return undefined;
		return breather().then(() => {
			startedAt = performance.now();
		});
	};
}

/** Runs work that yields between its steps, and lets n8n answer others there. */
export async function inTimeSlices<R>(work: Generator<void, R>): Promise<R> {
	const pause = timeSlices();
	let step = work.next();
	for (; step.done !== true; step = work.next()) {
		const slice = pause();
		// Awaited only where it is one: work has a step for each token.
		if (slice !== undefined) await slice;
	}
	return step.value;
}
