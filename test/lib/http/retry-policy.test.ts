import { classifyErrorResponse } from '../../../lib/errors/classify-error';
import type { ServerError } from '../../../lib/errors/server-error';
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
	expect(expected.map(() => policy.takeDelayMsOrThrow(connectionError, Infinity))).toEqual(
		expected,
	);
});

test('while a model is loading, too', () => {
	const policies = [0, 1].map((random) => new RetryPolicy(0, false, () => random));
	for (let wait = 0; wait < 4; wait++)
		policies.forEach((policy) => policy.takeDelayMsOrThrow(loading, Infinity));
	expect(policies.map((policy) => policy.takeDelayMsOrThrow(loading, Infinity))).toEqual([
		1000, 3000,
	]);
});

test('a first-token timeout right after a loading response names the loading, a later one does not', () => {
	const now = jest.spyOn(performance, 'now').mockReturnValue(1_000);
	const policy = new RetryPolicy(0, false);
	const timeout = createServerError('firstTokenTimeout', {}, { about: { timeoutMs: 30_000 } });
	expect(policy.toTimeoutError(timeout)).toBe(timeout);
	policy.takeDelayMsOrThrow(loading, Infinity);
	now.mockReturnValue(29_000);
	policy.takeDelayMsOrThrow(loading, Infinity);
	now.mockReturnValue(31_000);
	expect(policy.toTimeoutError(timeout).message).toBe('The model is still loading after 30 s');
	now.mockReturnValue(60_000);
	expect(policy.toTimeoutError(timeout)).toBe(timeout);
	now.mockRestore();
});

test('a pause that the server requests is kept exactly', () => {
	const busy = createServerError('busy', {}, { facts: { retryAfterMs: 1234 } });
	expect(new RetryPolicy(1, false, () => 1).takeDelayMsOrThrow(busy, Infinity)).toBe(1234);
});

const errorOf = (status: number, body = '<html></html>') =>
	classifyErrorResponse({ status, body }, {});
/** The error that ends the attempts; undefined if there is another one. */
const endingOf = (policy: RetryPolicy, error: ServerError, remainingMs = Infinity) => {
	try {
		policy.takeDelayMsOrThrow(error, remainingMs);
		return undefined;
	} catch (thrown) {
		return thrown;
	}
};
const isRetried = (...given: Parameters<typeof endingOf>) => endingOf(...given) === undefined;

test.each([0, 1, 3])('%d retries are the most, and one error is the last', (maxRetries) => {
	const policy = new RetryPolicy(maxRetries, false);
	const endings = Array.from({ length: maxRetries + 1 }, () => endingOf(policy, connectionError));
	expect(endings).toEqual([...Array<undefined>(maxRetries).fill(undefined), connectionError]);
});

test('waiting for a loading model counts no retry', () => {
	const policy = new RetryPolicy(1, false);
	for (let wait = 0; wait < 9; wait++) expect(endingOf(policy, loading)).toBeUndefined();
	expect([1, 2].map(() => isRetried(policy, connectionError))).toEqual([true, false]);
});

test('a pause that would last until the first-token timeout is not worth it', () => {
	const isWorthwhile = (error: ServerError, remainingMs: number) =>
		isRetried(new RetryPolicy(1, false, () => 0.5), error, remainingMs);
	for (const error of [connectionError, loading])
		expect([500, 501].map((ms) => isWorthwhile(error, ms))).toEqual([false, true]);
});

test('a server that requires more than a minute is not asked again, and the error reports it', () => {
	const busyFor = (retryAfterMs: number) =>
		createServerError('busy', {}, { facts: { retryAfterMs } });
	const wait = (ms: number) => new RetryPolicy(1, false).takeDelayMsOrThrow(busyFor(ms), Infinity);
	expect([0, 60_000].map(wait)).toEqual([0, 60_000]);
	expect(() => wait(60_001)).toThrow(
		expect.objectContaining({
			type: 'busy',
			suggestion: expect.stringMatching(/requires a wait of .+Try again later/) as string,
		}),
	);
	const minute = busyFor(60_000);
	expect(endingOf(new RetryPolicy(0, false), minute)).toBe(minute);
});

test('while a model loads, the waiting time is reported, and is in the error at its end', () => {
	const now = jest.spyOn(performance, 'now').mockReturnValue(5_000);
	const policy = new RetryPolicy(0, false, () => 0.5);
	const waits: number[] = [];
	policy.takeDelayMsOrThrow(loading, Infinity, (ms) => waits.push(ms));
	now.mockReturnValue(17_500);
	policy.takeDelayMsOrThrow(loading, Infinity, (ms) => waits.push(ms));
	expect(waits).toEqual([0, 12_500]);
	expect(() => policy.takeDelayMsOrThrow(loading, 1_000)).toThrow('still loading after 13 s');
	now.mockRestore();
});

test('a server that refuses connections after it was loading has exited', () => {
	const policy = new RetryPolicy(1, false);
	policy.takeDelayMsOrThrow(loading, Infinity);
	expect(isRetried(policy, connectionError)).toBe(true);
	expect(() => policy.takeDelayMsOrThrow(connectionError, Infinity)).toThrow(
		expect.objectContaining({
			type: 'modelLoadFailed',
			message: 'The server exited while loading the model',
			suggestion: createServerError('modelLoadFailed', {}).suggestion,
		}),
	);
	const other = new RetryPolicy(0, false);
	other.takeDelayMsOrThrow(loading, Infinity);
	expect(() => other.takeDelayMsOrThrow(errorOf(503), Infinity)).toThrow(
		expect.objectContaining({ type: 'badGateway' }),
	);
});

test('a timeout of another kind never names the loading', () => {
	const policy = new RetryPolicy(0, false);
	policy.takeDelayMsOrThrow(loading, Infinity);
	const timeout = createServerError('idleTimeout', {}, { about: { timeoutMs: 30_000 } });
	expect(policy.toTimeoutError(timeout)).toBe(timeout);
});

test.each<[string, ServerError, chat: boolean, idempotent: boolean]>([
	['a page with 502', errorOf(502), false, true],
	['a page with 503, from a limit of nginx', errorOf(503), true, true],
	['a page with 504', errorOf(504), false, true],
	['503 for another reason', errorOf(503, '{"error":"model not found"}'), false, true],
	['429', errorOf(429), true, true],
	['429 for a budget', errorOf(429, '{"error":{"code":"insufficient_quota"}}'), false, false],
	['a lost connection', createServerError('connectionLost', {}), false, true],
	['a closed connection', createServerError('closedBeforeResponse', {}), false, true],
	['500', errorOf(500, '{"error":"x"}'), false, false],
	['501', errorOf(501, '{"error":"x"}'), false, false],
])('after %s', (_name, error, chat, idempotent) => {
	expect([false, true].map((is) => isRetried(new RetryPolicy(1, is), error))).toEqual([
		chat,
		idempotent,
	]);
});

interface ServerFailure {
	name: string;
	status: number;
	/** Of the server. */
	message: string;
	/** Whether a chat is sent again. */
	chat: boolean;
	/** Whether a request that may be repeated is sent again. */
	idempotent: boolean;
}

test.each<ServerFailure>([
	{
		name: 'a router',
		status: 500,
		message: 'proxy error: Could not establish connection',
		chat: true,
		idempotent: true,
	},
	{
		name: 'the runner of Ollama',
		status: 400,
		message:
			'do embedding request: Post "http://127.0.0.1:61992/embedding": dial tcp 127.0.0.1:61992: connect: connection refused',
		chat: true,
		idempotent: true,
	},
	{
		name: 'a runner that ended',
		status: 500,
		message: 'Post "http://127.0.0.1:41999/completion": EOF',
		chat: false,
		idempotent: false,
	},
	{
		name: 'a runner that ended while embedding',
		status: 400,
		message: 'do embedding request: Post "http://127.0.0.1:41999/embedding": EOF',
		chat: false,
		idempotent: true,
	},
	{
		name: 'a reset upstream',
		status: 500,
		message: 'upstream connect error or disconnect/reset before headers',
		chat: false,
		idempotent: false,
	},
	{
		name: 'a model that LM Studio unloaded',
		status: 400,
		message: 'Model unloaded.',
		chat: false,
		idempotent: true,
	},
	{
		name: 'a crash',
		status: 500,
		message: 'runner process has terminated: connection refused',
		chat: false,
		idempotent: false,
	},
	{
		name: 'memory',
		status: 500,
		message: 'dial tcp: cudaMalloc failed: out of memory',
		chat: false,
		idempotent: false,
	},
	{ name: 'another error', status: 400, message: 'bad request', chat: false, idempotent: false },
])(
	'after $name ($status, $message), sent again: a chat $chat, an idempotent request $idempotent',
	({ status, message, chat, idempotent }) => {
		const error = classifyErrorResponse({ status, body: JSON.stringify({ error: message }) }, {});
		expect({
			chat: isRetried(new RetryPolicy(1, false), error),
			idempotent: isRetried(new RetryPolicy(1, true), error),
		}).toEqual({ chat, idempotent });
	},
);
