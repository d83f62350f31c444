import { diagnose } from '../../../../lib/health/findings/diagnosis';
import type { Observations, Probe } from '../../../../lib/health/observations';
import { failureFor } from '../../../../lib/health/findings/finding';
import type { FailureKind } from '../../../../lib/errors/kinds';
import {
	type LlamaServerSim,
	reply,
	type SimOptions,
	startLlamaServerSim,
} from '../../../servers/llama-server';
import { check, finding, ids, SESAME } from '../support';
import { useSimulator } from '../../../servers/use-simulator';

const ROOT = 'http://10.0.0.5:8080';

function answered(
	path: string,
	json: unknown,
	more: Partial<Extract<Probe, { answered: true }>> = {},
): Probe {
	return {
		method: 'GET',
		url: ROOT + path,
		ms: 5,
		answered: true,
		status: 200,
		headers: { server: 'llama.cpp' },
		text: JSON.stringify(json),
		json,
		...more,
	};
}

function failed(path: string, kind: FailureKind, code?: string): Probe {
	return {
		method: 'GET',
		url: ROOT + path,
		ms: 5,
		answered: false,
		failure: { ...failureFor(kind, { host: '10.0.0.5', port: '8080', code }), code },
	};
}

function observations(more: Partial<Observations> = {}): Observations {
	return {
		service: 'modelServer',
		url: { typed: ROOT, origin: ROOT, root: ROOT, api: `${ROOT}/v1` },
		keySet: true,
		authentication: 'bearer',
		maxConcurrentRequests: 0,
		probes: {
			health: answered('/health', { status: 'ok' }),
			models: answered('/v1/models', {
				data: [{ id: 'm', owned_by: 'llamacpp', meta: { n_ctx: 16384 } }],
			}),
			props: answered('/props', {
				build_info: 'b1',
				total_slots: 1,
				default_generation_settings: { n_ctx: 16384 },
				is_sleeping: false,
			}),
		},
		perModel: {},
		alternatives: [],
		expectations: {},
		checkMs: 10,
		...more,
	};
}

const startServer = useSimulator(startLlamaServerSim);

async function sim(options: SimOptions = {}): Promise<LlamaServerSim> {
	const server = await startServer(options);
	return server;
}
const NGINX_502 =
	'<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx/1.24.0</center>\r\n</body>\r\n</html>\r\n';

describe('the diagnosis is a pure function', () => {
	it('says the same about the same, and changes nothing', () => {
		const seen = observations();
		const before = JSON.stringify(seen);
		expect(diagnose(seen)).toEqual(diagnose(seen));
		expect(JSON.stringify(seen)).toBe(before);
	});

	it.each([
		['dns', 'ENOTFOUND', 'unreachable'],
		['dns', 'EAI_AGAIN', 'unreachable'],
		['refused', 'ECONNREFUSED', 'unreachable'],
		['connectTimeout', 'ETIMEDOUT', 'unreachable'],
		['unreachable', 'EHOSTUNREACH', 'unreachable'],
		['unreachable', 'ENETUNREACH', 'unreachable'],
		['tlsMismatch', 'ERR_SSL_WRONG_VERSION_NUMBER', 'misconfigured'],
		['tlsUntrusted', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'misconfigured'],
		['notHttp', 'HPE_INVALID_CONSTANT', 'misconfigured'],
		['closedBeforeAnswer', 'ECONNRESET', 'unreachable'],
	] as const)('%s (%s) is %s, with the code in what was observed', (kind, code, status) => {
		const probes = Object.fromEntries(
			['health', 'models', 'props'].map((name) => [name, failed(`/${name}`, kind, code)]),
		);
		const result = diagnose(observations({ probes }));
		expect(result).toMatchObject({
			status,
			findings: [
				{ id: kind, severity: 'error', observed: `GET ${ROOT}/health: ${code} after 5 ms` },
			],
		});
		expect(result.findings[0]!.advice).toBe(
			failureFor(kind, { host: '10.0.0.5', port: '8080', code }).remedy,
		);
	});

	it('of several failures, the one that says most', () => {
		const probes = {
			health: failed('/health', 'closedBeforeAnswer', 'ECONNRESET'),
			models: failed('/v1/models', 'refused', 'ECONNREFUSED'),
		};
		expect(diagnose(observations({ probes })).findings[0]!.id).toBe('refused');
	});

	it('another machine refuses: names the flags that open it', () => {
		const probes = { health: failed('/health', 'refused', 'ECONNREFUSED') };
		const [found] = diagnose(observations({ probes })).findings;
		expect(found!.meaning).toBe('The machine "10.0.0.5" answers, but nothing listens on port 8080');
		expect(found!.advice).toMatch(/--host 0\.0\.0\.0 \(Ollama: OLLAMA_HOST=0\.0\.0\.0\)/);
	});

	it('a server that answered long ago tells nothing about now', () => {
		const probes = { health: failed('/health', 'refused', 'ECONNREFUSED') };
		const ids = (msAgo: number) =>
			diagnose(observations({ probes, before: { status: 'healthy', msAgo } })).findings.map(
				({ id }) => id,
			);
		expect(ids(60_000)).toEqual(['serverExited']);
		expect(ids(24 * 3600_000)).toEqual(['refused']);
		expect(
			diagnose(observations({ probes, before: { status: 'healthy', msAgo: 600_000 } })).summary,
		).toBe('The server answered 10 minutes ago and has exited since.');
	});

	it('slow: a warning that changes nothing about the status', () => {
		const slow = Object.fromEntries(
			Object.entries(observations().probes).map(([name, probe]) => [name, { ...probe, ms: 1700 }]),
		);
		expect(diagnose(observations({ probes: slow }))).toMatchObject({
			status: 'healthy',
			summary: 'llama-server b1 answers in 1700 ms with 1 model, with 1 warning.',
			findings: [
				{ id: 'slow', severity: 'warning', meaning: 'The server took 1700 ms for a simple answer' },
			],
		});
	});

	it('errors first, then warnings, then hints; the worst error decides', () => {
		const props = answered('/props', {
			total_slots: 2,
			default_generation_settings: { n_ctx: 512 },
			modalities: { vision: false },
			is_sleeping: true,
		});
		const metrics = answered('/metrics', undefined, { status: 501, text: '' });
		const result = diagnose(
			observations({
				probes: { ...observations().probes, props, metrics },
				expectations: { model: 'other' },
			}),
		);
		expect(result.status).toBe('misconfigured');
		expect(result.findings.map(({ severity, id }) => `${severity} ${id}`)).toEqual([
			'error otherModel',
			'warning contextSmall',
			'info sleeping',
			'info metricsOff',
		]);
		expect(result.summary).toBe(`${result.findings[0]!.meaning}.`);
	});

	it('something that is no server this package knows, but has a model list', () => {
		const models = answered('/v1/models', { data: [{ id: 'm' }] }, { headers: {} });
		const result = diagnose(observations({ probes: { models } }));
		expect(result).toMatchObject({
			status: 'healthy',
			facts: { server: { kind: 'openAiCompatible' } },
		});
	});
});

afterEach(async () => {
	jest.restoreAllMocks();
});

describe('the server refuses (rows 12 to 16)', () => {
	it('still loading, also with a wrong key', async () => {
		const server = await sim({ apiKey: 'another', loadingFor: { ms: 60_000 } });
		const result = await check(server.url);
		expect(result).toMatchObject({ status: 'loading', server: { kind: 'llamaServer' } });
		expect(finding(result, 'loading').observed).toContain('HTTP 503, "Loading model"');
		expect(finding(result, 'loading').advice).toContain('Wait Until Ready');
	});

	it.each([502, 503, 504])(
		'nginx answers %d: the proxy is up, the server behind it is down',
		async (status) => {
			const server = await sim();
			for (const path of [
				'/health',
				'/v1/models',
				'/props',
				'/api/version',
				'/version',
				'/metrics',
			])
				server.route(`GET ${path}`, reply.html(status, NGINX_502));
			const result = await check(server.url);
			expect(result.status).toBe('unreachable');
			expect(finding(result, 'gateway').meaning).toBe(
				`A proxy answers with ${status}, but the model server behind it does not answer`,
			);
		},
	);

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
		expect(result).toMatchObject({
			status: 'degraded',
			healthy: false,
			server: { kind: 'llamaServer' },
		});
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
					{
						id: 0,
						is_processing: true,
						id_task: 3,
						n_prompt_tokens_processed: 5,
						next_token: [{ n_decoded: step }],
					},
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
			expect(finding(result, 'stuck').observed).toBe(
				'1 running, but nothing was computed for 45 s',
			);
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

	it.each([
		['Unhealthy', 'degraded'],
		['"unhealthy"\n', 'degraded'],
		['Healthy', 'healthy'],
		['OK', 'healthy'],
		['', 'healthy'],
		['No failed requests', 'healthy'],
	])('/health says %j as text, with status 200: %s', async (text, status) => {
		const server = await sim({ profile: 'vllm' });
		server.route('GET /health', reply.error(200, text));
		expect((await check(server.url)).status).toBe(status);
	});
});
