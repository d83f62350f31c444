import { sleep } from 'n8n-workflow';
import { createServerError } from '../errors/create-error';
import { setImmediate } from '../vendor';

/** Long pauses are split, so that a canceled one leaves no long timer behind. */
const SLEEP_STEP_MS = 250;

/** Stops waiting when the signal aborts, for work that ignores signals: the egress filter's DNS lookup. */
export async function rejectOnAbort<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
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

/** Aborts when one of the signals aborts. The combined signal can be freed before them. */
export function anySignal(...signals: Array<AbortSignal | undefined>): AbortSignal {
	return AbortSignal.any(signals.filter((signal) => signal !== undefined));
}

/**
 * Waits for some milliseconds.
 *
 * @throws a `ServerError` of type `aborted` when the signal aborts: its reason may be anything.
 */
export async function sleepWithAbort(ms: number, signal?: AbortSignal): Promise<void> {
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

/** Lets n8n do its other work between two steps that may be long. */
export async function letOthersWork(): Promise<void> {
	await new Promise<void>((resolve) => setImmediate(resolve));
}

function assertNotAborted(signal: AbortSignal | undefined) {
	if (signal?.aborted === true) throw createServerError('aborted', {});
}
