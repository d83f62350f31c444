import { TimeLimit } from '../../../lib/servers/time-limit';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

test('the requests of an action share the rest of its timeout', () => {
	const limit = new TimeLimit(1_000);
	expect(limit.capMs(10_000)).toBe(1_000);
	jest.advanceTimersByTime(700);
	expect(limit.remainingMs).toBe(300);
	expect(limit.capMs(200)).toBe(200);
	expect(limit.isOver).toBe(false);
});

test('a request that used the rest of the time ends the action, and further ones get a moment', () => {
	const limit = new TimeLimit(1_000);
	jest.advanceTimersByTime(5_000);
	expect(limit.isOver).toBe(true);
	// 0 would mean no timeout.
	expect(limit.capMs(10_000)).toBe(1);
});

test('0 is no limit', () => {
	const limit = new TimeLimit(0);
	jest.advanceTimersByTime(86_400_000);
	expect([limit.remainingMs, limit.capMs(10_000), limit.isOver]).toEqual([Infinity, 10_000, false]);
});
