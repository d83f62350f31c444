import { closeChannels } from '../../../lib/http/dispatcher';
import {
	type LlamaServerSim,
	reply,
	type SimOptions,
	startLlamaServerSim,
} from '../../simulators/llama-server';
import { failDnsLookups } from '../../support/failing-dns';
import { listen } from '../../support/listen';
import { net, process } from '../../support/node-builtins';
import { probe } from '../../../lib/servers/probe';
import { ask, CHAT, connect, failureOf, statusOf } from './client';
import { type ProxyOptions, type ProxyServer, startProxy } from '../../simulators/proxy-server';
import { useSimulator } from '../../simulators/use-simulator';

const startServer = useSimulator(startLlamaServerSim);
const proxied = useSimulator(startProxy);

const VARIABLES = [
	'http_proxy',
	'HTTP_PROXY',
	'https_proxy',
	'HTTPS_PROXY',
	'all_proxy',
	'ALL_PROXY',
	'no_proxy',
	'NO_PROXY',
];
const before = Object.fromEntries(VARIABLES.map((name) => [name, process.env[name]]));
const unset = () => {
	for (const name of VARIABLES) delete process.env[name];
};

const start = async (options: SimOptions = {}): Promise<LlamaServerSim> => {
	const server = await startServer(options);
	return server;
};
const proxy = async (options: ProxyOptions = {}): Promise<ProxyServer> => {
	const server = await proxied(options);
	return server;
};

beforeEach(unset);
afterEach(async () => {
	jest.restoreAllMocks();
	unset();
});
afterAll(() => {
	for (const [name, value] of Object.entries(before))
		if (value !== undefined) process.env[name] = value;
});

describe('proxy variables of the environment', () => {
	test.each(['http_proxy', 'HTTP_PROXY'])(
		'%s: plain http goes in absolute form, as squid wants it, also to odd ports',
		async (variable) => {
			const [server, between] = [await start(), await proxy()];
			process.env[variable] = between.url;
			const connection = connect(server.url, { headers: { authorization: 'Bearer local-key' } });
			const { text, failed } = await ask(connection);
			expect(failed).toBeUndefined();
			expect(text).not.toBe('');
			expect(await statusOf(connection, `${server.url}/health`)).toBe(200);
			expect(between.log).toEqual([
				{ method: 'POST', target: `${server.url}/v1/chat/completions`, authorization: undefined },
				{ method: 'GET', target: `${server.url}/health`, authorization: undefined },
			]);
			expect(server.requests[0]).toMatchObject({
				target: '/v1/chat/completions',
				body: CHAT,
				headers: { authorization: 'Bearer local-key', host: `127.0.0.1:${server.port}` },
			});
		},
	);

	test('https goes through a tunnel', async () => {
		const server = await start({ tls: true });
		const between = await proxy({ tunnelTo: [server.port] });
		process.env.https_proxy = between.url;
		const connection = connect(server.url, { ignoreSslIssues: true });
		expect((await ask(connection)).failed).toBeUndefined();
		expect((await ask(connect(server.url))).failed!.type).toBe('tlsUntrusted');
		expect(between.log[0]).toEqual({
			method: 'CONNECT',
			target: `127.0.0.1:${server.port}`,
			authorization: undefined,
		});
	});

	test.each(['http_proxy', 'HTTP_PROXY'])(
		'%s is not for https, as in requests of n8n itself',
		async (variable) => {
			const [server, between] = [await start({ tls: true }), await proxy()];
			process.env[variable] = between.url;
			const connection = connect(server.url, { ignoreSslIssues: true });
			expect((await ask(connection)).failed).toBeUndefined();
			expect(between.log).toEqual([]);
		},
	);

	test.each(['all_proxy', 'ALL_PROXY'])('%s is for addresses that have none', async (variable) => {
		const [server, between, other] = [await start(), await proxy(), await proxy()];
		process.env[variable] = between.url;
		expect((await ask(connect(server.url))).failed).toBeUndefined();
		expect(between.log).toHaveLength(1);
		await closeChannels();
		process.env.http_proxy = other.url;
		expect((await ask(connect(server.url))).failed).toBeUndefined();
		expect([between.log.length, other.log.length]).toEqual([1, 1]);
	});

	test('every generation has a connection of its own through the proxy as well', async () => {
		const [server, between] = [await start(), await proxy()];
		process.env.http_proxy = between.url;
		const connection = connect(server.url);
		for (let round = 0; round < 3; round++) await ask(connection);
		expect(between.accepted).toBe(3);
		await statusOf(connection, `${server.url}/health`);
		await statusOf(connection, `${server.url}/health`);
		expect(between.log).toHaveLength(5);
		expect(between.accepted).toBeLessThanOrEqual(5);
	});

	test.each(['127.0.0.1', '*', 'other.lan, 127.0.0.1'])(
		'no_proxy=%s: the proxy is left out',
		async (hosts) => {
			const [server, between] = [await start(), await proxy()];
			process.env.http_proxy = between.url;
			process.env.no_proxy = hosts;
			expect((await ask(connect(server.url))).failed).toBeUndefined();
			expect(between.accepted).toBe(0);
		},
	);

	test('case 60: cancelling reaches the server through the proxy', async () => {
		const [server, between] = [await start(), await proxy()];
		process.env.http_proxy = between.url;
		server.script(reply.chunks(['a', { wait: 5000 }, 'b']));
		const stop = new AbortController();
		const outcome = ask(connect(server.url), { signal: stop.signal });
		await server.until(() => server.requests[0]?.headersSentAt !== undefined);
		stop.abort();
		expect((await outcome).failed!.type).toBe('aborted');
		await server.until(() => server.requests[0]!.endedBy === 'client-abort');
	});

	test('a user and a password in the variable are sent to the proxy only', async () => {
		const [server, between] = [await start(), await proxy({ user: 'me:pass-word' })];
		process.env.http_proxy = `http://me:pass-word@127.0.0.1:${between.port}`;
		expect((await ask(connect(server.url))).failed).toBeUndefined();
		expect(between.log[0]!.authorization).toBe(
			`Basic ${Buffer.from('me:pass-word').toString('base64')}`,
		);
		expect(server.requests[0]!.headers).not.toHaveProperty('proxy-authorization');
	});

	test('the password of the proxy is masked in answers, however it is written', async () => {
		const server = await start();
		const between = await proxy({ user: 'me:p@ss-4711-Word' });
		process.env.http_proxy = `http://me:p%40ss-4711-Word@127.0.0.1:${between.port}`;
		const encoded = Buffer.from('me:p@ss-4711-Word').toString('base64');
		const echo = `password p@ss-4711-Word, header Basic ${encoded}`;
		server.route('GET /echo', reply.json({ echo }));
		const { text } = await probe(connect(server.url), '/echo');
		expect(text).toContain('password ***');
		expect(text).not.toMatch(/4711|bWU6/);
	});

	test.each(['http', 'https'])(
		'a proxy that wants a password, before an %s server',
		async (scheme) => {
			const server = await start({ tls: scheme === 'https' });
			const between = await proxy({ user: 'me:pass-word', tunnelTo: [server.port] });
			process.env[`${scheme}_proxy`] = between.url;
			const { failed } = await ask(connect(server.url, { ignoreSslIssues: true }));
			expect(failed!.type).toBe('proxyError');
			expect(failed!.message).toContain('407');
			expect(failed!.suggestion).toContain('NO_PROXY');
		},
	);

	test('a proxy that refuses the tunnel', async () => {
		const [server, between] = [await start({ tls: true }), await proxy()];
		process.env.https_proxy = between.url;
		const { failed } = await ask(connect(server.url, { ignoreSslIssues: true }));
		expect(failed).toMatchObject({ type: 'proxyError', code: 'HTTP 403' });
	});

	test.each(['http', 'https'])(
		'a proxy that is not there, before an %s server: the proxy is named, not the server',
		async (scheme) => {
			const [server, between] = [await start({ tls: scheme === 'https' }), await proxy()];
			await between.close();
			process.env[`${scheme}_proxy`] = between.url;
			const { failed } = await ask(connect(server.url, { ignoreSslIssues: true }));
			expect(failed!.type).toBe('proxyError');
			expect(failed!.message).toContain(`ECONNREFUSED 127.0.0.1:${between.port}`);
			process.env[`${scheme}_proxy`] = 'http://no-such-proxy.invalid:3128';
			failDnsLookups();
			await closeChannels();
			const unknown = await failureOf(
				async () =>
					await statusOf(connect(server.url, { ignoreSslIssues: true }), `${server.url}/health`),
			);
			expect(unknown!.type).toBe('proxyError');
			expect(unknown!.message).toContain('no-such-proxy.invalid');
		},
	);

	test("a variable without a scheme is one of http, as n8n's own requests read it", async () => {
		const [server, between] = [await start(), await proxy({ user: 'me:pass-word-4711' })];
		process.env.http_proxy = `me:pass-word-4711@127.0.0.1:${between.port}`;
		const connection = connect(server.url);
		expect((await ask(connection)).failed).toBeUndefined();
		expect(between.log).toHaveLength(1);
		expect(connection.secrets).toContain('pass-word-4711');
	});

	test.each(['ftp', 'socks5'])('so is one of %s, and an error names the proxy', async (scheme) => {
		const [server, between] = [await start(), await proxy()];
		await between.close();
		process.env.ALL_PROXY = `${scheme}://127.0.0.1:${between.port}`;
		expect((await ask(connect(server.url))).failed!.type).toBe('proxyError');
	});

	test('a proxy that hangs on CONNECT ends at the connect limit', async () => {
		const server = await start({ tls: true });
		const sockets: net.Socket[] = [];
		const hanging = net.createServer((socket) => sockets.push(socket));
		process.env.https_proxy = `http://127.0.0.1:${await listen(hanging)}`;
		const connection = connect(server.url, { ignoreSslIssues: true });
		const failures = [
			(await ask(connection)).failed,
			await failureOf(async () => await statusOf(connection, `${server.url}/health`)),
		];
		for (const failed of failures) {
			expect(failed!.type).toBe('proxyError');
			expect(failed!.message).toContain('no response to CONNECT');
		}
		for (const socket of sockets) socket.destroy();
		hanging.close();
	});

	test('a server that is down behind the proxy', async () => {
		const [server, between] = [await start(), await proxy()];
		await server.close();
		process.env.http_proxy = between.url;
		expect((await ask(connect(server.url))).failed).toMatchObject({
			type: 'badGateway',
			status: 502,
		});
	});
});
