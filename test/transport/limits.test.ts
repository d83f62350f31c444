import { DEFAULT_LIMITS, Watchdog, type Limits } from '../../lib/transport/limits';
import { delay, performance } from '../support/node';

const NONE: Limits = { firstTokenMs: 0, idleMs: 0 };

/** How long it took until the limit was hit, or undefined when it was not hit within `waitMs`. */
async function timeToHit(watchdog: Watchdog, waitMs: number): Promise<number | undefined> {
	const started = performance.now();
	const hit = new Promise<number>((resolve) => {
		watchdog.signal.addEventListener('abort', () => resolve(performance.now() - started));
	});
	return await Promise.race([hit, delay(waitMs, undefined)]);
}

describe('Watchdog', () => {
	test('by default 30 minutes to the first token, 5 minutes between two pieces, no total', () => {
		expect(DEFAULT_LIMITS).toEqual({ firstTokenMs: 1_800_000, idleMs: 300_000, totalMs: 0 });
	});

	test('the first-token limit is hit, and says which and how long it was', async () => {
		const watchdog = new Watchdog({ firstTokenMs: 40, idleMs: 10 });
		expect(await timeToHit(watchdog, 500)).toBeGreaterThanOrEqual(38);
		expect([watchdog.hit, watchdog.hitMs]).toEqual(['firstTokenLimit', 40]);
	});

	test('case 58: bytes that are no token do not lengthen the first-token limit', async () => {
		const watchdog = new Watchdog({ firstTokenMs: 60, idleMs: 1000 });
		const hit = timeToHit(watchdog, 500);
		for (let pings = 0; pings < 4; pings++) {
			await delay(10);
			watchdog.touch();
		}
		expect(await hit).toBeLessThan(150);
		expect(watchdog.hit).toBe('firstTokenLimit');
	});

	test('case 59: the idle limit does not count before the first token', async () => {
		const watchdog = new Watchdog({ firstTokenMs: 0, idleMs: 10 });
		expect(await timeToHit(watchdog, 60)).toBeUndefined();
		watchdog.firstToken();
		expect(await timeToHit(watchdog, 500)).toBeGreaterThanOrEqual(9);
		expect([watchdog.hit, watchdog.hitMs]).toEqual(['idleLimit', 10]);
	});

	test('after the first token only the idle limit counts, and every byte starts it anew', async () => {
		const watchdog = new Watchdog({ firstTokenMs: 50, idleMs: 60 });
		watchdog.firstToken();
		for (let pieces = 0; pieces < 5; pieces++) {
			await delay(25);
			watchdog.touch();
		}
		expect(watchdog.signal.aborted).toBe(false);
		expect(await timeToHit(watchdog, 500)).toBeGreaterThanOrEqual(50);
		expect(watchdog.hit).toBe('idleLimit');
	});

	test('a second first token changes nothing', async () => {
		const watchdog = new Watchdog({ firstTokenMs: 0, idleMs: 50 });
		watchdog.firstToken();
		await delay(30);
		watchdog.firstToken();
		expect(await timeToHit(watchdog, 500)).toBeLessThan(45);
	});

	test('0 means none', async () => {
		const watchdog = new Watchdog(NONE);
		watchdog.firstToken();
		expect(watchdog.firstTokenLeftMs).toBe(Infinity);
		expect(await timeToHit(watchdog, 40)).toBeUndefined();
		expect([watchdog.hit, watchdog.hitMs]).toEqual([undefined, undefined]);
	});

	test('the total limit counts from the start, whatever arrives', async () => {
		const watchdog = new Watchdog({ firstTokenMs: 1000, idleMs: 1000, totalMs: 60 });
		watchdog.firstToken();
		const hit = timeToHit(watchdog, 500);
		await delay(30);
		watchdog.touch();
		expect(await hit).toBeLessThan(150);
		expect([watchdog.hit, watchdog.hitMs]).toEqual(['totalLimit', 60]);
	});

	test('the progress limit counts between events, before and after the first token, whatever else arrives', async () => {
		const watchdog = new Watchdog({ firstTokenMs: 0, idleMs: 0, progressMs: 60 });
		await delay(35);
		watchdog.progress();
		await delay(35);
		expect(watchdog.signal.aborted).toBe(false);
		watchdog.firstToken();
		watchdog.touch();
		expect(await timeToHit(watchdog, 500)).toBeLessThan(60);
		expect([watchdog.hit, watchdog.hitMs]).toEqual(['progressLimit', 60]);
	});

	test('the time left until the first-token limit runs down', async () => {
		const watchdog = new Watchdog({ firstTokenMs: 1000, idleMs: 0 });
		await delay(30);
		expect(watchdog.firstTokenLeftMs).toBeGreaterThan(500);
		expect(watchdog.firstTokenLeftMs).toBeLessThan(975);
		watchdog.stop();
	});

	test.each([0, 5000])('finishing shortens an idle limit of %d ms', async (idleMs) => {
		const watchdog = new Watchdog({ firstTokenMs: 0, idleMs });
		watchdog.firstToken();
		watchdog.finishing(30);
		expect(await timeToHit(watchdog, 500)).toBeGreaterThanOrEqual(28);
		expect(watchdog.hit).toBe('idleLimit');
	});

	test('finishing does not lengthen the idle limit', async () => {
		const watchdog = new Watchdog({ firstTokenMs: 0, idleMs: 20 });
		watchdog.firstToken();
		watchdog.finishing(5000);
		expect(await timeToHit(watchdog, 500)).toBeLessThan(200);
	});

	test('finishing ends the first-token limit, also when no token came', async () => {
		const watchdog = new Watchdog({ firstTokenMs: 40, idleMs: 70 });
		watchdog.finishing(5000);
		await timeToHit(watchdog, 500);
		expect(watchdog.hit).toBe('idleLimit');
	});

	test('once stopped, nothing is hit any more', async () => {
		const watchdog = new Watchdog({ firstTokenMs: 10, idleMs: 10, totalMs: 10 });
		watchdog.stop();
		watchdog.firstToken();
		watchdog.finishing(1);
		expect(await timeToHit(watchdog, 40)).toBeUndefined();
	});

	test('limits longer than a timer can be are kept', async () => {
		const watchdog = new Watchdog({ firstTokenMs: 2 ** 31 + 10, idleMs: 0 });
		expect(await timeToHit(watchdog, 20)).toBeUndefined();
		watchdog.stop();
	});

	test("the caller's signal is passed on, with its reason, and is not taken for a limit", async () => {
		const caller = new AbortController();
		const watchdog = new Watchdog({ firstTokenMs: 20, idleMs: 0 }, caller.signal);
		caller.abort('stop');
		expect([watchdog.signal.aborted, watchdog.signal.reason]).toEqual([true, 'stop']);
		await delay(40);
		expect(watchdog.hit).toBeUndefined();
	});

	test('a signal that aborted before is passed on at once', () => {
		expect(new Watchdog(NONE, AbortSignal.abort('early')).signal).toMatchObject({ aborted: true, reason: 'early' });
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
