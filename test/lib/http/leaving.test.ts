/** Stop and limits in every phase of a request: it ends at once, without leaks. */
import { closeChannels } from '../../../lib/http/dispatcher';
import { queuedRequests } from '../../../lib/http/queue';
import type { EgressFilter } from '../../../lib/http/types';
import { connectTo, type ServerSettings } from '../../../lib/servers/connect';
import { listen } from '../../support/listening';
import { delay, events, net, process, zlib } from '../../support/node';
import { closeRawServers, rawServer, type RawAnswering } from '../../support/raw-answers';
import { ask, failureOf } from './client';

const PROXY = process.env.https_proxy;
let hanging: net.Server;
const sockets: net.Socket[] = [];
let port: number;
beforeEach(async () => {
	hanging = net.createServer((socket) => {
		sockets.push(socket);
		socket.on('error', () => {});
		socket.resume();
	});
	port = await listen(hanging);
});
afterEach(async () => {
	if (PROXY === undefined) delete process.env.https_proxy;
	else process.env.https_proxy = PROXY;
	await closeChannels();
	await closeRawServers();
	for (const socket of sockets.splice(0)) socket.destroy();
	await new Promise<void>((resolve) => hanging.close(() => resolve()));
});

const filter = (validateUrl: EgressFilter['validateUrl']): EgressFilter => ({
	validateUrl,
	createSecureLookup: () => () => {},
	validateRedirectSync: () => {},
});
const never = async () => await new Promise<never>(() => {});

const answering =
	(...writes: Array<string | Buffer>): RawAnswering =>
	(_path, socket) => {
		for (const bytes of writes) socket.write(bytes);
	};
const raw = (answer: RawAnswering) => async () => ({ baseUrl: await rawServer(answer) });
const OK = 'HTTP/1.1 200 OK\r\n';

const PHASES: ReadonlyArray<readonly [name: string, start: () => Promise<ServerSettings>]> = [
	[
		'while the egress filter looks up the name',
		async () => ({ baseUrl: 'http://gpu', egressFilter: filter(never) }),
	],
	[
		'while the name is looked up for the connection',
		async () => ({
			baseUrl: 'http://gpu.invalid',
			egressFilter: filter(async () => await Promise.resolve({ ok: true })),
		}),
	],
	['in the TLS handshake', async () => ({ baseUrl: `https://127.0.0.1:${port}` })],
	[
		'while a proxy makes the tunnel',
		async () => {
			process.env.https_proxy = `http://127.0.0.1:${port}`;
			return { baseUrl: 'https://gpu' };
		},
	],
	['before the status line', async () => ({ baseUrl: `http://127.0.0.1:${port}` })],
	['while headers drip', raw(answering(OK, 'X-A: b'))],
	['behind early hints', raw(answering('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'))],
	['before the first byte of the body', raw(answering(OK, '\r\n'))],
	['in the body', raw(answering(OK, 'Content-Type: text/event-stream\r\n\r\ndata: {}\n\ndata:'))],
	[
		'in a compressed body',
		raw(
			answering(
				OK,
				'Content-Encoding: gzip\r\n\r\n',
				zlib.gzipSync('data: {}\n\n').subarray(0, 15),
			),
		),
	],
	['in the body of a refusal', raw(answering('HTTP/1.1 500 Oh\r\nContent-Length: 99\r\n\r\nno'))],
	[
		'behind a redirect',
		raw((path, socket) => {
			if (path !== '/elsewhere')
				socket.end(
					'HTTP/1.1 307 Go\r\nLocation: /elsewhere\r\nConnection: close\r\nContent-Length: 0\r\n\r\n',
				);
		}),
	],
];

describe.each(PHASES)('%s', (_name, start) => {
	test('Stop ends a stream and a call at once, and leaves no listener and no place', async () => {
		const settings = await start();
		const connection = connectTo({ ...settings, maxConcurrentRequests: 2 });
		const stop = new AbortController();
		const { signal } = stop;
		const outcomes = [
			ask(connection, { signal }).then(({ failed }) => failed),
			failureOf(
				async () => await connection.call(`${connection.url.root}/health`, { signal, once: true }),
			),
		];
		await delay(60);
		stop.abort();
		for (const failed of await Promise.all(outcomes)) expect(failed!.kind).toBe('aborted');
		expect(events.getEventListeners(signal, 'abort')).toEqual([]);
		expect(queuedRequests()).toBe(0);
	});

	test('the total limit of a stream and the limit of a call are kept', async () => {
		const settings = await start();
		const connection = connectTo(settings);
		const { signal } = new AbortController();
		const failures = await Promise.all([
			ask(connection, { signal, limits: { totalMs: 150 } }).then(({ failed }) => failed),
			failureOf(
				async () =>
					await connection.call(`${connection.url.root}/health`, { signal, timeoutMs: 150 }),
			),
		]);
		// A refusal is told with what there is of it.
		for (const failed of failures)
			expect(['totalLimit', 'serverError']).toContain(failed?.kind ?? 'serverError');
		expect(events.getEventListeners(signal, 'abort')).toEqual([]);
	});
});

test('a thousand requests of one long execution leave no listener at its signal, and no connection open', async () => {
	const url = await rawServer((_path, socket) => {
		socket.end('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\ndata: {}\n\n');
	});
	const { signal } = new AbortController();
	const connection = connectTo({ baseUrl: url, maxConcurrentRequests: 4 });
	for (let round = 0; round < 20; round++) {
		const outcomes = await Promise.all(
			Array.from({ length: 50 }, async () => await ask(connection, { signal })),
		);
		expect(outcomes.flatMap(({ failed }) => failed ?? [])).toEqual([]);
	}
	expect(events.getEventListeners(signal, 'abort')).toEqual([]);
	expect(queuedRequests()).toBe(0);
});

describe('odd ends of answers', () => {
	test.each([
		['204 with a body', 'HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n{}'],
		['204 without one', 'HTTP/1.1 204 No Content\r\n\r\n'],
		['304', 'HTTP/1.1 304 Not Modified\r\n\r\n'],
		['205', 'HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n'],
	])('%s: an empty answer, and the next call works', async (_name, bytes) => {
		let calls = 0;
		const url = await rawServer((_path, socket) => {
			if (calls++ === 0) socket.write(bytes);
			else socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}');
		});
		const connection = connectTo({ baseUrl: url });
		expect(await connection.call(`${url}/a`)).toMatchObject({
			status: Number(bytes.slice(9, 12)),
			text: '',
		});
		await delay(20);
		expect(await connection.call(`${url}/b`)).toMatchObject({ status: 200, json: {} });
	});

	test('101, which nobody asked for', async () => {
		const url = await rawServer(
			answering('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'),
		);
		const { failed } = await ask(connectTo({ baseUrl: url }), { limits: { totalMs: 5000 } });
		expect(failed).toBeDefined();
	});

	test('a header that names a property of every object is no compression', async () => {
		const url = await rawServer(
			answering(`${OK}Content-Encoding: constructor, __proto__\r\nContent-Length: 2\r\n\r\n{}`),
		);
		expect(await connectTo({ baseUrl: url }).json(`${url}/a`)).toEqual({});
	});

	test('a complete JSON answer in a gzip stream whose end never comes', async () => {
		const packed = zlib.gzipSync('{"a":1}', { finishFlush: zlib.constants.Z_SYNC_FLUSH });
		const url = await rawServer(answering(`${OK}Content-Encoding: gzip\r\n\r\n`, packed));
		expect(await connectTo({ baseUrl: url }).json(`${url}/a`)).toEqual({ a: 1 });
	});
});
