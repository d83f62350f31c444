import {
	closeChannels,
	MAX_CONNECT_MS,
	acquireChannel,
	type ServerChannelKey,
} from '../../../lib/http/dispatcher';
import * as vendor from '../../../lib/vendor';
import {
	type LlamaServerSim,
	reply,
	type SimOptions,
	startLlamaServerSim,
	startSilentServer,
} from '../../simulators/llama-server';
import { delay, net } from '../../support/node-builtins';
import { testCertificate } from '../../support/tls';
import { createModelServer } from '../../../lib/servers/model-server';
import { ask, connect, failureOf, statusOf } from './client';
import { listen } from '../../support/listen';
import { useSimulator } from '../../simulators/use-simulator';

const startServer = useSimulator(startLlamaServerSim);
const startSilent = useSimulator(startSilentServer);

jest.mock('../../../lib/vendor', () => {
	const actual = jest.requireActual<typeof vendor>('../../../lib/vendor');
	return {
		...actual,
		EnvHttpProxyAgent: jest.fn((options) => new actual.EnvHttpProxyAgent(options)),
	};
});
const EnvHttpProxyAgent = jest.mocked(vendor.EnvHttpProxyAgent);
/** Every request, of whichever kind. */
const dispatch = jest.spyOn(
	jest.requireActual<typeof vendor>('../../../lib/vendor').EnvHttpProxyAgent.prototype,
	'dispatch',
);

const start = async (options: SimOptions = {}): Promise<LlamaServerSim> => {
	const server = await startServer(options);
	return server;
};
afterEach(async () => {
	dispatch.mockClear();
	EnvHttpProxyAgent.mockClear();
});
/** A connection pool without users. */
const channelFor = (key: ServerChannelKey) => {
	const use = acquireChannel(key);
	use.release();
	return use;
};

const KEY = { origin: 'http://gpu:8080', scope: 'a', ignoreSslIssues: false };

describe("undici's options", () => {
	test('case 57: its own time limits are off, for every kind of request', async () => {
		const server = await start();
		const connection = connect(server.url);
		await ask(connection);
		await statusOf(connection, `${server.url}/health`);
		await statusOf(connection, `${server.url}/tokenize`, { json: { content: 'x' } });
		expect(
			dispatch.mock.calls.map(([options]) => [options.headersTimeout, options.bodyTimeout]),
		).toEqual([
			[0, 0],
			[0, 0],
			[0, 0],
		]);
		for (const [options] of EnvHttpProxyAgent.mock.calls)
			expect(options).toMatchObject({ headersTimeout: 0, bodyTimeout: 0 });
	});

	test('a generation has a new connection, a GET may reuse one', async () => {
		const server = await start();
		const connection = connect(server.url);
		const { keepAlive, fresh } = channelFor({
			origin: server.url,
			scope: connect(server.url).id,
			ignoreSslIssues: false,
		});
		await ask(connection);
		await statusOf(connection, `${server.url}/health`);
		await statusOf(connection, `${server.url}/health`, { isIdempotent: false });
		expect(
			dispatch.mock.calls.map(([options], index) => [
				dispatch.mock.contexts[index] === fresh,
				options.reset,
			]),
		).toEqual([
			[true, true],
			[false, false],
			[true, true],
		]);
		expect(dispatch.mock.contexts[1]).toBe(keepAlive);
	});

	test('connections are made within 10 s, kept for less than the 5 s of llama-server, and check certificates', () => {
		channelFor(KEY);
		channelFor({ ...KEY, ignoreSslIssues: true });
		const options = EnvHttpProxyAgent.mock.calls.map(([given]) => given);
		expect(MAX_CONNECT_MS).toBe(10_000);
		expect(options[0]).toMatchObject({
			connect: { timeout: 10_000, rejectUnauthorized: true, autoSelectFamily: true },
			proxyTls: { timeout: 10_000, rejectUnauthorized: true, autoSelectFamily: true },
			requestTls: { rejectUnauthorized: true },
			keepAliveTimeout: 4000,
			keepAliveMaxTimeout: 4000,
			// A second below what a server names.
			keepAliveTimeoutThreshold: 1000,
		});
		expect(options[2]).toMatchObject({
			connect: { rejectUnauthorized: false },
			requestTls: { rejectUnauthorized: false },
		});
	});
});

describe('connections that are kept for the next request of a batch', () => {
	/** A server that counts its connections, and closes each as it is told to. */
	const countingServer = async (answer: (socket: net.Socket, request: number) => void) => {
		let [connections, requests] = [0, 0];
		const server = net.createServer((socket) => {
			connections++;
			socket.on('error', () => {});
			socket.on('data', (data: Uint8Array) => {
				if (String(data).includes('POST')) answer(socket, ++requests);
			});
		});
		const url = `http://127.0.0.1:${await listen(server)}`;
		return { url, counts: () => ({ connections, requests }), close: () => server.close() };
	};
	const OK = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}';
	const ask = async (url: string, reuse: boolean) =>
		await statusOf(connect(url), `${url}/x`, { json: {}, isIdempotent: reuse });

	afterEach(closeChannels);

	test('ten requests need one, and ten without it ten', async () => {
		const server = await countingServer((socket) => socket.write(OK));
		for (let at = 0; at < 10; at++) await ask(server.url, true);
		const { connections } = server.counts();
		expect(connections).toBeLessThanOrEqual(2);
		for (let at = 0; at < 10; at++) await ask(server.url, false);
		expect(server.counts()).toEqual({ connections: connections + 10, requests: 20 });
		server.close();
	});

	test.each([0, 1_500])(
		'one that is closed after %i ms costs one more attempt',
		async (pauseMs) => {
			const used = new WeakSet<net.Socket>();
			let [asked, dropped] = [0, 0];
			const server = await countingServer((socket) => {
				if (used.has(socket)) {
					dropped++;
					return void delay(pauseMs).then(() => socket.destroy());
				}
				used.add(socket);
				socket.write(OK);
			});
			for (; dropped === 0; asked++) expect(await ask(server.url, true)).toBe(200);
			expect(server.counts().requests).toBe(asked + dropped);
			server.close();
		},
	);

	test('a server that closes every one is asked twice', async () => {
		const server = await countingServer((socket) => socket.destroy());
		const failed = await failureOf(async () => await ask(server.url, true));
		expect(failed?.type).toBe('closedBeforeResponse');
		expect(server.counts().requests).toBe(2);
		server.close();
	});
});

describe('making a connection', () => {
	test('packets that are dropped end at the connect limit, for streams and for calls', async () => {
		const server = await startSilent();
		const connection = connect(server.url);
		const failures = [
			(await ask(connection, { maxRetries: 3 })).failed,
			await failureOf(async () => await statusOf(connection, `${server.url}/health`)),
		];
		await server.close();
		for (const failed of failures) {
			expect(failed).toMatchObject({ type: 'connectTimeout', code: 'UND_ERR_CONNECT_TIMEOUT' });
			expect(failed!.message).toContain('No response from "127.0.0.1" while connecting');
		}
	});

	test('case 1: what cannot be reached is asked once', async () => {
		const server = await start();
		await server.close();
		expect(
			(await failureOf(async () => await statusOf(connect(server.url), `${server.url}/health`)))!
				.type,
		).toBe('connectionRefused');
		expect((await ask(connect(server.url))).failed!.type).toBe('connectionRefused');
		expect(dispatch.mock.calls).toHaveLength(2);
	});

	test('case 60: cancelling, and every limit, end the wait for a connection', async () => {
		const server = await startSilent();
		const connection = connect(server.url);
		const stop = new AbortController();
		const outcome = ask(connection, { signal: stop.signal });
		await delay(20);
		stop.abort();
		const kinds = [
			(await outcome).failed!.type,
			(await ask(connection, { timeouts: { firstTokenMs: 20 } })).failed!.type,
			(await failureOf(
				async () =>
					await statusOf(connection, `${server.url}/health`, {
						timeouts: { firstTokenMs: 0, idleMs: 0, totalMs: 20 },
					}),
			))!.type,
		];
		await closeChannels();
		await server.close();
		expect(kinds).toEqual(['aborted', 'firstTokenTimeout', 'totalTimeout']);
	});

	test('localhost reaches a server on IPv4 although n8n turns the choice of the address family off', async () => {
		const server = await start();
		const before = net.getDefaultAutoSelectFamily();
		net.setDefaultAutoSelectFamily(false);
		const url = `http://localhost:${server.port}`;
		// The order in which many systems resolve the name, whatever this one does.
		const lookup = (
			_name: string,
			{ all }: { all?: boolean },
			done: (...args: unknown[]) => void,
		) => {
			if (all === true)
				done(null, [
					{ address: '::1', family: 6 },
					{ address: '127.0.0.1', family: 4 },
				]);
			else done(null, '::1', 6);
		};
		const egressFilter = {
			validateUrl: async () => await Promise.resolve({ ok: true }),
			createSecureLookup: () => lookup as never,
			validateRedirectSync: () => {},
		};
		const outcomes = [];
		for (const connection of [connect(url), connect(url, { egressFilter })]) {
			outcomes.push(await statusOf(connection, `${url}/health`), (await ask(connection)).failed);
		}
		net.setDefaultAutoSelectFamily(before);
		expect(outcomes).toEqual([200, undefined, 200, undefined]);
	});

	test('an untrusted certificate is refused, unless the credential says otherwise', async () => {
		const server = await start({ tls: true });
		const { failed } = await ask(connect(server.url));
		expect(failed).toMatchObject({ type: 'tlsUntrusted', code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
		expect((await ask(connect(server.url, { ignoreSslIssues: true }))).failed).toBeUndefined();
		// The permission belongs to the one credential.
		expect((await ask(connect(server.url))).failed!.type).toBe('tlsUntrusted');
		expect(
			(await failureOf(async () => await statusOf(connect(server.url), `${server.url}/health`)))!
				.type,
		).toBe('tlsUntrusted');
		expect(server.requests).toHaveLength(1);
		expect(testCertificate().cert).toContain('BEGIN CERTIFICATE');
	});
});

describe('connection pools', () => {
	test('one per origin and credential', () => {
		const [channel] = [channelFor(KEY)];
		expect(channelFor({ ...KEY }).fresh).toBe(channel!.fresh);
		const others = [
			{ ...KEY, origin: 'http://gpu:8081' },
			{ ...KEY, scope: '{"authorization":"Bearer a"}' },
			{ ...KEY, ignoreSslIssues: true },
			{
				...KEY,
				egressFilter: {
					validateUrl: async () => ({ ok: true }),
					createSecureLookup: () => () => {},
					validateRedirectSync: () => {},
				},
			},
		].map(channelFor);
		expect(
			new Set([channel!, ...others].flatMap(({ keepAlive, fresh }) => [keepAlive, fresh])).size,
		).toBe(10);
	});

	test('connections are shared by all that use one credential, and by nobody else', async () => {
		const server = await start();
		const get = async (apiKey: string) => {
			await statusOf(createModelServer({ baseUrl: server.url, apiKey }), `${server.url}/health`);
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

	test('beyond 64 the least recently used one is closed; its users get a new one', async () => {
		const server = await start();
		const connection = connect(server.url);
		await statusOf(connection, `${server.url}/health`);
		const own = channelFor({
			origin: server.url,
			scope: connect(server.url).id,
			ignoreSslIssues: false,
		});
		for (let other = 0; other < 70; other++) channelFor({ ...KEY, scope: String(other) });
		await server.until(() => server.connections.open === 0);
		expect(channelFor({ ...KEY, scope: '69' }).fresh).toBe(
			channelFor({ ...KEY, scope: '69' }).fresh,
		);
		expect(await statusOf(connection, `${server.url}/health`)).toBe(200);
		expect((await ask(connection)).failed).toBeUndefined();
		expect(
			channelFor({ origin: server.url, scope: connect(server.url).id, ignoreSslIssues: false })
				.fresh,
		).not.toBe(own.fresh);
	});

	test('one that is in use is not closed', async () => {
		const server = await start();
		let goOn = () => {};
		const gate = new Promise<void>((resolve) => {
			goOn = resolve;
		});
		server.script(reply.chunks(['a', { wait: gate }, 'b']));
		const answer = ask(connect(server.url));
		await server.until(() => server.requests.length === 1);
		const own = channelFor({
			origin: server.url,
			scope: connect(server.url).id,
			ignoreSslIssues: false,
		});
		for (let other = 0; other < 70; other++) channelFor({ ...KEY, scope: String(other) });
		expect(
			channelFor({ origin: server.url, scope: connect(server.url).id, ignoreSslIssues: false })
				.fresh,
		).toBe(own.fresh);
		goOn();
		expect((await answer).text).toBe('ab');
	});

	test('100 credentials at once: none of their requests meets a channel that was closed', async () => {
		const server = await start({ slots: 100 });
		const all = Array.from({ length: 100 }, (_, number) =>
			connect(server.url, { headers: { authorization: `Bearer key-${number}` } }),
		);
		for (let round = 0; round < 2; round++) {
			const answers = await Promise.all(all.map(async (connection) => await ask(connection)));
			expect(answers.flatMap(({ failed }) => failed ?? [])).toEqual([]);
			const calls = await Promise.all(
				all.map(async (one) => await statusOf(one, `${server.url}/health`)),
			);
			expect(calls.filter((status) => status !== 200)).toEqual([]);
		}
	});

	test('one that waits for its turn, or for the egress filter, is in use', async () => {
		const server = await start();
		let allow = () => {};
		const gate = new Promise<void>((resolve) => (allow = resolve));
		const egressFilter = {
			validateUrl: async () => {
				await gate;
				return { ok: true };
			},
			createSecureLookup: () => () => {},
			validateRedirectSync: () => {},
		};
		const connection = connect(server.url, { egressFilter });
		const outcomes = [ask(connection), statusOf(connection, `${server.url}/health`)] as const;
		await delay(5);
		for (let other = 0; other < 70; other++) channelFor({ ...KEY, scope: String(other) });
		allow();
		expect((await outcomes[0]).failed).toBeUndefined();
		expect(await outcomes[1]).toBe(200);
	});

	test('closing them all leaves no connection open', async () => {
		const server = await start();
		server.route('GET /props', reply.silence());
		const connection = connect(server.url);
		await statusOf(connection, `${server.url}/health`);
		const [call, stream] = [
			failureOf(
				async () => await statusOf(connection, `${server.url}/props`, { isIdempotent: false }),
			),
			ask(connection),
		];
		await server.until(() => server.requests.length === 3);
		await stream;
		expect(server.connections.open).toBeGreaterThan(0);
		await closeChannels();
		expect((await call)!.type).toBe('closedBeforeResponse');
		await server.until(() => server.connections.open === 0);
	});
});
