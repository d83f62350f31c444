import { closeChannels } from '../../../lib/http/dispatcher';
import type { HttpResponse, RequestOptions, Endpoint } from '../../../lib/http/types';
import { request } from '../../../lib/http/request';
import type { ServerError } from '../../../lib/errors/server-error';
import { json, type Script, type ScriptedRequest, startScripted } from '../../simulators/scripted';
import type { http } from '../../support/node-builtins';
import { closedPort } from '../../support/listen';
import { setImmediate, zlib } from '../../support/node-builtins';

jest.mock('../../../lib/http/sleep', () => jest.requireActual<object>('../../support/mock-sleep'));

const KEY = ['sk', '9f8e7d6c5b4a3210'].join('-');
const open = new Set<() => Promise<void>>();

afterEach(async () => {
	await Promise.all([...open].map(async (close) => await close()));
	open.clear();
	await closeChannels();
});

const targetAt = (origin: string, more: Partial<Endpoint> = {}): Endpoint => ({
	url: { typed: origin, origin, root: origin, api: `${origin}/v1` },
	id: `${origin} with key`,
	headers: { authorization: `Bearer ${KEY}` },
	ignoreSslIssues: false,
	maxConcurrentRequests: 0,
	getSlots: () => undefined,
	secrets: [KEY],
	getErrorContext: () => ({}),
	...more,
});

/** Asks a server that answers by a script. */
async function serve(script: Script, more: Partial<Endpoint> = {}) {
	const server = await startScripted(script);
	open.add(server.close);
	const target = targetAt(server.url, more);
	const ask = async <T>(how: Partial<RequestOptions>, read: (answer: HttpResponse) => Promise<T>) =>
		await request(target, { url: `${target.url.api}/models`, ...how }, read);
	return { ask, target, requests: server.requests };
}

const asText = async (answer: HttpResponse) => await answer.text();
const asJson = async (answer: HttpResponse) => await answer.json();
const allEvents = async (answer: HttpResponse) => {
	const data: string[] = [];
	for await (const events of answer.events()) data.push(...events);
	return data;
};
const failedBy = async (asking: Promise<unknown>): Promise<ServerError> =>
	await asking.then(
		() => {
			throw new Error('did not fail');
		},
		(error: ServerError) => error,
	);

/** The first answers by some statuses, all later ones by JSON. */
const after =
	(...first: Array<(response: http.ServerResponse) => void>): Script =>
	(_request, response) => {
		const answer = first.shift();
		if (answer === undefined) json(response, { ok: true });
		else answer(response);
	};
const loading = (response: http.ServerResponse) =>
	json(
		response,
		{ error: { message: 'Loading model', type: 'unavailable_error', code: 503 } },
		503,
	);
const busy = (response: http.ServerResponse) =>
	json(response, { error: { message: 'Too many requests' } }, 429);
const broken = (response: http.ServerResponse) => response.destroy();

describe('a request', () => {
	test('is sent with the headers of the credential, and its answer is masked', async () => {
		const { ask, requests } = await serve((sent, response) =>
			json(response, { echo: sent.headers.authorization, body: sent.body }),
		);
		const answer = await ask({ json: { a: 'b' }, headers: { 'x-trace': '1' } }, asJson);
		expect(answer).toEqual({ echo: 'Bearer ***', body: { a: 'b' } });
		expect(requests[0]).toMatchObject({ method: 'POST', path: '/v1/models' });
		expect(requests[0]!.headers).toMatchObject({ 'x-trace': '1', 'accept-encoding': 'identity' });
	});

	test.each<[string, Script, Partial<ServerError>]>([
		[
			'a refusal',
			(_sent, response) => json(response, { error: { message: `bad key ${KEY}` } }, 401),
			{ type: 'unauthorized', serverText: 'bad key ***' },
		],
		[
			'an error under 200',
			(_sent, response) => json(response, { error: 'Unexpected endpoint or method. (GET /x)' }),
			{ type: 'routeNotFound' },
		],
		[
			'a page',
			(_sent, response) => response.end('<html><title>Hello</title>'),
			{ type: 'notAnApi' },
		],
		['a broken answer', (_sent, response) => response.end('{"a":'), { type: 'invalidResponse' }],
		[
			'a redirect to another host',
			(_sent, response) => response.writeHead(307, { location: 'http://127.0.0.2:1/' }).end(),
			{ type: 'unexpectedRedirect' },
		],
	])('fails with %s', async (_name, script, expected) => {
		const { ask } = await serve(script);
		const failed = await failedBy(ask({ json: {} }, asJson));
		expect(failed).toMatchObject(expected);
	});

	test('follows a redirect to another origin without the key, and without content only', async () => {
		const other = await serve((_sent, response) => json(response, { from: 'other' }));
		const { ask } = await serve((_sent, response) =>
			response.writeHead(302, { location: `${other.target.url.origin}/list` }).end(),
		);
		expect(await ask({}, asJson)).toEqual({ from: 'other' });
		expect(other.requests[0]!.headers).not.toHaveProperty('authorization');
		expect((await failedBy(ask({ json: { text: 'private' } }, asJson))).type).toBe(
			'unexpectedRedirect',
		);
		expect(other.requests).toHaveLength(1);
	});

	test.each<[string, string | undefined, number, RegExp]>([
		['without a Location', undefined, 1, /no Location header/],
		['with an empty one', '', 1, /no Location header/],
		['with an invalid one', 'http://[', 1, /redirects this request to http:\/\/\[/],
		['of another scheme', 'file:///etc/passwd', 1, /file:/],
		['to itself', '/v1/models', 1, /redirects this request/],
		['to a place in itself', '#top', 1, /redirects this request/],
		['around a loop', '/v1/b', 2, /redirects this request/],
		['from place to place', '+1', 6, /redirects this request/],
	])(
		'sends a prompt no more than is asked for: a redirect %s',
		async (_name, location, times, words) => {
			for (const status of [301, 302, 303, 307, 308]) {
				const { ask, requests } = await serve((_sent, response) => {
					if (requests.length > 10) return void response.end('{}');
					const next = location === '+1' ? `/v1/${requests.length}` : location;
					response.writeHead(status, next === undefined ? {} : { location: next }).end();
				});
				const failed = await failedBy(ask({ json: { text: 'private' } }, asJson));
				expect(failed).toMatchObject({ type: 'unexpectedRedirect', status });
				if (status >= 307) expect(failed.detail).toMatch(words);
				expect(requests).toHaveLength(status < 307 ? 1 : times);
			}
		},
	);

	test('unpacks one layer of compression', async () => {
		const packed = await serve((_sent, response) => {
			response.writeHead(200, { 'content-encoding': 'gzip' });
			response.end(zlib.gzipSync('{"a":1}'));
		});
		expect(await packed.ask({}, asJson)).toEqual({ a: 1 });
	});

	test('takes a complete answer for the end where the connection stays open', async () => {
		const { ask } = await serve((_sent, response) => response.write('{"a":1}\n'));
		expect(await ask({}, asJson)).toEqual({ a: 1 });
	});

	test('does not read more than it may', async () => {
		const { ask } = await serve((_sent, response) => response.end('x'.repeat(1000)));
		expect(await failedBy(ask({ maxBytes: 10 }, asText))).toMatchObject({
			message: expect.stringContaining('reading was stopped'),
		});
	});

	test.each<
		[
			string,
			Partial<RequestOptions>,
			Array<(response: http.ServerResponse) => void>,
			string | undefined,
		]
	>([
		['waits while the model is loading', {}, [loading, loading], undefined],
		['tries a busy server again', { maxRetries: 2 }, [busy, busy], undefined],
		['gives up on a busy server', { maxRetries: 1 }, [busy, busy], 'busy'],
		[
			'does not repeat a generation whose connection broke',
			{ json: {}, maxRetries: 5 },
			[broken],
			'closedBeforeResponse',
		],
		[
			'repeats what is idempotent',
			{ json: {}, maxRetries: 5, isIdempotent: true },
			[broken],
			undefined,
		],
	])('%s', async (_name, how, first, kind) => {
		const { ask } = await serve(after(...first));
		const outcome = await ask(how, asJson).then(
			() => undefined,
			(error: ServerError) => error.type,
		);
		expect(outcome).toBe(kind);
	});

	test('says what happened where nothing listens', async () => {
		const target = targetAt(`http://127.0.0.1:${await closedPort()}`);
		expect(
			await failedBy(request(target, { url: `${target.url.api}/models` }, asText)),
		).toMatchObject({ type: 'connectionRefused' });
	});
});

describe('a stream', () => {
	const stream =
		(...pieces: string[]): Script =>
		(_sent, response) => {
			response.writeHead(200, { 'content-type': 'text/event-stream' });
			for (const piece of pieces) response.write(piece);
			response.end();
		};

	test('gives the data of its events, masked', async () => {
		const { ask } = await serve(
			stream('data: {"a":1}\n\nda', `ta: {"key":"${KEY}"}\n\n`, 'data: [DONE]'),
		);
		expect(await ask({ json: {} }, allEvents)).toEqual(['{"a":1}', '{"key":"***"}', '[DONE]']);
	});

	test('is one event where the server answers whole, and a failure where a page comes', async () => {
		const whole = await serve((_sent, response) => json(response, { choices: [] }));
		expect(await whole.ask({ json: {} }, allEvents)).toEqual(['{"choices":[]}']);
		const page = await serve((_sent, response) =>
			response.end('<html><title>Login</title></html>'),
		);
		expect((await failedBy(page.ask({ json: {} }, allEvents))).type).toBe('notAnApi');
	});

	test('that breaks after content is a lost connection, and is not sent again', async () => {
		const { ask, requests } = await serve((_sent, response) => {
			response.write('data: {"a":1}\n\n', () => setImmediate(() => response.destroy()));
		});
		const reading = ask({ json: {}, maxRetries: 3, isIdempotent: true }, async (answer) => {
			for await (const events of answer.events()) if (events.length > 0) answer.markContent();
		});
		expect((await failedBy(reading)).type).toBe('connectionLost');
		expect(requests).toHaveLength(1);
	});

	test('ends by its limits, which say so', async () => {
		const { ask } = await serve((_sent, response) => response.write('data: {"a":1}\n\n'));
		const first = ask({ json: {}, timeouts: { firstTokenMs: 50 } }, allEvents);
		expect((await failedBy(first)).type).toBe('firstTokenTimeout');
		const idle = ask({ json: {}, timeouts: { idleMs: 50 } }, async (answer) => {
			for await (const events of answer.events()) if (events.length > 0) answer.markContent();
		});
		expect((await failedBy(idle)).type).toBe('idleTimeout');
	});

	test('closes its connection at Stop', async () => {
		const stop = new AbortController();
		const closed = new Promise<void>((resolve) => {
			void serve((_sent, response) => {
				response.on('close', resolve);
				response.write('data: {"a":1}\n\n');
			}).then(({ ask }) =>
				ask({ json: {}, signal: stop.signal }, async (answer) => {
					for await (const events of answer.events()) if (events.length > 0) stop.abort();
				}).catch((error: ServerError) => expect(error.type).toBe('aborted')),
			);
		});
		await closed;
	});

	test('left early closes its connection', async () => {
		let closed: Promise<void> | undefined;
		const { ask } = await serve((_sent, response) => {
			closed = new Promise((resolve) => response.on('close', resolve));
			response.write('data: {"a":1}\n\n');
		});
		await ask({ json: {} }, async (answer) => {
			for await (const events of answer.events()) if (events.length > 0) return;
		});
		expect(await closed).toBeUndefined();
	});
});

describe('the queue', () => {
	/** A server that answers when a test says so. */
	async function slowServer(more: Partial<Endpoint>) {
		const waiting: Array<{ sent: ScriptedRequest; answer: () => void }> = [];
		let arrived = () => {};
		const server = await serve((sent, response) => {
			waiting.push({ sent, answer: () => json(response, { of: sent.body.name }) });
			arrived();
		}, more);
		const arrivals = async (count: number) => {
			while (waiting.length < count) await new Promise<void>((resolve) => (arrived = resolve));
		};
		const run = async (name: string, priority: 'interactive' | 'batch') =>
			await server.ask({ json: { name }, priority }, asJson);
		return { waiting, arrivals, run };
	}

	test.each([
		['the number of the user', { maxConcurrentRequests: 1 }],
		['the slots of the server', { getSlots: () => 1 }],
	])('lets no more than %s run', async (_name, more) => {
		const { waiting, arrivals, run } = await slowServer(more);
		const both = Promise.all([run('first', 'interactive'), run('second', 'interactive')]);
		await arrivals(1);
		expect(waiting.map(({ sent }) => sent.body.name)).toEqual(['first']);
		waiting[0]!.answer();
		await arrivals(2);
		waiting[1]!.answer();
		expect(await both).toEqual([{ of: 'first' }, { of: 'second' }]);
	});

	test('a batch request is preempted at most twice, and is sent again', async () => {
		const { waiting, arrivals, run } = await slowServer({ maxConcurrentRequests: 1 });
		const batch = run('batch', 'batch');
		await arrivals(1);
		const interactive: Array<Promise<unknown>> = [];
		for (const name of ['one', 'two', 'three']) {
			interactive.push(run(name, 'interactive'));
			if (name === 'three') break;
			await arrivals(waiting.length + 1);
			waiting.at(-1)!.answer();
			await interactive.at(-1);
			await arrivals(waiting.length + 1);
		}
		// The third interactive request waits for the batch request.
		expect(waiting.map(({ sent }) => sent.body.name)).toEqual([
			'batch',
			'one',
			'batch',
			'two',
			'batch',
		]);
		waiting.at(-1)!.answer();
		expect(await batch).toEqual({ of: 'batch' });
		await arrivals(6);
		waiting.at(-1)!.answer();
		expect(await Promise.all(interactive)).toEqual([{ of: 'one' }, { of: 'two' }, { of: 'three' }]);
	});

	test('reports the timeout that ends the wait', async () => {
		const { ask } = await serve(() => {}, { maxConcurrentRequests: 1 });
		const stop = new AbortController();
		const running = ask({ json: {}, priority: 'interactive', signal: stop.signal }, asJson);
		const timeouts = { firstTokenMs: 30 };
		const failed = await failedBy(ask({ json: {}, priority: 'interactive', timeouts }, asJson));
		expect(failed).toMatchObject({ type: 'firstTokenTimeout', facts: { queued: true } });
		stop.abort();
		expect((await failedBy(running)).type).toBe('aborted');
	});
});

describe("n8n's egress filter", () => {
	class SsrfError extends Error {
		override name = 'SsrfBlockedIpError';
	}
	const filter = {
		validateUrl: async () => await Promise.resolve({ ok: false, error: new SsrfError('blocked') }),
		createSecureLookup: () => () => {},
		validateRedirectSync: () => {},
	};

	test('is asked before anything is sent', async () => {
		const { ask, requests } = await serve((_sent, response) => json(response, {}), {
			egressFilter: filter,
		});
		expect((await failedBy(ask({}, asText))).type).toBe('blockedByPolicy');
		expect(requests).toHaveLength(0);
	});

	test('is asked for each redirect', async () => {
		const egressFilter = {
			...filter,
			validateUrl: async () => await Promise.resolve({ ok: true }),
			validateRedirectSync: () => {
				throw new SsrfError('blocked');
			},
		};
		const { ask, requests } = await serve(
			(_sent, response) => response.writeHead(302, { location: '/other' }).end(),
			{ egressFilter },
		);
		expect((await failedBy(ask({}, asText))).type).toBe('blockedByPolicy');
		expect(requests).toHaveLength(1);
	});
});
