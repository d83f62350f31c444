import type { EgressFilter } from '../../../lib/http/types';
import { getEgressFilter } from '../../../lib/servers/credential';
import {
	type LlamaServerSim,
	reply,
	type SimOptions,
	startLlamaServerSim,
} from '../../simulators/llama-server';
import { failDnsLookups } from '../../support/failing-dns';
import { FILTER_VARIABLES, filteringHelpers } from '../../support/filtering-helpers';
import { process } from '../../support/node-builtins';
import { ask, connect, failureOf, statusOf } from './client';
import { useSimulator } from '../../simulators/use-simulator';

const startServer = useSimulator(startLlamaServerSim);

const start = async (options: SimOptions = {}): Promise<LlamaServerSim> => {
	const server = await startServer(options);
	return server;
};
afterEach(async () => {
	jest.restoreAllMocks();
});
/** n8n's filter as a node gets it: from the helpers of a real execution context. */
function realFilter(): EgressFilter {
	const filter = getEgressFilter(filteringHelpers());
	expect(filter).toBeDefined();
	return filter!;
}

describe("n8n's own egress filter, switched on", () => {
	let filter: EgressFilter;
	beforeAll(() => {
		Object.assign(process.env, FILTER_VARIABLES);
		filter = realFilter();
	});
	afterAll(() => {
		for (const name of Object.keys(FILTER_VARIABLES)) delete process.env[name];
	});

	test('lets an allowed address through', async () => {
		const server = await start();
		const connection = connect(server.url, { egressFilter: filter });
		expect((await ask(connection)).failed).toBeUndefined();
		expect(await statusOf(connection, `${server.url}/health`)).toBe(200);
	});

	test('refuses a private address before anything is sent', async () => {
		const server = await start({ host: '127.0.0.2' });
		const connection = connect(server.url, { egressFilter: filter });
		for (const failed of [
			(await ask(connection, { maxRetries: 3 })).failed,
			await failureOf(async () => await statusOf(connection, `${server.url}/health`)),
		]) {
			expect(failed).toMatchObject({
				type: 'blockedByPolicy',
				facts: { reason: expect.stringContaining('restricted IP address') as string },
			});
			expect(failed!.message).toContain('blocks "127.0.0.2"');
			expect(failed!.suggestion).toContain('N8N_SSRF_ALLOWED_HOSTNAMES');
		}
		expect(server.connections.accepted).toBe(0);
	});

	test('refuses a host name, even if only the DNS lookup of the connection shows a private address', async () => {
		const server = await start();
		const url = `http://localhost:${server.port}`;
		expect((await ask(connect(url, { egressFilter: filter }))).failed!.type).toBe(
			'blockedByPolicy',
		);
		// As with a name that resolves to another address the second time.
		const late: EgressFilter = {
			validateUrl: async () => await Promise.resolve({ ok: true }),
			createSecureLookup: () => filter.createSecureLookup(),
			validateRedirectSync: () => {},
		};
		expect((await ask(connect(url, { egressFilter: late }))).failed).toMatchObject({
			type: 'blockedByPolicy',
			facts: { reason: expect.stringContaining('hostname is restricted') as string },
		});
		expect(server.connections.accepted).toBe(0);
	});

	test('refuses a redirect to a private address', async () => {
		const [server, other] = [await start(), await start({ host: '127.0.0.2' })];
		server.route('GET /v1/models', reply.redirect(`${other.url}/v1/models`, 302));
		const connection = connect(server.url, { egressFilter: filter });
		const failed = await failureOf(
			async () => await statusOf(connection, `${connection.url.api}/models`),
		);
		expect(failed).toMatchObject({ type: 'blockedByPolicy', url: `${other.url}/v1/models` });
		expect(failed!.message).toContain('"127.0.0.2"');
		expect(other.connections.accepted).toBe(0);
	});

	test('a name that does not exist is reported as such', async () => {
		failDnsLookups();
		const { failed } = await ask(
			connect('http://no-such-host.invalid:8080', { egressFilter: filter }),
		);
		expect(failed!.type).toBe('dnsLookupFailed');
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
				const answer = options.all === true ? [null, [{ address, family: 4 }]] : [null, address, 4];
				(done as unknown as (...args: unknown[]) => void)(...answer);
			},
		validateRedirectSync: () => {},
	});

	test('its DNS lookup is used for connections, and it checks every URL', async () => {
		const server = await start();
		const asked: string[] = [];
		const filter = filterWith(
			() => '127.0.0.1',
			async (url) => {
				asked.push(String(url));
				return await Promise.resolve({ ok: true });
			},
		);
		const url = `http://gpu.test:${server.port}`;
		server.route('GET /health', reply.redirect('/v1/health', 302));
		const connection = connect(url, { egressFilter: filter });
		expect((await ask(connection)).failed).toBeUndefined();
		expect(await statusOf(connection, `${url}/health`)).toBe(200);
		expect(asked).toEqual([`${url}/v1/chat/completions`, `${url}/health`, `${url}/v1/health`]);
		expect(server.requests[0]!.headers.host).toBe(`gpu.test:${server.port}`);
	});

	test('the look-up of the newest execution counts, so that no old execution is kept alive', async () => {
		const server = await start();
		const url = `http://gpu.test:${server.port}`;
		const first = connect(url, { egressFilter: filterWith(() => '127.0.0.9') });
		expect((await ask(first)).failed!.type).toBe('connectionRefused');
		expect(
			(await ask(connect(url, { egressFilter: filterWith(() => '127.0.0.1') }))).failed,
		).toBeUndefined();
	});

	test('case 60: a filter that takes its time is not waited for', async () => {
		const filter = filterWith(
			() => '127.0.0.1',
			async () => await new Promise(() => {}),
		);
		const connection = connect('http://gpu.test', { egressFilter: filter });
		const stop = new AbortController();
		const outcome = ask(connection, { signal: stop.signal });
		stop.abort();
		expect((await outcome).failed!.type).toBe('aborted');
		expect((await ask(connection, { timeouts: { firstTokenMs: 20 } })).failed!.type).toBe(
			'firstTokenTimeout',
		);
	});

	test('another refusal than its own is told as what it is', async () => {
		const filter = filterWith(
			() => '127.0.0.1',
			async () => await Promise.resolve({ ok: false, error: new Error('Invalid URL: x') }),
		);
		const { failed } = await ask(connect('http://gpu.test', { egressFilter: filter }));
		expect(failed!.detail).toContain('Invalid URL: x');
		const silent = filterWith(
			() => '127.0.0.1',
			async () => await Promise.resolve({ ok: false }),
		);
		expect((await ask(connect('http://gpu.test', { egressFilter: silent }))).failed!.type).toBe(
			'blockedByPolicy',
		);
	});
});

test.each([
	['no address', [[], undefined]],
	['nonsense', [[{ address: 'no-address', family: 4 }], undefined]],
])('a look-up of names that gives %s is told as that', async (_name, [addresses]) => {
	const egressFilter = {
		validateUrl: async () => ({ ok: true }),
		createSecureLookup: () => (_host: string, _options: object, done: (...args: never[]) => void) =>
			done(...([null, addresses] as never[])),
		validateRedirectSync: () => undefined,
	};
	const { failed } = await ask(connect('http://faults.test:8080', { egressFilter }));
	expect(failed).toMatchObject({ type: 'dnsLookupFailed' });
	expect(failed!.message).toBe('The host name "faults.test" cannot be resolved');
});
