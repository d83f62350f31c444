import type { HttpResponse, RequestOptions, Endpoint } from '../../../lib/http/types';
import { request } from '../../../lib/http/request';
import type { ServerError } from '../../../lib/errors/server-error';
import { sendJson, startScripted } from '../../support/servers/scripted-server';
import type { Answer, ScriptedRequest } from '../../support/servers/scripted-server';
import type * as http from 'node:http';
import { setImmediate } from 'node:timers';
import * as zlib from 'node:zlib';
import { getError } from '../../support/jest/get-error';
import { withLimits } from './client';
import { useSimulator } from '../../simulators/use-simulator';
import { withDeadline } from '../../support/waiting/deadline';
import { createDeferred } from '../../support/waiting/deferred';

jest.mock('../../../lib/http/sleep', () =>
	jest.requireActual<object>('../../support/waiting/mock-sleep'),
);

const KEY = ['sk', '9f8e7d6c5b4a3210'].join('-');
const serveScript = useSimulator(startScripted);

const endpointAt = (origin: string, overrides: Partial<Endpoint> = {}): Endpoint => ({
	url: { typed: origin, origin, root: origin, api: `${origin}/v1` },
	id: `${origin} with key`,
	headers: { authorization: `Bearer ${KEY}` },
	ignoreSslIssues: false,
	maxConcurrentRequests: 0,
	getSlots: () => undefined,
	secrets: [KEY],
	errorContext: {},
	...overrides,
});

/** Starts a scripted server, and returns how to send requests to it. */
async function serve(script: Answer, overrides: Partial<Endpoint> = {}) {
	const server = await serveScript(script);
	const endpoint = endpointAt(server.url, overrides);
	const send = async <T>(
		options: Partial<RequestOptions>,
		read: (answer: HttpResponse) => Promise<T>,
	) =>
		await request(
			endpoint,
			{ url: `${endpoint.url.api}/models`, limits: withLimits(), ...options },
			read,
		);
	return { send, target: endpoint, requests: server.requests };
}

const readText = async (response: HttpResponse) => await response.text();
const readJson = async (answer: HttpResponse) => await answer.json();
const readEvents = async (answer: HttpResponse) => {
	const data: string[] = [];
	for await (const parts of answer.parts()) data.push(...parts.map(({ text }) => text));
	return data;
};

/** Responds to the first requests as given, and to all later ones with JSON. */
const respondFirst =
	(...first: Array<(response: http.ServerResponse) => void>): Answer =>
	(_request, response) => {
		const answer = first.shift();
		if (answer === undefined) sendJson(response, { ok: true });
		else answer(response);
	};
const loading = (response: http.ServerResponse) =>
	sendJson(
		response,
		{ error: { message: 'Loading model', type: 'unavailable_error', code: 503 } },
		503,
	);
const busy = (response: http.ServerResponse) =>
	sendJson(response, { error: { message: 'Too many requests' } }, 429);
const missing = (response: http.ServerResponse) =>
	sendJson(response, { error: { message: 'model "m" not found' } }, 404);
const broken = (response: http.ServerResponse) => response.destroy();

describe('a request', () => {
	test.each<[string, Answer, Partial<ServerError>]>([
		[
			'an error response',
			(_sent, response) => sendJson(response, { error: { message: `bad key ${KEY}` } }, 401),
			{ type: 'unauthorized', serverText: 'bad key ***' },
		],
		[
			'an error with status 200',
			(_sent, response) =>
				sendJson(response, { error: 'Unexpected endpoint or method. (GET /v1/models)' }),
			{ type: 'routeNotFound' },
		],
		[
			'an HTML page',
			(_sent, response) => response.end('<html><title>Hello</title>'),
			{ type: 'notAnApi' },
		],
		['invalid JSON', (_sent, response) => response.end('{"a":'), { type: 'invalidResponse' }],
		[
			'a redirect to another host',
			(_sent, response) => response.writeHead(307, { location: 'http://127.0.0.2:1/' }).end(),
			{ type: 'unexpectedRedirect' },
		],
	])('fails with %s', async (_name, script, expected) => {
		const { send } = await serve(script);
		const error = await getError(send({ json: {} }, readJson));
		expect(error).toMatchObject(expected);
	});

	test.each<[string, string | undefined, number, RegExp]>([
		['a redirect without a Location', undefined, 1, /no Location header/],
		['with an empty Location', '', 1, /no Location header/],
		['with an invalid Location', 'http://[', 1, /redirects this request to http:\/\/\[/],
		['to another scheme', 'file:///etc/passwd', 1, /file:/],
		['to itself', '/v1/models', 1, /redirects this request/],
		['to a fragment of itself', '#top', 1, /redirects this request/],
		['in a loop', '/v1/b', 2, /redirects this request/],
		['to a new URL each time', '+1', 6, /redirects this request/],
	])('sends a prompt at most once per redirect: %s', async (_name, location, times, detail) => {
		for (const status of [301, 302, 303, 307, 308]) {
			const { send, requests } = await serve((_sent, response) => {
				if (requests.length > 10) return void response.end('{}');
				const next = location === '+1' ? `/v1/${requests.length}` : location;
				response.writeHead(status, next === undefined ? {} : { location: next }).end();
			});
			const error = await getError(send({ json: { text: 'private' } }, readJson));
			expect(error).toMatchObject({ type: 'unexpectedRedirect', status });
			if (status >= 307) expect(error.detail).toMatch(detail);
			expect(requests).toHaveLength(status < 307 ? 1 : times);
		}
	});

	test.each(
		[301, 302, 303, 307, 308].flatMap((status) =>
			['/v1/b', 'http://127.0.0.2:1/', 'models'].map((location) => ({ status, location })),
		),
	)(
		'sends an upload, which can be read only once, not again: $status to $location',
		async ({ status, location }) => {
			const { send, requests } = await serve((_sent, response) => {
				if (requests.length > 1) return void response.end('{}');
				response.writeHead(status, { location }).end();
			});
			let reads = 0;
			const content = {
				async *[Symbol.asyncIterator]() {
					reads++;
					yield await Promise.resolve(Buffer.from('abc'));
				},
			};
			const upload = { content, contentType: 'audio/wav', length: 3 };
			const error = await getError(send({ upload }, readJson));
			expect({ type: error.type, status: error.status, reads }).toEqual({
				type: 'unexpectedRedirect',
				status,
				reads: 1,
			});
			expect(requests.map(({ path }) => path)).toEqual(['/v1/models']);
		},
	);

	test.each<[string, (text: string) => Buffer]>([
		['gzip', zlib.gzipSync],
		['x-gzip', zlib.gzipSync],
		['deflate', zlib.deflateSync],
		['br', zlib.brotliCompressSync],
		['BR ', zlib.brotliCompressSync],
		['identity', Buffer.from],
	])('reads a response that a proxy compressed with %s', async (encoding, compress) => {
		const server = await serve((_sent, response) => {
			response.writeHead(200, { 'content-encoding': encoding });
			response.end(compress('{"a":1}'));
		});
		expect(await server.send({}, readJson)).toEqual({ a: 1 });
	});

	test.each(['snappy', 'zstd', 'gzip, br', 'constructor'])(
		'names a compression that it cannot read: %s',
		async (encoding) => {
			const { send } = await serve((_sent, response) => {
				response.writeHead(200, { 'content-encoding': encoding });
				response.end('x');
			});
			const error = await getError(send({}, readJson));
			expect(error.message).toBe(
				`The response is compressed with ${encoding}, which was not asked for`,
			);
			expect(error.suggestion).toContain('A proxy in front of the server compresses it');
		},
	);

	test.each(['snappy', 'gzip', 'gzip, gzip, gzip'])(
		'an error response is the error of its status, whatever it is compressed with: %s',
		async (encoding) => {
			const { send } = await serve((_sent, response) => {
				response.writeHead(401, { 'content-encoding': encoding });
				response.end('x');
			});
			expect(await getError(send({}, readJson))).toMatchObject({
				type: 'unauthorized',
				status: 401,
			});
		},
	);

	test('a compressed response that ends too early is an error', async () => {
		const { send } = await serve((_sent, response) => {
			response.writeHead(200, { 'content-encoding': 'br' });
			response.end(zlib.brotliCompressSync('{"a":1}'.repeat(50)).subarray(0, 10));
		});
		expect(await getError(send({}, readJson))).toMatchObject({
			type: 'invalidResponse',
			message:
				'The response is said to be compressed with br, but cannot be decompressed: unexpected end of file',
		});
	});

	describe('a response of a few bytes that stand for gigabytes', () => {
		const bomb = (() => {
			const part = zlib.gzipSync(Buffer.alloc(16 * 1024 * 1024, '\n'));
			return Buffer.alloc(400 * part.length, part);
		})();
		const serveBomb = async () =>
			await serve((_sent, response) => {
				response.writeHead(200, { 'content-encoding': 'gzip' });
				response.end(bomb);
			});

		test.each<{ what: string; read: (answer: HttpResponse) => Promise<unknown> }>([
			{ what: 'a text', read: readText },
			{ what: 'events', read: readEvents },
		])('ends at the limit of its request: $what', async ({ read }) => {
			const { send } = await serveBomb();
			const limits = withLimits({ bytes: 32 * 1024 * 1024 });
			expect(await getError(send({ limits }, read), Error)).toMatchObject({
				type: 'invalidResponse',
				message: 'The response is larger than 32 MB, so reading was stopped',
			});
		});

		test.each<[string, (stop: AbortController) => Partial<RequestOptions>, string]>([
			['Stop', ({ signal }) => ({ signal }), 'aborted'],
			['First Token Timeout', () => ({ timeouts: { firstTokenMs: 200 } }), 'firstTokenTimeout'],
			// A busy machine needs longer than 200 ms to open the connection.
			['Total Timeout', () => ({ timeouts: { totalMs: 1_000 } }), 'totalTimeout'],
		])('ends with %s', async (_name, getOptions, type) => {
			const { send, requests } = await serveBomb();
			const stop = new AbortController();
			const sent = send(
				{ ...getOptions(stop), limits: withLimits({ bytes: Infinity }) },
				async (answer) => {
					stop.abort();
					return await readEvents(answer);
				},
			);
			expect((await getError(sent))?.type).toBe(type);
			expect(requests).toHaveLength(1);
		});
	});

	test('stops reading at the maximum size', async () => {
		const { send } = await serve((_sent, response) => response.end('x'.repeat(1000)));
		expect(await getError(send({ limits: withLimits({ bytes: 10 }) }, readText))).toMatchObject({
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
		['retries a busy server', { maxRetries: 2 }, [busy, busy], undefined],
		['fails if the server is busy after all retries', { maxRetries: 1 }, [busy, busy], 'busy'],
		[
			'does not retry a generation if the connection is lost',
			{ json: {}, maxRetries: 5 },
			[broken],
			'closedBeforeResponse',
		],
		[
			'retries an idempotent request if the connection is lost',
			{ json: {}, maxRetries: 5, isIdempotent: true },
			[broken],
			undefined,
		],
	])('a request %s', async (_name, options, first, expected) => {
		const { send } = await serve(respondFirst(...first));
		const errorType = await send(options, readJson).then(
			() => undefined,
			(error: ServerError) => error.type,
		);
		expect(errorType).toBe(expected);
	});
});

describe('a loading model', () => {
	const play = async (
		first: Array<(response: http.ServerResponse) => void>,
		options: Partial<RequestOptions> = {},
	) => {
		const calls: string[] = [];
		const { send } = await serve(respondFirst(...first), {
			onLoading: () => void calls.push('loading'),
			onLoaded: (error) => void calls.push(error === undefined ? 'loaded' : error.type),
		});
		await send(options, readJson).catch(() => undefined);
		return calls;
	};

	test.each<[string, Array<(response: http.ServerResponse) => void>, string[]]>([
		['that loads', [loading, loading], ['loading', 'loading', 'loaded']],
		['that cannot be loaded', [loading, missing], ['loading', 'modelNotFound']],
		['that is there', [], []],
		['of a busy server', [busy], []],
	])('%s is reported: %j', async (_name, first, expected) => {
		expect(await play(first)).toEqual(expected);
	});

	test('is no longer waited for after its request was stopped', async () => {
		const calls: string[] = [];
		const stop = new AbortController();
		const { send } = await serve(respondFirst(loading, loading, loading, loading), {
			onLoading: () => {
				calls.push('loading');
				stop.abort();
			},
			onLoaded: (error) => void calls.push(String(error?.type)),
		});
		await getError(send({ signal: stop.signal }, readJson));
		expect(calls).toEqual(['loading', 'aborted']);
	});
});

describe('an error response', () => {
	const notFound: Answer = (_sent, response) => sendJson(response, { here: false }, 404);

	test('is read if it may have any status, otherwise thrown', async () => {
		const { send } = await serve(notFound);
		const read = async (answer: HttpResponse) => [answer.status, await answer.text()];
		expect(await send({ allowErrorStatus: true }, read)).toEqual([404, '{"here":false}']);
		expect(await getError(send({}, read), Error)).toMatchObject({ status: 404 });
		expect(await getError(send({ allowErrorStatus: false }, read))).toMatchObject({ status: 404 });
	});

	test.each([299, 300])('begins with the status 300: %d', async (status) => {
		const { send } = await serve((_sent, response) => sendJson(response, { ok: true }, status));
		const isUsable = await send({}, readJson).then(
			() => true,
			() => false,
		);
		expect(isUsable).toBe(status < 300);
	});

	test('without an end says what arrived of it', async () => {
		const { send } = await serve((_sent, response) => {
			response.writeHead(500, { 'content-type': 'text/plain' });
			response.write(`out of memory ${'x'.repeat(2_000_000)}`);
		});
		const error = await getError(send({ json: {} }, readJson));
		expect(error.serverText).toMatch(/^out of memory/);
	});
});

describe('bytes', () => {
	const readBytes = async (answer: HttpResponse) => {
		const chunks: Uint8Array[] = [];
		for await (const chunk of answer.bytes()) chunks.push(chunk);
		return Buffer.concat(chunks).toString('latin1');
	};

	test('are those of the response', async () => {
		const { send } = await serve((_sent, response) => response.end(Buffer.from([0, 255, 10])));
		expect(await send({}, readBytes)).toBe('\0ÿ\n');
	});

	test('are not read beyond the maximum size', async () => {
		const { send } = await serve((_sent, response) => response.end('x'.repeat(1000)));
		expect(await getError(send({ limits: withLimits({ bytes: 999 }) }, readBytes))).toMatchObject({
			message: expect.stringContaining('reading was stopped'),
		});
		expect(await send({ limits: withLimits({ bytes: 1000 }) }, readBytes)).toHaveLength(1000);
	});

	test('that stop for longer than the idle timeout are an error', async () => {
		const { send } = await serve((_sent, response) => void response.write('x'));
		const timeouts = { firstTokenMs: 0, idleMs: 80 };
		expect((await getError(send({ timeouts }, readBytes))).type).toBe('idleTimeout');
	});
});

describe('an exception of the code that reads a response', () => {
	const answer: Answer = (_sent, response) => response.end('data: {"a":1}\n\n');

	test.each<[string, (answer: HttpResponse) => Promise<unknown>]>([
		['before its body', async () => await Promise.reject(new TypeError('no method x'))],
		[
			'after its body',
			async (response) => {
				await response.text();
				throw new TypeError('no method x');
			},
		],
		[
			'at an event',
			async (response) => {
				for await (const _parts of response.parts()) throw new TypeError('no method x');
			},
		],
		[
			'at bytes',
			async (response) => {
				for await (const _bytes of response.bytes()) throw new TypeError('no method x');
			},
		],
	])('is no error of the connection, and nothing is sent again: %s', async (_name, read) => {
		const { send, requests } = await serve(answer);
		const error = await getError(send({ json: {}, maxRetries: 2 }, read), Error);
		expect(error).toMatchObject({ name: 'TypeError', message: 'no method x' });
		expect(error).not.toHaveProperty('type');
		expect(requests).toHaveLength(1);
	});

	test('of a request that cannot be made', async () => {
		const { send, requests } = await serve(answer);
		const json: Record<string, unknown> = {};
		json.self = json;
		expect(await getError(send({ json }, readText), Error)).not.toHaveProperty('type');
		expect(requests).toHaveLength(0);
	});

	test('shows no key', async () => {
		const { send } = await serve(answer);
		const read = async () => await Promise.reject(new SyntaxError(`"${KEY}" is not valid JSON`));
		expect((await getError(send({}, read), Error)).message).toBe('"***" is not valid JSON');
	});
});

describe('a stream', () => {
	test('of lines has one JSON value in each', async () => {
		const { send } = await serve((_sent, response) => response.end('{"a":1}\n{"b":2}\n'));
		expect(await send({ json: {}, streamFormat: 'lines' }, readEvents)).toEqual([
			'{"a":1}',
			'{"b":2}',
		]);
	});

	test.each([
		['{"a":1}', 'document'],
		['data: {"a":1}\n\n', 'event'],
	])('%j is one part of type %s', async (body, type) => {
		const { send } = await serve((_sent, response) => response.end(body));
		const read = async (answer: HttpResponse) => {
			const types: string[] = [];
			for await (const parts of answer.parts()) types.push(...parts.map((part) => part.type));
			return types;
		};
		expect(await send({ json: {} }, read)).toEqual([type]);
	});

	test('has no key in its events, nor in lines outside of them', async () => {
		const { send } = await serve((_sent, response) =>
			response.end(`data: {"key":"${KEY}"}\n\nproxy error: ${KEY}\n\n`),
		);
		expect(await send({ json: {} }, readEvents)).toEqual(['{"key":"***"}', 'proxy error: ***']);
	});

	test('is not read beyond the maximum size', async () => {
		const { send } = await serve((_sent, response) => response.end('data: {"a":1}\n\n'.repeat(50)));
		expect(
			await getError(send({ json: {}, limits: withLimits({ bytes: 100 }) }, readEvents)),
		).toMatchObject({
			message: expect.stringContaining('reading was stopped'),
		});
	});

	test('whose bytes hold no whole event yet gives no empty list of them', async () => {
		const { send } = await serve((_sent, response) => {
			response.write('data: {"a"', () => setImmediate(() => response.end(':1}\n\n')));
		});
		const read = async (answer: HttpResponse) => {
			const lengths: number[] = [];
			for await (const parts of answer.parts()) lengths.push(parts.length);
			return lengths;
		};
		expect(await send({ json: {} }, read)).toEqual([1]);
	});

	test('is one event for a JSON response, and an error for an HTML page', async () => {
		const server = await serve((_sent, response) => sendJson(response, { choices: [] }));
		expect(await server.send({ json: {} }, readEvents)).toEqual(['{"choices":[]}']);
		const page = await serve((_sent, response) =>
			response.end('<html><title>Login</title></html>'),
		);
		expect((await getError(page.send({ json: {} }, readEvents))).type).toBe('notAnApi');
	});

	test('that ends early after content is a lost connection and is not retried', async () => {
		const { send, requests } = await serve((_sent, response) => {
			response.write('data: {"a":1}\n\n', () => setImmediate(() => response.destroy()));
		});
		const reading = send({ json: {}, maxRetries: 3, isIdempotent: true }, async (answer) => {
			for await (const parts of answer.parts()) if (parts.length > 0) answer.markContent();
		});
		expect((await getError(reading)).type).toBe('connectionLost');
		expect(requests).toHaveLength(1);
	});
});

describe('the queue', () => {
	/** A server whose responses are sent by the test. */
	async function slowServer(overrides: Partial<Endpoint>) {
		const pending: Array<{ sent: ScriptedRequest; answer: () => void }> = [];
		let arrived = () => {};
		const server = await serve((sent, response) => {
			pending.push({ sent, answer: () => sendJson(response, { of: sent.body.name }) });
			arrived();
		}, overrides);
		const arrivals = async (count: number) => {
			while (pending.length < count) await new Promise<void>((resolve) => (arrived = resolve));
		};
		const run = async (
			name: string,
			priority: 'interactive' | 'batch' | undefined,
			more: Partial<RequestOptions> = {},
		) => await server.send({ json: { name }, priority, ...more }, readJson);
		return { waiting: pending, arrivals, run };
	}

	test.each([
		['the limit of the credential', { maxConcurrentRequests: 1 }],
		['the slots of the server', { getSlots: () => 1 }],
	])('limits concurrent requests to %s', async (_name, overrides) => {
		const { waiting, arrivals, run } = await slowServer(overrides);
		const both = Promise.all([run('first', 'interactive'), run('second', 'interactive')]);
		await arrivals(1);
		expect(waiting.map(({ sent }) => sent.body.name)).toEqual(['first']);
		waiting[0]!.answer();
		await arrivals(2);
		waiting[1]!.answer();
		expect(await both).toEqual([{ of: 'first' }, { of: 'second' }]);
	});

	test('preempts a batch request at most twice, and sends it again', async () => {
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

	test.each<[string, 'interactive' | 'batch', Partial<RequestOptions>]>([
		['an interactive request', 'interactive', {}],
		['a batch request that may not be canceled', 'batch', { isPreemptible: false }],
	])('does not preempt %s', async (_name, priority, more) => {
		const { waiting, arrivals, run } = await slowServer({ maxConcurrentRequests: 1 });
		const stats = { waitedMs: 0, hasPreemptedBatch: false, timesPreempted: 0 };
		const first = run('first', priority, { ...more, queueStats: stats });
		await arrivals(1);
		const second = run('second', 'interactive');
		// A request without a priority does not wait, and comes after the other one was asked.
		const other = run('other', undefined);
		await arrivals(2);
		expect(waiting.map(({ sent }) => sent.body.name)).toEqual(['first', 'other']);
		waiting.forEach(({ answer }) => answer());
		await Promise.all([first, other]);
		await arrivals(3);
		waiting[2]!.answer();
		expect(await second).toEqual({ of: 'second' });
		expect(stats.timesPreempted).toBe(0);
	});

	test('counts how often a batch request gave way, and for whom', async () => {
		const { waiting, arrivals, run } = await slowServer({ maxConcurrentRequests: 1 });
		const [batchStats, stats] = [0, 0].map(() => ({
			waitedMs: 0,
			hasPreemptedBatch: false,
			timesPreempted: 0,
		}));
		const batch = run('batch', 'batch', { queueStats: batchStats });
		await arrivals(1);
		const interactive = run('interactive', 'interactive', { queueStats: stats });
		await arrivals(2);
		waiting[1]!.answer();
		await interactive;
		await arrivals(3);
		waiting[2]!.answer();
		await batch;
		expect([batchStats, stats]).toMatchObject([
			{ timesPreempted: 1, hasPreemptedBatch: false },
			{ timesPreempted: 0, hasPreemptedBatch: true },
		]);
	});

	test('is another one for each model, if the slots are those of the server', async () => {
		const slots = (model?: string) => (model === 'free' ? undefined : 1);
		const { waiting, arrivals, run } = await slowServer({ getSlots: slots });
		const names = ['a', 'a', 'b', 'free', 'free'];
		const all = names.map((model, at) => run(`${model}${at}`, 'interactive', { model }));
		await arrivals(4);
		expect(waiting.map(({ sent }) => sent.body.name).toSorted()).toEqual([
			'a0',
			'b2',
			'free3',
			'free4',
		]);
		waiting.forEach(({ answer }) => answer());
		await arrivals(5);
		waiting[4]!.answer();
		expect(await Promise.all(all)).toHaveLength(5);
	});

	test('reports a first-token timeout that expires in the queue', async () => {
		const { send } = await serve(() => {}, { maxConcurrentRequests: 1 });
		const stop = new AbortController();
		const running = send({ json: {}, priority: 'interactive', signal: stop.signal }, readJson);
		const timeouts = { firstTokenMs: 30 };
		const error = await getError(send({ json: {}, priority: 'interactive', timeouts }, readJson));
		expect(error).toMatchObject({ type: 'firstTokenTimeout', facts: { queued: true } });
		stop.abort();
		expect((await getError(running)).type).toBe('aborted');
	});
});

describe('a response that nobody reads any more is closed, so that the server stops', () => {
	/** Begins a response that has no end, and tells when its connection is closed. */
	async function serveEndless() {
		const closed = createDeferred();
		const { send } = await serve((_sent, response) => {
			response.on('close', closed.open);
			response.write('data: {"a":1}\n\n');
		});
		const whenClosed = async () =>
			await withDeadline(closed.wait, () => 'the end of the connection');
		return { send, whenClosed };
	}

	test('after a part of it', async () => {
		const { send, whenClosed } = await serveEndless();
		const read = async ({ parts }: HttpResponse) => {
			for await (const [part] of parts()) return part?.text;
			return undefined;
		};
		expect(await send({}, read)).toBe('{"a":1}');
		await whenClosed();
	});

	test('without reading it', async () => {
		const { send, whenClosed } = await serveEndless();
		expect(await send({}, async () => await Promise.resolve())).toBeUndefined();
		await whenClosed();
	});

	test('after an error of its reader', async () => {
		const { send, whenClosed } = await serveEndless();
		const fail = async () => await Promise.reject(new Error('ours'));
		await expect(send({}, fail)).rejects.toThrow('ours');
		await whenClosed();
	});
});
