import { failure } from '../../../lib/errors/failure';
import type { FailureKind } from '../../../lib/errors/kinds';
import { connectTo } from '../../../lib/servers/connect';
import { pauseBefore, retryUntilReady, type RetryOptions } from '../../../lib/servers/retry';

describe('pauses before a request is sent again', () => {
	const pauses = (reason: 'loading' | 'busy' | 'refused') =>
		[0, 1, 2, 3, 4, 5, 100].map((waits) => pauseBefore(reason, waits));

	test.each(['busy', 'refused'] as const)('%s: they grow to five seconds', (reason) => {
		expect(pauses(reason)).toEqual([500, 1000, 2000, 3000, 5000, 5000, 5000]);
	});

	test('loading: an answer comes at most two seconds after the model is there', () => {
		expect(pauses('loading')).toEqual([500, 1000, 2000, 2000, 2000, 2000, 2000]);
	});
});

describe('whether a request is sent again', () => {
	/** What is done after each failure, in order: milliseconds of a pause, or the kind of the error. */
	const decisions = (kinds: FailureKind[], options?: RetryOptions, leftMs = Infinity) => {
		const policy = retryUntilReady(connectTo({ baseUrl: 'http://gpu:8080' }), options);
		return kinds.map((kind) => {
			const next = policy(failure(kind, { url: 'http://gpu:8080/v1/chat/completions' }), leftMs);
			return typeof next === 'number' ? next : next.kind;
		});
	};

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

	test('case 11: loading is given up when the next pause would pass the first-token limit', () => {
		expect(decisions(['loading', 'loading'], {}, 500)).toEqual(['loading', 'loading']);
		expect(decisions(['loading'], {}, 501)).toEqual([500]);
	});

	test('a server that is gone after it was loading has failed to load', () => {
		expect(decisions(['loading', 'refused'])).toEqual([500, 'modelFailedToLoad']);
	});
});

// llama-swap sends "Retry-After: 1" with its 429 (docs/protocols/other-servers.md).
test('a busy server that says when it is free again is asked then, and no later than after a minute', () => {
	const pauseFor = (retryAfterMs: number) =>
		retryUntilReady(connectTo({ baseUrl: 'http://gpu:8080' }), { retries: 1 })(
			failure('busy', {}, { facts: { retryAfterMs } }),
			Infinity,
		);
	expect([pauseFor(1000), pauseFor(3_600_000)]).toEqual([1000, 60_000]);
});
