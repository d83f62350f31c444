import { failure } from '../../../../lib/errors/failure';
import type { FailureKind } from '../../../../lib/errors/kinds';
import { beginTrial, endRest, endTrial, rest, restsUntil, whyResting } from '../../../../lib/servers/pool/rests';

const START = 1_000_000;
let now = START;

beforeEach(() => {
	now = START;
	jest.spyOn(Date, 'now').mockImplementation(() => now);
});
afterEach(() => {
	jest.restoreAllMocks();
});

const failed = (kind: FailureKind = 'refused', facts?: Record<string, unknown>) => failure(kind, {}, { facts });
/** Seconds for which a server rests from now on. */
const resting = (key = 'a') => (restsUntil(key) - now) / 1000;

describe('a server that failed', () => {
	test('rests for 30 s, then twice as long after each further failure, up to 5 min', () => {
		const rests: number[] = [];
		for (let round = 0; round < 6; round++) {
			rest('a', failed());
			rests.push(resting());
			expect(whyResting('a')).toMatchObject({ kind: 'refused' });
			now = restsUntil('a');
			expect(whyResting('a')).toBeUndefined();
		}
		expect(rests).toEqual([30, 60, 120, 240, 300, 300]);
	});

	test('begins with 30 s again after it has answered', () => {
		rest('a', failed());
		now = restsUntil('a');
		rest('a', failed());
		endRest('a');
		expect(whyResting('a')).toBeUndefined();
		rest('a', failed());
		expect(resting()).toBe(30);
	});

	test('rests once for all requests that fail together', () => {
		rest('a', failed());
		now += 1000;
		rest('a', failed('loading'));
		expect(resting()).toBe(29);
	});

	test('leaves the others alone', () => {
		rest('a', failed());
		expect(whyResting('b')).toBeUndefined();
	});

	test('one request finds out whether it is back, and others wait for what comes of that', () => {
		rest('a', failed());
		beginTrial('a');
		now = restsUntil('a');
		expect(whyResting('a')).toBeUndefined();
		beginTrial('a');
		expect(whyResting('a')).toBeDefined();
		endTrial('a');
		expect(whyResting('a')).toBeUndefined();
	});
});

describe('a server that is merely busy', () => {
	test('rests for 2 s, each time', () => {
		for (let round = 0; round < 3; round++) {
			rest('a', failed('busy'));
			expect(resting()).toBe(2);
			now = restsUntil('a');
		}
	});

	test('rests as long as it says itself, and no longer than 5 min', () => {
		rest('a', failed('busy', { retryAfterMs: 7000 }));
		expect(resting()).toBe(7);
		rest('b', failed('busy', { retryAfterMs: 3_600_000 }));
		expect(resting('b')).toBe(300);
	});
});

test('no more than 500 are remembered', () => {
	for (let at = 0; at <= 500; at++) rest(`server ${at}`, failed());
	expect(whyResting('server 0')).toBeUndefined();
	expect(whyResting('server 500')).toBeDefined();
});
