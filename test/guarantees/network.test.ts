/** Promises to users. Connections: ways to the server. */
import { build } from 'esbuild';

import { CHAT, LLAMA_SERVER, text } from './support/responses';
import { chatModel, failureOf, modelList, run } from './support/node-runner';
import { json, useServers } from '../support/servers/scripted-server';
import type { Routes, ServerOptions } from '../support/servers/scripted-server';
import { startProxy } from '../simulators/proxy-server';
import type { ProxyOptions, ProxyServer } from '../simulators/proxy-server';
import { FILTER_VARIABLES, filteringHelpers } from '../support/n8n/filtering-helpers';
import * as childProcess from 'node:child_process';
import * as fs from 'node:fs';
import * as net from 'node:net';
import * as os from 'node:os';
import path from 'node:path';
import process from 'node:process';

const start = useServers();
const EMBED = '/v1/embeddings';
const ROUTES: Routes = {
	...LLAMA_SERVER,
	[`POST ${CHAT}`]: text('Hello there.'),
	[`POST ${EMBED}`]: json({ data: [{ index: 0, embedding: [0.5, 0.5] }] }),
};
const serve = async (options?: ServerOptions) => await start(ROUTES, options);

/** A chat, a short request and a list, which may go different ways. */
async function requestAll(url: string, credentials: Record<string, string | boolean> = {}) {
	const { supplied } = await chatModel(url, { credentials });
	const { content } = await supplied.invoke('Hi');
	const [item] = await run(url, 'vector:embed', {
		parameters: { text: 'a' },
		credentials: { baseUrl: url, ...credentials },
	});
	const { results } = await modelList(url, credentials);
	return [content, item!.json.output, results.map(({ value }) => value)];
}
const ALL = ['Hello there.', [0.5, 0.5], ['sim-model']];

describe('localhost', () => {
	/** As many systems resolve the name, whatever this one does. */
	const resolving = (...addresses: Array<[address: string, family: number]>) => ({
		validateUrl: async () => ({ ok: true }),
		validateRedirectSync: () => {},
		createSecureLookup:
			() => (_name: string, options: { all?: boolean }, done: (...found: unknown[]) => void) => {
				const found = addresses.map(([address, family]) => ({ address, family }));
				if (options.all === true) done(null, found);
				else done(null, ...addresses[0]!);
			},
	});
	const V4: [string, number] = ['127.0.0.1', 4];
	const V6: [string, number] = ['::1', 6];

	beforeEach(() => net.setDefaultAutoSelectFamily(false));
	afterEach(() => net.setDefaultAutoSelectFamily(true));

	test.each([
		['127.0.0.1', [V6, V4]],
		['::1', [V4, V6]],
	])(
		'reaches a server on %s, although n8n turns the choice of the family off',
		async (host, order) => {
			const server = await serve({ host });
			const helpers = { getSecureEgressFilter: () => resolving(...order) };
			const url = `http://localhost:${server.port}`;
			const { supplied } = await chatModel(url, { context: { helpers } });
			expect((await supplied.invoke('Hi')).content).toBe('Hello there.');
			const embedded = await run(url, 'vector:embed', {
				parameters: { text: 'a' },
				context: { helpers },
			});
			expect(embedded).toHaveLength(1);
		},
	);
});

describe('a proxy from the environment', () => {
	const NAMES = ['http_proxy', 'HTTP_PROXY', 'https_proxy', 'HTTPS_PROXY', 'no_proxy', 'NO_PROXY'];
	let proxy: ProxyServer;
	const throughProxy = async (variables: string[], options?: ProxyOptions) => {
		proxy = await startProxy(options);
		for (const name of variables) process.env[name] = proxy.url;
	};
	afterEach(async () => {
		for (const name of NAMES) delete process.env[name];
		await proxy.close();
	});

	test.each(['http_proxy', 'HTTP_PROXY'])(
		'%s: plain http in absolute form, as squid takes it',
		async (name) => {
			const server = await serve();
			await throughProxy([name]);
			expect(await requestAll(server.url)).toEqual(ALL);
			expect(proxy.log.filter(({ method }) => method === 'CONNECT')).toEqual([]);
			expect(proxy.log.map(({ target }) => target)).toEqual(
				expect.arrayContaining([`${server.url}${CHAT}`, `${server.url}${EMBED}`]),
			);
			expect(proxy.log).toHaveLength(server.requests.length);
		},
	);

	test.each(['https_proxy', 'HTTPS_PROXY'])('%s: https through a tunnel', async (name) => {
		const server = await serve({ tls: true });
		await throughProxy([name], { tunnelTo: [server.port] });
		expect(await requestAll(server.url, { ignoreSslIssues: true })).toEqual(ALL);
		expect(proxy.log).not.toEqual([]);
		expect(new Set(proxy.log.map(({ method, target }) => `${method} ${target}`))).toEqual(
			new Set([`CONNECT 127.0.0.1:${server.port}`]),
		);
	});

	test.each([
		['no_proxy', '127.0.0.1'],
		['NO_PROXY', 'other.lan, 127.0.0.1'],
		['no_proxy', '*'],
	])('%s=%s: not used', async (name, hosts) => {
		const server = await serve();
		await throughProxy(['http_proxy', 'HTTP_PROXY']);
		process.env[name] = hosts;
		expect(await requestAll(server.url)).toEqual(ALL);
		expect(proxy.accepted).toBe(0);
	});

	test('a URL without a scheme is read as http, like in n8n', async () => {
		const server = await serve();
		await throughProxy([]);
		process.env.http_proxy = proxy.url.replace('http://', '');
		expect(await requestAll(server.url)).toEqual(ALL);
		expect(proxy.log).toHaveLength(server.requests.length);
	});

	test('its password is sent only to the proxy, and errors name a proxy that rejects', async () => {
		const server = await serve();
		await throughProxy([], { user: 'me:pass-word' });
		process.env.http_proxy = proxy.url.replace('//', '//me:pass-word@');
		expect(await requestAll(server.url)).toEqual(ALL);
		expect(JSON.stringify(server.requests)).not.toContain('proxy-authorization');
		process.env.http_proxy = proxy.url.replace('//', '//me:wrong-word@');
		const failed = await failureOf(requestAll((await serve()).url));
		expect(failed.message).toMatch(/proxy/i);
		expect(`${failed.message} ${failed.description}`).not.toContain('wrong-word');
	});
});

describe('a certificate of a custom CA', () => {
	test('is rejected with a suggestion, and accepted if the user allows it', async () => {
		const server = await serve({ tls: true });
		const failed = await failureOf(requestAll(server.url));
		expect(failed.description).toContain('NODE_EXTRA_CA_CERTS');
		expect(server.requests).toEqual([]);
		expect(await requestAll(server.url, { ignoreSslIssues: true })).toEqual(ALL);
	});

	test('is trusted if NODE_EXTRA_CA_CERTS names the CA', async () => {
		const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'custom-ca-'));
		const child = path.join(folder, 'child.cjs');
		await build({
			entryPoints: [path.join(process.cwd(), 'test/guarantees/support/custom-ca.child.ts')],
			outfile: child,
			bundle: true,
			platform: 'node',
			format: 'cjs',
			keepNames: true,
			external: ['n8n-workflow'],
			logLevel: 'error',
		});
		const { url } = await serve({ tls: true });
		const env = {
			...process.env,
			NODE_PATH: path.join(process.cwd(), 'node_modules'),
			NODE_EXTRA_CA_CERTS: path.join(process.cwd(), 'test/fixtures/tls/cert.pem'),
		};
		const output = await new Promise<string>((resolve) => {
			childProcess.execFile(process.execPath, [child, url], { env }, (_error, stdout, stderr) =>
				resolve(stdout + stderr),
			);
		});
		fs.rmSync(folder, { recursive: true, force: true });
		expect(output).toBe('[0.5,0.5]');
	});
});

describe("n8n's egress filter", () => {
	let helpers: object;
	beforeAll(() => {
		Object.assign(process.env, FILTER_VARIABLES);
		helpers = filteringHelpers();
	});
	afterAll(() => {
		for (const name of Object.keys(FILTER_VARIABLES)) delete process.env[name];
	});
	const chatWith = async (url: string) =>
		await (await chatModel(url, { context: { helpers } })).supplied.invoke('Hi');
	const embedded = async (url: string) =>
		await run(url, 'vector:embed', { parameters: { text: 'a' }, context: { helpers } });

	test('lets an allowed address through', async () => {
		const { url } = await serve();
		expect((await chatWith(url)).content).toBe('Hello there.');
		expect(await embedded(url)).toHaveLength(1);
	});

	test('rejects an IP address and a name before anything is sent, and is named in the error', async () => {
		const server = await serve({ host: '127.0.0.2' });
		const namedServer = await serve();
		for (const url of [server.url, `http://localhost:${namedServer.port}`]) {
			for (const ask of [chatWith, embedded]) {
				expect((await failureOf(ask(url))).description).toContain('N8N_SSRF_ALLOWED_HOSTNAMES');
			}
		}
		expect([...server.requests, ...namedServer.requests]).toEqual([]);
	});

	test('rejects a redirect to such an address', async () => {
		const other = await serve({ host: '127.0.0.2' });
		const moved = json({}, 302, { location: `${other.url}/v1/models` });
		const { url } = await start({ 'GET /v1/models': moved });
		const work = run(url, 'model:getAll', { context: { helpers } });
		const { message, description } = await failureOf(work);
		expect(`${message} ${description}`).toContain('127.0.0.2');
		expect(other.requests).toEqual([]);
	});
});
