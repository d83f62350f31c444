import {
	type LlamaServerSim,
	reply,
	type SimOptions,
	startLlamaServerSim,
} from '../../../servers/llama-server';
import { check, finding, ids, SESAME } from '../support';
import { useSimulator } from '../../../servers/use-simulator';

const startServer = useSimulator(startLlamaServerSim);

let server: LlamaServerSim;

async function sim(options: SimOptions = {}): Promise<LlamaServerSim> {
	server = await startServer(options);
	return server;
}

const keysSent = (path: string) =>
	server.requests
		.filter((request) => request.path === path)
		.map(({ headers }) => headers.authorization);

describe('a wrong key, where the list of models is open to everybody', () => {
	it('older llama-server: /props refuses it', async () => {
		await sim({ apiKey: 'another' });
		server.route(
			'GET /v1/models',
			reply.json({ data: [{ id: 'sim-model', owned_by: 'llamacpp' }] }),
		);
		const result = await check(server.url);
		expect(result).toMatchObject({ status: 'unauthorized', healthy: false });
		expect(finding(result, 'unauthorized').observed).toContain('/props: HTTP 401');
		expect(finding(result, 'unauthorized').advice).not.toContain('answers without a key');
	});

	it('the same without a key says that one is missing', async () => {
		await sim({ apiKey: 'another' });
		server.route(
			'GET /v1/models',
			reply.json({ data: [{ id: 'sim-model', owned_by: 'llamacpp' }] }),
		);
		const result = await check(server.url, {}, { apiKey: '' });
		expect(result.status).toBe('unauthorized');
		expect(finding(result, 'unauthorized').meaning).toMatch(/needs|wants|asks/);
	});

	it('a home-made server that refuses everything else', async () => {
		await sim({ profile: 'fastapi', apiKey: 'another' });
		server.route('GET /v1/models', reply.json({ data: [{ id: 'm', owned_by: 'local' }] }));
		expect(await check(server.url)).toMatchObject({
			status: 'unauthorized',
			server: { kind: 'openAiCompatible' },
		});
	});

	it('a gateway that forbids every route it does not know is no reason for an alarm', async () => {
		await sim({ profile: 'fastapi' });
		for (const path of ['/props', '/api/version', '/version', '/health', '/metrics'])
			server.route(`GET ${path}`, reply.error(403, { message: 'Missing Authentication Token' }));
		expect((await check(server.url)).status).toBe('healthy');
	});

	it('a proxy that wants a password for everything but the API is no reason for an alarm', async () => {
		await sim({ profile: 'fastapi' });
		const wall = reply.error(401, 'Authorization Required', {
			headers: { 'www-authenticate': 'Basic realm="x"' },
		});
		for (const path of ['/props', '/api/version', '/version', '/health', '/metrics'])
			server.route(`GET ${path}`, wall);
		expect((await check(server.url)).status).toBe('healthy');
	});
});

describe('a server without a list of models, known by its route for chats', () => {
	const withoutList = async (health: Parameters<LlamaServerSim['route']>[1]) => {
		await sim({ profile: 'fastapi' });
		for (const path of ['/v1/models', '/models'])
			server.route(`GET ${path}`, reply.error(404, { detail: 'Not Found' }));
		server.route('GET /v1/chat/completions', reply.error(405, { detail: 'Method Not Allowed' }));
		server.route('GET /health', health);
		return server.url;
	};
	const refused = () => reply.error(401, { detail: 'Invalid API Key.' });

	it('a health route that refuses the key tells that it is wrong (LitServe)', async () => {
		const result = await check(await withoutList(refused()));
		expect(result.status).toBe('unauthorized');
		expect(finding(result, 'unauthorized').observed).toContain('/health: HTTP 401');
		expect(ids(result)).not.toContain('keyNotChecked');
	});

	it('or that one is missing', async () => {
		const result = await check(await withoutList(refused()), {}, { apiKey: '' });
		expect(result.status).toBe('unauthorized');
	});

	it.each([
		['open', reply.json({ status: 'ok' })],
		['missing', reply.error(404, { detail: 'Not Found' })],
		[
			'behind the password of a proxy',
			reply.error(401, '', { headers: { 'www-authenticate': 'Basic realm="x"' } }),
		],
	])('one that is %s says nothing of the key', async (_name, health) => {
		const result = await check(await withoutList(health));
		expect(result.status).toBe('healthy');
		expect(ids(result)).toContain('keyNotChecked');
	});
});

describe('a key that nobody looked at', () => {
	it.each(['fastapi', 'sglang', 'localai', 'lm-studio'] as const)(
		'%s: says so',
		async (profile) => {
			await sim({ profile });
			const result = await check(server.url);
			expect(result.status).toBe('healthy');
			expect(finding(result, 'keyNotChecked')).toMatchObject({
				severity: 'info',
				meaning: 'No route that was asked wants a key, so the key was not checked',
			});
			expect(keysSent('/v1/models').filter((key) => key === undefined)).toHaveLength(1);
		},
	);

	it.each(['fastapi', 'sglang', 'vllm', 'gpustack', 'llama-swap', 'litellm'] as const)(
		'%s that wants the key for its list: it was looked at',
		async (profile) => {
			await sim({ profile, apiKey: SESAME });
			const result = await check(server.url);
			expect(result.status).toBe('healthy');
			expect(ids(result)).not.toContain('keyNotChecked');
		},
	);

	it.each(['llama-server', 'ollama'] as const)(
		'%s: nothing to say, and no further question',
		async (profile) => {
			await sim({ profile });
			expect(ids(await check(server.url))).not.toContain('keyNotChecked');
			expect(keysSent('/v1/models')).toHaveLength(1);
		},
	);

	it('no key is set: nothing to say', async () => {
		await sim({ profile: 'fastapi' });
		expect(ids(await check(server.url, {}, { apiKey: '' }))).not.toContain('keyNotChecked');
		expect(keysSent('/v1/models')).toHaveLength(1);
	});
});

describe('an engine that is dead behind a fixed list of models', () => {
	it.each([
		['sglang', ''],
		['tgi', { error: 'unhealthy', error_type: 'healthcheck' }],
		['fastapi', { detail: 'engine is dead' }],
	] as const)('%s: /health says 503', async (profile, body) => {
		await sim({ profile });
		server.route('GET /health', reply.error(503, body));
		const result = await check(server.url);
		expect(result).toMatchObject({ status: 'degraded', healthy: false });
		expect(finding(result, 'unwell').observed).toContain('/health: HTTP 503');
	});

	it("a proxy's page at /health of a server that nobody knows says nothing", async () => {
		await sim({ profile: 'fastapi' });
		server.route('GET /health', reply.html(503, '<html><body>503</body></html>'));
		expect((await check(server.url)).status).toBe('healthy');
	});
});
afterEach(async () => {
	jest.restoreAllMocks();
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
		expect(finding(result, 'unauthorized').meaning).toBe(
			'The server wants an API key, and the credential has none',
		);
	});

	it('a key that a server echoes appears nowhere', async () => {
		const server = await sim();
		server.route('GET /v1/models', reply.error(401, { error: `Invalid key ${SESAME}` }));
		const result = await check(server.url);
		expect(result.status).toBe('unauthorized');
		expect(JSON.stringify(result)).not.toContain(SESAME);
		expect(finding(result, 'unauthorized').observed).toContain('Invalid key ***');
	});
});
