/**
 * The simulator in cases 1 to 14 of docs/protocols/llama-server.md, and with further connection faults. Tests are numbered
 * by case. The client's side is tested with the client.
 */
import { CHAT, gate, headerOf, HI, jsonOf, textOf } from '../support/chat-wire';
import { net, tls } from '../support/node';
import { type RawAnswer, rawAsk, RawConnection } from '../support/raw-client';
import { fixture, sseData } from '../support/streams';
import {
	type LlamaServerSim,
	reply,
	type SimOptions,
	startLlamaServerSim,
	startSilentServer,
} from './llama-server';
import { useSimulator } from './use-simulator';

const startServer = useSimulator(startLlamaServerSim);
const startSilent = useSimulator(startSilentServer);

let server: LlamaServerSim;
const start = async (options: SimOptions = {}): Promise<void> => {
	server = await startServer(options);
};
const opened: RawConnection[] = [];
const open = async (): Promise<RawConnection> => {
	const connection = await RawConnection.open(server.url);
	opened.push(connection);
	return connection;
};
afterEach(async () => {
	for (const connection of opened.splice(0)) connection.destroy();
});
const get = async (path: string, headers?: Record<string, string>): Promise<RawAnswer> =>
	await rawAsk(server.url, { path, headers });
const post = async (
	path: string,
	body: unknown,
	headers?: Record<string, string>,
): Promise<RawAnswer> => await rawAsk(server.url, { path, body, headers });
const chat = async (fields: object = {}, headers?: Record<string, string>): Promise<RawAnswer> =>
	await post(CHAT, { messages: HI, ...fields }, headers);
const stream = async (fields: object = {}): Promise<RawAnswer> =>
	await chat({ stream: true, ...fields });

describe('connection and auth', () => {
	test('1. a closed server refuses, and leaves nothing open', async () => {
		await start();
		const idle = await open();
		const { port } = server;
		await server.close();
		expect(await idle.closed()).not.toBe('open');
		const code = await new Promise<string | undefined>((resolve) => {
			net
				.connect(port, '127.0.0.1')
				.once('error', (error: NodeJS.ErrnoException) => resolve(error.code));
		});
		expect(code).toBe('ECONNREFUSED');
	});

	test('2. FIN before the first byte', async () => {
		await start();
		server.script(reply.closed());
		expect(await chat()).toMatchObject({ bytes: Buffer.alloc(0), end: 'fin' });
	});

	test('3. RST before the first byte, on a reused connection only', async () => {
		await start();
		server.script(
			({ requestOnConnection }) => (requestOnConnection > 1 ? reply.reset() : undefined),
			reply.reset(),
		);
		const connection = await open();
		expect((await connection.ask({ path: CHAT, body: { messages: HI } })).status).toBe(200);
		expect(await connection.ask({ path: CHAT, body: { messages: HI } })).toMatchObject({
			bytes: Buffer.alloc(0),
			end: 'rst',
		});
		expect((await chat()).status).toBe(200);
		expect(
			server.requests.map(({ connection: index, requestOnConnection }) => [
				index,
				requestOnConnection,
			]),
		).toEqual([
			[0, 1],
			[0, 2],
			[1, 1],
		]);
	});

	test('4. idle connections are closed, and one that served its number of requests', async () => {
		await start({ keepAlive: { idleMs: 500, max: 2 } });
		const idle = await open();
		await idle.ask({ path: '/health' });
		expect(await idle.closed()).toBe('fin');
		const busy = await open();
		expect(headerOf(await busy.ask({ path: '/health' }), 'keep-alive')).toBe('timeout=5, max=100');
		const last = await busy.ask({ path: '/health' });
		expect(headerOf(last, 'connection')).toBe('close');
		expect(await busy.closed()).toBe('fin');
	});

	test('5. key set, none sent: the exact body', async () => {
		await start({ apiKey: 'k' });
		const answer = await chat();
		expect(answer.status).toBe(401);
		expect(answer.body.toString()).toBe(
			'{"error":{"message":"Invalid API Key","type":"authentication_error","code":401}}',
		);
		expect(headerOf(answer, 'www-authenticate')).toBeUndefined();
	});

	test('6. and 7. forms of the key', async () => {
		await start({ apiKey: ['k', 'other'] });
		const status = async (headers: Record<string, string>): Promise<number> =>
			(await get('/v1/models', headers)).status;
		expect(await status({ Authorization: 'bearer k' })).toBe(401);
		expect(await status({ Authorization: 'Bearer  k' })).toBe(401);
		expect(await status({ Authorization: 'Basic k' })).toBe(401);
		expect(await status({ Authorization: 'k' })).toBe(200);
		expect(await status({ Authorization: 'Bearer other' })).toBe(200);
		expect(await status({ 'X-Api-Key': 'k' })).toBe(200);
		expect(await status({ 'X-Api-Key': 'Bearer k' })).toBe(200);
		expect(await status({ Authorization: '', 'X-Api-Key': 'k' })).toBe(200);
		expect(await status({ Authorization: 'Bearer wrong', 'X-Api-Key': 'k' })).toBe(401);
	});

	test('8. what is public', async () => {
		await start({ apiKey: 'k' });
		expect((await get('/health')).status).toBe(200);
		expect((await get('/v1/models')).status).toBe(401);
		expect((await get('/nowhere')).status).toBe(401);
		expect((await get('/nowhere', { Authorization: 'Bearer k' })).status).toBe(404);
	});

	test('9. with a prefix nothing answers outside it, and health needs the key', async () => {
		await start({ apiKey: 'k', apiPrefix: '/p' });
		expect((await get('/health', { Authorization: 'Bearer k' })).status).toBe(404);
		expect((await get('/p/health')).status).toBe(401);
		expect((await get('/p/health', { Authorization: 'Bearer k' })).status).toBe(200);
	});

	test('10. loading: 503 for every path and every key, then ready', async () => {
		await start({ apiKey: 'k', loadingFor: 3 });
		for (const answer of [
			await get('/health'),
			await get('/v1/models'),
			await chat({}, { Authorization: 'wrong' }),
		]) {
			expect(answer.status).toBe(503);
			expect(jsonOf(answer)).toEqual({
				error: { message: 'Loading model', type: 'unavailable_error', code: 503 },
			});
		}
		expect((await get('/health')).status).toBe(200);
		server.setLoading({ ms: 60_000 });
		expect((await get('/health')).status).toBe(503);
		server.setLoading({ ms: 1 });
		while ((await get('/health')).status !== 200);
	});

	test('11. 503 twice, then the answer', async () => {
		await start();
		server.script(reply.loading(), reply.loading(), reply.text('Here'));
		expect([(await chat()).status, (await chat()).status]).toEqual([503, 503]);
		expect(textOf(await stream())).toBe('Here');
	});

	test('12. a slash too many is 404, and so is another case', async () => {
		await start();
		for (const path of [
			'//v1/chat/completions',
			'/v1/chat/completions/',
			'/V1/chat/completions',
			'/v1//models',
		]) {
			expect((await post(path, { messages: HI })).status).toBe(404);
		}
	});

	test('13. https to an http port fails in the handshake', async () => {
		await start({ keepAlive: { idleMs: 50, max: 100 } });
		const failed = await new Promise<boolean>((resolve) => {
			const socket = tls.connect({
				port: server.port,
				host: '127.0.0.1',
				rejectUnauthorized: false,
			});
			socket.once('error', () => resolve(true));
			socket.once('secureConnect', () => resolve(false));
		});
		expect(failed).toBe(true);
	});

	test('14. wrong key elsewhere: vLLM a string, GPUStack a reason, FastAPI a detail', async () => {
		await start();
		const bodies: unknown[] = [];
		for (const profile of ['vllm', 'gpustack', 'fastapi'] as const) {
			const other = await startServer({ profile, apiKey: 'k' });
			const answer = await rawAsk(other.url, {
				path: '/v1/models',
				headers: { Authorization: 'Bearer wrong' },
			});
			bodies.push([answer.status, jsonOf(answer)]);
			await other.close();
		}
		expect(bodies).toEqual([
			[401, { error: 'Unauthorized' }],
			[401, { code: 401, reason: 'Unauthorized', message: 'Invalid authentication credentials' }],
			[401, { detail: 'Invalid API key' }],
		]);
	});
});

describe('further connection faults', () => {
	test('accepted and never read; closed, reset or answered with something else on acceptance', async () => {
		const fates = ['silent', 'fin', 'rst', { greet: 'SSH-2.0-OpenSSH_9.2\r\n' }, 'serve'] as const;
		await start({ connections: (index) => fates[index] ?? 'serve' });
		const silent = await open();
		silent.send({ path: '/health' });
		expect(await (await open()).closed()).toBe('fin');
		expect(await (await open()).closed()).toBe('rst');
		const greeted = await open();
		await greeted.closed();
		expect(greeted.bytes.toString()).toBe('SSH-2.0-OpenSSH_9.2\r\n');
		expect((await get('/health')).status).toBe(200);
		expect(silent.bytes).toHaveLength(0);
		expect(server.requests).toHaveLength(1);
		expect(server.connections.accepted).toBe(5);
	});

	test('connection attempts that are never answered', async () => {
		await start();
		const silent = await startSilent();
		const socket = net.connect(silent.port, '127.0.0.1');
		const connected = await new Promise<boolean>((resolve) => {
			socket.once('connect', () => resolve(true));
			socket.setTimeout(60, () => resolve(false));
		});
		socket.destroy();
		await silent.close();
		expect(connected).toBe(false);
	});

	test('HTTP/1.0, no length, the end of the connection is the end of the body', async () => {
		await start({ transport: { framing: 'close', httpVersion: '1.0' } });
		const answer = await stream();
		expect(answer.bytes.toString()).toMatch(/^HTTP\/1\.0 200 OK\r\n/);
		expect([
			headerOf(answer, 'transfer-encoding'),
			headerOf(answer, 'content-length'),
			answer.end,
		]).toEqual([undefined, undefined, 'fin']);
		expect(sseData(answer.body).at(-1)).toBe('[DONE]');
	});

	test('redirects, error pages, any status on any route', async () => {
		await start();
		server.script(
			reply.redirect('http://other.example/v1/chat/completions'),
			reply.html(502, '<h1>Bad Gateway</h1>'),
		);
		const redirect = await chat();
		expect([redirect.status, headerOf(redirect, 'location')]).toEqual([
			307,
			'http://other.example/v1/chat/completions',
		]);
		const page = await chat();
		expect([page.status, headerOf(page, 'content-type'), page.body.toString()]).toEqual([
			502,
			'text/html',
			'<h1>Bad Gateway</h1>',
		]);
		server.route('GET /health', reply.html(503, 'down'));
		expect((await get('/health')).body.toString()).toBe('down');
		server.route('GET /health', undefined);
		expect((await get('/health')).body.toString()).toBe('{"status":"ok"}');
		server.script(reply.error(429, { error: 'slow down' }));
		expect(jsonOf(await chat())).toEqual({ error: 'slow down' });
	});

	test('FIN, RST and silence in the headers, before the end, and after n events', async () => {
		await start();
		server.script(
			reply.text('Hi', { cut: { at: 'headers', how: 'fin' } }),
			reply.text('Hi', { cut: { at: 'end', how: 'rst' } }),
			reply.text('one two', { cut: { at: { event: 2 }, how: 'fin' } }),
			reply.text('Hi', { cut: { at: { event: 1 }, how: 'silence' } }),
		);
		expect((await stream()).bytes.toString()).not.toContain('\r\n\r\n');
		const whole = await stream();
		expect([whole.end, sseData(whole.body).at(-1)]).toEqual(['rst', '[DONE]']);
		const two = await stream();
		expect([two.end, textOf(two), sseData(two.body).length]).toEqual(['fin', 'one', 2]);
		const connection = await open();
		connection.send({ path: CHAT, body: { messages: HI, stream: true } });
		await connection.until((bytes) => bytes.includes('"role"'));
		expect(connection.bytes.toString()).not.toContain('Hi');
		expect(server.slots().some(({ busy }) => busy)).toBe(true);
	});

	test('pauses at a byte and after an event', async () => {
		await start();
		const gates = [gate(), gate()];
		server.script(
			reply.text('one two', {
				pauses: [
					{ at: 10, for: gates[0]!.wait },
					{ at: { event: 2 }, for: gates[1]!.wait },
				],
			}),
		);
		const connection = await open();
		const answer = connection.ask({ path: CHAT, body: { messages: HI, stream: true } });
		await connection.until((bytes) => bytes.includes('data: {"ch'));
		expect(connection.bytes.toString()).not.toContain('choices');
		gates[0]!.open();
		await connection.until((bytes) => bytes.includes('one'));
		expect(connection.bytes.toString()).not.toContain('two');
		gates[1]!.open();
		expect(textOf(await answer)).toBe('one two');
	});

	test('a recorded answer, byte for byte', async () => {
		await start();
		const recorded = fixture('llama-server-v0.5.0/tools-parallel-stream.http');
		server.script(reply.raw(recorded));
		expect((await chat()).bytes.equals(recorded)).toBe(true);
	});

	test('every connection dropped at once, as when the server crashes', async () => {
		await start();
		server.script(reply.chunks(['a', { wait: new Promise(() => undefined) }]));
		const connection = await open();
		connection.send({ path: CHAT, body: { messages: HI, stream: true } });
		await connection.until((bytes) => bytes.includes('"a"'));
		server.dropAll('rst');
		expect(await connection.closed()).toBe('rst');
	});

	test('https', async () => {
		await start({ tls: true });
		expect(server.url).toMatch(/^https:/);
		const untrusted = await new Promise<string | undefined>((resolve) => {
			tls
				.connect({ port: server.port, host: '127.0.0.1' })
				.once('error', (error: NodeJS.ErrnoException) => resolve(error.code));
		});
		expect(untrusted).toBe('DEPTH_ZERO_SELF_SIGNED_CERT');
	});
});
