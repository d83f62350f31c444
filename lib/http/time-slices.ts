import { setImmediate } from '../vendor';

/** Milliseconds of work in a row. */
const SLICE_MS = 20;

/** Runs work that yields between its steps, and lets n8n answer others there. */
export async function inTimeSlices<R>(work: Generator<void, R>): Promise<R> {
	let startedAt = performance.now();
	for (;;) {
		const step = work.next();
		if (step.done === true) return step.value;
		if (performance.now() - startedAt < SLICE_MS) continue;
		await new Promise<void>((resolve) => {
			setImmediate(resolve);
		});
		startedAt = performance.now();
	}
}
