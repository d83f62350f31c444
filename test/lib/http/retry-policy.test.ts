import { classifyErrorResponse } from '../../../lib/errors/classify-error';
import { createServerError } from '../../../lib/errors/create-error';
import { RetryPolicy } from '../../../lib/http/retry-policy';

const connectionError = createServerError('connectionRefused', {});
const loading = createServerError('modelLoading', {});

test.each([
	[0, [250, 500, 1000, 1500, 2500, 2500]],
	[0.5, [500, 1000, 2000, 3000, 5000, 5000]],
	[1, [750, 1500, 3000, 4500, 7500, 7500]],
])('pauses vary by half, so that many workers do not return together: %d', (random, expected) => {
	const policy = new RetryPolicy(9, false, () => random);
	expect(expected.map(() => policy.nextDelayMs(connectionError, Infinity))).toEqual(expected);
});

test('while a model is loading, too', () => {
	const policies = [0, 1].map((random) => new RetryPolicy(0, false, () => random));
	for (let wait = 0; wait < 4; wait++)
		policies.forEach((policy) => policy.nextDelayMs(loading, Infinity));
	expect(policies.map((policy) => policy.nextDelayMs(loading, Infinity))).toEqual([1000, 3000]);
});

test('a first-token timeout right after a loading response names the loading, a later one does not', () => {
	const now = jest.spyOn(performance, 'now').mockReturnValue(1_000);
	const policy = new RetryPolicy(0, false);
	const timeout = createServerError('firstTokenTimeout', {}, { about: { timeoutMs: 30_000 } });
	expect(policy.toTimeoutError(timeout)).toBe(timeout);
	policy.nextDelayMs(loading, Infinity);
	now.mockReturnValue(29_000);
	policy.nextDelayMs(loading, Infinity);
	now.mockReturnValue(31_000);
	expect(policy.toTimeoutError(timeout).message).toBe('The model is still loading after 30 s');
	now.mockReturnValue(60_000);
	expect(policy.toTimeoutError(timeout)).toBe(timeout);
	now.mockRestore();
});

test('a pause that the server requests is kept exactly', () => {
	const busy = createServerError('busy', {}, { facts: { retryAfterMs: 1234 } });
	expect(new RetryPolicy(1, false, () => 1).nextDelayMs(busy, Infinity)).toBe(1234);
});

const OLLAMA_REFUSED =
	'do embedding request: Post "http://127.0.0.1:61992/embedding": dial tcp 127.0.0.1:61992: connect: connection refused';

test.each<[string, number, string, boolean, boolean]>([
	['a router', 500, 'proxy error: Could not establish connection', true, true],
	['the runner of Ollama', 400, OLLAMA_REFUSED, true, true],
	['a runner that ended', 500, 'Post "http://127.0.0.1:41999/completion": EOF', false, false],
	[
		'a runner that ended while embedding',
		400,
		'do embedding request: Post "http://127.0.0.1:41999/embedding": EOF',
		false,
		true,
	],
	[
		'a reset upstream',
		500,
		'upstream connect error or disconnect/reset before headers',
		false,
		false,
	],
	['a model that LM Studio unloaded', 400, 'Model unloaded.', false, true],
	['a crash', 500, 'runner process has terminated: connection refused', false, false],
	['memory', 500, 'dial tcp: cudaMalloc failed: out of memory', false, false],
	['another error', 400, 'bad request', false, false],
])('a chat, and an idempotent request, after %s', (_name, status, serverText, chat, idempotent) => {
	const error = classifyErrorResponse({ status, body: JSON.stringify({ error: serverText }) }, {});
	const isRetried = (isIdempotent: boolean) => {
		const policy = new RetryPolicy(1, isIdempotent);
		try {
			return policy.nextDelayMs(error, Infinity) > 0;
		} catch {
			return false;
		}
	};
	expect([isRetried(false), isRetried(true)]).toEqual([chat, idempotent]);
});
