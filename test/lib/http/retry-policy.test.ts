import { classifyErrorResponse } from '../../../lib/errors/classify-error';
import type { ServerError } from '../../../lib/errors/server-error';
import { createServerError } from '../../../lib/errors/create-error';
import type { RetryOptions } from '../../../lib/http/retry-policy';
import { MAX_REQUESTS, RetryPolicy } from '../../../lib/http/retry-policy';

const connectionError = createServerError('connectionRefused', {});
const loading = createServerError('modelLoading', {});
const busyFor = (retryAfterMs?: number) =>
	createServerError('busy', {}, { status: 429, facts: { retryAfterMs } });

/** The policy of a request that was just sent. */
const newPolicy = (options?: RetryOptions): RetryPolicy => {
	const policy = new RetryPolicy(options);
	policy.onSend();
	return policy;
};

test.each([
	[0, [250, 500, 1000, 1500, 2500, 2500]],
	[0.5, [500, 1000, 2000, 3000, 5000, 5000]],
	[1, [750, 1500, 3000, 4500, 7500, 7500]],
])('pauses vary by half, so that many workers do not return together: %d', (random, expected) => {
	const policy = newPolicy({ maxRetries: 9, random: () => random });
	expect(expected.map(() => policy.takeDelayMsOrThrow(connectionError))).toEqual(expected);
});

test('while a model is loading, too', () => {
	const policies = [0, 1].map((random) => newPolicy({ random: () => random }));
	for (let wait = 0; wait < 4; wait++)
		policies.forEach((policy) => policy.takeDelayMsOrThrow(loading));
	expect(policies.map((policy) => policy.takeDelayMsOrThrow(loading))).toEqual([1000, 3000]);
});

test('a first-token timeout right after a loading response names the loading, a later one does not', () => {
	const now = jest.spyOn(performance, 'now').mockReturnValue(1_000);
	const policy = newPolicy();
	const timeout = createServerError('firstTokenTimeout', {}, { about: { timeoutMs: 30_000 } });
	expect(policy.toTimeoutError(timeout)).toBe(timeout);
	policy.takeDelayMsOrThrow(loading);
	now.mockReturnValue(29_000);
	policy.takeDelayMsOrThrow(loading);
	now.mockReturnValue(31_000);
	expect(policy.toTimeoutError(timeout).message).toBe('The model is still loading after 30 s');
	now.mockReturnValue(60_000);
	expect(policy.toTimeoutError(timeout)).toBe(timeout);
	now.mockRestore();
});

test('a pause that the server requests is kept exactly', () => {
	const policy = newPolicy({ maxRetries: 1, random: () => 1 });
	expect(policy.takeDelayMsOrThrow(busyFor(1234))).toBe(1234);
});

const errorOf = (status: number, body = '<html></html>') =>
	classifyErrorResponse({ status, body }, {});
/** The error that ends the attempts; undefined if there is another one. */
const endingOf = (policy: RetryPolicy, error: ServerError, remainingMs?: number) => {
	try {
		policy.takeDelayMsOrThrow(error, { remainingMs });
		return undefined;
	} catch (thrown) {
		return thrown;
	}
};
const isRetried = (...given: Parameters<typeof endingOf>) => endingOf(...given) === undefined;

test.each([0, 1, 3])('%d retries are the most, and one error is the last', (maxRetries) => {
	const policy = newPolicy({ maxRetries });
	const endings = Array.from({ length: maxRetries + 1 }, () => endingOf(policy, connectionError));
	expect(endings).toEqual([...Array<undefined>(maxRetries).fill(undefined), connectionError]);
});

test('waiting for a loading model counts no retry', () => {
	const policy = newPolicy({ maxRetries: 1 });
	for (let wait = 0; wait < 9; wait++) expect(endingOf(policy, loading)).toBeUndefined();
	expect([1, 2].map(() => isRetried(policy, connectionError))).toEqual([true, false]);
});

test('a pause that would last until the first-token timeout is not worth it', () => {
	const isWorthwhile = (error: ServerError, remainingMs: number) =>
		isRetried(newPolicy({ maxRetries: 1, random: () => 0.5 }), error, remainingMs);
	for (const error of [connectionError, loading])
		expect([500, 501].map((ms) => isWorthwhile(error, ms))).toEqual([false, true]);
});

test('a server that requires more than a minute is not asked again, and the error reports it', () => {
	const wait = (ms: number) => newPolicy({ maxRetries: 1 }).takeDelayMsOrThrow(busyFor(ms));
	expect([0, 60_000].map(wait)).toEqual([0, 60_000]);
	expect(() => wait(60_001)).toThrow(
		expect.objectContaining({
			type: 'busy',
			suggestion: expect.stringMatching(/requires a wait of .+Try again later/) as string,
		}),
	);
	const minute = busyFor(60_000);
	expect(endingOf(newPolicy(), minute)).toBe(minute);
});

test('while a model loads, the waiting time is reported, and is in the error at its end', () => {
	const now = jest.spyOn(performance, 'now').mockReturnValue(5_000);
	const policy = newPolicy({ random: () => 0.5 });
	const waits: number[] = [];
	policy.takeDelayMsOrThrow(loading, { onLoading: (ms) => waits.push(ms) });
	now.mockReturnValue(17_500);
	policy.takeDelayMsOrThrow(loading, { onLoading: (ms) => waits.push(ms) });
	expect(waits).toEqual([0, 12_500]);
	expect(() => policy.takeDelayMsOrThrow(loading, { remainingMs: 1_000 })).toThrow(
		'still loading after 13 s',
	);
	now.mockRestore();
});

test('a server that refuses connections after it was loading has exited', () => {
	const policy = newPolicy({ maxRetries: 1 });
	policy.takeDelayMsOrThrow(loading);
	expect(isRetried(policy, connectionError)).toBe(true);
	expect(() => policy.takeDelayMsOrThrow(connectionError)).toThrow(
		expect.objectContaining({
			type: 'modelLoadFailed',
			message: 'The server exited while loading the model',
			suggestion: createServerError('modelLoadFailed', {}).suggestion,
		}),
	);
	const other = newPolicy();
	other.takeDelayMsOrThrow(loading);
	expect(() => other.takeDelayMsOrThrow(errorOf(503))).toThrow(
		expect.objectContaining({ type: 'badGateway' }),
	);
});

test('a timeout of another kind never names the loading', () => {
	const policy = newPolicy();
	policy.takeDelayMsOrThrow(loading);
	const timeout = createServerError('idleTimeout', {}, { about: { timeoutMs: 30_000 } });
	expect(policy.toTimeoutError(timeout)).toBe(timeout);
});

test.each<[string, ServerError, chat: boolean, idempotent: boolean]>([
	['a page with 502', errorOf(502), false, true],
	['a page with 503, from a limit of nginx', errorOf(503), true, true],
	['a page with 504', errorOf(504), false, true],
	['503, whatever it says', errorOf(503, '{"error":"model not found"}'), true, true],
	['429', errorOf(429), true, true],
	['429 for a budget', errorOf(429, '{"error":{"code":"insufficient_quota"}}'), false, false],
	['a lost connection', createServerError('connectionLost', {}), false, true],
	['a closed connection', createServerError('closedBeforeResponse', {}), false, true],
	['500', errorOf(500, '{"error":"x"}'), false, false],
	['501', errorOf(501, '{"error":"x"}'), false, false],
])('after %s', (_name, error, chat, idempotent) => {
	expect(
		[false, true].map((is) => isRetried(newPolicy({ maxRetries: 1, isIdempotent: is }), error)),
	).toEqual([chat, idempotent]);
});

test('what a server may have started is sent eight times at most', () => {
	const policy = newPolicy({ maxRetries: 20, isIdempotent: true });
	const lost = createServerError('connectionLost', {});
	let count = 1;
	while (isRetried(policy, lost)) {
		policy.onSend();
		count++;
	}
	expect(count).toBe(MAX_REQUESTS);
});

test('requests that the server did not start do not count', () => {
	const policy = newPolicy({ maxRetries: 20, isIdempotent: true, busyKey: 'count' });
	for (const error of [connectionError, loading, busyFor(1)]) {
		expect(isRetried(policy, error)).toBe(true);
		policy.onSend();
	}
	expect(policy.requestCount).toBe(1);
});

describe('a busy server', () => {
	let key = 0;
	const newBusyPolicy = (options: RetryOptions = {}) =>
		newPolicy({ maxRetries: 1, busyKey: `busy ${++key}`, random: () => 0.5, ...options });

	/** All pauses until the policy gives up. */
	const pausesOf = (policy: RetryPolicy, error = errorOf(503, '{}'), remainingMs = Infinity) => {
		const pauses: number[] = [];
		for (;;) {
			try {
				pauses.push(policy.takeDelayMsOrThrow(error, { remainingMs }));
			} catch (thrown) {
				return { pauses, thrown: thrown as ServerError };
			}
		}
	};
	const sum = (pauses: readonly number[]) => pauses.reduce((total, ms) => total + ms, 0);

	test.each([0, 0.5, 1])(
		'is asked for two minutes, with pauses up to ten seconds: %d',
		(random) => {
			const { pauses, thrown } = pausesOf(newBusyPolicy({ random: () => random }));
			expect(Math.max(...pauses)).toBeLessThanOrEqual(10_000);
			expect(sum(pauses)).toBeLessThanOrEqual(120_000);
			expect(sum(pauses)).toBeGreaterThan(110_000 - 1);
			expect(thrown.suggestion).toMatch(
				/^The request was sent again for 1\d\d s, and refused each time\. /,
			);
		},
	);

	test('is asked until the first-token timeout', () => {
		const { pauses } = pausesOf(newBusyPolicy(), errorOf(429, '{}'), 2_500);
		expect(pauses).toEqual([500, 1_000, 2_000]);
		expect(pausesOf(newBusyPolicy(), errorOf(429, '{}'), 500).pauses).toEqual([]);
	});

	test.each([
		{ retryAfterMs: 200_000, pauses: [200_000] },
		{ retryAfterMs: 60_000, pauses: [60_000, 60_000] },
		{ retryAfterMs: 120_001, pauses: [120_001] },
	])('is asked when it says so: $retryAfterMs', ({ retryAfterMs, pauses }) => {
		expect(pausesOf(newBusyPolicy(), busyFor(retryAfterMs)).pauses).toEqual(pauses);
	});

	test.each([0, 1, 499])('that requests nearly no pause gets our own ones: %d', (retryAfterMs) => {
		const own = pausesOf(newBusyPolicy()).pauses;
		expect(pausesOf(newBusyPolicy(), busyFor(retryAfterMs)).pauses).toEqual(own);
		expect(pausesOf(newBusyPolicy(), busyFor(500)).pauses).toEqual(Array(240).fill(500));
	});

	test('that requires more time than there is gets no request, and the error says it', () => {
		const { pauses, thrown } = pausesOf(newBusyPolicy(), busyFor(86_400_000), 1_800_000);
		expect(pauses).toEqual([]);
		expect(thrown.suggestion).toMatch(/^The server requires a wait of 1440 minutes/);
	});

	test('gets no second request after one waited in vain, until it takes one', () => {
		const busyKey = 'vain';
		pausesOf(newBusyPolicy({ busyKey }));
		expect(pausesOf(newBusyPolicy({ busyKey })).pauses).toEqual([]);
		expect(pausesOf(newBusyPolicy()).pauses).not.toEqual([]);
		newBusyPolicy({ busyKey }).onAccept();
		expect(pausesOf(newBusyPolicy({ busyKey })).pauses).not.toEqual([]);
	});

	test.each([
		{ error: { code: 'insufficient_quota', message: 'x' } },
		{ error: { type: 'budget_exceeded', message: 'x' } },
		{ error: { message: 'x', max_budget: 10 } },
	])('whose code or field names a budget is told at once: %j', (body) => {
		const error = errorOf(429, JSON.stringify(body));
		expect(pausesOf(newBusyPolicy(), error).pauses).toEqual([]);
		expect(pausesOf(newBusyPolicy({ isIdempotent: true }), error).pauses).toEqual([]);
	});

	test('that only speaks of a quota is asked again', () => {
		const error = errorOf(429, '{"error":"Quota of the month is used up"}');
		expect(pausesOf(newBusyPolicy(), error).pauses).not.toEqual([]);
	});

	test('is told at once with Retries 0', () => {
		expect(pausesOf(newBusyPolicy({ maxRetries: 0 })).pauses).toEqual([]);
	});

	test('that took two seconds may have started the request', () => {
		const now = jest.spyOn(performance, 'now').mockReturnValue(1_000);
		const policy = newBusyPolicy();
		now.mockReturnValue(2_999);
		expect(policy.waitsFor(errorOf(503, '{}'))).toBe(true);
		now.mockReturnValue(3_000);
		expect(policy.waitsFor(errorOf(503, '{}'))).toBe(false);
		policy.onUpload();
		expect(policy.waitsFor(errorOf(503, '{}'))).toBe(true);
		now.mockRestore();
	});
});
