import { DEFAULT_TIMEOUTS, Watchdog, type Timeouts } from '../../../lib/http/timeouts';
import { delay } from '../../support/node-builtins';
import { useClock } from '../../guarantees/support/fake-clock';

const NONE: Timeouts = { firstTokenMs: 0, idleMs: 0 };

const clock = {
	pass: (ms: number) => jest.advanceTimersByTime(ms),
	/** How long it takes until the limit is hit; undefined when no limit counts. */
	untilHit: ({ signal }: Watchdog): number | undefined => {
		const started = performance.now();
		while (!signal.aborted && jest.getTimerCount() > 0) jest.advanceTimersToNextTimer();
		return signal.aborted ? performance.now() - started : undefined;
	},
};

describe('Watchdog', () => {
	useClock();

	test('by default 30 minutes to the first token, 5 minutes between two pieces, no total', () => {
		expect(DEFAULT_TIMEOUTS).toEqual({ firstTokenMs: 1_800_000, idleMs: 300_000, totalMs: 0 });
	});

	test('the first-token limit is hit, and says which and how long it was', () => {
		const watchdog = new Watchdog({ firstTokenMs: 400, idleMs: 100 });
		expect([watchdog.expired, watchdog.expiredMs]).toEqual([undefined, undefined]);
		expect(clock.untilHit(watchdog)).toBe(400);
		expect([watchdog.expired, watchdog.expiredMs]).toEqual(['firstTokenTimeout', 400]);
	});

	test('case 58: the first-token limit expires, whatever arrives before the first token', () => {
		const watchdog = new Watchdog({ firstTokenMs: 400, idleMs: 1000 });
		clock.pass(300);
		expect(clock.untilHit(watchdog)).toBe(100);
		expect(watchdog.expired).toBe('firstTokenTimeout');
	});

	test('case 59: the idle limit does not count before the first token', () => {
		const watchdog = new Watchdog({ firstTokenMs: 0, idleMs: 100 });
		clock.pass(1000);
		expect(watchdog.signal.aborted).toBe(false);
		watchdog.onContent();
		expect(clock.untilHit(watchdog)).toBe(100);
		expect([watchdog.expired, watchdog.expiredMs]).toEqual(['idleTimeout', 100]);
	});

	test('after the first token only the idle limit counts, and all content starts it anew', () => {
		const watchdog = new Watchdog({ firstTokenMs: 150, idleMs: 100 });
		watchdog.onContent();
		for (let pieces = 0; pieces < 20; pieces++) {
			clock.pass(99);
			watchdog.onContent();
		}
		expect(watchdog.signal.aborted).toBe(false);
		expect(clock.untilHit(watchdog)).toBe(100);
		expect(watchdog.expired).toBe('idleTimeout');
	});

	test('0 means none', () => {
		const watchdog = new Watchdog(NONE);
		watchdog.onContent();
		expect(watchdog.firstTokenRemainingMs).toBe(Infinity);
		expect(clock.untilHit(watchdog)).toBeUndefined();
		expect([watchdog.expired, watchdog.expiredMs]).toEqual([undefined, undefined]);
	});

	test('the total limit counts from the start, whatever arrives', () => {
		const watchdog = new Watchdog({ firstTokenMs: 1000, idleMs: 1000, totalMs: 600 });
		watchdog.onContent();
		clock.pass(500);
		watchdog.onContent();
		expect(clock.untilHit(watchdog)).toBe(100);
		expect([watchdog.expired, watchdog.expiredMs]).toEqual(['totalTimeout', 600]);
	});

	test('of several limits the first one counts', () => {
		const limits = { firstTokenMs: 300, idleMs: 50, totalMs: 400 };
		const hits = [limits, { ...limits, firstTokenMs: 0 }].map((given) => {
			const watchdog = new Watchdog(given);
			clock.untilHit(watchdog);
			return watchdog.expired;
		});
		expect(hits).toEqual(['firstTokenTimeout', 'totalTimeout']);
	});

	test('the time left until the first-token limit runs down', () => {
		const watchdog = new Watchdog({ firstTokenMs: 1000, idleMs: 0 });
		clock.pass(300);
		expect(watchdog.firstTokenRemainingMs).toBe(700);
	});

	test.each([0, 5000])('finishing shortens an idle limit of %d ms', (idleMs) => {
		const watchdog = new Watchdog({ firstTokenMs: 0, idleMs });
		watchdog.onContent();
		watchdog.expectEnd(300);
		clock.pass(200);
		watchdog.expectEnd(300);
		expect(clock.untilHit(watchdog)).toBe(100);
		expect(watchdog.expired).toBe('idleTimeout');
	});

	test('a finished answer ends although the finish is told again and again', () => {
		const watchdog = new Watchdog({ firstTokenMs: 0, idleMs: 5000 });
		watchdog.onContent();
		watchdog.expectEnd(300);
		for (let again = 0; again < 2; again++) {
			clock.pass(100);
			watchdog.expectEnd(300);
		}
		expect(clock.untilHit(watchdog)).toBe(100);
		expect(watchdog.expired).toBe('idleTimeout');
	});

	test('where content comes behind the finish after all, the limits count again: it was no finish', () => {
		const watchdog = new Watchdog({ firstTokenMs: 0, idleMs: 5000 });
		watchdog.expectEnd(300);
		clock.pass(200);
		watchdog.onContent();
		expect(clock.untilHit(watchdog)).toBe(5000);
	});

	test('finishing does not lengthen the idle limit', () => {
		const watchdog = new Watchdog({ firstTokenMs: 0, idleMs: 200 });
		watchdog.onContent();
		watchdog.expectEnd(5000);
		expect(clock.untilHit(watchdog)).toBe(200);
	});

	test('finishing ends the first-token limit, also when no token came', () => {
		const watchdog = new Watchdog({ firstTokenMs: 100, idleMs: 200 });
		watchdog.expectEnd(5000);
		expect(clock.untilHit(watchdog)).toBe(200);
		expect(watchdog.expired).toBe('idleTimeout');
	});

	test('after stop no limit expires', () => {
		const watchdog = new Watchdog({ firstTokenMs: 10, idleMs: 10, totalMs: 10 });
		watchdog.stop();
		expect(clock.untilHit(watchdog)).toBeUndefined();
	});

	test('a limit longer than a timer of Node can be ends nothing at once', () => {
		const watchdog = new Watchdog({ firstTokenMs: 2 ** 31 + 5000, idleMs: 0 });
		clock.pass(800_000_000);
		expect(watchdog.signal.aborted).toBe(false);
	});

	test("the caller's signal is passed on, with its reason, and is not taken for a limit", () => {
		const caller = new AbortController();
		const watchdog = new Watchdog({ firstTokenMs: 20, idleMs: 0 }, caller.signal);
		caller.abort('stop');
		expect([watchdog.signal.aborted, watchdog.signal.reason]).toEqual([true, 'stop']);
		clock.pass(100);
		expect(watchdog.expired).toBeUndefined();
	});

	test('a signal that aborted before is passed on at once', () => {
		expect(new Watchdog(NONE, AbortSignal.abort('early')).signal).toMatchObject({
			aborted: true,
			reason: 'early',
		});
	});

	test("a stopped watchdog leaves the caller's signal alone", () => {
		const caller = new AbortController();
		const added = jest.spyOn(caller.signal, 'addEventListener');
		const removed = jest.spyOn(caller.signal, 'removeEventListener');
		const watchdog = new Watchdog(NONE, caller.signal);
		watchdog.stop();
		expect(removed.mock.calls.map(([, listener]) => listener)).toContain(added.mock.calls[0]![1]);
		caller.abort();
		expect(watchdog.signal.aborted).toBe(false);
	});
});

test('it works by the real clock as well', async () => {
	const watchdog = new Watchdog({ firstTokenMs: 20, idleMs: 0 });
	const quiet = new Watchdog({ firstTokenMs: 20, idleMs: 0 });
	quiet.stop();
	await delay(60);
	expect([watchdog.expired, quiet.expired]).toEqual(['firstTokenTimeout', undefined]);
});
