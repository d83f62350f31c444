import fc from 'fast-check';

import { Watchdog } from '../../../lib/http/timeouts';
import type { Timeouts } from '../../../lib/http/timeouts';
import { useClock } from '../../guarantees/support/fake-clock';

const NONE: Timeouts = { firstTokenMs: 0, idleMs: 0 };

const clock = {
	pass: (ms: number) => jest.advanceTimersByTime(ms),
	/** Time until a timeout expires; undefined if none is set. */
	msUntilExpiry: ({ signal }: Watchdog): number | undefined => {
		const started = performance.now();
		while (!signal.aborted && jest.getTimerCount() > 0) jest.advanceTimersToNextTimer();
		return signal.aborted ? performance.now() - started : undefined;
	},
};

describe('Watchdog', () => {
	useClock();

	test('data before the first token does not extend the first-token timeout', () => {
		const watchdog = new Watchdog({ firstTokenMs: 400, idleMs: 1000 });
		clock.pass(300);
		expect(clock.msUntilExpiry(watchdog)).toBe(100);
		expect(watchdog.expired).toBe('firstTokenTimeout');
	});

	test.each([
		{
			waitedMs: 300,
			firstTokenMs: 400,
			totalMs: 0,
			expired: ['firstTokenTimeout', 400],
			afterMs: 100,
		},
		{ waitedMs: 300, firstTokenMs: 0, totalMs: 400, expired: ['totalTimeout', 400], afterMs: 100 },
		{
			waitedMs: 400,
			firstTokenMs: 400,
			totalMs: 0,
			expired: ['firstTokenTimeout', 400],
			afterMs: 0,
		},
		{
			waitedMs: 500,
			firstTokenMs: 400,
			totalMs: 900,
			expired: ['firstTokenTimeout', 400],
			afterMs: 0,
		},
	])(
		'a wait before belongs to it: $waitedMs of $expired',
		({ waitedMs, expired, afterMs, ...timeouts }) => {
			const watchdog = new Watchdog({ ...timeouts, idleMs: 1000 }, undefined, waitedMs);
			expect(watchdog.firstTokenRemainingMs).toBe((timeouts.firstTokenMs || Infinity) - waitedMs);
			expect(clock.msUntilExpiry(watchdog)).toBe(afterMs);
			expect([watchdog.expired, watchdog.expiredMs]).toEqual(expired);
		},
	);

	test('each sent chunk of an upload restarts the wait for the first content', () => {
		const watchdog = new Watchdog({ firstTokenMs: 400, idleMs: 1000 });
		for (let chunks = 0; chunks < 5; chunks++) {
			clock.pass(300);
			watchdog.onUpload();
		}
		expect([watchdog.expired, clock.msUntilExpiry(watchdog)]).toEqual([undefined, 400]);
		expect(watchdog.expired).toBe('firstTokenTimeout');
	});

	test('a chunk that is sent after the first content restarts nothing', () => {
		const watchdog = new Watchdog({ firstTokenMs: 400, idleMs: 1000 });
		watchdog.onContent();
		clock.pass(300);
		watchdog.onUpload();
		expect([clock.msUntilExpiry(watchdog), watchdog.expired]).toEqual([700, 'idleTimeout']);
	});

	test('the idle timeout does not apply before the first token', () => {
		const watchdog = new Watchdog({ firstTokenMs: 0, idleMs: 100 });
		clock.pass(1000);
		expect(watchdog.signal.aborted).toBe(false);
		watchdog.onContent();
		expect(clock.msUntilExpiry(watchdog)).toBe(100);
		expect([watchdog.expired, watchdog.expiredMs]).toEqual(['idleTimeout', 100]);
	});

	test('no silence is longer than the idle timeout, however many bytes came before it', () => {
		const idleMs = 1_000;
		const chunk = fc.record({
			afterMs: fc.integer({ min: 0, max: idleMs }),
			bytes: fc.oneof(fc.nat(200), fc.nat(10_000_000)),
		});
		fc.assert(
			fc.property(fc.array(chunk, { maxLength: 8 }), (chunks) => {
				const watchdog = new Watchdog({ firstTokenMs: 0, idleMs });
				watchdog.onContent();
				for (const { afterMs, bytes } of chunks) {
					clock.pass(afterMs);
					watchdog.onBytes(bytes, 100);
				}
				const silenceMs = watchdog.signal.aborted ? 0 : clock.msUntilExpiry(watchdog);
				expect(silenceMs).toBeLessThanOrEqual(idleMs);
			}),
		);
	});

	test('0 means no timeout', () => {
		const watchdog = new Watchdog(NONE);
		watchdog.onContent();
		expect(watchdog.firstTokenRemainingMs).toBe(Infinity);
		expect(clock.msUntilExpiry(watchdog)).toBeUndefined();
		expect([watchdog.expired, watchdog.expiredMs]).toEqual([undefined, undefined]);
	});

	test('the timeout that expires first is reported', () => {
		const timeouts = { firstTokenMs: 300, idleMs: 50, totalMs: 400 };
		const expired = [timeouts, { ...timeouts, firstTokenMs: 0 }].map((input) => {
			const watchdog = new Watchdog(input);
			clock.msUntilExpiry(watchdog);
			return watchdog.expired;
		});
		expect(expired).toEqual(['firstTokenTimeout', 'totalTimeout']);
	});

	test.each([0, 5000])('the finish shortens an idle timeout of %d ms', (idleMs) => {
		const watchdog = new Watchdog({ firstTokenMs: 0, idleMs });
		watchdog.onContent();
		watchdog.expectEnd(300);
		clock.pass(200);
		watchdog.expectEnd(300);
		expect(clock.msUntilExpiry(watchdog)).toBe(100);
		expect(watchdog.expired).toBe('idleTimeout');
	});

	test('content after a finish restores the timeouts', () => {
		const watchdog = new Watchdog({ firstTokenMs: 0, idleMs: 5000 });
		watchdog.expectEnd(300);
		clock.pass(200);
		watchdog.onContent();
		expect(clock.msUntilExpiry(watchdog)).toBe(5000);
	});

	test('the finish does not extend the idle timeout', () => {
		const watchdog = new Watchdog({ firstTokenMs: 0, idleMs: 200 });
		watchdog.onContent();
		watchdog.expectEnd(5000);
		expect(clock.msUntilExpiry(watchdog)).toBe(200);
	});

	test('the finish ends the first-token timeout, even without a token', () => {
		const watchdog = new Watchdog({ firstTokenMs: 100, idleMs: 200 });
		watchdog.expectEnd(5000);
		expect(clock.msUntilExpiry(watchdog)).toBe(200);
		expect(watchdog.expired).toBe('idleTimeout');
	});

	test('no timeout expires after stop', () => {
		const watchdog = new Watchdog({ firstTokenMs: 10, idleMs: 10, totalMs: 10 });
		watchdog.stop();
		expect(clock.msUntilExpiry(watchdog)).toBeUndefined();
	});

	test('a timeout beyond the maximum of Node’s timers does not expire immediately', () => {
		const watchdog = new Watchdog({ firstTokenMs: 2 ** 31 + 5000, idleMs: 0 });
		clock.pass(800_000_000);
		expect(watchdog.signal.aborted).toBe(false);
	});

	test("the caller's signal is passed on with its reason, and is not reported as a timeout", () => {
		const caller = new AbortController();
		const watchdog = new Watchdog({ firstTokenMs: 20, idleMs: 0 }, caller.signal);
		caller.abort('stop');
		expect([watchdog.signal.aborted, watchdog.signal.reason]).toEqual([true, 'stop']);
		clock.pass(100);
		expect(watchdog.expired).toBeUndefined();
	});

	test("a stopped watchdog does not listen to the caller's signal", () => {
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
