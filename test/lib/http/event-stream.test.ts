import type { CallAnswer } from '../../../lib/http/types';
import { failure } from '../../../lib/errors/failure';
import {
	type LlamaServerSim,
	type WireRequest,
	reply,
	startLlamaServerSim,
} from '../../servers/llama-server';
import { useSimulator } from '../../servers/use-simulator';
import { delay, zlib } from '../../support/node';
import { ask, CHAT, connect, dataOf, drain, failureOf, openChat } from './client';

const start = useSimulator(startLlamaServerSim);
const last = (server: LlamaServerSim): WireRequest => server.requests.at(-1)!;

describe('reading a stream', () => {
	const TEXT = 'Grüße 🦙, 漢字 und mehr.';

	test.each([
		['case 33: cut inside every character', { split: 'characters' as const }],
		['case 34: byte by byte', { split: 1 }],
		['case 35: CRLF', { sse: { lineEnd: '\r\n' as const }, split: 7 }],
		['case 35: CR', { sse: { lineEnd: '\r' as const }, split: 7 }],
		['case 36: no blank after the colon', { sse: { noSpace: true } }],
		[
			'case 37: comments and blank lines',
			{ sse: { comments: [':', ': keep-alive'], blankLines: 2 } },
		],
		[
			'case 38: event, id and retry lines',
			{ sse: { fields: ['event: message', 'id: 7', 'retry: 3000'] } },
		],
		['case 39: several data lines per event', { sse: { multiline: true } }],
		['case 40: a byte-order mark', { sse: { bom: true }, split: 1 }],
		['case 41: everything in one read', { join: 1000 }],
		['case 42: data after [DONE]', { sse: { append: 'data: {"choices":[]}\n\n' } }],
		[
			'case 45: a charset in the content type',
			{ headers: { 'Content-Type': 'text/event-stream; charset=utf-8' } },
		],
		['case 45: no content type', { headers: { 'Content-Type': null } }],
		['case 45: labelled as JSON', { headers: { 'Content-Type': 'application/json' } }],
		[
			'case 45: labelled as a web page',
			{ headers: { 'Content-Type': 'text/html; charset=utf-8' } },
		],
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
			server.script(
				reply.sse('{"done":false}\n{"done":true}\n', {
					split: 3,
					headers: { 'Content-Type': type },
				}),
			);
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

	test.each([
		'none',
		'utf-8',
		'UTF8',
		'binary',
		'identity',
		'',
		'chunked',
		'identity, none',
		'gzip',
		'deflate',
	])(
		'FastAPI, home-made servers: Content-Encoding %j on a plain answer is no compression',
		async (encoding) => {
			const server = await start();
			server.script(reply.text('Hi', { headers: { 'Content-Encoding': encoding } }));
			expect(await ask(connect(server.url))).toMatchObject({ failed: undefined, text: 'Hi' });
			server.script(
				reply.error(
					401,
					{ detail: 'Not authenticated' },
					{ headers: { 'Content-Encoding': encoding } },
				),
			);
			expect((await ask(connect(server.url))).failed).toMatchObject({
				kind: 'unauthorized',
				status: 401,
			});
		},
	);

	test.each([
		['x-gzip', zlib.gzipSync],
		['deflate', zlib.deflateSync],
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
		expect(JSON.parse(events.at(-1)!.data)).toMatchObject({
			error: { message: 'Context size has been exceeded.' },
		});
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
			expect(failed).toMatchObject({
				kind: 'connectionLost',
				url: `${server.url}/v1/chat/completions`,
			});
			expect(server.requests).toHaveLength(1);
		},
	);

	test('case 52: the server dies under several streams', async () => {
		const server = await start({ tokenDelayMs: 5 });
		server.script(...Array.from({ length: 3 }, () => reply.text('word '.repeat(100))));
		const connection = connect(server.url);
		const streams = await Promise.all(
			Array.from({ length: 3 }, async () => await openChat(connection)),
		);
		const outcomes = Promise.all(streams.map(async (stream) => await drain(stream)));
		await delay(20);
		server.dropAll('rst');
		for (const { failed } of await outcomes) expect(failed!.kind).toBe('connectionLost');
	});

	test("case 53: a router's last words are kept, and the clean end is no error of the transport", async () => {
		const server = await start({
			profile: 'router',
			models: [{ id: 'sim-model', status: 'loaded' }],
		});
		server.script(reply.childDiedAfter(['Hel']));
		const { text, strayLines, failed } = await ask(connect(server.url));
		expect([failed, text, strayLines]).toEqual([
			undefined,
			'Hel',
			['proxy error: Failed to read connection'],
		]);
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
				reply.html(200, '<!doctype html><html><title>Open WebUI</title></html>', {
					headers: { 'Content-Type': type },
				}),
			);
			const { failed } = await ask(connect(server.url));
			expect(failed).toMatchObject({ kind: 'notAnApi', status: 200, serverText: 'Open WebUI' });
			expect(failed!.remedy).toContain(server.url);
		}
	});

	test('the protocol creates its own errors', async () => {
		const server = await start();
		const refuse = ({ status, text }: CallAnswer) =>
			failure('serverError', {}, { status, serverText: text });
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
		const form = {
			content: Buffer.from('x'.repeat(1_200_000)),
			contentType: 'application/x-www-form-urlencoded',
		};
		const connection = connect(server.url);
		const refused = await connection.call(`${server.url}/v1/chat/completions`, { body: form });
		expect([refused.status, refused.text, connection.refusal(refused).kind]).toEqual([
			413,
			'',
			'tooLarge',
		]);
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
			const { events } = await ask(connection, {
				json: { ...CHAT, stream_options: { include_usage: true } },
			});
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
		expect(await ask(connect(server.url))).toMatchObject({
			failed: undefined,
			text: 'a\uFFFD\u{1F600}',
		});
	});

	test('what the caller gives is sent', async () => {
		const server = await start();
		await ask(connect(server.url, { headers: { 'x-tenant': 'a' } }), {
			headers: { 'x-request-id': '7' },
		});
		const { method, headers, body } = last(server);
		expect({ method, body }).toEqual({ method: 'POST', body: CHAT });
		expect(headers).toMatchObject({
			'x-tenant': 'a',
			'x-request-id': '7',
			accept: 'application/json, text/event-stream',
		});
	});
});
