import fc from 'fast-check';

import { failure } from '../../../lib/errors/failure';
import type { FailureKind } from '../../../lib/errors/kinds';
import { connectTo } from '../../../lib/servers/connect';
import { retryIdempotent, retryUntilReady, type RetryOptions } from '../../../lib/servers/retry';
import { closeRawServers, rawServer } from '../../support/raw-answers';

describe('whether a request is sent again', () => {
	/** What is done after each failure, in order: milliseconds of a pause, or the kind of the error. */
	const decisions = (kinds: FailureKind[], options?: RetryOptions, leftMs = Infinity) => {
		const policy = retryUntilReady(connectTo({ baseUrl: 'http://gpu:8080' }), options);
		return kinds.map((kind) => {
			const next = policy(failure(kind, { url: 'http://gpu:8080/v1/chat/completions' }), leftMs);
			return typeof next === 'number' ? next : next.kind;
		});
	};

	test.each(['busy', 'refused'] as const)('%s: pauses grow to five seconds', (kind) => {
		const pauses = [500, 1000, 2000, 3000, 5000, 5000, 5000];
		expect(decisions(Array(7).fill(kind), { retries: 7 })).toEqual(pauses);
	});

	test('loading: an answer comes at most two seconds after the model is there', () => {
		expect(decisions(Array(5).fill('loading'))).toEqual([500, 1000, 2000, 2000, 2000]);
	});

	test('a request that the server may have started never is', () => {
		for (const kind of [
			'closedBeforeAnswer',
			'serverError',
			'gateway',
			'totalLimit',
			'aborted',
		] as const)
			expect(decisions([kind], { retries: 3 })).toEqual([kind]);
	});

	test('busy and refused count together, loading costs nothing', () => {
		expect(decisions(['busy', 'loading', 'busy', 'busy'], { retries: 2 })).toEqual([
			500,
			1000,
			2000,
			'busy',
		]);
		expect(decisions(['refused'])).toEqual(['refused']);
	});

	test('a proxy with too many requests answers with 503: only then it has handed on nothing', () => {
		const policy = retryUntilReady(connectTo({ baseUrl: 'http://gpu:8080' }), { retries: 2 });
		fc.assert(
			fc.property(fc.integer({ min: 500, max: 599 }), (status) => {
				const failed = failure('gateway', {}, { status });
				fc.pre(status !== 503);
				expect(policy(failed, Infinity)).toBe(failed);
			}),
		);
		const busy = failure('gateway', {}, { status: 503 });
		expect([1, 2, 3].map(() => policy(busy, Infinity))).toEqual([500, 1000, busy]);
	});

	test('case 11: loading is given up when the next pause would pass the first-token limit', () => {
		expect(decisions(['loading', 'loading'], {}, 500)).toEqual(['loading', 'loading']);
		expect(decisions(['loading'], {}, 501)).toEqual([500]);
	});

	test('a server that is gone after it was loading has failed to load', () => {
		expect(decisions(['loading', 'refused'])).toEqual([500, 'modelFailedToLoad']);
	});
});

// llama-swap sends "Retry-After: 1" with its 429 (docs/protocols/other-servers.md).
test('a busy server that says when it is free again is asked then, or not at all', () => {
	const milliseconds = fc.integer({ min: 0, max: 200_000 });
	const connection = connectTo({ baseUrl: 'http://gpu:8080' });
	fc.assert(
		fc.property(milliseconds, fc.option(milliseconds), (retryAfterMs, left) => {
			const leftMs = left ?? Infinity;
			const failed = failure('busy', {}, { facts: { retryAfterMs } });
			const isWaitedFor = retryAfterMs <= 60_000 && retryAfterMs < leftMs;
			for (const policy of [retryUntilReady, retryIdempotent])
				expect(policy(connection, { retries: 1 })(failed, leftMs)).toBe(
					isWaitedFor ? retryAfterMs : failed,
				);
		}),
	);
});

test('a spent budget is not waited for, although it comes with 429', () => {
	const connection = connectTo({ baseUrl: 'http://gpu:8080' });
	const failed = failure('budgetSpent', {}, { status: 429, facts: { retryAfterMs: 10 } });
	for (const policy of [retryUntilReady, retryIdempotent])
		expect(policy(connection, { retries: 3 })(failed, Infinity)).toBe(failed);
});

test('the error of a long wait says how long it is', async () => {
	const server = await rawServer((_path, socket) => {
		socket.end('HTTP/1.1 429 Too Many Requests\r\nRetry-After: 3600\r\nContent-Length: 0\r\n\r\n');
	});
	const connection = connectTo({ baseUrl: server });
	const retry = retryUntilReady(connection, { retries: 3 });
	await expect(connection.answer(`${server}/v1/x`, { json: {}, retry })).rejects.toMatchObject({
		kind: 'busy',
		remedy: expect.stringContaining('asks to wait 60 minutes') as string,
	});
	await closeRawServers();
});
