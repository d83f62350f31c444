import { sleep } from 'n8n-workflow';
import { createServerError } from '../errors/create-error';

/** Long pauses are split, so that a canceled one leaves no long timer behind. */
const SLEEP_STEP_MS = 250;

/**
 * Waits for some milliseconds.
 *
 * @param signal - Required, so that no pause forgets it; undefined only where nothing ends the wait.
 * @throws a `ServerError` of type `aborted` when the signal aborts: its reason may be anything.
 */
export async function sleepWithAbort(ms: number, signal: AbortSignal | undefined): Promise<void> {
	assertNotAborted(signal);
	let wake = () => {};
	const aborted = new Promise<void>((resolve) => {
		wake = resolve;
		signal?.addEventListener('abort', wake, { once: true });
	});
	for (let remainingMs = ms; remainingMs > 0; remainingMs -= SLEEP_STEP_MS) {
		await Promise.race([sleep(Math.min(remainingMs, SLEEP_STEP_MS)), aborted]);
		assertNotAborted(signal);
	}
	signal?.removeEventListener('abort', wake);
}

function assertNotAborted(signal: AbortSignal | undefined) {
	if (signal?.aborted === true) throw createServerError('aborted', {});
}
