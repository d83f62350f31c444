import fc from 'fast-check';

import { checkServer, forgetChecks } from '../../../lib/health/check';
import { TIME_LIMIT_MS } from '../../../lib/health/probes';
import { modelServerTarget } from '../../../nodes/ServerHealth/target';
import {
	type LlamaServerSim,
	reply,
	type SimOptions,
	startLlamaServerSim,
	startSilentServer,
} from '../../servers/llama-server';
import { examples } from '../../support/properties';
import { process } from '../../support/node';
import { closedPort } from '../../support/listening';
import { findNoNames } from '../../support/names';
import { AT_ONCE_MS } from '../../support/time';
import { check, finding, ids, SESAME } from './support';
import { useSimulator } from '../../servers/use-simulator';

const startServer = useSimulator(startLlamaServerSim);
const startSilent = useSimulator(startSilentServer);

async function sim(options: SimOptions = {}): Promise<LlamaServerSim> {
	const server = await startServer(options);
	return server;
}

beforeEach(forgetChecks);
afterEach(async () => {
	jest.restoreAllMocks();
});
const NGINX_502 =
	'<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx/1.24.0</center>\r\n</body>\r\n</html>\r\n';

describe('the address (docs/protocols/llama-server.md 9.3, rows 1 to 3)', () => {
	it.each([
		['', 'The Base URL is empty'],
		['ftp://server:21', 'starts with "ftp://"'],
		['http://:8080', 'no host name'],
		['http://server:99999', 'The port "99999"'],
	])('cannot be used: %s', async (baseUrl, text) => {
		const result = await check(baseUrl);
		expect(result).toMatchObject({ status: 'misconfigured', healthy: false, url: null, server: { kind: 'unknown' } });
		expect(finding(result, 'invalidUrl').meaning).toContain(text);
		expect(finding(result, 'invalidUrl').advice).toContain('http://host:port');
	});

	it('a key that cannot be sent is a finding too', async () => {
		const result = await check('http://127.0.0.1:1', {}, { apiKey: 'ключ' });
		expect(result.status).toBe('misconfigured');
		expect(finding(result, 'invalidInput').meaning).toContain('The API Key contains characters');
	});

	it('has a host name that does not exist', async () => {
		findNoNames();
		const result = await check('http://no-such-host.invalid:8080');
		expect(result.status).toBe('unreachable');
		expect(finding(result, 'dns')).toMatchObject({
			severity: 'error',
			meaning: 'The host name "no-such-host.invalid" cannot be resolved',
		});
		expect(finding(result, 'dns').observed).toMatch(
			/^GET http:\/\/no-such-host\.invalid:8080\/health: ENOTFOUND after \d+ ms$/,
		);
	});

	it('host.docker.internal without Docker Desktop: names the option', async () => {
		findNoNames();
		const result = await check('http://host.docker.internal:8080');
		expect(result.status).toBe('unreachable');
		expect(finding(result, 'dns').advice).toContain('--add-host=host.docker.internal:host-gateway');
	});
});

describe('nothing listens (rows 3 to 5)', () => {
	it('on a closed port of this machine: localhost in Docker is the container', async () => {
		const port = await closedPort();
		const result = await check(`http://127.0.0.1:${port}`);
		expect(result).toMatchObject({ status: 'unreachable', latencyMs: null, models: [] });
		expect(finding(result, 'refused').observed).toContain('ECONNREFUSED');
		expect(finding(result, 'refused').advice).toContain(`http://host.docker.internal:${port}`);
		expect(finding(result, 'refused').advice).toContain('--host 0.0.0.0');
	});

	it('on another machine: not started, another port, or bound to 127.0.0.1 only', async () => {
		// An address of the loopback network that a server bound to 127.0.0.1 does not answer at: the very mistake that is meant.
		const server = await sim();
		const result = await check(`http://127.0.0.2:${server.port}`);
		expect(result.status).toBe('unreachable');
		expect(ids(result)).toEqual(['refused']);
	});

	it('a check finds the machine that runs the container, without sending it the key', async () => {
		const onHost = await sim({ apiKey: SESAME });
		const port = await closedPort();
		const target = modelServerTarget({ baseUrl: `http://127.0.0.1:${port}`, apiKey: SESAME });
		const asked: string[] = [];
		const result = await checkServer({
			...target,
			connectElsewhere: (baseUrl, more) => {
				asked.push(baseUrl);
				return target.connectElsewhere(onHost.url, more);
			},
		});
		expect(asked).toEqual([`http://host.docker.internal:${port}`]);
		expect(onHost.requests.map(({ path, headers }) => [path, headers.authorization])).toEqual([['/health', undefined]]);
		expect(finding(result, 'refused').advice).toMatch(
			new RegExp(`^Type http://host\\.docker\\.internal:${port} as base URL: there the server answers\\.`),
		);
	});

	it('any more: the server was killed between two checks', async () => {
		const server = await sim();
		expect((await check(server.url)).status).toBe('healthy');
		await server.close();
		const result = await check(server.url);
		expect(result.status).toBe('unreachable');
		expect(finding(result, 'serverExited').meaning).toMatch(/^The server answered \d+ s ago and has exited since$/);
		expect(finding(result, 'serverExited').advice).toContain('--ctx-size');
		// A third check knows it still.
		expect(ids(await check(server.url))).toEqual(['serverExited']);
	});

	it('any more, although something was missing before', async () => {
		const server = await sim();
		expect((await check(server.url, { expectations: { vision: true } })).status).toBe('misconfigured');
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
		expect(finding(result, 'exitedWhileLoading').meaning).toMatch(/was loading its model \d+ s ago/);
		expect(finding(result, 'exitedWhileLoading').advice).toContain('memory');
	});
});

describe('the way there (rows 6 to 11)', () => {
	it('drops packets: names the firewall and the port, in less than 3 seconds', async () => {
		const silent = await startSilent();
		const startedAt = Date.now();
		// The limits that the node has by itself.
		const result = await checkServer(modelServerTarget({ baseUrl: silent.url, apiKey: SESAME }));
		expect(Date.now() - startedAt).toBeLessThan(AT_ONCE_MS);
		expect(TIME_LIMIT_MS).toBeLessThan(3000);
		await silent.close();
		expect(result.status).toBe('unreachable');
		// A machine that stood still just then may have come to the limit of the whole before that of connecting.
		expect(['connectTimeout', 'noAnswer']).toEqual(expect.arrayContaining(ids(result)));
		expect(result.findings[0]!.advice).toContain(`ufw allow ${silent.port}/tcp`);
	});

	it('takes the connection and never answers', async () => {
		const server = await sim({ connections: () => 'silent' });
		const startedAt = Date.now();
		const result = await check(server.url, { timeLimitMs: 2000 });
		expect(Date.now() - startedAt).toBeLessThan(AT_ONCE_MS);
		expect(result.status).toBe('unreachable');
		expect(finding(result, 'noAnswer').advice).toMatch(/frozen.*port forward.*ufw allow/);
	});

	it('has no route', async () => {
		const result = await check('http://255.255.255.255:8080');
		expect(result.status).toBe('unreachable');
		expect(finding(result, 'unreachable').meaning).toBe('There is no route to "255.255.255.255"');
	});

	it('https is typed, http is spoken: names the right address, which it tried', async () => {
		const server = await sim();
		// The server waits for the rest of what it takes for a request: only the limit of connecting ends that.
		const result = await check(server.url.replace('http:', 'https:'), { timeLimitMs: 8000 });
		expect(result.status).toBe('misconfigured');
		expect(finding(result, 'tlsMismatch').advice).toMatch(
			new RegExp(`^Type ${server.url} as base URL: there the server answers\\.`),
		);
		expect(server.requests.some(({ headers }) => headers.authorization !== undefined)).toBe(false);
	});

	it('http is typed, https is spoken: names the right address', async () => {
		const server = await sim({ tls: true });
		const result = await check(server.url.replace('https:', 'http:'));
		expect(result.status).toBe('misconfigured');
		expect(finding(result, 'tlsMismatch').meaning).toBe('The server wants https on this port');
		expect(finding(result, 'tlsMismatch').advice).toMatch(
			new RegExp(`^Type ${server.url} as base URL: there the server answers\\.`),
		);
	});

	it('http is typed to an nginx that wants https', async () => {
		const server = await sim();
		const page =
			'<html>\n<head><title>400 The plain HTTP request was sent to HTTPS port</title></head>\n<body><center><h1>400 Bad Request</h1></center></body>\n</html>';
		for (const path of ['/health', '/v1/models', '/props', '/api/version', '/version', '/metrics'])
			server.route(`GET ${path}`, reply.html(400, page));
		const result = await check(server.url);
		expect(result.status).toBe('misconfigured');
		expect(finding(result, 'tlsMismatch').advice).toContain(`https://127.0.0.1:${server.port}`);
	});

	it.each(['fin', 'rst'] as const)('closes the connection at once (%s)', async (how) => {
		const server = await sim({ connections: () => how });
		const result = await check(server.url);
		expect(result.status).toBe('unreachable');
		expect(finding(result, 'closedBeforeAnswer').advice).toMatch(/crashed.*wants https/);
	});

	it('does not speak HTTP', async () => {
		const server = await sim({ connections: () => ({ greet: 'SSH-2.0-OpenSSH_9.6\r\n' }) });
		const result = await check(server.url);
		expect(result.status).toBe('misconfigured');
		expect(finding(result, 'notHttp').advice).toContain('Check the port');
	});

	it('shows a self-signed certificate; the credential can allow it', async () => {
		const server = await sim({ tls: true });
		const result = await check(server.url);
		expect(result.status).toBe('misconfigured');
		expect(finding(result, 'tlsUntrusted').meaning).toContain('DEPTH_ZERO_SELF_SIGNED_CERT');
		expect(finding(result, 'tlsUntrusted').advice).toContain('NODE_EXTRA_CA_CERTS');
		expect((await check(server.url, {}, { ignoreSslIssues: true })).status).toBe('healthy');
	});

	it("leads through a proxy of n8n's environment that does not answer", async () => {
		const server = await sim();
		const port = await closedPort();
		const before = { ...process.env };
		process.env.HTTP_PROXY = process.env.http_proxy = `http://127.0.0.1:${port}`;
		process.env.NO_PROXY = process.env.no_proxy = '';
		try {
			const result = await check(server.url);
			expect(result.status).toBe('misconfigured');
			expect(finding(result, 'proxy').advice).toContain('NO_PROXY');
		} finally {
			for (const name of ['HTTP_PROXY', 'http_proxy', 'NO_PROXY', 'no_proxy']) {
				if (before[name] === undefined) delete process.env[name];
				else process.env[name] = before[name];
			}
		}
	});

	it("is blocked by n8n's protection against requests to private addresses", async () => {
		const blocked = Object.assign(new Error('blocked'), { name: 'SsrfBlockedIpError' });
		const helpers = {
			getSecureEgressFilter: () => ({
				validateUrl: async () => ({ ok: false, error: blocked }),
				createSecureLookup: () => () => {},
				validateRedirectSync: () => {},
			}),
		};
		const result = await checkServer(modelServerTarget({ baseUrl: 'http://10.0.0.5:8080', apiKey: SESAME }, helpers));
		expect(result.status).toBe('misconfigured');
		expect(finding(result, 'blockedByPolicy').advice).toMatch(/N8N_SSRF_ALLOWED_HOSTNAMES|N8N_SSRF_ALLOWED_IP_RANGES/);
	});
});

describe('the server refuses (rows 12 to 16)', () => {
	it('wrong key: up, but the key is refused, and the key appears nowhere', async () => {
		const server = await sim({ apiKey: 'another' });
		const result = await check(server.url);
		expect(result).toMatchObject({ status: 'unauthorized', server: { kind: 'llamaServer' } });
		expect(finding(result, 'unauthorized').observed).toMatch(
			/\/health: HTTP 200; GET .*\/v1\/models: HTTP 401, "Invalid API Key"/,
		);
		expect(finding(result, 'unauthorized').advice).toContain('--api-key');
		expect(JSON.stringify(result)).not.toContain(SESAME);
	});

	it('missing key', async () => {
		const server = await sim({ apiKey: SESAME });
		const result = await check(server.url, {}, { apiKey: '' });
		expect(result.status).toBe('unauthorized');
		expect(finding(result, 'unauthorized').meaning).toBe('The server wants an API key, and the credential has none');
	});

	it('a key that a server echoes appears nowhere', async () => {
		const server = await sim();
		server.route('GET /v1/models', reply.error(401, { error: `Invalid key ${SESAME}` }));
		const result = await check(server.url);
		expect(result.status).toBe('unauthorized');
		expect(JSON.stringify(result)).not.toContain(SESAME);
		expect(finding(result, 'unauthorized').observed).toContain('Invalid key ***');
	});

	it('still loading, also with a wrong key', async () => {
		const server = await sim({ apiKey: 'another', loadingFor: { ms: 60_000 } });
		const result = await check(server.url);
		expect(result).toMatchObject({ status: 'loading', server: { kind: 'llamaServer' } });
		expect(finding(result, 'loading').observed).toContain('HTTP 503, "Loading model"');
		expect(finding(result, 'loading').advice).toContain('Wait Until Ready');
	});

	it.each([502, 503, 504])('nginx answers %d: the proxy is up, the server behind it is down', async (status) => {
		const server = await sim();
		for (const path of ['/health', '/v1/models', '/props', '/api/version', '/version', '/metrics'])
			server.route(`GET ${path}`, reply.html(status, NGINX_502));
		const result = await check(server.url);
		expect(result.status).toBe('unreachable');
		expect(finding(result, 'gateway').meaning).toBe(
			`A proxy answers with ${status}, but the model server behind it does not answer`,
		);
	});

	it('a prefix is missing, or one too many is typed: names the address that works', async () => {
		const server = await sim();
		const result = await check(`${server.url}/v1/v1`);
		expect(result.status).toBe('misconfigured');
		expect(finding(result, 'wrongPath').observed).toContain('File Not Found');
		expect(finding(result, 'wrongPath').advice).toMatch(
			new RegExp(`^Type ${server.url} as base URL: there the API answers\\.`),
		);
	});

	it('the server has a prefix that is not typed', async () => {
		const server = await sim({ apiPrefix: '/llm' });
		const result = await check(server.url);
		expect(result.status).toBe('misconfigured');
		expect(finding(result, 'wrongPath').advice).toContain('--api-prefix');
		expect((await check(`${server.url}/llm`)).status).toBe('healthy');
	});

	it('413', async () => {
		const server = await sim();
		server.route(
			'GET /v1/models',
			reply.html(413, '<html><head><title>413 Request Entity Too Large</title></head></html>'),
		);
		const result = await check(server.url);
		expect(result.healthy).toBe(false);
		expect(finding(result, 'tooLarge').advice).toContain('client_max_body_size');
	});

	it('429 and 500', async () => {
		const server = await sim();
		server.route('GET /v1/models', reply.error(429, { error: { message: 'Too many' } }));
		expect((await check(server.url)).findings[0]).toMatchObject({ id: 'busy', severity: 'error' });
		server.route('GET /v1/models', reply.llamaError(500, 'out of luck'));
		const result = await check(server.url);
		expect(result).toMatchObject({ status: 'degraded', findings: [{ id: 'serverError' }] });
		expect(result.findings[0]!.observed).toContain('out of luck');
	});
});

describe('no API (rows 17 and 18)', () => {
	it('a web front end answers everything with its page: finds the API beside it', async () => {
		const server = await sim();
		const page = '<!doctype html><html><head><title>Open WebUI</title></head><body></body></html>';
		for (const path of ['/health', '/v1/models', '/props', '/api/version', '/version', '/metrics'])
			server.route(`GET ${path}`, reply.html(200, page));
		const alone = await check(server.url);
		expect(alone).toMatchObject({ status: 'misconfigured', server: { kind: 'unknown' } });
		expect(finding(alone, 'notAnApi').meaning).toBe('A web page answers here, not the API');
		server.route('GET /api/models', reply.error(401, { detail: 'Not authenticated' }));
		expect(finding(await check(server.url), 'notAnApi').advice).toMatch(
			new RegExp(`^Type ${server.url}/api as base URL: there the API answers\\.`),
		);
	});

	it('a redirect to a login page of another address', async () => {
		const login = await sim();
		login.route('GET /login', reply.html(200, '<!doctype html><title>Sign in</title>'));
		const server = await sim();
		server.route('GET /v1/models', reply.redirect(`${login.url}/login`, 302));
		const result = await check(server.url);
		expect(finding(result, 'notAnApi').observed).toContain(`HTTP 200 from ${login.url}/login`);
		expect(login.requests[0]?.headers.authorization).toBeUndefined();
	});

	it('JSON, but of something else', async () => {
		const server = await sim({ profile: 'fastapi' });
		server.route('GET /v1/models', reply.json({ hello: 'world' }));
		const result = await check(server.url);
		expect(result.status).toBe('misconfigured');
		expect(ids(result)).toEqual(['invalidAnswer']);
	});
});

describe('answers without being able to work (row 26)', () => {
	it.each([
		['/metrics', { metrics: true }, {}],
		['/slots', {}, { readSlots: true }],
	])('/health answers, %s does not: stuck', async (path, options, more) => {
		const server = await sim({ apiKey: SESAME, ...options });
		server.route(`GET ${path}`, reply.silence());
		const result = await check(server.url, { timeLimitMs: 2000, ...more });
		expect(result).toMatchObject({ status: 'degraded', healthy: false, server: { kind: 'llamaServer' } });
		expect(result.findings[0]!.id).toBe('stuck');
		expect(finding(result, 'stuck').observed).toMatch(
			new RegExp(`${path}: no answer after \\d+ ms; GET .*/health: HTTP 200`),
		);
		expect(finding(result, 'stuck').advice).toContain('GPU hangs');
	});

	it.each([
		[
			'/metrics',
			{ metrics: true },
			{},
			(step: number) => `llamacpp:requests_processing 1\nllamacpp:n_decode_total ${step}\n`,
		],
		[
			'/slots',
			{},
			{ readSlots: true },
			(step: number) =>
				JSON.stringify([
					{ id: 0, is_processing: true, id_task: 3, n_prompt_tokens_processed: 5, next_token: [{ n_decoded: step }] },
				]),
		],
	])(
		'everything answers, but the counters of %s stand still while a request runs: stuck',
		async (path, options, more, counters) => {
			const server = await sim({ apiKey: SESAME, ...options });
			const at = async (step: number, seconds: number) => {
				server.route(`GET ${path}`, reply.error(200, counters(step)));
				const clock = jest.spyOn(Date, 'now').mockReturnValue(start + seconds * 1000);
				const result = await check(server.url, more);
				clock.mockRestore();
				return result;
			};
			const start = Date.now();
			expect((await at(7, 0)).status).toBe('healthy');
			expect((await at(7, 20)).status).toBe('healthy');
			const result = await at(7, 45);
			expect(result.status).toBe('degraded');
			expect(finding(result, 'stuck').observed).toBe('1 running, but nothing was computed for 45 s');
			expect((await at(8, 50)).status).toBe('healthy');
			expect((await at(8, 60)).status).toBe('healthy');
		},
	);

	it('/health answers, the model list does not', async () => {
		const server = await sim();
		server.route('GET /v1/models', reply.silence());
		const result = await check(server.url, { timeLimitMs: 2000 });
		expect(result.status).toBe('degraded');
		expect(ids(result)[0]).toBe('stuck');
	});

	it('dies in the middle of a check', async () => {
		const server = await sim();
		server.route('GET /v1/models', reply.closed());
		const result = await check(server.url);
		expect(result.status).toBe('unreachable');
		expect(ids(result)).toEqual(['closedBeforeAnswer']);
	});

	it('vLLM whose engine died says so itself', async () => {
		const server = await sim({ profile: 'vllm' });
		server.route('GET /health', reply.error(503, ''));
		const result = await check(server.url);
		expect(result.status).toBe('degraded');
		expect(finding(result, 'unwell').observed).toContain('/health: HTTP 503');
	});
});

it('whatever a server answers, a check gives a result with a known status and without the key', async () => {
	const server = await sim();
	const anything = fc.oneof(
		fc.record({
			status: fc.constantFrom(200, 204, 301, 400, 401, 403, 404, 418, 500, 501, 503),
			body: fc.oneof(fc.json(), fc.string(), fc.constant(`{"error":"${SESAME}"}`), fc.constant('<html>')),
		}),
		fc.constantFrom('closed' as const, 'reset' as const),
	);
	await fc.assert(
		fc.asyncProperty(fc.array(anything, { minLength: 6, maxLength: 6 }), async (answers) => {
			for (const [at, path] of ['/health', '/v1/models', '/props', '/api/version', '/version', '/metrics'].entries()) {
				const answer = answers[at]!;
				server.route(
					`GET ${path}`,
					typeof answer === 'string' ? reply[answer]() : reply.error(answer.status, answer.body),
				);
			}
			const result = await check(server.url, {
				timeLimitMs: 300,
				expectations: { model: 'm', vision: true, tools: true, minContext: 5 },
			});
			expect(['healthy', 'degraded', 'loading', 'unreachable', 'unauthorized', 'misconfigured']).toContain(
				result.status,
			);
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
	const startedAt = Date.now();
	const checked = check(server.url, { signal: abort.signal, timeLimitMs: 60_000 });
	abort.abort();
	await expect(checked).rejects.toMatchObject({ kind: 'aborted' });
	expect(Date.now() - startedAt).toBeLessThan(AT_ONCE_MS);
});
