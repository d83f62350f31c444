/**
 * Time for tests whose only server runs in the same process. A pause by n8n's `sleep` ends immediately. For all other
 * timers the clock jumps to the next one as soon as the process is idle. So pauses and timeouts of minutes expire as
 * usual, in milliseconds, even on a busy machine.
 *
 *     type VirtualTime = typeof import('./support/virtual-time');
 *     jest.mock('node:timers', () => jest.requireActual<VirtualTime>('./support/virtual-time').timers);
 *     jest.mock('n8n-workflow', () => jest.requireActual<VirtualTime>('./support/virtual-time').workflow);
 */
import { performance } from 'node:perf_hooks';
import type nodeTimers from 'node:timers';

const real = jest.requireActual<typeof nodeTimers>('node:timers');

/** Number of idle turns of the event loop before the clock jumps. */
const QUIET_ROUNDS = 4;
const ROUND_MS = 2;

const { now } = performance;
let skippedMs = 0;
performance.now = () => now.call(performance) + skippedMs;
// Restore the global clock.
afterAll(() => {
	performance.now = now;
});

class Timer {
	dueAt: number;

	constructor(
		private readonly ms: number,
		readonly call: () => void,
	) {
		this.dueAt = performance.now() + ms;
	}
	refresh(): this {
		this.dueAt = performance.now() + this.ms;
		return this;
	}
	unref(): this {
		return this;
	}
	ref(): this {
		return this;
	}
}

const pending = new Set<Timer>();
let quietRounds = 0;
let isRunning = false;

/** Reports activity, such as a request that arrived. */
export function stir(): void {
	quietRounds = 0;
}

function setTimer(call: (...args: unknown[]) => void, ms = 0, ...args: unknown[]): Timer {
	const timer = new Timer(ms, () => call(...args));
	pending.add(timer);
	stir();
	if (!isRunning) nextRound();
	return timer;
}

function clearTimer(timer: unknown): void {
	if (timer instanceof Timer && pending.delete(timer)) stir();
}

function nextRound(): void {
	isRunning = pending.size > 0;
	// The real timer does not keep a test alive.
	if (isRunning) real.setTimeout(round, ROUND_MS).unref();
}

function round(): void {
	quietRounds += 1;
	const [first] = [...pending].sort((one, other) => one.dueAt - other.dueAt);
	if (first !== undefined) {
		const leftMs = first.dueAt - performance.now();
		if (leftMs > 0 && quietRounds >= QUIET_ROUNDS) skippedMs += leftMs;
		if (first.dueAt <= performance.now()) {
			pending.delete(first);
			stir();
			first.call();
		}
	}
	nextRound();
}

export const timers: object = { ...real, setTimeout: setTimer, clearTimeout: clearTimer };

/** A pause ends immediately, after received data. */
async function sleep(ms: number): Promise<void> {
	skippedMs += ms;
	stir();
	await new Promise(real.setImmediate);
}

// Loaded after `timers`, which one of its libraries imports.
const actualWorkflow = jest.requireActual<typeof import('n8n-workflow')>('n8n-workflow');

/** n8n's library with a `sleep` of this clock. */
export const workflow: object = Object.create(actualWorkflow, {
	sleep: { value: sleep, enumerable: true },
}) as object;
