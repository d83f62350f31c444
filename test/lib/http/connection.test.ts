import fc from 'fast-check';

import type { CallAnswer } from '../../../lib/http/types';
import { queuedRequests } from '../../../lib/http/queue';
import { failure } from '../../../lib/errors/failure';
import {
	type LlamaServerSim,
	reply,
	type SimOptions,
	startLlamaServerSim,
	type WireRequest,
} from '../../servers/llama-server';
import { closedPort, listen } from '../../support/listening';
import { delay, net, performance, setTimeout, zlib } from '../../support/node';
import { examples } from '../../support/properties';
import { AT_ONCE_MS } from '../../support/time';
import { ask, CHAT, connect, dataOf, drain, failureOf, openChat, textOf } from './client';
import { useSimulator } from '../../servers/use-simulator';

const startServer = useSimulator(startLlamaServerSim);

const SAMPLE = 'local-key-1234567890';
const BEARER = { authorization: `Bearer ${SAMPLE}` };

const start = async (options: SimOptions = {}): Promise<LlamaServerSim> => {
	const server = await startServer(options);
	return server;
};

// jest fails a test that leaves a rejection unhandled, so every test here shows as well that there is none.
const paths = (server: LlamaServerSim) => server.requests.map(({ method, target }) => `${method} ${target}`);
const last = (server: LlamaServerSim): WireRequest => server.requests.at(-1)!;

describe('reaching the server', () => {
	test('case 1: nothing listens: one attempt, and a sentence that says so', async () => {
		const waits: string[] = [];
		const { failed } = await ask(connect(`http://127.0.0.1:${await closedPort()}`), {
			onWait: (reason) => waits.push(reason),
		});
		expect(failed).toMatchObject({ kind: 'refused', code: 'ECONNREFUSED' });
		expect(failed!.message).toContain('Nothing listens on 127.0.0.1');
		expect(waits).toEqual([]);
	});

	test('case 1: with retries, a refused connection is tried again', async () => {
		const port = await closedPort();
		const waits: string[] = [];
		const answer = await ask(connect(`127.0.0.1:${port}`), {
			retries: 1,
			onWait: (reason) => {
				waits.push(reason);
				void start({ port });
			},
		});
		expect(answer.failed).toBeUndefined();
		expect(answer.text).not.toBe('');
		expect(waits).toEqual(['refused']);
	});

	test.each([
		['closed', reply.closed()],
		['reset', reply.reset()],
	])('case 2: %s before the first byte: a POST is sent once', async (_how, answer) => {
		const server = await start();
		server.script(answer);
		const { failed } = await ask(connect(server.url), { retries: 3 });
		expect(failed!.kind).toBe('closedBeforeAnswer');
		expect(server.requests).toHaveLength(1);
		server.route('POST /tokenize', answer);
		const again = await failureOf(
			async () => await connect(server.url).call(`${server.url}/tokenize`, { json: { content: 'x' } }),
		);
		expect(again!.kind).toBe('closedBeforeAnswer');
		expect(server.requests).toHaveLength(2);
	});

	test.each([
		['closed', reply.closed()],
		['reset', reply.reset()],
	])(
		'case 3: a kept connection is %s when it is used again: a GET is sent once more, on a fresh one',
		async (_how, answer) => {
			const server = await start();
			const connection = connect(server.url);
			await connection.call(`${connection.url.api}/models`);
			// The connection is free again a moment after its answer was read.
			await delay(5);
			server.route('GET /v1/models', ({ requestOnConnection }) => (requestOnConnection > 1 ? answer : undefined));
			expect((await connection.call(`${connection.url.api}/models`)).status).toBe(200);
			expect(
				server.requests.map(({ connection: number, requestOnConnection }) => [number, requestOnConnection]),
			).toEqual([
				[0, 1],
				[0, 2],
				[1, 1],
			]);
		},
	);

	test('case 3: a GET is sent twice at most', async () => {
		const server = await start();
		server.route('GET /v1/models', reply.closed());
		const failed = await failureOf(async () => await connect(server.url).call(`${server.url}/v1/models`));
		expect(failed!.kind).toBe('closedBeforeAnswer');
		expect(server.requests).toHaveLength(2);
	});

	test('case 4: the server closes idle connections; the next request does not notice', async () => {
		const server = await start({ keepAlive: { idleMs: 300, max: 100 } });
		const connection = connect(server.url);
		await connection.call(`${connection.url.api}/models`);
		await server.until(() => server.connections.open === 0);
		expect((await connection.call(`${connection.url.api}/models`)).status).toBe(200);
		server.closeIdle('rst');
		expect((await connection.call(`${connection.url.api}/models`)).status).toBe(200);
	});

	test('connections are kept for GETs only: every POST has one of its own', async () => {
		const server = await start();
		const connection = connect(server.url);
		const get = async () => await connection.call(`${connection.url.api}/models`);
		const post = async () => await connection.call(`${server.url}/tokenize`, { json: { content: 'x' } });
		await get();
		await ask(connection);
		await get();
		await post();
		await ask(connection);
		await get();
		const seen = server.requests.map(({ method, connection: number, requestOnConnection, headers }) => [
			method,
			number,
			requestOnConnection,
			headers.connection,
		]);
		expect(seen).toEqual([
			['GET', 0, 1, 'keep-alive'],
			['POST', 1, 1, 'close'],
			['GET', 0, 2, 'keep-alive'],
			['POST', 2, 1, 'close'],
			['POST', 3, 1, 'close'],
			['GET', 0, 3, 'keep-alive'],
		]);
	});

	test('64 streams at once: a connection each, and none fails', async () => {
		const server = await start({ slots: 64 });
		const connection = connect(server.url);
		for (let round = 0; round < 2; round++) {
			const answers = await Promise.all(Array.from({ length: 64 }, async () => await ask(connection)));
			expect(answers.filter(({ failed }) => failed !== undefined)).toEqual([]);
		}
		expect(new Set(server.requests.map(({ connection: number }) => number)).size).toBe(128);
	});

	test('case 13: https to an http port', async () => {
		const server = net.createServer((socket) =>
			socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')),
		);
		const port = await listen(server);
		const { failed } = await ask(connect(`https://127.0.0.1:${port}`));
		server.close();
		expect(failed!.kind).toBe('tlsMismatch');
		expect(failed!.remedy).toContain(`Use http:// in the Base URL: http://127.0.0.1:${port}`);
		expect(failed!.url).toBe(`https://127.0.0.1:${port}/v1/chat/completions`);
	});

	test('case 13: https to llama-server, which waits for the rest of a request line', async () => {
		const server = await start();
		const { failed } = await ask(connect(`https://127.0.0.1:${server.port}`, { connectLimitMs: 100 }));
		expect(failed!.kind).toBe('connectTimeout');
		expect(failed!.message).toContain('while making an https connection');
		expect(failed!.remedy).toContain(`use http:// in the Base URL: http://127.0.0.1:${server.port}`);
	});

	test.each([
		['', ''],
		['/', ''],
		['/v1', ''],
		['/v1/', ''],
		['/v1/chat/completions', ''],
		['/p', '/p'],
		['/p/v1/chat/completions/', '/p'],
	])('case 12: with %j after the address one normalised path is asked for', async (ending, apiPrefix) => {
		const server = await start({ apiPrefix });
		const connection = connect(server.url + ending);
		expect((await ask(connection)).failed).toBeUndefined();
		await connection.call(`${connection.url.root}/health`);
		expect(paths(server)).toEqual([`POST ${apiPrefix}/v1/chat/completions`, `GET ${apiPrefix}/health`]);
	});

	test('an address that cannot be used is an error at once', async () => {
		const failed = await failureOf(async () => await Promise.resolve().then(() => connect('ftp://host')));
		expect(failed).toMatchObject({ kind: 'invalidUrl', facts: { part: 'scheme' }, url: undefined });
		expect(failed!.message).toContain('"ftp://"');
	});
});

describe('keys', () => {
	test('case 5: a missing key: one request, and the error says what the server said', async () => {
		const server = await start({ apiKey: SAMPLE });
		const { failed } = await ask(connect(server.url), { retries: 3 });
		expect(failed).toMatchObject({
			kind: 'unauthorized',
			status: 401,
			serverText: 'Invalid API Key',
			url: `${server.url}/v1/chat/completions`,
		});
		expect(server.requests).toHaveLength(1);
	});

	test('case 6: both ways to send a key are accepted', async () => {
		const server = await start({ apiKey: SAMPLE });
		for (const headers of [BEARER, { 'x-api-key': SAMPLE }]) {
			const connection = connect(server.url, { headers });
			expect((await ask(connection)).failed).toBeUndefined();
			expect((await connection.call(`${connection.url.api}/models`)).status).toBe(200);
		}
	});

	test('case 7: a wrong Authorization is not made good by a right x-api-key', async () => {
		const server = await start({ apiKey: SAMPLE });
		const { failed } = await ask(
			connect(server.url, { headers: { authorization: 'Bearer wrong', 'x-api-key': SAMPLE } }),
		);
		expect(failed!.kind).toBe('unauthorized');
	});

	test('case 8: /health needs no key, everything else does', async () => {
		const server = await start({ apiKey: SAMPLE });
		const [without, having] = [connect(server.url), connect(server.url, { headers: BEARER })];
		const status = async (connection: typeof without, path: string) =>
			(await connection.call(server.url + path)).status;
		expect(await status(without, '/health')).toBe(200);
		expect(await status(without, '/v1/models')).toBe(401);
		expect(await status(without, '/v1/nothing')).toBe(401);
		expect(await status(having, '/v1/nothing')).toBe(404);
	});

	test('case 9: with a prefix even /health needs the key', async () => {
		const server = await start({ apiKey: SAMPLE, apiPrefix: '/p' });
		expect((await connect(server.url).call(`${server.url}/p/health`)).status).toBe(401);
		const connection = connect(`${server.url}/p`, { headers: BEARER });
		expect((await connection.call(`${server.url}/health`)).status).toBe(404);
		expect((await connection.call(`${connection.url.root}/health`)).status).toBe(200);
	});

	test.each(['vllm', 'gpustack', 'fastapi'] as const)(
		'case 14: the refusal of %s is the same kind of error',
		async (profile) => {
			const server = await start({ profile, apiKey: SAMPLE });
			const { failed } = await ask(connect(server.url, { headers: { authorization: 'Bearer wrong' } }));
			expect(failed!.kind).toBe('unauthorized');
			expect(failed!.serverText).toMatch(/^[A-Z][\w ]+$/);
		},
	);

	test('an answer of any status is an answer; only json() makes an error of it', async () => {
		const server = await start({ apiKey: SAMPLE });
		const connection = connect(server.url);
		const url = `${connection.url.api}/models`;
		const answer = await connection.call(url);
		expect(answer).toMatchObject({
			status: 401,
			url,
			json: { error: { message: 'Invalid API Key' } },
			headers: { server: 'llama.cpp' },
		});
		expect(connection.refusal(answer, { model: 'm' })).toMatchObject({ kind: 'unauthorized', status: 401, url });
		expect((await failureOf(async () => await connection.json(url)))!.kind).toBe('unauthorized');
		expect(await connect(server.url, { headers: BEARER }).json(url)).toMatchObject({ object: 'list' });
	});

	test.each([
		['[1]', 'invalidAnswer'],
		['', 'invalidAnswer'],
		['<html>', 'notAnApi'],
	])('json() takes nothing but a JSON object: %j', async (content, kind) => {
		const server = await start();
		server.route('GET /props', reply.json(content));
		const failed = await failureOf(async () => await connect(server.url).json(`${server.url}/props`));
		expect(failed).toMatchObject({ kind, status: 200 });
	});
});

describe('a server that is not ready', () => {
	test('case 10: while loading everyone sees 503, also with a wrong key', async () => {
		const server = await start({ apiKey: SAMPLE, loadingFor: { ms: 5000 } });
		const connection = connect(server.url);
		const answer = await connection.call(`${server.url}/health`);
		expect(answer.status).toBe(503);
		expect(connection.refusal(answer).kind).toBe('loading');
		expect((await connection.call(`${connection.url.api}/models`)).status).toBe(503);
		server.setLoading(0);
		expect((await connection.call(`${server.url}/health`)).status).toBe(200);
		expect((await connection.call(`${connection.url.api}/models`)).status).toBe(401);
	});

	test('case 11: loading is waited out, with growing pauses, and costs no retry', async () => {
		const server = await start({ loadingFor: 2 });
		const waits: string[] = [];
		const answer = await ask(connect(server.url), { onWait: (reason) => waits.push(reason) });
		expect(answer.failed).toBeUndefined();
		expect(waits).toEqual(['loading', 'loading']);
		const [first, second, third] = server.requests.map(({ receivedAt }) => receivedAt);
		expect(second! - first!).toBeGreaterThanOrEqual(490);
		expect(third! - second!).toBeGreaterThanOrEqual(990);
	});

	test('case 11: it is given up when the next pause would pass the first-token limit', async () => {
		const server = await start({ loadingFor: 100 });
		// The pauses are 500, 1000 and 2000 ms.
		const { failed } = await ask(connect(server.url), { limits: { firstTokenMs: 3400 } });
		expect(failed).toMatchObject({ kind: 'loading', status: 503, serverText: 'Loading model' });
		expect(failed!.message).toBe('The model is still loading after 3.4 s');
		expect(server.requests).toHaveLength(3);
	});

	test('a server that exits while it loads', async () => {
		const server = await start({ loadingFor: 100 });
		const { failed } = await ask(connect(server.url), { onWait: () => void server.close() });
		expect(failed!.kind).toBe('modelFailedToLoad');
		expect(failed!.message).toMatch(/^The server exited while it was loading the model/);
		expect(failed!.remedy).toContain('--ctx-size');
	});

	test('case 60: a wait is left when it is cancelled', async () => {
		const server = await start({ loadingFor: 100 });
		const stop = new AbortController();
		const { failed } = await ask(connect(server.url), {
			signal: stop.signal,
			onWait: () => setTimeout(() => stop.abort(), 20),
		});
		expect(failed!.kind).toBe('aborted');
		expect(server.requests).toHaveLength(1);
	});

	test('a busy server is tried again as often as allowed', async () => {
		const server = await start();
		server.script(
			reply.error(429, { error: { message: 'busy' } }),
			reply.error(429, { error: { message: 'still busy' } }),
		);
		expect((await ask(connect(server.url))).failed).toMatchObject({ kind: 'busy', status: 429, serverText: 'busy' });
		expect(server.requests).toHaveLength(1);
		expect((await ask(connect(server.url), { retries: 1 })).failed).toBeUndefined();
		expect(server.requests).toHaveLength(3);
	});

	test.each([
		['500', reply.llamaError(500, 'Compute error.'), 'serverError'],
		['case 27: malformed JSON', reply.llamaError(500, '[json.exception.parse_error.101] parse error'), 'badRequest'],
		['501', reply.llamaError(501, 'This server does not support that', 'not_supported_error'), 'notSupported'],
		['502', reply.html(502, '<html>502 Bad Gateway</html>'), 'gateway'],
		[
			'400',
			reply.llamaError(400, "Field 'n': Value must be between 1 <= value <= 4, but got 9", 'invalid_request_error'),
			'badRequest',
		],
	])('never tried again: %s', async (_name, answer, kind) => {
		const server = await start();
		server.script(answer);
		expect((await ask(connect(server.url), { retries: 3 })).failed!.kind).toBe(kind);
		expect(server.requests).toHaveLength(1);
	});
});

describe('reading a stream', () => {
	const TEXT = 'Grüße 🦙, 漢字 und mehr.';

	test.each([
		['case 33: cut inside every character', { split: 'characters' as const }],
		['case 34: byte by byte', { split: 1 }],
		['case 35: CRLF', { sse: { lineEnd: '\r\n' as const }, split: 7 }],
		['case 35: CR', { sse: { lineEnd: '\r' as const }, split: 7 }],
		['case 36: no blank after the colon', { sse: { noSpace: true } }],
		['case 37: comments and blank lines', { sse: { comments: [':', ': keep-alive'], blankLines: 2 } }],
		['case 38: event, id and retry lines', { sse: { fields: ['event: message', 'id: 7', 'retry: 3000'] } }],
		['case 39: several data lines per event', { sse: { multiline: true } }],
		['case 40: a byte-order mark', { sse: { bom: true }, split: 1 }],
		['case 41: everything in one read', { join: 1000 }],
		['case 42: data after [DONE]', { sse: { append: 'data: {"choices":[]}\n\n' } }],
		['case 45: a charset in the content type', { headers: { 'Content-Type': 'text/event-stream; charset=utf-8' } }],
		['case 45: no content type', { headers: { 'Content-Type': null } }],
		['case 45: labelled as JSON', { headers: { 'Content-Type': 'application/json' } }],
		['case 45: labelled as a web page', { headers: { 'Content-Type': 'text/html; charset=utf-8' } }],
		['case 46: compressed although not asked for', { gzip: true }],
		['case 46: compressed, and cut anywhere', { gzip: true, split: 3 }],
		['HTTP/1.0, ended by closing', { httpVersion: '1.0' as const, framing: 'close' as const }],
		['the connection closed afterwards', { closeAfter: true }],
		['headers long before the body', { delayBody: 50 }],
	])('%s', async (_name, transport) => {
		const server = await start();
		server.script(reply.text(TEXT, transport));
		const { failed, text, events, strayLines } = await ask(connect(server.url));
		expect(failed).toBeUndefined();
		expect(text).toBe(TEXT);
		expect(dataOf(events)).toContain('[DONE]');
		expect(strayLines).toEqual([]);
		expect(last(server).headers['accept-encoding']).toBe('identity');
	});

	test('case 61: the client never closes its sending side while it waits', async () => {
		const server = await start({ promptDelayMs: 40, tokenDelayMs: 2 });
		await ask(connect(server.url));
		expect(last(server)).toMatchObject({ halfClosed: false, endedBy: 'server' });
	});

	test('case 42: a reader that stops at [DONE] frees the connection', async () => {
		const server = await start();
		server.script(reply.text('Hi', { cut: { at: 'end', how: 'silence' } }));
		const stream = await openChat(connect(server.url));
		for await (const batch of stream.batches) if (dataOf(batch).includes('[DONE]')) break;
		await server.until(() => server.connections.open === 0);
		expect(last(server).endedBy).toBe('client-abort');
	});

	test('case 43: an event of a megabyte', async () => {
		const server = await start();
		const long = 'x'.repeat(1024 * 1024);
		server.script(reply.chunks([long], { split: 50_000 }));
		expect((await ask(connect(server.url))).text).toBe(long);
	});

	test('case 44: a JSON answer although a stream was asked for comes as one event', async () => {
		const server = await start();
		for (const transport of [
			{},
			{ split: 5 },
			{ headers: { 'Content-Type': null } },
			{ headers: { 'Content-Type': 'text/event-stream' } },
			{ gzip: true },
		]) {
			server.script(reply.text(TEXT, { asJson: true, ...transport }));
			const { events, text, failed } = await ask(connect(server.url));
			expect(failed).toBeUndefined();
			expect(events.map(({ event }) => event)).toEqual(['whole-answer']);
			expect(text).toBe(TEXT);
		}
	});

	test.each(['application/x-ndjson', 'application/json', 'text/event-stream', null])(
		'home-made servers: JSON lines in place of events are read (%s)',
		async (type) => {
			const server = await start();
			server.script(reply.sse('{"done":false}\n{"done":true}\n', { split: 3, headers: { 'Content-Type': type } }));
			expect(await ask(connect(server.url))).toMatchObject({
				events: [{ data: '{"done":false}' }, { data: '{"done":true}' }],
				failed: undefined,
				strayLines: [],
			});
		},
	);

	test('case 46: a compression that nobody asked for and nobody knows', async () => {
		const server = await start();
		server.script(reply.text('Hi', { headers: { 'Content-Encoding': 'zstd' } }));
		const { failed } = await ask(connect(server.url));
		expect(failed).toMatchObject({ kind: 'invalidAnswer', status: 200 });
		expect(failed!.message).toContain('(zstd)');
	});

	test.each(['none', 'utf-8', 'UTF8', 'binary', 'identity', '', 'chunked', 'identity, none', 'gzip', 'deflate'])(
		'FastAPI, home-made servers: Content-Encoding %j on a plain answer is no compression',
		async (encoding) => {
			const server = await start();
			server.script(reply.text('Hi', { headers: { 'Content-Encoding': encoding } }));
			expect(await ask(connect(server.url))).toMatchObject({ failed: undefined, text: 'Hi' });
			server.script(reply.error(401, { detail: 'Not authenticated' }, { headers: { 'Content-Encoding': encoding } }));
			expect((await ask(connect(server.url))).failed).toMatchObject({ kind: 'unauthorized', status: 401 });
		},
	);

	test.each([
		['x-gzip', zlib.gzipSync],
		['deflate', zlib.deflateSync],
		['deflate', zlib.deflateRawSync],
		['br', zlib.brotliCompressSync],
		['gzip, identity', zlib.gzipSync],
		['deflate, gzip', (text: string) => zlib.gzipSync(zlib.deflateSync(text))],
	] as const)('case 46: %s', async (encoding, compress) => {
		const server = await start();
		server.script(
			reply.sse(compress('data: {"choices":[{"delta":{"content":"Hi"}}]}\n\n'), {
				headers: { 'Content-Encoding': encoding },
			}),
		);
		expect(await ask(connect(server.url))).toMatchObject({ failed: undefined, text: 'Hi' });
	});

	test('case 46: a compressed stream that breaks off', async () => {
		const server = await start();
		server.script(reply.text('word '.repeat(50), { gzip: true, cut: { at: 300, how: 'clean' } }));
		expect((await ask(connect(server.url))).failed!.kind).toBe('connectionLost');
	});

	test('case 46: errors are decompressed too', async () => {
		const server = await start();
		server.script(reply.llamaError(500, 'Compute error.', 'server_error', {}, { gzip: true }));
		expect((await ask(connect(server.url))).failed).toMatchObject({
			kind: 'serverError',
			serverText: 'Compute error.',
		});
	});

	test('case 47: an error inside the stream arrives as what it is', async () => {
		const server = await start();
		server.script(reply.chunks(['Hel'], { error: { message: 'Context size has been exceeded.' } }));
		const { events, text, failed } = await ask(connect(server.url));
		expect(failed).toBeUndefined();
		expect(text).toBe('Hel');
		expect(JSON.parse(events.at(-1)!.data)).toMatchObject({ error: { message: 'Context size has been exceeded.' } });
	});

	test('case 48: the same, followed by [DONE]', async () => {
		const server = await start();
		server.script(reply.chunks(['Hel'], { error: { message: 'Compute error.', thenDone: true } }));
		const { events } = await ask(connect(server.url));
		expect(events.at(-2)!.data).toContain('Compute error.');
		expect(events.at(-1)!.data).toBe('[DONE]');
	});

	test.each([
		['case 49: no finish, no [DONE]', { finish: false as const, done: false }, 1],
		['case 50: a finish, no [DONE]', { done: false }, 2],
		['case 51: [DONE], no finish', { finish: false as const }, 2],
	])('%s: whatever arrived is handed on, and the end is told', async (_name, options, after) => {
		const server = await start();
		server.script(reply.chunks(['Hello'], options));
		const { events, text, failed } = await ask(connect(server.url));
		expect([failed, text, events.length]).toEqual([undefined, 'Hello', 1 + after]);
	});

	test.each(['fin', 'rst'] as const)(
		'case 52: %s in the middle of a chunk: the events before it, then an error',
		async (how) => {
			const server = await start();
			server.script(reply.text('one two three four', { cut: { at: 700, how } }));
			const { events, failed } = await ask(connect(server.url));
			expect(events.length).toBeGreaterThan(0);
			expect(failed).toMatchObject({ kind: 'connectionLost', url: `${server.url}/v1/chat/completions` });
			expect(server.requests).toHaveLength(1);
		},
	);

	test('case 52: the server dies under several streams', async () => {
		const server = await start({ tokenDelayMs: 5 });
		server.script(...Array.from({ length: 3 }, () => reply.text('word '.repeat(100))));
		const connection = connect(server.url);
		const streams = await Promise.all(Array.from({ length: 3 }, async () => await openChat(connection)));
		const outcomes = Promise.all(streams.map(async (stream) => await drain(stream)));
		await delay(20);
		server.dropAll('rst');
		for (const { failed } of await outcomes) expect(failed!.kind).toBe('connectionLost');
	});

	test("case 53: a router's last words are kept, and the clean end is no error of the transport", async () => {
		const server = await start({ profile: 'router', models: [{ id: 'sim-model', status: 'loaded' }] });
		server.script(reply.childDiedAfter(['Hel']));
		const { text, strayLines, failed } = await ask(connect(server.url));
		expect([failed, text, strayLines]).toEqual([undefined, 'Hel', ['proxy error: Failed to read connection']]);
	});

	test('case 54: plain text under a JSON type', async () => {
		const server = await start();
		server.script(reply.childDied());
		expect((await ask(connect(server.url))).failed).toMatchObject({
			kind: 'serverError',
			status: 500,
			serverText: 'proxy error: Failed to read connection',
		});
	});

	test('case 55: a first result that is an error is a normal HTTP error', async () => {
		const server = await start({ nCtx: 5 });
		const failed = await failureOf(async () => await openChat(connect(server.url)));
		expect(failed).toMatchObject({ kind: 'contextOverflow', status: 400 });
		expect(failed!.facts).toMatchObject({ n_ctx: 5 });
	});

	test('case 56: data that is no JSON is handed on as it is, and nothing hangs', async () => {
		const server = await start();
		server.script(reply.chunks([{ event: '{"broken' }], { finish: false }));
		expect(dataOf((await ask(connect(server.url))).events)).toContain('{"broken');
	});

	test('a web page with status 200', async () => {
		const server = await start();
		for (const type of ['text/html', null, 'text/event-stream']) {
			server.script(
				reply.html(200, '<!doctype html><html><title>Open WebUI</title></html>', { headers: { 'Content-Type': type } }),
			);
			const { failed } = await ask(connect(server.url));
			expect(failed).toMatchObject({ kind: 'notAnApi', status: 200, serverText: 'Open WebUI' });
			expect(failed!.remedy).toContain(server.url);
		}
	});

	test('errors of a kind of their own are made by whoever knows them', async () => {
		const server = await start();
		const refuse = ({ status, text }: CallAnswer) => failure('serverError', {}, { status, serverText: text });
		server.script(reply.error(400, 'own words'), reply.html(200, '<html>own page'));
		expect((await ask(connect(server.url), { refuse })).failed).toMatchObject({
			kind: 'serverError',
			status: 400,
			serverText: 'own words',
		});
		expect((await ask(connect(server.url), { refuse })).failed).toMatchObject({
			kind: 'serverError',
			status: 200,
			serverText: '<html>own page',
		});
	});

	test('an empty answer is the end, not an error of the transport', async () => {
		const server = await start();
		for (const answer of [reply.sse(''), reply.error(200, ''), reply.json('')]) {
			server.script(answer);
			expect(await ask(connect(server.url))).toMatchObject({ events: [], failed: undefined });
		}
	});

	test('case 92: pictures without a projector', async () => {
		const server = await start();
		const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } };
		const { failed } = await ask(connect(server.url), {
			json: { ...CHAT, messages: [{ role: 'user', content: [image] }] },
		});
		expect(failed).toMatchObject({ kind: 'modalityUnsupported', status: 500 });
	});

	test('case 94: a body of 1.2 MB is sent as JSON, so it is accepted', async () => {
		const server = await start();
		server.route('POST /v1/chat/completions', reply.json({ choices: [] }));
		const { failed } = await ask(connect(server.url), {
			json: { ...CHAT, messages: [{ role: 'user', content: 'x'.repeat(1_200_000) }] },
		});
		expect(failed).toBeUndefined();
		expect(last(server).headers['content-type']).toBe('application/json');
		const form = { content: Buffer.from('x'.repeat(1_200_000)), contentType: 'application/x-www-form-urlencoded' };
		const connection = connect(server.url);
		const refused = await connection.call(`${server.url}/v1/chat/completions`, { body: form });
		expect([refused.status, refused.text, connection.refusal(refused).kind]).toEqual([413, '', 'tooLarge']);
	});

	test('case 95: a route that is off says so, and the server is healthy', async () => {
		const server = await start();
		const connection = connect(server.url);
		const answer = await connection.call(`${server.url}/metrics`);
		expect(connection.refusal(answer)).toMatchObject({
			kind: 'notSupported',
			status: 501,
			serverText: expect.stringContaining('--metrics'),
		});
		expect((await connection.call(`${server.url}/health`)).status).toBe(200);
	});

	test('case 99: the same prompt again is read from the cache', async () => {
		const server = await start({ slots: 1 });
		const connection = connect(server.url);
		const usage = async () => {
			const { events } = await ask(connection, { json: { ...CHAT, stream_options: { include_usage: true } } });
			const { usage: counted } = JSON.parse(events.at(-2)!.data) as {
				usage: { prompt_tokens: number; prompt_tokens_details: { cached_tokens: number } };
			};
			return counted;
		};
		await usage();
		const { prompt_tokens: prompt, prompt_tokens_details: details } = await usage();
		expect(details.cached_tokens).toBe(prompt - 1);
		expect(server.requests[0]!.bytes.equals(server.requests[1]!.bytes)).toBe(true);
	});

	test('case 100: U+FFFD and surrogates escaped in two deltas', async () => {
		const server = await start();
		server.script(
			reply.sse([
				'data: {"choices":[{"delta":{"content":"a\uFFFD\\ud83d"}}]}\n\n',
				'data: {"choices":[{"delta":{"content":"\\ude00"}}]}\n\n',
			]),
		);
		expect(await ask(connect(server.url))).toMatchObject({ failed: undefined, text: 'a\uFFFD\u{1F600}' });
	});

	test('what the caller gives is sent', async () => {
		const server = await start();
		await ask(connect(server.url, { headers: { 'x-tenant': 'a' } }), { headers: { 'x-request-id': '7' } });
		const { method, headers, body } = last(server);
		expect({ method, body }).toEqual({ method: 'POST', body: CHAT });
		expect(headers).toMatchObject({
			'x-tenant': 'a',
			'x-request-id': '7',
			accept: 'application/json, text/event-stream',
		});
		expect(headers).not.toHaveProperty('x-conversation-id');
	});
});

describe('limits', () => {
	test('case 57: no byte for long is fine inside the first-token limit, and fatal after it', async () => {
		const server = await start({ promptDelayMs: 1500 });
		expect((await ask(connect(server.url), { limits: { firstTokenMs: 0 } })).failed).toBeUndefined();
		const { failed } = await ask(connect(server.url), { limits: { firstTokenMs: 900 } });
		expect(failed!.kind).toBe('firstTokenLimit');
		expect(failed!.message).toBe('No token arrived within the first-token limit of 900 ms');
		await server.until(() => last(server).endedBy === 'client-abort');
		expect(server.slots().every(({ busy }) => !busy)).toBe(true);
	});

	test('case 58: pings are no token: the first-token limit is hit in spite of them', async () => {
		const server = await start();
		server.script(reply.sse(pinging(60)));
		const { failed } = await ask(
			connect(server.url),
			{ limits: { firstTokenMs: 100, idleMs: 0 } },
			{ counts: () => false },
		);
		expect(failed!.kind).toBe('firstTokenLimit');
	});

	test.each([
		['comment pings', ':\n\n'],
		['empty deltas', 'data: {"choices":[{"delta":{"content":""}}]}\n\n'],
		['blank lines', '\n'],
	])('case 58: a GPU that hangs after the first token: %s do not hold the idle limit off', async (_name, ping) => {
		const server = await start();
		server.script(reply.sse(pinging(600, ping)));
		const counts = ({ data }: { data: string }) => /"content":"."/.test(data);
		const { failed, text } = await ask(connect(server.url), { limits: { idleMs: 300 } }, { counts });
		expect([failed!.kind, text]).toEqual(['idleLimit', 'a']);
		await server.until(() => last(server).endedBy === 'client-abort');
	});

	test('case 59: silence between two tokens is fine inside the idle limit, and fatal after it', async () => {
		const server = await start();
		const answer = (wait: number) => reply.chunks(['a', { wait }, 'b']);
		server.script(answer(150), answer(150), answer(5000));
		expect((await ask(connect(server.url), { limits: { idleMs: 0 } })).text).toBe('ab');
		expect((await ask(connect(server.url), { limits: { idleMs: 30_000 } })).text).toBe('ab');
		const { failed, text } = await ask(connect(server.url), { limits: { idleMs: 60 } });
		expect([failed!.kind, text]).toEqual(['idleLimit', 'a']);
		expect(failed!.message).toContain('no more of it arrived for 60 ms');
	});

	test('before the first token only the first-token limit counts', async () => {
		const server = await start();
		server.script(reply.chunks(['a', { wait: 120 }, 'b']));
		expect(
			(await ask(connect(server.url), { limits: { firstTokenMs: 30_000, idleMs: 30 } }, { counts: () => false })).text,
		).toBe('ab');
	});

	test('a total limit, where one is set', async () => {
		const server = await start({ tokenDelayMs: 10 });
		server.script(reply.text('word '.repeat(500)));
		const { failed, text } = await ask(connect(server.url), { limits: { totalMs: 1500 } });
		expect(failed!.kind).toBe('totalLimit');
		expect(text).toMatch(/^word /);
	});

	test('an upload may take its time as long as pieces are sent', async () => {
		const server = await start();
		server.route('POST /v1/audio/transcriptions', reply.json({ text: 'x' }));
		const connection = connect(server.url);
		const upload = async (pauseMs: number, idleMs: number) => {
			const content = (async function* () {
				for (let piece = 0; piece < 4; piece++) {
					await delay(pauseMs);
					yield Buffer.from('abc');
				}
			})();
			return await connection.call(`${connection.url.api}/audio/transcriptions`, {
				body: { content, contentType: 'audio/wav' },
				idleMs,
				timeoutMs: 0,
			});
		};
		expect((await upload(600, 2000)).status).toBe(200);
		expect(last(server).bytes.toString()).toBe('abcabcabcabc');
		expect((await failureOf(async () => await upload(60_000, 400)))!.kind).toBe('idleLimit');
	});

	test('after the finish a socket left open is given up soon', async () => {
		const server = await start();
		server.script(reply.text('Hi', { done: false, cut: { at: 'end', how: 'silence' } }));
		const stream = await openChat(connect(server.url), { limits: { idleMs: 50 } });
		const { failed } = await drain({ ...stream, content: () => stream.finishing() });
		expect(failed!.kind).toBe('idleLimit');
	});

	test('a call has a limit of its own and says what to do about it', async () => {
		const server = await start();
		server.route('GET /props', reply.silence());
		const failed = await failureOf(
			async () => await connect(server.url).call(`${server.url}/props`, { timeoutMs: 900 }),
		);
		expect(failed!.message).toBe('No answer within 900 ms');
		expect(failed!.remedy).toContain('busy or stuck');
		expect(server.requests).toHaveLength(1);
	});

	test('a call whose body never ends', async () => {
		const server = await start();
		server.route('GET /props', reply.json({ a: 1 }, { cut: { at: 3, how: 'silence' } }));
		expect(
			(await failureOf(async () => await connect(server.url).call(`${server.url}/props`, { timeoutMs: 60 })))!.kind,
		).toBe('totalLimit');
		server.route('GET /props', reply.json({ a: 1 }, { cut: { at: 3, how: 'rst' } }));
		expect((await failureOf(async () => await connect(server.url).call(`${server.url}/props`)))!.kind).toBe(
			'connectionLost',
		);
	});

	test('of an error body no more than a megabyte is read', async () => {
		const server = await start();
		server.route('GET /props', reply.error(500, 'x'.repeat(3_000_000)));
		const { text } = await connect(server.url).call(`${server.url}/props`);
		expect(text.length).toBeGreaterThan(1_000_000);
		expect(text.length).toBeLessThan(1_500_000);
	});
});

describe('cancelling', () => {
	/** Cancels when the moment has come, and waits until the server has seen it: by itself it would go on for a minute. */
	async function cancel(server: LlamaServerSim, moment: () => boolean) {
		const stop = new AbortController();
		const outcome = ask(connect(server.url), { signal: stop.signal });
		await server.until(moment);
		const at = performance.now();
		stop.abort();
		const { failed } = await outcome;
		await server.until(() => last(server).endedBy === 'client-abort');
		return { failed, tookMs: performance.now() - at };
	}

	test('case 60: while the server has it in its queue', async () => {
		const server = await start({ slots: 1 });
		server.script(reply.chunks(['a', { wait: 60_000 }]));
		const other = await openChat(connect(server.url));
		const { failed, tookMs } = await cancel(server, () => server.queued === 1);
		expect(failed!.kind).toBe('aborted');
		expect(tookMs).toBeLessThan(AT_ONCE_MS);
		expect(server.queued).toBe(0);
		other.close();
		await server.until(() => !server.slots()[0]!.busy);
	});

	test('case 60: while the prompt is read, before any header', async () => {
		const server = await start({ promptDelayMs: 60_000 });
		const { failed, tookMs } = await cancel(server, () => server.slots().some(({ busy }) => busy));
		expect(failed!.kind).toBe('aborted');
		expect(tookMs).toBeLessThan(AT_ONCE_MS);
		expect(last(server).status).toBeUndefined();
		await server.until(() => server.slots().every(({ busy }) => !busy));
	});

	test.each([{}, { gzip: true }])('case 60: in the middle of the answer (%j)', async (transport) => {
		const server = await start();
		server.script(reply.chunks(['a', { wait: 60_000 }, 'b'], transport));
		const stop = new AbortController();
		const stream = await openChat(connect(server.url), { signal: stop.signal });
		let text = '';
		let at = NaN;
		const failed = await failureOf(async () => {
			for await (const batch of stream.batches) {
				text += textOf(batch);
				if (text === '') continue;
				at = performance.now();
				stop.abort();
			}
		});
		await server.until(() => last(server).endedBy === 'client-abort');
		expect([failed!.kind, text]).toEqual(['aborted', 'a']);
		expect(performance.now() - at).toBeLessThan(AT_ONCE_MS);
		await server.until(() => server.slots().every(({ busy }) => !busy) && server.connections.open === 0);
	});

	test('case 60: before it is sent', async () => {
		const server = await start();
		expect((await ask(connect(server.url), { signal: AbortSignal.abort() })).failed!.kind).toBe('aborted');
		expect(
			(await failureOf(
				async () => await connect(server.url).call(`${server.url}/props`, { signal: AbortSignal.abort() }),
			))!.kind,
		).toBe('aborted');
		expect(server.requests).toHaveLength(0);
	});

	test('a call, while it waits', async () => {
		const server = await start();
		server.route('GET /props', reply.silence());
		const stop = new AbortController();
		const outcome = failureOf(
			async () => await connect(server.url).call(`${server.url}/props`, { signal: stop.signal }),
		);
		await server.until(() => server.requests.length === 1);
		stop.abort();
		expect((await outcome)!.kind).toBe('aborted');
		await server.until(() => last(server).endedBy === 'client-abort');
	});

	test('a reader that stops, or closes without having read, frees the slot', async () => {
		const server = await start({ tokenDelayMs: 5 });
		server.script(reply.text('word '.repeat(200)), reply.text('word '.repeat(200)));
		const connection = connect(server.url, { maxConcurrentRequests: 1 });
		const first = await openChat(connection);
		for await (const batch of first.batches) if (batch.length > 0) break;
		const second = await openChat(connection);
		second.close();
		second.close();
		await server.until(() => server.slots().every(({ busy }) => !busy));
		expect((await ask(connection)).failed).toBeUndefined();
	});

	test('an answer that nobody reads is dropped when its limit is hit, and its place in the queue is given back', async () => {
		const server = await start({ tokenDelayMs: 5 });
		server.script(reply.text('word '.repeat(5000)));
		const connection = connect(server.url, { maxConcurrentRequests: 1 });
		await openChat(connection, { limits: { firstTokenMs: 1500 } });
		expect((await ask(connection)).failed).toBeUndefined();
		expect(server.requests[0]!.endedBy).toBe('client-abort');
	});
});

describe('the queue', () => {
	/** Answers that begin, and go on when all are told to. */
	const gated = () => {
		let open = () => {};
		const wait = new Promise<void>((resolve) => (open = resolve));
		return { open: () => open(), answer: () => reply.chunks(['a', { wait }, 'b']) };
	};

	test('case 97: three on two slots: the third waits for headers, all succeed', async () => {
		const server = await start({ slots: 2 });
		const { open, answer } = gated();
		server.script(answer(), answer());
		const connection = connect(server.url);
		const outcomes = Promise.all(Array.from({ length: 3 }, async () => await ask(connection)));
		await server.until(() => server.queued === 1);
		expect(server.requests[2]!.headersSentAt).toBeUndefined();
		open();
		expect((await outcomes).map(({ failed }) => failed)).toEqual([undefined, undefined, undefined]);
	});

	test('no more at the server than allowed, the others in order of arrival', async () => {
		const server = await start({ tokenDelayMs: 3 });
		const { open, answer } = gated();
		server.script(answer(), answer());
		const connection = connect(server.url, { maxConcurrentRequests: 2 });
		const asked = Array.from(
			{ length: 6 },
			async (_, index) => await ask(connection, { headers: { 'x-number': String(index) } }),
		);
		await server.until(() => server.slots().filter(({ busy }) => busy).length === 2);
		// Another object with the same credential shares the queue.
		expect(queuedRequests()).toBe(4);
		let most = 0;
		const watch = server.until(() => {
			most = Math.max(most, server.slots().filter(({ busy }) => busy).length);
			return server.requests.length === 6 && server.requests.every(({ endedBy }) => endedBy !== undefined);
		});
		open();
		expect((await Promise.all(asked)).every(({ failed }) => failed === undefined)).toBe(true);
		await watch;
		expect(most).toBe(2);
		expect(server.requests.map(({ headers }) => headers['x-number'])).toEqual(['0', '1', '2', '3', '4', '5']);
		expect(queuedRequests()).toBe(0);
	});

	test('case 60: a request cancelled in the queue of n8n leaves at once and is never sent', async () => {
		const server = await start();
		server.script(reply.chunks(['a', { wait: 60_000 }]));
		const connection = connect(server.url, { maxConcurrentRequests: 1 });
		const holding = await openChat(connection);
		const stop = new AbortController();
		const waiting = ask(connection, { signal: stop.signal });
		await server.until(() => queuedRequests() === 1);
		const at = performance.now();
		stop.abort();
		expect((await waiting).failed).toMatchObject({ kind: 'aborted', url: `${server.url}/v1/chat/completions` });
		expect(performance.now() - at).toBeLessThan(AT_ONCE_MS);
		expect(queuedRequests()).toBe(0);
		holding.close();
		expect(server.requests).toHaveLength(1);
	});

	test.each([
		['firstTokenLimit', { firstTokenMs: 150 }],
		['totalLimit', { totalMs: 150 }],
	])('the wait in n8n counts against the %s, and the error says that nothing was sent', async (kind, limits) => {
		const server = await start();
		const { open, answer } = gated();
		server.script(answer());
		const connection = connect(server.url, { maxConcurrentRequests: 1 });
		const first = ask(connection);
		await server.until(() => server.requests.length === 1);
		const { failed } = await ask(connection, { limits });
		expect(failed).toMatchObject({ kind, facts: { queued: true }, url: `${server.url}/v1/chat/completions` });
		expect(failed!.message).toContain('waited 150 ms in n8n for a free place and was not sent');
		expect(failed!.remedy).toContain('Max Concurrent Requests');
		expect(queuedRequests()).toBe(0);
		open();
		expect((await first).failed).toBeUndefined();
		expect(server.requests).toHaveLength(1);
		expect((await ask(connection)).failed).toBeUndefined();
	});

	test('a credential without a limit passes by, and releases nobody who waits under one', async () => {
		const server = await start({ slots: 8 });
		const { open, answer } = gated();
		server.script(answer());
		const limited = connect(server.url, { maxConcurrentRequests: 1 });
		const asked = Array.from({ length: 3 }, async () => await ask(limited));
		await server.until(() => server.requests.length === 1 && queuedRequests() === 2);
		expect((await ask(connect(server.url))).failed).toBeUndefined();
		expect((await ask(connect(server.url, { maxConcurrentRequests: 4 }))).failed).toBeUndefined();
		expect([server.requests.length, queuedRequests()]).toEqual([3, 2]);
		open();
		expect((await Promise.all(asked)).map(({ failed }) => failed)).toEqual([undefined, undefined, undefined]);
	});

	test('llama-swap, nginx: two servers behind one proxy have a queue each', async () => {
		const server = await start({ slots: 8 });
		let open = () => {};
		const wait = new Promise<void>((resolve) => (open = resolve));
		const content = (text: string) => `data: {"choices":[{"delta":{"content":"${text}"}}]}\n\n`;
		server.route('POST /big/v1/chat/completions', () => reply.sse(content('a'), { delayBody: wait }));
		server.route('POST /small/v1/chat/completions', () => reply.sse(content('b')));
		const settings = { maxConcurrentRequests: 1 };
		const big = [ask(connect(`${server.url}/big`, settings)), ask(connect(`${server.url}/big`, settings))];
		await server.until(() => server.requests.length === 1 && queuedRequests() === 1);
		expect((await ask(connect(`${server.url}/small`, settings))).text).toBe('b');
		open();
		expect((await Promise.all(big)).map(({ text }) => text)).toEqual(['a', 'a']);
	});

	test('calls pass the queue by', async () => {
		const server = await start();
		server.script(reply.chunks(['a', { wait: 60_000 }]));
		const connection = connect(server.url, { maxConcurrentRequests: 1 });
		const holding = await openChat(connection);
		expect((await connection.call(`${server.url}/health`)).status).toBe(200);
		holding.close();
	});

	test('every way a request can end gives its place back', async () => {
		const server = await start();
		const connection = connect(server.url, { maxConcurrentRequests: 1 });
		server.script(
			reply.llamaError(400, 'no'),
			reply.closed(),
			reply.text('cut here', { cut: { at: 300, how: 'rst' } }),
			reply.html(200, '<html>'),
			reply.text('fine'),
		);
		for (let round = 0; round < 5; round++) await ask(connection);
		expect((await ask(connection, { limits: { firstTokenMs: 30_000 } })).failed).toBeUndefined();
		expect(server.requests).toHaveLength(6);
	});

	test('the limit holds whatever comes and goes', async () => {
		const act = fc.record({ wait: fc.nat(3), cancelAfter: fc.option(fc.nat(6), { nil: undefined }) });
		await fc.assert(
			fc.asyncProperty(
				fc.integer({ min: 1, max: 4 }),
				fc.array(act, { minLength: 20, maxLength: 20 }),
				async (limit, acts) => {
					const server = await start({ slots: 20 });
					const connection = connect(server.url, { maxConcurrentRequests: limit });
					let most = 0;
					const answer = () => {
						// Cancelled ones may still be on their way out.
						most = Math.max(
							most,
							server.requests.filter(({ endedBy, signal }) => endedBy === undefined && !signal.aborted).length,
						);
						return reply.chunks(['a', { wait: 1 }, 'b']);
					};
					server.script(...acts.map(() => answer));
					const outcomes = acts.map(async ({ wait, cancelAfter }) => {
						await delay(wait);
						const stop = new AbortController();
						if (cancelAfter !== undefined) setTimeout(() => stop.abort(), cancelAfter);
						return { cancelled: cancelAfter !== undefined, ...(await ask(connection, { signal: stop.signal })) };
					});
					for (const { failed, cancelled, text } of await Promise.all(outcomes)) {
						if (failed === undefined) expect(text).toBe('ab');
						else expect([failed.kind, cancelled]).toEqual(['aborted', true]);
					}
					const cancels = acts.filter(({ cancelAfter }) => cancelAfter !== undefined).length;
					expect(most).toBeLessThanOrEqual(cancels === 0 ? limit : limit + cancels);
					expect(queuedRequests()).toBe(0);
					await server.close();
				},
			),
			examples(6),
		);
	});
});

describe('redirects', () => {
	test('to the same origin a POST is sent again with its body and its key, where the status says so', async () => {
		const server = await start({ apiKey: SAMPLE });
		const connection = connect(server.url, { headers: BEARER });
		for (const status of [307, 308]) {
			server.route('POST /v1/chat/completions', reply.redirect('/chat/completions', status));
			expect((await ask(connection)).failed).toBeUndefined();
			expect(last(server)).toMatchObject({ target: '/chat/completions', body: CHAT, headers: BEARER });
		}
		expect(server.requests).toHaveLength(4);
	});

	test('to another origin the key and the extra headers are left behind', async () => {
		const [server, other] = [await start({ apiKey: SAMPLE }), await start()];
		server.route('POST /v1/chat/completions', reply.redirect(`${other.url}/v1/chat/completions`));
		server.route('GET /v1/models', reply.redirect(`${other.url}/v1/models`, 302));
		const connection = connect(server.url, { headers: { ...BEARER, 'x-tenant': 'tenant-secret' } });
		expect((await ask(connection)).failed).toBeUndefined();
		const answer = await connection.call(`${connection.url.api}/models`);
		expect(answer).toMatchObject({ status: 200, url: `${other.url}/v1/models` });
		expect(paths(other)).toEqual(['POST /v1/chat/completions', 'GET /v1/models']);
		expect(other.requests[0]!.body).toEqual(CHAT);
		for (const { rawHeaders, bytes } of other.requests)
			expect(JSON.stringify([rawHeaders, bytes.toString()])).not.toMatch(/local-key|tenant/);
		for (const { headers } of server.requests)
			expect(headers).toMatchObject({ ...BEARER, 'x-tenant': 'tenant-secret' });
	});

	test('the key that is missing there is told as what it is: a redirect, not a wrong key', async () => {
		const [server, other] = [await start({ apiKey: SAMPLE }), await start({ apiKey: SAMPLE })];
		server.route('POST /v1/chat/completions', reply.redirect(`${other.url}/v1/chat/completions`));
		server.route('GET /v1/models', reply.redirect(`${other.url}/v1/models`, 302));
		const connection = connect(server.url, { headers: BEARER });
		const { failed } = await ask(connection);
		expect(failed).toMatchObject({ kind: 'redirect', status: 401 });
		expect(failed!.meaning).toContain(`redirects this request to ${other.url}/v1/chat/completions`);
		await expect(connection.json(`${connection.url.api}/models`)).rejects.toMatchObject({
			kind: 'redirect',
			status: 401,
		});
	});

	test('back at the own origin they are sent again', async () => {
		const [server, other] = [await start(), await start()];
		server.route('GET /v1/models', reply.redirect(`${other.url}/back`, 302));
		other.route('GET /back', reply.redirect(`${server.url}/props`, 302));
		expect((await connect(server.url, { headers: BEARER }).call(`${server.url}/v1/models`)).status).toBe(200);
		expect(other.requests[0]!.headers).not.toHaveProperty('authorization');
		expect(last(server)).toMatchObject({ target: '/props', headers: BEARER });
	});

	test.each([301, 302, 303])('%i on a POST is an error that names the address', async (status) => {
		const [server, other] = [await start(), await start()];
		server.route('POST /v1/chat/completions', reply.redirect(`${other.url}/v1/chat/completions`, status));
		const { failed } = await ask(connect(server.url));
		expect(failed).toMatchObject({ kind: 'redirect', status });
		expect(failed).toMatchObject({
			meaning: `The server redirects this request to ${other.url}/v1/chat/completions`,
			url: `${server.url}/v1/chat/completions`,
		});
		expect(other.requests).toHaveLength(0);
	});

	test('an upload is read once, so it is not sent again', async () => {
		const server = await start();
		server.route('POST /v1/audio/transcriptions', reply.redirect('/audio/transcriptions'));
		const content = (async function* () {
			await Promise.resolve();
			yield Buffer.from('abc');
		})();
		const connection = connect(server.url);
		const answer = await connection.call(`${connection.url.api}/audio/transcriptions`, {
			body: { content, contentType: 'multipart/form-data; boundary=x', length: 3 },
		});
		expect(answer.status).toBe(307);
		expect(connection.refusal(answer).meaning).toContain(`${server.url}/audio/transcriptions`);
		expect(last(server)).toMatchObject({
			headers: { 'content-length': '3', 'content-type': 'multipart/form-data; boundary=x' },
		});
		expect(last(server).bytes.toString()).toBe('abc');
	});

	test.each(['ftp://elsewhere/', 'http://', 'javascript:alert(1)'])(
		'a redirect to %s is not followed',
		async (location) => {
			const server = await start();
			server.route('GET /props', reply.redirect(location, 302));
			const connection = connect(server.url);
			const answer = await connection.call(`${server.url}/props`);
			expect([answer.status, connection.refusal(answer).kind, server.requests.length]).toEqual([302, 'redirect', 1]);
		},
	);

	test('a circle ends after five', async () => {
		const server = await start();
		server.route('GET /props', reply.redirect('/props', 302));
		expect((await connect(server.url).call(`${server.url}/props`)).status).toBe(302);
		expect(server.requests).toHaveLength(6);
	});

	test('a redirect to where nothing listens names that address', async () => {
		const server = await start();
		const port = await closedPort();
		server.route('GET /props', reply.redirect(`http://127.0.0.1:${port}/props`, 302));
		const failed = await failureOf(async () => await connect(server.url).call(`${server.url}/props`));
		expect(failed!.kind).toBe('refused');
		expect(failed!.message).toContain(`Nothing listens on 127.0.0.1:${port}`);
	});
});

describe('what others may show', () => {
	test('mask takes the key and the header values out of a text', () => {
		const connection = connect('gpu', { headers: { ...BEARER, 'x-tenant-key': 'tenant-key-77' } });
		expect(connection.mask(`${SAMPLE} Bearer ${SAMPLE} tenant-key-77`)).toBe('*** *** ***');
		expect(connection.contextOf('http://gpu/v1/models', { model: 'm' })).toMatchObject({
			url: 'http://gpu/v1/models',
			root: 'http://gpu',
			model: 'm',
		});
	});
});

/** An answer of two tokens with pings between them. */
async function* pinging(count: number, ping = ':\n\n'): AsyncGenerator<string> {
	yield 'data: {"choices":[{"delta":{"content":"a"}}]}\n\n';
	for (let pings = 0; pings < count; pings++) {
		await delay(15);
		yield ping;
	}
	yield 'data: {"choices":[{"delta":{"content":"b"}}]}\n\n';
}
