import { clock } from '../../../../lib/clock';
import { failure } from '../../../../lib/errors/failure';
import type { FailureKind } from '../../../../lib/errors/kinds';
import {
	beginProbe,
	endCooldown,
	endProbe,
	startCooldown,
	cooldownEndsAt,
	cooldownReason,
} from '../../../../lib/servers/pool/cooldowns';

const START = 1_000_000;
let now = START;

beforeEach(() => {
	now = START;
	jest.spyOn(clock, 'now').mockImplementation(() => now);
});
afterEach(() => {
	jest.restoreAllMocks();
});

const failed = (kind: FailureKind = 'refused', facts?: Record<string, unknown>) =>
	failure(kind, {}, { facts });
/** Seconds of a server's cooldown from now on. */
const resting = (key = 'a') => (cooldownEndsAt(key) - now) / 1000;

describe('a server that failed', () => {
	test('has a cooldown of 30 s, then twice as long after each further failure, up to 5 min', () => {
		const rests: number[] = [];
		for (let round = 0; round < 6; round++) {
			startCooldown('a', failed());
			rests.push(resting());
			expect(cooldownReason('a')).toMatchObject({ kind: 'refused' });
			now = cooldownEndsAt('a');
			expect(cooldownReason('a')).toBeUndefined();
		}
		expect(rests).toEqual([30, 60, 120, 240, 300, 300]);
	});

	test('begins with 30 s again after it has answered', () => {
		startCooldown('a', failed());
		now = cooldownEndsAt('a');
		startCooldown('a', failed());
		endCooldown('a');
		expect(cooldownReason('a')).toBeUndefined();
		startCooldown('a', failed());
		expect(resting()).toBe(30);
	});

	test('has one cooldown for all requests that fail together', () => {
		startCooldown('a', failed());
		now += 1000;
		startCooldown('a', failed('loading'));
		expect(resting()).toBe(29);
	});

	test('leaves the others alone', () => {
		startCooldown('a', failed());
		expect(cooldownReason('b')).toBeUndefined();
	});

	test('one request finds out whether it is back, and others wait for what comes of that', () => {
		startCooldown('a', failed());
		beginProbe('a');
		now = cooldownEndsAt('a');
		expect(cooldownReason('a')).toBeUndefined();
		beginProbe('a');
		expect(cooldownReason('a')).toBeDefined();
		endProbe('a');
		expect(cooldownReason('a')).toBeUndefined();
	});
});

describe('a server that is merely busy', () => {
	test('has a cooldown of 2 s, each time', () => {
		for (let round = 0; round < 3; round++) {
			startCooldown('a', failed('busy'));
			expect(resting()).toBe(2);
			now = cooldownEndsAt('a');
		}
	});

	test('has a cooldown of its Retry-After, at most 5 min', () => {
		startCooldown('a', failed('busy', { retryAfterMs: 7000 }));
		expect(resting()).toBe(7);
		startCooldown('b', failed('busy', { retryAfterMs: 3_600_000 }));
		expect(resting('b')).toBe(300);
	});
});

test('no more than 500 are remembered', () => {
	for (let at = 0; at <= 500; at++) startCooldown(`server ${at}`, failed());
	expect(cooldownReason('server 0')).toBeUndefined();
	expect(cooldownReason('server 500')).toBeDefined();
});
