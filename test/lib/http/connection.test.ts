import { type LlamaServerSim, reply, startLlamaServerSim } from '../../servers/llama-server';
import { useSimulator } from '../../servers/use-simulator';
import { closedPort, listen } from '../../support/listening';
import { delay, net, setTimeout } from '../../support/node';
import { ask, connect, failureOf } from './client';

const SAMPLE = 'local-key-1234567890';
const BEARER = { authorization: `Bearer ${SAMPLE}` };
const start = useSimulator(startLlamaServerSim);
const paths = (server: LlamaServerSim) =>
	server.requests.map(({ method, target }) => `${method} ${target}`);

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
			async () =>
				await connect(server.url).call(`${server.url}/tokenize`, { json: { content: 'x' } }),
		);
		expect(again!.kind).toBe('closedBeforeAnswer');
		expect(server.requests).toHaveLength(2);
	});

	const HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n';
	const EVENT = 'data: {"choices":[{"delta":{"content":"Hello"}}]}\n\n';
	test.each([
		[
			'chunked',
			`${HEAD}Transfer-Encoding: chunked\r\n\r\n${EVENT.length.toString(16)}\r\n${EVENT}\r\n`,
		],
		['with a length', `${HEAD}Content-Length: 500\r\n\r\n${EVENT}`],
		['that says close', `${HEAD}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n`],
	])(
		'an answer, %s, that is cut at any byte is a connection that broke, never another protocol',
		async (_how, answer) => {
			for (let at = 1; at <= answer.length; at += 1) {
				// The end of the connection comes with the last bytes, or behind them.
				const leave = (['end', 'destroy', 'resetAndDestroy'] as const)[at % 3]!;
				const cut = net.createServer((socket) => {
					socket.on('error', () => {});
					socket.once('data', () => {
						if (leave === 'end') socket.end(answer.slice(0, at));
						else socket.write(answer.slice(0, at), () => socket[leave]());
					});
				});
				const port = await listen(cut);
				const url = `http://127.0.0.1:${port}`;
				const streamed = await ask(connect(url));
				const unbegun = await ask(connect(url), {
					beginning: { seen: () => false, ended: () => undefined },
				});
				const called = await failureOf(
					async () => await connect(url).call(`${url}/tokenize`, { json: {} }),
				);
				cut.close();
				const kinds = [streamed.failed?.kind, unbegun.failed?.kind, called?.kind];
				expect({
					at,
					kinds: kinds.filter(
						(kind) =>
							!/^(?:closedBeforeAnswer|connectionLost|streamEndedEarly)$/.test(String(kind)),
					),
				}).toEqual({ at, kinds: [] });
			}
		},
	);

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
			server.route('GET /v1/models', ({ requestOnConnection }) =>
				requestOnConnection > 1 ? answer : undefined,
			);
			expect((await connection.call(`${connection.url.api}/models`)).status).toBe(200);
			expect(
				server.requests.map(({ connection: number, requestOnConnection }) => [
					number,
					requestOnConnection,
				]),
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
		const failed = await failureOf(
			async () => await connect(server.url).call(`${server.url}/v1/models`),
		);
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

	test('connections are kept alive for GETs only: every POST has a new one', async () => {
		const server = await start();
		const connection = connect(server.url);
		const get = async () => await connection.call(`${connection.url.api}/models`);
		const post = async () =>
			await connection.call(`${server.url}/tokenize`, { json: { content: 'x' } });
		await get();
		await ask(connection);
		await get();
		await post();
		await ask(connection);
		await get();
		const seen = server.requests.map(
			({ method, connection: number, requestOnConnection, headers }) => [
				method,
				number,
				requestOnConnection,
				headers.connection,
			],
		);
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
			const answers = await Promise.all(
				Array.from({ length: 64 }, async () => await ask(connection)),
			);
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
		const { failed } = await ask(
			connect(`https://127.0.0.1:${server.port}`, { connectLimitMs: 100 }),
		);
		expect(failed!.kind).toBe('connectTimeout');
		expect(failed!.message).toContain('while making an https connection');
		expect(failed!.remedy).toContain(
			`use http:// in the Base URL: http://127.0.0.1:${server.port}`,
		);
	});

	test.each([
		['', ''],
		['/', ''],
		['/v1', ''],
		['/v1/', ''],
		['/v1/chat/completions', ''],
		['/p', '/p'],
		['/p/v1/chat/completions/', '/p'],
	])(
		'case 12: with %j after the address one normalised path is asked for',
		async (ending, apiPrefix) => {
			const server = await start({ apiPrefix });
			const connection = connect(server.url + ending);
			expect((await ask(connection)).failed).toBeUndefined();
			await connection.call(`${connection.url.root}/health`);
			expect(paths(server)).toEqual([
				`POST ${apiPrefix}/v1/chat/completions`,
				`GET ${apiPrefix}/health`,
			]);
		},
	);

	test('an address that cannot be used is an error at once', async () => {
		const failed = await failureOf(
			async () => await Promise.resolve().then(() => connect('ftp://host')),
		);
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

	test('case 7: a valid x-api-key does not replace a wrong Authorization', async () => {
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
			const { failed } = await ask(
				connect(server.url, { headers: { authorization: 'Bearer wrong' } }),
			);
			expect(failed!.kind).toBe('unauthorized');
			expect(failed!.serverText).toMatch(/^[A-Z][\w ]+$/);
		},
	);

	test('an answer of any status is returned; only json() throws for errors', async () => {
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
		expect(connection.refusal(answer, { model: 'm' })).toMatchObject({
			kind: 'unauthorized',
			status: 401,
			url,
		});
		expect((await failureOf(async () => await connection.json(url)))!.kind).toBe('unauthorized');
		expect(await connect(server.url, { headers: BEARER }).json(url)).toMatchObject({
			object: 'list',
		});
	});

	test.each([
		['[1]', 'invalidAnswer'],
		['', 'invalidAnswer'],
		['<html>', 'notAnApi'],
	])('json() takes nothing but a JSON object: %j', async (content, kind) => {
		const server = await start();
		server.route('GET /props', reply.json(content));
		const failed = await failureOf(
			async () => await connect(server.url).json(`${server.url}/props`),
		);
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

	test('case 60: cancelling ends the wait', async () => {
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
		expect((await ask(connect(server.url))).failed).toMatchObject({
			kind: 'busy',
			status: 429,
			serverText: 'busy',
		});
		expect(server.requests).toHaveLength(1);
		expect((await ask(connect(server.url), { retries: 1 })).failed).toBeUndefined();
		expect(server.requests).toHaveLength(3);
	});

	test.each([
		['500', reply.llamaError(500, 'Compute error.'), 'serverError'],
		[
			'case 27: malformed JSON',
			reply.llamaError(500, '[json.exception.parse_error.101] parse error'),
			'badRequest',
		],
		[
			'501',
			reply.llamaError(501, 'This server does not support that', 'not_supported_error'),
			'notSupported',
		],
		['502', reply.html(502, '<html>502 Bad Gateway</html>'), 'gateway'],
		[
			'400',
			reply.llamaError(
				400,
				"Field 'n': Value must be between 1 <= value <= 4, but got 9",
				'invalid_request_error',
			),
			'badRequest',
		],
	])('never tried again: %s', async (_name, answer, kind) => {
		const server = await start();
		server.script(answer);
		expect((await ask(connect(server.url), { retries: 3 })).failed!.kind).toBe(kind);
		expect(server.requests).toHaveLength(1);
	});
});
