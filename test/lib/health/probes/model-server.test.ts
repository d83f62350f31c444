import { checkServer } from '../../../../lib/health/check';
import { TIME_LIMIT_MS } from '../../../../lib/health/probes/observe';
import { modelServerTarget } from '../../../../nodes/shared/health/target';
import {
	type LlamaServerSim,
	reply,
	type SimOptions,
	startLlamaServerSim,
	startSilentServer,
} from '../../../servers/llama-server';
import { process } from '../../../support/node';
import { closedPort } from '../../../support/listening';
import { check, finding, ids, SESAME } from '../support';
import { useSimulator } from '../../../servers/use-simulator';

const startServer = useSimulator(startLlamaServerSim);
const startSilent = useSimulator(startSilentServer);

async function sim(options: SimOptions = {}): Promise<LlamaServerSim> {
	const server = await startServer(options);
	return server;
}

let server: LlamaServerSim;

async function simWithKey(options: SimOptions = {}): Promise<LlamaServerSim> {
	server = await startServer({ apiKey: SESAME, ...options });
	return server;
}
/** The routes that were asked, each once. */
function asked(): string[] {
	return [...new Set(server.requests.map(({ method, target }) => `${method} ${target}`))].sort();
}

afterEach(async () => {
	jest.restoreAllMocks();
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
		// An address of the loopback network that a server bound to 127.0.0.1 does not answer at: the very mistake that is
		// meant.
		const server = await sim();
		const result = await check(`http://127.0.0.2:${server.port}`);
		expect(result.status).toBe('unreachable');
		expect(ids(result)).toEqual(['refused']);
	});
});

describe('the way there (rows 6 to 11)', () => {
	it('drops packets: names the firewall and the port', async () => {
		const silent = await startSilent();
		// The limits that the node has by itself.
		const result = await checkServer(modelServerTarget({ baseUrl: silent.url, apiKey: SESAME }));
		expect(TIME_LIMIT_MS).toBeLessThan(3000);
		await silent.close();
		expect(result.status).toBe('unreachable');
		// A machine that stood still just then may have come to the limit of the whole before that of connecting.
		expect(['connectTimeout', 'noAnswer']).toEqual(expect.arrayContaining(ids(result)));
		expect(result.findings[0]!.advice).toContain(`ufw allow ${silent.port}/tcp`);
	});

	it('takes the connection and never answers', async () => {
		const server = await sim({ connections: () => 'silent' });
		const result = await check(server.url, { timeLimitMs: 2000 });
		expect(result.status).toBe('unreachable');
		expect(finding(result, 'noAnswer').advice).toMatch(/frozen.*port forward.*ufw allow/);
	});

	it('has no route', async () => {
		const result = await check('http://255.255.255.255:8080');
		expect(result.status).toBe('unreachable');
		expect(finding(result, 'unreachable').meaning).toBe('There is no route to "255.255.255.255"');
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
		const result = await checkServer(
			modelServerTarget({ baseUrl: 'http://10.0.0.5:8080', apiKey: SESAME }, helpers),
		);
		expect(result.status).toBe('misconfigured');
		expect(finding(result, 'blockedByPolicy').advice).toMatch(
			/N8N_SSRF_ALLOWED_HOSTNAMES|N8N_SSRF_ALLOWED_IP_RANGES/,
		);
	});
});

describe('llama-server with one model', () => {
	it('is asked nothing that generates, loads or wakes', async () => {
		await simWithKey();
		await check(server.url);
		expect(asked()).toEqual([
			'GET /api/version',
			'GET /health',
			'GET /metrics',
			'GET /props',
			'GET /v1/models',
			'GET /version',
			'POST /v1/embeddings',
			'POST /v1/rerank',
		]);
		expect(
			server.requests.filter(({ method }) => method === 'POST').map(({ body }) => body),
		).toEqual([{}, {}]);
		expect(server.slots().every(({ tokens }) => tokens === 0)).toBe(true);
		// Idle connections would keep its HTTP threads from others.
		await server.until(() => server.connections.open === 0);
	});

	/** Generations that take as long as the test likes; the answer ends them. */
	function occupy(generations: number): () => Promise<void> {
		const abort = new AbortController();
		const working = Array.from({ length: generations }, async () => {
			const answer = await fetch(`${server.url}/v1/chat/completions`, {
				method: 'POST',
				headers: { authorization: `Bearer ${SESAME}` },
				body: JSON.stringify({ messages: [{ role: 'user', content: 'x' }], stream: true }),
				signal: abort.signal,
			});
			await answer.text();
		});
		const ended = Promise.allSettled(working);
		return async () => {
			abort.abort();
			await ended;
			await server.until(() => !server.slots().some(({ busy }) => busy));
		};
	}

	it('slots are read on request only, and then show the busy ones', async () => {
		await simWithKey({ slots: 2, tokenDelayMs: 60_000 });
		const release = occupy(1);
		await server.until(() => server.slots().some(({ busy }) => busy));
		expect((await check(server.url, { readSlots: true })).slots).toEqual({ total: 2, busy: 1 });
		await release();
		expect((await check(server.url)).slots).toEqual({ total: 2, busy: null });
	});
});
