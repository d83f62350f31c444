import type * as Vendor from '../../lib/vendor';
import { startProxy } from '../simulators/proxy-server';
import { sendJson, useServers } from '../support/servers/scripted-server';
import { createRequire } from 'node:module';
import process from 'node:process';
import { request } from '../support/servers/undici';
import { read } from './sources';

/** The bundle of the build, without some parts of undici. */
const { EnvHttpProxyAgent, Pool, TunnelPool, createParser, nice, ticks, dereference, format } =
	createRequire(`${process.cwd()}/package.json`)('./dist/vendor.js') as typeof Vendor;

const startServer = useServers();

/** A server that echoes the request. */
async function echo(): Promise<string> {
	const { url } = await startServer(({ method, path, text }, response) =>
		sendJson(response, { method, url: path, body: text }),
	);
	return url;
}

async function* pieces(): AsyncGenerator<Uint8Array> {
	for (const piece of ['one ', 'two']) yield await Promise.resolve(Buffer.from(piece));
}

describe('the libraries in the built package', () => {
	it('send requests with a body that is text, JSON or a stream', async () => {
		const base = await echo();
		const dispatcher = new Pool(base);
		for (const [body, seen] of [
			['text', 'text'],
			[pieces(), 'one two'],
			[undefined, ''],
		] as const) {
			const method = body === undefined ? ('GET' as const) : ('POST' as const);
			// Any async iterable, not only Node's streams.
			const answer = await request(`${base}/x`, { dispatcher, method, body: body as string });
			expect(await answer.body.json()).toEqual({ method, url: '/x', body: seen });
		}
		await dispatcher.close();
	});

	it.each([false, true])('go through a proxy, by a tunnel: %s', async (proxyTunnel) => {
		const base = await echo();
		const proxy = await startProxy({ tunnelTo: [Number(new URL(base).port)] });
		const dispatcher = new EnvHttpProxyAgent({
			httpProxy: proxy.url,
			noProxy: '',
			proxyTunnel,
			clientFactory: (address, options) => new TunnelPool(address, options),
		});
		const answer = await request(`${base}/through`, { dispatcher });
		expect(await answer.body.json()).toMatchObject({ url: '/through' });
		expect(proxy.log.map(({ method }) => method)).toEqual([proxyTunnel ? 'CONNECT' : 'GET']);
		await dispatcher.close();
		await proxy.close();
	});

	it('end a request that is stopped', async () => {
		const { url: base } = await startServer(() => undefined);
		const dispatcher = new Pool(base);
		const stop = new AbortController();
		const response = request(base, { dispatcher, signal: stop.signal });
		stop.abort();
		await expect(response).rejects.toThrow(/abort/i);
		await dispatcher.destroy();
	});

	it('place the ticks of a plot', () => {
		expect(nice(0, 83, 5)).toEqual([0, 100]);
		expect(ticks(0, 100, 5)).toEqual([0, 20, 40, 60, 80, 100]);
	});

	it('read events and schemas', () => {
		const events: string[] = [];
		createParser({ onEvent: ({ data }) => events.push(data) }).feed('data: a\n\n');
		expect(events).toEqual(['a']);
		expect(Object.keys(dereference({ type: 'number' }))).toHaveLength(1);
		expect(format).toHaveProperty('date-time');
	});
});

it('the libraries that security.md lists are those that are bundled, and the reverse', () => {
	const sentence = /`dependencies` is empty\. ([^]*?) are\s+bundled/.exec(
		read('docs/security.md'),
	)![1]!;
	const listed = sentence
		.replace(/\(.*?\)/g, '')
		.split(/,|\band\b/)
		.map((name) => name.trim());
	const imported = [...read('lib/vendor.ts').matchAll(/from '([^']+)'/g)]
		.map(([, path]) => path!)
		.filter((path) => !path.startsWith('node:'))
		.map((path) => /^(?:@[^/]+\/)?[^/]+/.exec(path)![0]);
	expect(new Set(listed)).toEqual(new Set(imported));
});
