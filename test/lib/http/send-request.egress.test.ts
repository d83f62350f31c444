import type { EgressFilter } from '../../../lib/http/types';
import { createModelServer } from '../../../lib/servers/endpoint';
import { reply, startLlamaServerSim } from '../../simulators/llama-server';
import { NO_EXECUTION } from '../../support/n8n/node-host';
import { FILTER_VARIABLES, filteringHelpers } from '../../support/n8n/filtering-helpers';
import process from 'node:process';
import { sendChat, connect, fetchStatus, getError } from './client';
import { useSimulator } from '../../simulators/use-simulator';

const start = useSimulator(startLlamaServerSim);

afterEach(() => jest.restoreAllMocks());
/** n8n's filter from the helpers of a real execution context. */
function realFilter(): EgressFilter {
	const filter = createModelServer(
		{ baseUrl: 'http://host' },
		{ ...NO_EXECUTION, helpers: filteringHelpers() },
	).egressFilter;
	expect(filter).toBeDefined();
	return filter!;
}

describe("n8n's own egress filter, enabled", () => {
	let filter: EgressFilter;
	beforeAll(() => {
		Object.assign(process.env, FILTER_VARIABLES);
		filter = realFilter();
	});
	afterAll(() => {
		for (const name of Object.keys(FILTER_VARIABLES)) delete process.env[name];
	});

	test('blocks a host name even if only the DNS lookup of the connection returns a private address', async () => {
		const server = await start();
		const url = `http://localhost:${server.port}`;
		expect((await sendChat(connect(url, { egressFilter: filter }))).error!.type).toBe(
			'blockedByPolicy',
		);
		// As with a name that resolves to another address the second time.
		const permissive: EgressFilter = {
			validateUrl: async () => await Promise.resolve({ ok: true }),
			createSecureLookup: () => filter.createSecureLookup(),
			validateRedirectSync: () => {},
		};
		expect((await sendChat(connect(url, { egressFilter: permissive }))).error).toMatchObject({
			type: 'blockedByPolicy',
			facts: { reason: expect.stringContaining('hostname is restricted') as string },
		});
		expect(server.connections.accepted).toBe(0);
	});
});

describe('any egress filter', () => {
	const filterWith = (
		lookup: (hostname: string) => string,
		validateUrl: EgressFilter['validateUrl'] = async () => await Promise.resolve({ ok: true }),
	): EgressFilter => ({
		validateUrl,
		createSecureLookup:
			() => (hostname: string, options: { all?: boolean }, done: (...args: never[]) => void) => {
				const address = lookup(hostname);
				const result = options.all === true ? [null, [{ address, family: 4 }]] : [null, address, 4];
				(done as unknown as (...args: unknown[]) => void)(...result);
			},
		validateRedirectSync: () => {},
	});

	test('a redirect that it blocks is not followed, and its reason is told', async () => {
		const server = await start();
		const url = `http://gpu.test:${server.port}`;
		server.route('GET /health', reply.redirect('/v1/health', 302));
		const checked: string[] = [];
		const filter: EgressFilter = {
			...filterWith(() => '127.0.0.1'),
			validateRedirectSync: (target) => {
				checked.push(target);
				throw Object.assign(new Error('blocked'), { name: 'SsrfBlockedIpError' });
			},
		};
		const error = await getError(
			async () => await fetchStatus(connect(url, { egressFilter: filter }), `${url}/health`),
		);
		expect(error).toMatchObject({
			type: 'blockedByPolicy',
			url: `${url}/v1/health`,
			facts: { reason: 'blocked' },
		});
		expect(checked).toEqual([`${url}/v1/health`]);
		expect(server.requests.map(({ path }) => path)).toEqual(['/health']);
	});

	test('its DNS lookup is used for connections, and it checks every URL', async () => {
		const server = await start();
		const checkedUrls: string[] = [];
		const filter = filterWith(
			() => '127.0.0.1',
			async (url) => {
				checkedUrls.push(String(url));
				return await Promise.resolve({ ok: true });
			},
		);
		const url = `http://gpu.test:${server.port}`;
		server.route('GET /health', reply.redirect('/v1/health', 302));
		const connection = connect(url, { egressFilter: filter });
		expect((await sendChat(connection)).error).toBeUndefined();
		expect(await fetchStatus(connection, `${url}/health`)).toBe(200);
		expect(checkedUrls).toEqual([
			`${url}/v1/chat/completions`,
			`${url}/health`,
			`${url}/v1/health`,
		]);
		expect(server.requests[0]!.headers.host).toBe(`gpu.test:${server.port}`);
	});

	test('the DNS lookup of the newest execution is used, so that older executions are released', async () => {
		const server = await start();
		const url = `http://gpu.test:${server.port}`;
		const first = connect(url, { egressFilter: filterWith(() => '127.0.0.9') });
		expect((await sendChat(first)).error!.type).toBe('connectionRefused');
		expect(
			(await sendChat(connect(url, { egressFilter: filterWith(() => '127.0.0.1') }))).error,
		).toBeUndefined();
	});

	test('Stop and timeouts end the wait for a slow filter', async () => {
		const filter = filterWith(
			() => '127.0.0.1',
			async () => await new Promise(() => {}),
		);
		const connection = connect('http://gpu.test', { egressFilter: filter });
		const stop = new AbortController();
		const chat = sendChat(connection, { signal: stop.signal });
		stop.abort();
		expect((await chat).error!.type).toBe('aborted');
		expect((await sendChat(connection, { timeouts: { firstTokenMs: 20 } })).error!.type).toBe(
			'firstTokenTimeout',
		);
	});

	test('an error of the filter is reported, and a block without a reason, too', async () => {
		const filter = filterWith(
			() => '127.0.0.1',
			async () => await Promise.resolve({ ok: false, error: new Error('Invalid URL: x') }),
		);
		const { error } = await sendChat(connect('http://gpu.test', { egressFilter: filter }));
		expect(error!.detail).toContain('Invalid URL: x');
		const withoutReason = filterWith(
			() => '127.0.0.1',
			async () => await Promise.resolve({ ok: false }),
		);
		expect(
			(await sendChat(connect('http://gpu.test', { egressFilter: withoutReason }))).error!.type,
		).toBe('blockedByPolicy');
	});
});

test.each([
	['no address', [[], undefined]],
	['an invalid address', [[{ address: 'no-address', family: 4 }], undefined]],
])('a DNS lookup that returns %s is reported as failed', async (_name, [addresses]) => {
	const egressFilter = {
		validateUrl: async () => ({ ok: true }),
		createSecureLookup: () => (_host: string, _options: object, done: (...args: never[]) => void) =>
			done(...([null, addresses] as never[])),
		validateRedirectSync: () => undefined,
	};
	const { error } = await sendChat(connect('http://faults.test:8080', { egressFilter }));
	expect(error).toMatchObject({ type: 'dnsLookupFailed' });
	expect(error!.message).toBe('The host name "faults.test" cannot be resolved');
});
