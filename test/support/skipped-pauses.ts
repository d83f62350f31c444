/**
 * In place of `lib/http/waiting`, for tests of what waits and tries again: a pause is over at once, and the clock goes
 * on by it. So limits run out as they would, nobody waits, and a busy machine changes nothing.
 *
 * `jest.mock('../lib/http/waiting', () => jest.requireActual<object>('../support/skipped-pauses'))`
 */
import { performance, setImmediate } from './node';

export const { raceAgainstAbort } =
	jest.requireActual<typeof import('../../lib/http/waiting')>('../../lib/http/waiting');

const { now } = performance;
let skippedMs = 0;
performance.now = () => now.call(performance) + skippedMs;
// It is the one of the whole process.
afterAll(() => {
	performance.now = now;
});

export async function pauseFor(ms: number, signal?: AbortSignal): Promise<void> {
	signal?.throwIfAborted();
	skippedMs += ms;
	// What had arrived is read first, as in a pause.
	await new Promise(setImmediate);
	signal?.throwIfAborted();
}
