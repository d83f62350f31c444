import { closePools } from '../../../lib/http/dispatcher';
import { reply, startLlamaServerSim } from '../../simulators/llama-server';
import type * as vendor from '../../../lib/vendor';
import { failDnsLookups } from '../../support/servers/failing-dns';
import { startTcpServer } from '../../support/servers/listen';
import process from 'node:process';
import { probe } from '../../../lib/servers/probe';
import { sendChat, connect, getError, fetchStatus } from './client';
import { startProxy } from '../../simulators/proxy-server';
import { useSimulator } from '../../simulators/use-simulator';

/** Waits for a proxy for a second instead of ten. */
jest.mock('../../../lib/vendor', () => {
	const actual = jest.requireActual<typeof vendor>('../../../lib/vendor');
	return {
		...actual,
		TunnelPool: jest.fn(
			(url, options) => new actual.TunnelPool(url, { ...options, headersTimeout: 1_000 }),
		),
	};
});

const start = useSimulator(startLlamaServerSim);
const startForwardProxy = useSimulator(startProxy);

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
const unsetVariables = () => {
	for (const name of VARIABLES) delete process.env[name];
};

beforeEach(unsetVariables);
afterEach(async () => {
	jest.restoreAllMocks();
	unsetVariables();
});
afterAll(() => {
	for (const [name, value] of Object.entries(before))
		if (value !== undefined) process.env[name] = value;
});

describe('proxy variables of the environment', () => {
	test.each(['all_proxy', 'ALL_PROXY'])(
		'%s applies to URLs without a proxy of their scheme',
		async (variable) => {
			const [server, proxy, otherProxy] = [
				await start(),
				await startForwardProxy(),
				await startForwardProxy(),
			];
			process.env[variable] = proxy.url;
			expect((await sendChat(connect(server.url))).error).toBeUndefined();
			expect(proxy.log).toHaveLength(1);
			await closePools();
			process.env.http_proxy = otherProxy.url;
			expect((await sendChat(connect(server.url))).error).toBeUndefined();
			expect([proxy.log.length, otherProxy.log.length]).toEqual([1, 1]);
		},
	);

	test('the proxy password is masked in responses, in every encoding', async () => {
		const server = await start();
		const proxy = await startForwardProxy({ user: 'me:p@ss-4711-Word' });
		process.env.http_proxy = `http://me:p%40ss-4711-Word@127.0.0.1:${proxy.port}`;
		const encoded = Buffer.from('me:p@ss-4711-Word').toString('base64');
		const echo = `password p@ss-4711-Word, URL http://me:p%40ss-4711-Word@proxy, header Basic ${encoded}, JSON {"password":"p\\u0040ss-4711-Word"}`;
		server.route('GET /echo', reply.json({ echo }));
		const { json } = await probe(connect(server.url), '/echo');
		expect(json).toEqual({
			echo: 'password ***, URL http://***@proxy, header Basic ***=, JSON {"password":"***"}',
		});
	});

	test('a proxy that rejects the tunnel', async () => {
		const [server, proxy] = [await start({ tls: true }), await startForwardProxy()];
		process.env.https_proxy = proxy.url;
		const { error } = await sendChat(connect(server.url, { ignoreSslIssues: true }));
		expect(error).toMatchObject({ type: 'proxyError', code: 'HTTP 403' });
	});

	test.each(['http', 'https'])(
		'an unreachable proxy for an %s server: the error names the proxy, not the server',
		async (scheme) => {
			const [server, proxy] = [await start({ tls: scheme === 'https' }), await startForwardProxy()];
			await proxy.close();
			process.env[`${scheme}_proxy`] = proxy.url;
			const { error } = await sendChat(connect(server.url, { ignoreSslIssues: true }));
			expect(error!.type).toBe('proxyError');
			expect(error!.message).toContain(`ECONNREFUSED 127.0.0.1:${proxy.port}`);
			process.env[`${scheme}_proxy`] = 'http://no-such-proxy.invalid:3128';
			failDnsLookups();
			await closePools();
			const unknown = await getError(
				async () =>
					await fetchStatus(connect(server.url, { ignoreSslIssues: true }), `${server.url}/health`),
			);
			expect(unknown!.type).toBe('proxyError');
			expect(unknown!.message).toContain('no-such-proxy.invalid');
		},
	);

	test.each(['ftp', 'socks5'])(
		'a variable with %s also means http, and an error names the proxy',
		async (scheme) => {
			const [server, proxy] = [await start(), await startForwardProxy()];
			await proxy.close();
			process.env.ALL_PROXY = `${scheme}://127.0.0.1:${proxy.port}`;
			expect((await sendChat(connect(server.url))).error!.type).toBe('proxyError');
		},
	);

	test('a proxy that does not respond to CONNECT ends with the connect timeout', async () => {
		const server = await start({ tls: true });
		const hanging = await startTcpServer(() => {});
		process.env.https_proxy = hanging.url;
		const connection = connect(server.url, { ignoreSslIssues: true });
		const errors = [
			(await sendChat(connection)).error,
			await getError(async () => await fetchStatus(connection, `${server.url}/health`)),
		];
		for (const error of errors) {
			expect(error!.type).toBe('proxyError');
			expect(error!.message).toContain('no response to CONNECT');
		}
		await hanging.close();
	});
});
