import { closePools, MAX_CONNECT_MS, acquirePools } from '../../../lib/http/dispatcher';
import { probe } from '../../../lib/servers/probe';
import * as vendor from '../../../lib/vendor';
import { reply, startLlamaServerSim, startSilentServer } from '../../simulators/llama-server';
import type * as net from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { createModelServer } from '../../../lib/servers/endpoint';
import { sendChat, connect, getError, fetchStatus } from './client';
import type { Endpoint } from '../../../lib/http/types';
import { createDeferred } from '../../support/waiting/deferred';
import { startTcpServer } from '../../support/servers/listen';
import { useSimulator } from '../../simulators/use-simulator';
import { NO_EXECUTION } from '../../support/n8n/node-host';

const start = useSimulator(startLlamaServerSim);
const startSilent = useSimulator(startSilentServer);

jest.mock('../../../lib/vendor', () => {
	const actual = jest.requireActual<typeof vendor>('../../../lib/vendor');
	return {
		...actual,
		EnvHttpProxyAgent: jest.fn((options) => new actual.EnvHttpProxyAgent(options)),
		/** Gives up connecting after a second instead of eight. */
		buildConnector: jest.fn((options) => actual.buildConnector({ ...options, timeout: 1_000 })),
	};
});
const EnvHttpProxyAgent = jest.mocked(vendor.EnvHttpProxyAgent);
const buildConnector = jest.mocked(vendor.buildConnector);
/** All requests. */
const dispatch = jest.spyOn(
	jest.requireActual<typeof vendor>('../../../lib/vendor').EnvHttpProxyAgent.prototype,
	'dispatch',
);

afterEach(async () => {
	dispatch.mockClear();
	EnvHttpProxyAgent.mockClear();
	buildConnector.mockClear();
});
/** Pools without active requests. */
const acquireAndRelease = (key: Endpoint) => {
	const pools = acquirePools(key);
	pools.release();
	return pools;
};

const KEY = createModelServer({ baseUrl: 'http://gpu:8080' }, NO_EXECUTION);

describe("undici's options", () => {
	test('a generation uses a new connection, a GET may reuse one', async () => {
		const server = await start();
		const connection = connect(server.url);
		const { keepAlive, singleUse } = acquireAndRelease(connect(server.url));
		await sendChat(connection);
		await fetchStatus(connection, `${server.url}/health`);
		await fetchStatus(connection, `${server.url}/health`, { isIdempotent: false });
		expect(
			dispatch.mock.calls.map(([options], index) => [
				dispatch.mock.contexts[index] === singleUse,
				options.reset,
			]),
		).toEqual([
			[true, true],
			[false, false],
			[true, true],
		]);
		expect(dispatch.mock.contexts[1]).toBe(keepAlive);
	});

	test('closing a connection that was used once formats no stack, which is expensive in n8n', async () => {
		const server = await start();
		const formatted: unknown[] = [];
		const { prepareStackTrace } = Error;
		Error.prepareStackTrace = (error, frames) => {
			formatted.push(error.message);
			return prepareStackTrace?.(error, frames) ?? String(error);
		};
		try {
			await sendChat(connect(server.url));
		} finally {
			Error.prepareStackTrace = prepareStackTrace;
		}
		expect(formatted).toEqual([]);
	});

	test('connections have a timeout, are kept for 4 s (llama-server: 5 s), and check certificates', () => {
		acquireAndRelease(KEY);
		acquireAndRelease({ ...KEY, id: 'b', ignoreSslIssues: true });
		const options = EnvHttpProxyAgent.mock.calls.map(([callOptions]) => callOptions);
		// Two pools for each credential.
		expect({ agents: options.length }).toEqual({ agents: 4 });
		expect(options[0]).toMatchObject({
			proxyTls: { timeout: MAX_CONNECT_MS, rejectUnauthorized: true, autoSelectFamily: true },
			requestTls: { rejectUnauthorized: true },
			keepAliveTimeout: 4000,
			keepAliveMaxTimeout: 4000,
			// One second below the timeout that the server sends.
			keepAliveTimeoutThreshold: 1000,
		});
		expect(options[2]).toMatchObject({ requestTls: { rejectUnauthorized: false } });
		// The two pools of a credential connect alike.
		expect(options[1]?.connect).toBe(options[0]?.connect);
		expect(buildConnector.mock.calls).toMatchObject([
			[{ timeout: MAX_CONNECT_MS, rejectUnauthorized: true, autoSelectFamily: true }],
			[{ rejectUnauthorized: false }],
		]);
	});
});

describe('connections reused by the requests of a batch', () => {
	/** A server that counts its connections and requests. */
	const countingServer = async (respond: (socket: net.Socket, request: number) => void) => {
		let [connections, requests] = [0, 0];
		const server = await startTcpServer((socket) => {
			connections++;
			socket.on('data', (data: Uint8Array) => {
				if (String(data).includes('POST')) respond(socket, ++requests);
			});
		});
		return { ...server, counts: () => ({ connections, requests }) };
	};
	const OK = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}';
	const send = async (url: string, reuse: boolean) =>
		await fetchStatus(connect(url), `${url}/x`, { json: {}, isIdempotent: reuse });

	afterEach(closePools);

	test('ten requests with reuse need one connection, without it ten', async () => {
		const server = await countingServer((socket) => socket.write(OK));
		for (let at = 0; at < 10; at++) await send(server.url, true);
		const { connections } = server.counts();
		expect(connections).toBeLessThanOrEqual(2);
		for (let at = 0; at < 10; at++) await send(server.url, false);
		expect(server.counts()).toEqual({ connections: connections + 10, requests: 20 });
		await server.close();
	});

	test('a connection that the server closes causes one retry', async () => {
		const used = new WeakSet<net.Socket>();
		let [sentCount, dropped] = [0, 0];
		const server = await countingServer((socket) => {
			if (used.has(socket)) {
				dropped++;
				return void socket.destroy();
			}
			used.add(socket);
			socket.write(OK);
		});
		for (; dropped === 0; sentCount++) expect(await send(server.url, true)).toBe(200);
		expect(server.counts().requests).toBe(sentCount + dropped);
		await server.close();
	});

	test('a request is retried once if the server closes every connection', async () => {
		const server = await countingServer((socket) => socket.destroy());
		const error = await getError(async () => await send(server.url, true));
		expect(error?.type).toBe('closedBeforeResponse');
		expect(server.counts().requests).toBe(2);
		await server.close();
	});
});

describe('connecting', () => {
	test('dropped packets end with the connect timeout, for streams, short requests and probes', async () => {
		const server = await startSilent();
		const connection = connect(server.url);
		const errors = await Promise.all([
			sendChat(connection, { maxRetries: 3 }).then(({ error }) => error),
			getError(async () => await fetchStatus(connection, `${server.url}/health`)),
			getError(async () => await probe(connection, '/health')),
		]);
		await server.close();
		for (const error of errors) {
			expect(error).toMatchObject({ type: 'connectTimeout', code: 'UND_ERR_CONNECT_TIMEOUT' });
			expect(error!.message).toContain('No response from "127.0.0.1" while connecting');
		}
	});

	test('Stop and each timeout end the wait for a connection', async () => {
		const server = await startSilent();
		const connection = connect(server.url);
		const stop = new AbortController();
		const chat = sendChat(connection, { signal: stop.signal });
		await delay(20);
		stop.abort();
		const errorTypes = [
			(await chat).error!.type,
			(await sendChat(connection, { timeouts: { firstTokenMs: 20 } })).error!.type,
			(await getError(
				async () =>
					await fetchStatus(connection, `${server.url}/health`, {
						timeouts: { firstTokenMs: 0, idleMs: 0, totalMs: 20 },
					}),
			))!.type,
		];
		const probed = await getError(
			async () => await probe(connection, '/health', { timeoutMs: 20 }),
		);
		expect(probed!.message).toBe('No response within 20 ms');
		await closePools();
		await server.close();
		expect(errorTypes).toEqual(['aborted', 'firstTokenTimeout', 'totalTimeout']);
	});
});

describe('connection pools', () => {
	test('connections are shared only by requests with the same credential', async () => {
		const server = await start();
		const get = async (apiKey: string) => {
			await fetchStatus(
				createModelServer({ baseUrl: server.url, apiKey }, NO_EXECUTION),
				`${server.url}/health`,
			);
			await delay(5);
		};
		await get('one');
		await get('two');
		await get('one');
		expect(
			server.requests.map(({ connection, headers }) => [connection, headers.authorization]),
		).toEqual([
			[0, 'Bearer one'],
			[1, 'Bearer two'],
			[0, 'Bearer one'],
		]);
	});

	test("connections that passed n8n's egress filter are not shared with those that did not", () => {
		const createSecureLookup = () => () => {};
		const filtered = { ...KEY, egressFilter: { createSecureLookup } as never };
		const pools = [KEY, filtered, KEY, filtered].map(acquireAndRelease);
		const [plain, checked] = pools;
		expect(pools.map(({ keepAlive }) => keepAlive === plain!.keepAlive)).toEqual([
			true,
			false,
			true,
			false,
		]);
		expect(pools[3]!.singleUse).toBe(checked!.singleUse);
	});

	test('beyond 64, the least recently used pool is closed, and its users get a new one', async () => {
		const server = await start();
		const connection = connect(server.url);
		await fetchStatus(connection, `${server.url}/health`);
		const ownPools = acquireAndRelease(connect(server.url));
		for (let other = 0; other < 70; other++) acquireAndRelease({ ...KEY, id: String(other) });
		await server.until(() => server.connections.open === 0);
		expect(acquireAndRelease({ ...KEY, id: '69' }).singleUse).toBe(
			acquireAndRelease({ ...KEY, id: '69' }).singleUse,
		);
		expect(await fetchStatus(connection, `${server.url}/health`)).toBe(200);
		expect((await sendChat(connection)).error).toBeUndefined();
		expect(acquireAndRelease(connect(server.url)).singleUse).not.toBe(ownPools.singleUse);
	});

	test('a pool in use is not closed', async () => {
		const server = await start();
		const { wait, open } = createDeferred();
		server.script(reply.chunks(['a', { wait }, 'b']));
		const chat = sendChat(connect(server.url));
		await server.until(() => server.requests.length === 1);
		const ownPools = acquireAndRelease(connect(server.url));
		for (let other = 0; other < 70; other++) acquireAndRelease({ ...KEY, id: String(other) });
		expect(acquireAndRelease(connect(server.url)).singleUse).toBe(ownPools.singleUse);
		open();
		expect((await chat).text).toBe('ab');
	});

	test('a pool is in use while a request waits in the queue or for the egress filter', async () => {
		const server = await start();
		const { wait, open } = createDeferred();
		const egressFilter = {
			validateUrl: async () => {
				await wait;
				return { ok: true };
			},
			createSecureLookup: () => () => {},
			validateRedirectSync: () => {},
		};
		const connection = connect(server.url, { egressFilter });
		const results = [
			sendChat(connection),
			fetchStatus(connection, `${server.url}/health`),
		] as const;
		await delay(5);
		for (let other = 0; other < 70; other++) acquireAndRelease({ ...KEY, id: String(other) });
		open();
		expect((await results[0]).error).toBeUndefined();
		expect(await results[1]).toBe(200);
	});

	test('closing all pools leaves no connection of two servers open', async () => {
		const server = await start();
		server.route('GET /props', reply.silence());
		const connection = connect(server.url);
		const other = await start();
		for (const { url } of [server, other]) await fetchStatus(connect(url), `${url}/health`);
		const [call, stream] = [
			getError(
				async () => await fetchStatus(connection, `${server.url}/props`, { isIdempotent: false }),
			),
			sendChat(connection),
		];
		await server.until(() => server.requests.length === 3);
		await stream;
		for (const { connections } of [server, other]) expect(connections.open).toBeGreaterThan(0);
		await closePools();
		expect((await call)!.type).toBe('closedBeforeResponse');
		for (const one of [server, other]) await one.until(() => one.connections.open === 0);
	});
});

test('of more than 64 idle credentials, those that were used last keep their connections', async () => {
	const endpoints = Array.from({ length: 65 }, (_value, index) =>
		connect(`http://idle-${String(index)}`),
	);
	const use = (index: number) => {
		const { keepAlive, singleUse, release } = acquirePools(endpoints[index]!);
		release();
		return { keepAlive, singleUse };
	};
	await closePools();
	const first = endpoints.slice(0, 64).map((_endpoint, index) => use(index));
	expect(use(0).keepAlive).toBe(first[0]!.keepAlive);
	// Beyond the limit, the one that was used longest ago is closed.
	use(64);
	expect(use(0).keepAlive).toBe(first[0]!.keepAlive);
	expect(use(0).singleUse).toBe(first[0]!.singleUse);
	expect(use(2).keepAlive).toBe(first[2]!.keepAlive);
	expect(use(1).keepAlive).not.toBe(first[1]!.keepAlive);
	await closePools();
});
