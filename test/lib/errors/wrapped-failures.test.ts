/** One failure has one name, whatever hands it on. */
import * as fc from 'fast-check';

import { failureInBody, failureInStream, httpFailure } from '../../../lib/errors/http-failure';
import type { FailureKind } from '../../../lib/errors/kinds';
import {
	BODIES,
	HOLDERS,
	INNERS,
	type Inner,
	PROXIES,
	type Refusal,
	TEXTS,
	WITHOUT_CODES,
} from '../../support/wrapped-failures';
import { examples } from '../../support/properties';

const CONTEXT = { url: 'http://gpu:8080/v1/chat/completions', root: 'http://gpu:8080', model: 'm' };

const failureOf = (status: number, body: string) =>
	status === 200
		? failureInBody(body, CONTEXT)
		: httpFailure({ status, body, contentType: 'application/json' }, CONTEXT);

const refusalOf = ({ status, error }: Inner): Refusal => ({
	status,
	body: JSON.stringify({ error }),
	message: error.message,
});

const inner = fc.constantFrom(...INNERS);
const outer = fc.constantFrom(200, 400, 424, 500, 502, 503, 504);
const key = fc.stringMatching(/^[a-z]{1,9}(_[a-z]{1,9})?$/);
const one = <T>(table: Readonly<Record<string, T>>) => fc.constantFrom(...Object.entries(table));

test.each(INNERS.map((failure) => [failure.name, failure] as const))('%s', (_, failure) => {
	expect(failureOf(failure.status, refusalOf(failure).body).kind).toBe(failure.kind);
});

test('an error in the text of another', () => {
	fc.assert(
		fc.property(
			inner,
			outer,
			one(TEXTS),
			one(BODIES),
			(failure, status, [name, text], [, body]) => {
				fc.pre(failure.byWords || !WITHOUT_CODES.has(name));
				const words = text(refusalOf(failure));
				const expected: FailureKind = failure.behind ?? failure.kind;
				expect(failureOf(status, JSON.stringify(body(words, status))).kind).toBe(expected);
				if (status !== 200 && failure.byWords) expect(failureOf(status, words).kind).toBe(expected);
			},
		),
		examples(1_000),
	);
});

test('a 401 of a gateway that holds the error of a server behind it is about the key of the gateway', () => {
	const refusedKey = fc.constantFrom(...INNERS.filter(({ kind }) => kind === 'unauthorized'));
	fc.assert(
		fc.property(refusedKey, one(BODIES), (failure, [, body]) => {
			const { body: text } = refusalOf(failure);
			expect(failureOf(401, JSON.stringify(body(text, 401))).kind).toBe('gatewayKey');
		}),
		examples(300),
	);
});

test('an error in the middle of an answer', () => {
	const untold: ReadonlySet<FailureKind> = new Set(['badRequest', 'serverError', 'wrongPath']);
	fc.assert(
		fc.property(inner, one(TEXTS), (failure, [name, text]) => {
			fc.pre(failure.byWords || !WITHOUT_CODES.has(name));
			const inPlace: FailureKind = failure.behind ?? failure.kind;
			const expected = untold.has(inPlace) ? 'streamError' : inPlace;
			const message = text(refusalOf(failure));
			expect(failureInStream(JSON.stringify({ error: { message } })).kind).toBe(expected);
		}),
		examples(500),
	);
});

test('texts within texts', () => {
	const wrappers = fc.array(fc.tuple(one(BODIES), fc.constantFrom('upstream said: ', '')), {
		minLength: 1,
		maxLength: 4,
	});
	fc.assert(
		fc.property(inner, outer, wrappers, (failure, status, wraps) => {
			const { body } = refusalOf(failure);
			const wrapped = wraps.reduce(
				(text, [[, wrap], words]) => JSON.stringify(wrap(words + text, status)),
				body,
			);
			expect(failureOf(status, wrapped).kind).toBe(failure.behind ?? failure.kind);
		}),
		examples(300),
	);
});

test('an error under any key of another', () => {
	fc.assert(
		fc.property(inner, outer, one(HOLDERS), key, (failure, status, [, hold], name) => {
			fc.pre(failure.behind === undefined || ![200, failure.status].includes(status));
			fc.pre(!['input', 'messages', 'params', 'prompt', 'request'].includes(name));
			const body = JSON.stringify(hold({ error: failure.error }, status, name));
			expect(failureOf(status, body).kind).toBe(failure.behind ?? failure.kind);
		}),
		examples(500),
	);
});

test('a 401 that a gateway of one API of its own hands on is about its key', () => {
	const words = fc.constantFrom('All m error: ', 'upstream said: ', '');
	fc.assert(
		fc.property(words, one(BODIES), (beginning, [, body]) => {
			const refused = JSON.stringify({ error: { message: 'Incorrect API key provided.' } });
			const handedOn = JSON.stringify(body(beginning + refused, 401));
			expect(failureOf(401, handedOn)).toMatchObject({
				kind: 'gatewayKey',
				serverText: 'Incorrect API key provided.',
			});
			const own = JSON.stringify(body('Incorrect API key provided.', 401));
			expect(failureOf(401, own)).toMatchObject({ kind: 'unauthorized' });
		}),
	);
});

test.each(PROXIES)('a page of %s with %i', (_, status, page, kind) => {
	expect(httpFailure({ status, body: page, contentType: 'text/html' }, CONTEXT).kind).toBe(kind);
});

test('what the user wrote is no error', () => {
	const echo = fc.constantFrom(
		(text: string) => ({
			detail: [{ loc: ['body', 'n'], msg: 'Field required', input: { error: text } }],
		}),
		(text: string) => ({
			error: { message: 'Field n is wrong', request: { error: text, code: 401 } },
		}),
		(text: string) => ({ detail: 'Field n is wrong', messages: [{ error: text }] }),
	);
	fc.assert(
		fc.property(inner, echo, ({ error }, body) => {
			expect(failureOf(400, JSON.stringify(body(error.message))).kind).toBe('badRequest');
		}),
	);
});

test('a server behind that is down, too slow or broken off has one name for each', () => {
	const down = fc.constantFrom(
		'Post "http://10.0.0.9:8080/v1/chat/completions": dial tcp 10.0.0.9:8080: connect: connection refused',
		'connect ECONNREFUSED 10.0.0.9:8080',
		'getaddrinfo ENOTFOUND llama',
		'java.net.ConnectException: Connection refused',
		'error trying to connect: tcp connect error: Connection refused (os error 111)',
		'httpx.ConnectError: All connection attempts failed',
		"HTTPConnectionPool(host='10.0.0.9', port=8080): Max retries exceeded with url: /v1/chat/completions",
		'context deadline exceeded (Client.Timeout exceeded while awaiting headers)',
		'AxiosError: timeout of 60000ms exceeded',
		'litellm.Timeout: APITimeoutError - Request timed out.',
		'Post "http://10.0.0.9:8080/v1/chat/completions": read tcp 10.0.0.1:5->10.0.0.9:8080: read: connection reset by peer',
		'Post "http://10.0.0.9:8080/v1/chat/completions": unexpected EOF',
		'RemoteProtocolError: peer closed connection without sending complete message body (incomplete chunked read)',
		'Error: socket hang up',
		'upstream connect error or disconnect/reset before headers. reset reason: connection termination',
		'no healthy upstream',
		'no valid backends',
		'failure to get a peer from the ring-balancer',
		'name resolution failed',
		'The upstream server is currently unavailable',
		"Couldn't connect to server",
		'Timeout was reached',
	);
	fc.assert(
		fc.property(down, outer, one(BODIES), (words, status, [, body]) => {
			expect(failureOf(status, JSON.stringify(body(words, status))).kind).toBe('gateway');
		}),
		examples(300),
	);
});
