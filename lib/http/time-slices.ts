import { setImmediate } from '../vendor';

/** Milliseconds of work in a row. */
const SLICE_MS = 20;

/** Waits until n8n has answered others, if it has not had the chance for 20 ms. */
export type Pause = () => Promise<void>;

/** For loops over many items, which would keep n8n from everything else. The time of a slice begins with this call. */
export function timeSlices(): Pause {
	let startedAt = performance.now();
	return async () => {
		if (performance.now() - startedAt < SLICE_MS) return;
		await new Promise<void>((resolve) => {
			setImmediate(resolve);
		});
		startedAt = performance.now();
	};
}

/** Runs work that yields between its steps, and lets n8n answer others there. */
export async function inTimeSlices<R>(work: Generator<void, R>): Promise<R> {
	const pause = timeSlices();
	let step = work.next();
	for (; step.done !== true; step = work.next()) await pause();
	return step.value;
}
