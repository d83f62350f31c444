/**
 * A mock of `lib/http/sleep` like `mock-sleep.ts`, with a clock that stands still but for pauses: of an outcome that depends on
 * how long a response took, as whether a server was busy, nothing depends on how fast the machine is.
 *
 * `jest.mock('../lib/http/sleep', () => jest.requireActual<object>('./still-clock'))`
 */
import { performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers';
import { createServerError } from '../../../lib/errors/create-error';

const { now } = performance;
let nowMs = now.call(performance);
performance.now = () => nowMs;
// Restore the global clock.
afterAll(() => {
	performance.now = now;
});

export async function sleepWithAbort(ms: number, signal?: AbortSignal): Promise<void> {
	assertNotAborted(signal);
	nowMs += ms;
	// Let arrived data be read first, as in a real pause.
	await new Promise(setImmediate);
	assertNotAborted(signal);
}

function assertNotAborted(signal: AbortSignal | undefined) {
	if (signal?.aborted === true) throw createServerError('aborted', {});
}
