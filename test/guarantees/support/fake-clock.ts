/**
 * A clock that only the test moves, for limits of minutes and hours. Timers of the package, of n8n-workflow and of
 * undici run by it; sockets stay real.
 */
import { pollUntil } from '../../support/waiting/deadline';
import timers from 'node:timers';
import { setImmediate, setTimeout } from 'node:timers';

const { globalTimers } = jest.requireActual<{
	globalTimers(): { setTimeout: never; clearTimeout: never };
}>('./globals.cjs');

// Taken before any test replaces it.
const startRealTimer = setTimeout;
const realPause = async (ms: number) =>
	await new Promise<void>((resolve) => {
		startRealTimer(resolve, ms);
	});

export interface Clock {
	/** Lets so much time pass, with all timers on the way, then lets sockets do what is due. */
	pass(ms: number): Promise<void>;
	/** Lets time pass in steps of a second until the work is done. */
	passUntil<T>(work: Promise<T>): Promise<T>;
}

/** Call at the top of a group of tests. */
export function useClock(): Clock {
	beforeEach(() => {
		jest.useFakeTimers({
			doNotFake: ['nextTick', 'setImmediate', 'clearImmediate', 'queueMicrotask', 'hrtime'],
		});
		// Node's module of timers is another object than the global functions.
		const fakes = globalTimers();
		jest.spyOn(timers, 'setTimeout').mockImplementation(fakes.setTimeout);
		jest.spyOn(timers, 'clearTimeout').mockImplementation(fakes.clearTimeout);
	});
	afterEach(() => {
		jest.restoreAllMocks();
		jest.useRealTimers();
	});
	const sockets = async () => {
		for (let turns = 0; turns < 20; turns++) await new Promise((resolve) => setImmediate(resolve));
	};
	const pass = async (ms: number) => {
		await sockets();
		await jest.advanceTimersByTimeAsync(ms);
		await sockets();
	};
	return {
		pass,
		passUntil: async (work) => {
			let isDone = false;
			let seconds = 0;
			const done = () => (isDone = true);
			work.then(done, done);
			const step = async () => {
				await pass(1000);
				seconds++;
				await realPause(2);
			};
			const what = () => `the end of the work, while ${seconds} s of the clock passed`;
			await pollUntil(() => isDone, step, what);
			return await work;
		},
	};
}
