import fc from 'fast-check';
import {
	type LlamaServerSim,
	reply,
	type SimOptions,
	startLlamaServerSim,
} from '../../servers/llama-server';
import { examples } from '../../support/properties';
import { failDnsLookups } from '../../support/failing-dns';
import { check, finding, ids, SESAME } from './support';
import { useSimulator } from '../../servers/use-simulator';

const startServer = useSimulator(startLlamaServerSim);

async function sim(options: SimOptions = {}): Promise<LlamaServerSim> {
	const server = await startServer(options);
	return server;
}

afterEach(async () => {
	jest.restoreAllMocks();
});

describe('the address (docs/protocols/llama-server.md 9.3, rows 1 to 3)', () => {
	it.each([
		['', 'The Base URL is empty'],
		['ftp://server:21', 'starts with "ftp://"'],
		['http://:8080', 'no host name'],
		['http://server:99999', 'The port "99999"'],
	])('cannot be used: %s', async (baseUrl, text) => {
		const result = await check(baseUrl);
		expect(result).toMatchObject({
			status: 'misconfigured',
			healthy: false,
			url: null,
			server: { kind: 'unknown' },
		});
		expect(finding(result, 'invalidUrl').meaning).toContain(text);
		expect(finding(result, 'invalidUrl').advice).toContain('http://host:port');
	});

	it('a key that cannot be sent is a finding too', async () => {
		const result = await check('http://127.0.0.1:1', {}, { apiKey: 'ключ' });
		expect(result.status).toBe('misconfigured');
		expect(finding(result, 'invalidInput').meaning).toContain('The API Key contains characters');
	});

	it('has a host name that does not exist', async () => {
		failDnsLookups();
		const result = await check('http://no-such-host.invalid:8080');
		expect(result.status).toBe('unreachable');
		expect(finding(result, 'dns')).toMatchObject({
			severity: 'error',
			meaning: 'The host name "no-such-host.invalid" cannot be resolved',
		});
		expect(finding(result, 'dns').observed).toMatch(
			/^GET http:\/\/no-such-host\.invalid:8080\/v1\/models: ENOTFOUND after \d+ ms$/,
		);
	});

	it('host.docker.internal without Docker Desktop: names the option', async () => {
		failDnsLookups();
		const result = await check('http://host.docker.internal:8080');
		expect(result.status).toBe('unreachable');
		expect(finding(result, 'dns').advice).toContain('--add-host=host.docker.internal:host-gateway');
	});
});

describe('nothing listens (rows 3 to 5)', () => {
	it('any more: the server was killed between two checks', async () => {
		const server = await sim();
		expect((await check(server.url)).status).toBe('healthy');
		await server.close();
		const result = await check(server.url);
		expect(result.status).toBe('unreachable');
		expect(finding(result, 'serverExited').meaning).toMatch(
			/^The server answered \d+ s ago and has exited since$/,
		);
		expect(finding(result, 'serverExited').advice).toContain('--ctx-size');
		// A third check knows it still.
		expect(ids(await check(server.url))).toEqual(['serverExited']);
	});

	it('any more, although something was missing before', async () => {
		const server = await sim();
		expect((await check(server.url, { expectations: { model: 'other' } })).status).toBe(
			'misconfigured',
		);
		await server.close();
		expect(ids(await check(server.url))).toEqual(['serverExited']);
	});

	it('and never did: what cannot be reached leaves no memory', async () => {
		const server = await sim({ connections: () => ({ greet: 'SSH-2.0-OpenSSH_9.6\r\n' }) });
		expect((await check(server.url)).status).toBe('misconfigured');
		await server.close();
		expect(ids(await check(server.url))).toEqual(['refused']);
	});

	it('any more: it went away while it was loading its model', async () => {
		const server = await sim({ loadingFor: { ms: 60_000 } });
		expect((await check(server.url)).status).toBe('loading');
		await server.close();
		const result = await check(server.url);
		expect(finding(result, 'exitedWhileLoading').meaning).toMatch(
			/was loading its model \d+ s ago/,
		);
		expect(finding(result, 'exitedWhileLoading').advice).toContain('memory');
	});
});

it('whatever a server answers, a check gives a result with a known status and without the key', async () => {
	const server = await sim();
	const anything = fc.oneof(
		fc.record({
			status: fc.constantFrom(200, 204, 301, 400, 401, 403, 404, 418, 500, 501, 503),
			body: fc.oneof(
				fc.json(),
				fc.string(),
				fc.constant(`{"error":"${SESAME}"}`),
				fc.constant('<html>'),
			),
		}),
		fc.constantFrom('closed' as const, 'reset' as const),
	);
	await fc.assert(
		fc.asyncProperty(fc.array(anything, { minLength: 6, maxLength: 6 }), async (answers) => {
			for (const [at, path] of [
				'/health',
				'/v1/models',
				'/props',
				'/api/version',
				'/version',
				'/metrics',
			].entries()) {
				const answer = answers[at]!;
				server.route(
					`GET ${path}`,
					typeof answer === 'string' ? reply[answer]() : reply.error(answer.status, answer.body),
				);
			}
			const result = await check(server.url, {
				timeLimitMs: 300,
				expectations: { model: 'm', minContext: 5 },
			});
			expect([
				'healthy',
				'degraded',
				'loading',
				'unreachable',
				'unauthorized',
				'misconfigured',
			]).toContain(result.status);
			expect(result.healthy).toBe(result.status === 'healthy');
			expect(result.healthy || result.findings.length > 0).toBe(true);
			expect(JSON.stringify(result)).not.toContain(SESAME);
		}),
		examples(30),
	);
});

it('is cancelled at once', async () => {
	const server = await sim({ connections: () => 'silent' });
	const abort = new AbortController();
	const checked = check(server.url, { signal: abort.signal, timeLimitMs: 3_600_000 });
	abort.abort();
	await expect(checked).rejects.toMatchObject({ kind: 'aborted' });
});
