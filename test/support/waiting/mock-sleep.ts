/**
 * A mock of `lib/http/sleep` for tests of retries: a pause ends immediately, and `performance.now()` advances by it. So
 * timeouts expire as usual without waiting, independent of the machine's speed.
 *
 * `jest.mock('../lib/http/sleep', () => jest.requireActual<object>('./mock-sleep'))`
 */
import { performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers';
import { createServerError } from '../../../lib/errors/create-error';

const { now } = performance;
let skippedMs = 0;
performance.now = () => now.call(performance) + skippedMs;
// Restore the global clock.
afterAll(() => {
	performance.now = now;
});

export async function sleepWithAbort(ms: number, signal?: AbortSignal): Promise<void> {
	assertNotAborted(signal);
	skippedMs += ms;
	// Let arrived data be read first, as in a real pause.
	await new Promise(setImmediate);
	assertNotAborted(signal);
}

function assertNotAborted(signal: AbortSignal | undefined) {
	if (signal?.aborted === true) throw createServerError('aborted', {});
}
