/** Long work in short steps, so that n8n's other work runs between them. */
import { yieldToEventLoop } from './yield-to-event-loop';

/** Work that may be interrupted where it yields. */
export type Steps<Result> = Generator<undefined, Result>;

/** How long to work until n8n does its other work. */
const MAX_WORK_MS = 20;

/** Does the work, and lets other work run every 20 ms. */
export async function runInSteps<Result>(steps: Steps<Result>): Promise<Result> {
	let startedAt = performance.now();
	for (;;) {
		const step = steps.next();
		if (step.done === true) return step.value;
		if (performance.now() - startedAt < MAX_WORK_MS) continue;
		await yieldToEventLoop();
		startedAt = performance.now();
	}
}

/** Does the work without a pause, for what is short. */
export function runAtOnce<Result>(steps: Steps<Result>): Result {
	for (;;) {
		const step = steps.next();
		if (step.done === true) return step.value;
	}
}
