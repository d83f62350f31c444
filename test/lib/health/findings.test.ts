import { sleep } from 'n8n-workflow';
import { BLOCKING_RULES, FINDING_RULES } from '../../../lib/health/findings';
import type { CheckOptions } from '../../../lib/health/check-options';
import type { HealthStatus } from '../../../lib/health/check-result';
import { closedPort } from '../../support/servers/listen';
import {
	closeRawServers,
	rawServer,
	completeResponse,
} from '../../support/servers/raw-http-server';
import type { RawHandler } from '../../support/servers/raw-http-server';
import { httpFixture } from '../../support/servers/streams';
import { check, finding, ids, json, movedTo, replayRecording, routes } from './support';
import { DIFY_BLOCKING_RULES, DIFY_FINDING_RULES } from '../../../lib/health/dify-findings';
import { SPEED_RULES } from '../../../lib/health/speed';
import { TOOL_RULES } from '../../../lib/health/tool-test';
import { readRows } from '../../support/files/rows';

afterEach(closeRawServers);

type Fields = Record<string, unknown>;

const LLAMA = 'llama-server-v0.5.0';
const BY_LLAMA = { Server: 'llama.cpp' };
const bodyOf = (name: string) =>
	JSON.parse(httpFixture(`${LLAMA}/${name}.http`).body.toString()) as Fields;
/** A recorded answer with other values in some of its fields. */
const changed = (name: string, fields: Fields): RawHandler =>
	json('200 OK', { ...bodyOf(name), ...fields }, BY_LLAMA);
const props = (fields: Fields = {}, context = 16_384) =>
	changed('props-tools', { default_generation_settings: { n_ctx: context }, ...fields });
const templateWith = (tools: boolean) => ({ chat_template_caps: { supports_tools: tools } });
const models = (meta: Fields = {}): RawHandler => {
	const { data } = bodyOf('models') as { data: [{ meta: Fields }] };
	const [model] = data;
	const all = { ...model.meta, n_ctx: 16_384, n_ctx_train: 32_768, ...meta };
	return changed('models', { data: [{ ...model, meta: all }] });
};
/** A llama-server after recordings, whose template supports tools. */
const LLAMA_SERVER: Record<string, RawHandler> = {
	'/v1/models': models(),
	'/props': props(templateWith(true)),
	'/metrics': replayRecording(`${LLAMA}/metrics.http`),
	'/v1/embeddings': json('501 Not Implemented', { error: { code: 501, message: 'off' } }, BY_LLAMA),
};
const llama = (change: Record<string, RawHandler> = {}) => routes({ ...LLAMA_SERVER, ...change });
const router = (list: string, change: Record<string, RawHandler> = {}) =>
	routes({
		'/v1/models': replayRecording(`${LLAMA}/${list}.http`),
		'/props': replayRecording(`${LLAMA}/router-props.http`),
		'/props?model=smollm2-135m&autoload=false': props(templateWith(true)),
		...change,
	});
const OLLAMA = {
	'/v1/models': json('200 OK', {
		object: 'list',
		data: [{ id: 'qwen3:8b', object: 'model', owned_by: 'library' }],
	}),
	'/api/version': replayRecording('ollama-v0.17.4/version.http'),
};
const tags = (model: Fields) => json('200 OK', { models: [{ name: 'qwen3:8b', ...model }] });
const ollama = (running: Fields, tag: Fields = {}) =>
	routes({ ...OLLAMA, '/api/ps': tags(running), '/api/tags': tags(tag) });

interface Breakage {
	answers: RawHandler;
	expectations?: CheckOptions['expectations'];
	timeLimitMs?: number;
	status: HealthStatus;
	/** Parts of detail and suggestion. */
	says: RegExp;
}

const SMOLLM = { model: 'smollm2-135m' };

/** One breakage for each finding. */
const BREAKAGES: Record<string, Breakage> = {
	difyDetected: {
		answers: completeResponse('404 Not Found', '{"code":"not_found"}', {
			'X-Version': '1.16.0',
			'X-Env': 'P',
		}),
		status: 'misconfigured',
		says: /^This address is Dify, not a model server.*Base URL is http:\/\/127\.0\.0\.1:\d+\/v1/,
	},
	whisperPath: {
		answers: completeResponse('404 Not Found', 'File Not Found (/v1/models)', {
			Server: 'whisper.cpp',
		}),
		status: 'misconfigured',
		says: /^whisper-server transcribes at its own path.*--inference-path/,
	},
	healthUnanswered: {
		answers: llama({ '/health': (_path, socket) => void socket.destroy() }),
		status: 'degraded',
		says: /^The server lists its models, but does not respond to \/health.*restart/,
	},
	notReady: {
		answers: llama({ '/health': completeResponse('503 Service Unavailable') }),
		status: 'degraded',
		says: /^The server reports that it cannot respond.*server log/,
	},
	noResponse: {
		answers: () => {},
		timeLimitMs: 300,
		status: 'unreachable',
		says: /^"127\.0\.0\.1" accepts connections, but did not answer within 300 ms(?!.*firewall).*frozen/,
	},
	noModels: {
		answers: llama({ '/v1/models': changed('models', { data: [], models: [] }) }),
		status: 'misconfigured',
		says: /^The server has no models, or the key has no access to any of them.*give the key access/,
	},
	expectedModelMissing: {
		answers: llama(),
		expectations: { model: 'qwen3-8b' },
		status: 'misconfigured',
		says: /^The server does not offer the model "qwen3-8b".*Use one of: smollm2\./,
	},
	expectedModelLoading: {
		answers: router('router-models-loaded', {
			'/v1/models': json('200 OK', {
				data: [{ id: 'smollm2-135m', owned_by: 'llamacpp', status: { value: 'loading' } }],
			}),
		}),
		expectations: SMOLLM,
		status: 'loading',
		says: /^The model "smollm2-135m" is still loading/,
	},
	modelNotLoaded: {
		answers: router('router-models'),
		expectations: SMOLLM,
		status: 'healthy',
		says: /is not loaded.*The first request loads it.*unless.*--no-models-autoload.*Model: Load/,
	},
	modelFailed: {
		answers: router('router-models-failed'),
		status: 'healthy',
		says: /^A model crashed, could not be loaded, or was unloaded by force: "smollm2-135m".*server log.*Model: Load/,
	},
	contextBelowExpected: {
		answers: llama(),
		expectations: { minContext: 20_000 },
		status: 'misconfigured',
		says: /16384 tokens of context, but 20000 are required.*--ctx-size 20000/,
	},
	contextSmallForAgents: {
		answers: llama({
			'/v1/models': models({ n_ctx: 4_096 }),
			'/props': props(templateWith(true), 4_096),
		}),
		status: 'healthy',
		says: /4096 tokens of context, which is small for agents.*--ctx-size 16384/,
	},
	modelLacksTools: {
		answers: llama({ '/props': props(templateWith(false)) }),
		status: 'healthy',
		says: /^Agents cannot call tools with the model "smollm2".*--jinja/,
	},
	modelDecides: {
		answers: routes({
			'/v1/models': json('200 OK', {
				data: [{ id: 'nimble', architecture: { output_modalities: ['decisions'] } }],
			}),
		}),
		status: 'healthy',
		says: /^The model "nimble" answers typed questions with probabilities, and does not chat/,
	},
	contextUnknown: {
		answers: routes({ '/v1/models': json('200 OK', { data: [{ id: 'm' }] }) }),
		expectations: { minContext: 9_000 },
		status: 'healthy',
		says: /does not report whether it has 9000 tokens/,
	},
	requestsQueued: {
		answers: llama({
			'/metrics': completeResponse(
				'200 OK',
				'llamacpp:requests_processing 1\nllamacpp:requests_deferred 3\n',
			),
		}),
		status: 'healthy',
		says: /^3 requests are waiting for a slot; the server has 1.*-np/,
	},
	partlyOnCpu: {
		answers: ollama({ size: 100, size_vram: 40 }),
		status: 'healthy',
		says: /only partly in GPU memory.*smaller quantization/,
	},
	modelRunsRemotely: {
		answers: ollama({ size: 100, size_vram: 100 }, { remote_host: 'https://ollama.com' }),
		status: 'healthy',
		says: /runs on https:\/\/ollama\.com: your data leaves your network/,
	},
	serverSleeping: {
		answers: llama({ '/props': props({ ...templateWith(true), is_sleeping: true }) }),
		status: 'healthy',
		says: /^The server is sleeping/,
	},
	unrecognizedServer: {
		answers: routes({
			'/v1/chat/completions': json('405 Method Not Allowed', { detail: 'Method Not Allowed' }),
		}),
		status: 'healthy',
		says: /no model list, but it has endpoints for chats\./,
	},
};

test.each(Object.entries(BREAKAGES))(
	'the finding %s, its status and its texts',
	async (id, breakage) => {
		const { answers, expectations, timeLimitMs: timeoutMs = 10_000, status, says } = breakage;
		const result = await check(await rawServer(answers), { expectations, timeoutMs });
		const { detail, suggestion, observed } = finding(result, id);
		expect(`${detail}. ${suggestion}`).toMatch(says);
		expect(observed).not.toBe('');
		expect(result).toMatchObject({ status, healthy: status === 'healthy' });
		expect(Object.keys(result).length).toBeLessThanOrEqual(8);
		expect(JSON.stringify(result)).not.toContain(':null');
		expect(JSON.stringify(result).split(JSON.stringify(detail).slice(1, -1))).toHaveLength(2);
	},
);

test.each([
	[{ status: 'unhealthy' }, true],
	[{ status: 'loading model' }, true],
	[{ healthy: false }, true],
	[{ status: 'UP', ready: true }, false],
	[{ status: 'no slot available' }, false],
	[{ error: 'Unexpected endpoint or method. (GET /health)' }, false],
])('the state in a /health response with status 200: %j, %j', async (body, isUnready) => {
	const { healthy } = await check(await rawServer(llama({ '/health': json('200 OK', body) })));
	expect(healthy).toBe(!isUnready);
});

/** Findings with a separate test below. */
const OTHERS = ['redirected', 'slowResponse'];

test('every finding has a test case', () => {
	expect([...Object.keys(BREAKAGES), ...OTHERS].sort()).toEqual(
		Object.keys({ ...BLOCKING_RULES, ...FINDING_RULES }).sort(),
	);
});

test('a good server has no findings', async () => {
	const result = await check(await rawServer(llama()));
	expect(result).toMatchObject({
		status: 'healthy',
		summary: expect.stringMatching(
			/^llama-server \S+ responds in \d+ ms with 1 model\.$/,
		) as string,
		findings: [],
		server: { type: 'llamaServer', slots: 1, busySlots: 0, queue: 0, contextPerSlot: 16_384 },
		models: [{ id: 'smollm2', context: 16_384, trainedContext: 32_768, tools: true, loaded: true }],
	});
	expect(Object.keys(result)).toEqual([
		'summary',
		'status',
		'healthy',
		'findings',
		'server',
		'models',
		'checkedAt',
	]);
});

describe('suggested context sizes never exceed the trained context of the model', () => {
	const small = (context: number, trained: number) =>
		llama({
			'/v1/models': models({ n_ctx: context, n_ctx_train: trained }),
			'/props': props(templateWith(true), context),
		});

	test('trained for 8,192: the suggestion is 8,192', async () => {
		const { suggestion } = finding(
			await check(await rawServer(small(4_096, 8_192))),
			'contextSmallForAgents',
		);
		expect(suggestion).toContain('--ctx-size 8192');
		expect(suggestion).not.toMatch(/16384|32768/);
	});

	test('more is expected than the model supports: another model', async () => {
		const url = await rawServer(small(4_096, 8_192));
		const result = await check(url, { expectations: { minContext: 32_768 } });
		const { suggestion } = finding(result, 'contextBelowExpected');
		expect(suggestion).toMatch(/^The model was trained for 8192 tokens.*choose a model/);
		expect(suggestion).not.toContain('--ctx-size');
	});

	test.each([
		{ context: 8_191, expected: undefined, found: ['contextSmallForAgents'] },
		{ context: 8_192, expected: undefined, found: [] },
		{ context: 8_191, expected: 8_192, found: ['contextBelowExpected'] },
		{ context: 8_192, expected: 8_192, found: [] },
	])('$context tokens, at least $expected expected: $found', async (row) => {
		const url = await rawServer(small(row.context, 32_768));
		expect(ids(await check(url, { expectations: { minContext: row.expected } }))).toEqual(
			row.found,
		);
	});

	test('the maximum is already set: no setting helps', async () => {
		const { suggestion } = finding(
			await check(await rawServer(small(2_048, 2_048))),
			'contextSmallForAgents',
		);
		expect(suggestion).toMatch(/^The model was trained for 2048 tokens/);
		expect(suggestion).not.toContain('--ctx-size');
	});
});

test('an unloaded model of a router is not an outage', async () => {
	const result = await check(await rawServer(router('router-models')));
	expect(result).toMatchObject({ status: 'healthy', healthy: true, findings: [] });
});

test.each([
	{ what: 'no model is expected', expectations: {}, id: 'modelFailed' },
	{ what: 'another model is expected', expectations: { model: 'other' }, id: 'modelFailed' },
	{ what: 'it is the expected model', expectations: SMOLLM, id: 'modelNotLoaded' },
])('a crashed model of a router is one warning: $what', async ({ expectations, id }) => {
	const url = await rawServer(router('router-models-failed'));
	const { findings } = await check(url, { expectations });
	const ids = findings.map((one) => one.id).filter((one) => one.startsWith('model'));
	expect(ids).toEqual([id]);
	const missing = findings.find((one) => one.id === 'expectedModelMissing');
	expect(missing?.suggestion ?? '').not.toContain('smollm2');
});

test('after a forced unload, or a failed load, a router names an exit code: a warning if the model is expected', async () => {
	const url = await rawServer(router('router-models-failed'));
	const result = await check(url, { expectations: SMOLLM });
	expect(result).toMatchObject({ status: 'healthy', models: [{ state: 'failed', loaded: false }] });
	expect(finding(result, 'modelNotLoaded')).toMatchObject({
		severity: 'warning',
		detail: expect.stringContaining('exited with code 1, because it was unloaded') as string,
	});
});

test('a router reports slots, context and template of its loaded model', async () => {
	const result = await check(await rawServer(router('router-models-loaded')));
	expect(result).toMatchObject({
		status: 'healthy',
		server: { slots: 1, contextPerSlot: 16_384 },
		models: [{ id: 'smollm2-135m', tools: true, loaded: true }],
	});
});

test('an empty list without a key: the server has no models', async () => {
	const url = await rawServer(llama({ '/v1/models': changed('models', { data: [] }) }));
	const { detail } = finding(await check(url, {}, { apiKey: '' }), 'noModels');
	expect(detail).toBe('The server has no models');
});

test('an expected model with a long name is quoted by its beginning', async () => {
	const url = await rawServer(llama());
	const result = await check(url, { expectations: { model: 'x'.repeat(5_000) } });
	expect(finding(result, 'expectedModelMissing').detail).toMatch(
		/^The server does not offer the model "x{100,200}…"$/,
	);
});

test('a server that responds to every route with 200 and an error text has no queue', async () => {
	const url = await rawServer(
		routes(
			{
				'/v1/models': json('200 OK', {
					data: [
						{ id: 'a', owned_by: 'organization_owner' },
						{ id: 'b', owned_by: 'organization_owner' },
					],
				}),
			},
			json('200 OK', { error: 'Unexpected endpoint or method. (GET /metrics)' }),
		),
	);
	const result = await check(url);
	expect(result).toMatchObject({ status: 'healthy', server: { type: 'lmStudio' }, findings: [] });
	expect(result.server).not.toHaveProperty('queue');
});

test('one of several models with enough context is sufficient', async () => {
	const model = (id: string, context: number) => ({ id, owned_by: 'vllm', max_model_len: context });
	const list = { data: [model('small', 4_096), model('large', 32_768)] };
	const url = await rawServer(routes({ '/v1/models': json('200 OK', list) }));
	expect(ids(await check(url, { expectations: { minContext: 20_000 } }))).toEqual([]);
	expect(ids(await check(url, { expectations: { minContext: 40_000 } }))).toEqual([
		'contextBelowExpected',
	]);
});

test('a server for embeddings gets no findings about tools and context', async () => {
	const url = await rawServer(
		llama({
			'/props': props(templateWith(false), 512),
			'/v1/models': models({ n_ctx: 512 }),
			'/v1/embeddings': json('400 Bad Request', { error: { message: 'no input' } }, BY_LLAMA),
		}),
	);
	expect(await check(url)).toMatchObject({ findings: [], models: [{ embeddings: true }] });
});

test.each([
	['another address', (place: string) => movedTo(place, 308), ['redirected']],
	['another path of the same', () => movedTo('/v1', 308), []],
])('redirected to %s', async (_name, answers, expected) => {
	const there = await rawServer(llama());
	const moving = answers(there);
	const url = await rawServer((path, socket, head) =>
		(path.startsWith('/v1/v1') ? llama() : moving)(path.replace('/v1/v1', '/v1'), socket, head),
	);
	const result = await check(url, {}, { apiKey: '' });
	expect(ids(result)).toEqual(expected);
	if (expected.length > 0)
		expect(finding(result, 'redirected').suggestion).toBe(`Set the Base URL to ${there}.`);
});

test('slow: a warning that leaves the server healthy', async () => {
	const url = await rawServer((...asked) => void sleep(1_050).then(() => llama()(...asked)));
	const result = await check(url);
	expect(result).toMatchObject({
		status: 'healthy',
		findings: [{ id: 'slowResponse', severity: 'warning' }],
	});
	expect(result.summary).toMatch(/, with 1 warning\.$/);
});

describe('the API cannot be used', () => {
	const page = (status: string) =>
		completeResponse(status, '<!doctype html><p>Hi', { 'Content-Type': 'text/html' });
	const recorded = (name: string) => replayRecording(`${LLAMA}/${name}.http`);
	const ERROR = { error: { message: 'x' } };
	test.each([
		['a web page', page('200 OK'), 'notAnApi', 'misconfigured'],
		['other JSON', json('200 OK', { hello: 'world' }), 'invalidResponse', 'misconfigured'],
		['nothing there', recorded('prefix-health-outside'), 'routeNotFound', 'misconfigured'],
		['a refused key', recorded('key-models-none'), 'unauthorized', 'unauthorized'],
		['a proxy whose server is down', page('502 Bad Gateway'), 'badGateway', 'unreachable'],
		['too many requests', json('429 Too Many Requests', ERROR), 'busy', 'degraded'],
		['a separate error', json('500 Internal Server Error', ERROR), 'serverError', 'degraded'],
	])('the API cannot be used if it responds with %s', async (_name, answers, id, status) => {
		const result = await check(await rawServer(answers));
		expect(result).toMatchObject({ status, findings: [{ id, severity: 'error' }] });
		expect(result.summary).toMatch(new RegExp(` is ${status}, with 1 error\\.$`));
	});

	test('the model is still loading', async () => {
		const result = await check(await rawServer(recorded('loading-health')));
		expect(result).toMatchObject({
			status: 'loading',
			summary: 'llama-server is loading, with 1 error.',
			findings: [
				{ id: 'modelLoading', suggestion: expect.stringContaining('Wait Until Ready') as string },
			],
		});
	});

	test('the model list needs no key, but other routes reject it', async () => {
		const url = await rawServer(
			llama({ '/props': replayRecording(`${LLAMA}/key-models-none.http`) }),
		);
		expect(await check(url)).toMatchObject({
			status: 'unauthorized',
			findings: [{ id: 'unauthorized', detail: 'Invalid API Key' }],
		});
		const missing = await check(url, {}, { apiKey: '' });
		expect(missing.findings[0]).toMatchObject({
			detail: 'Invalid API Key',
			suggestion: expect.stringMatching(/^Enter the API Key/) as string,
		});
	});

	test('an unknown host name, an invalid URL', async () => {
		expect(ids(await check('http://no-such-host.invalid'))).toEqual(['dnsLookupFailed']);
		expect(await check('ftp://x')).toMatchObject({
			summary: 'The server is misconfigured, with 1 error.',
			server: { type: 'unknown' },
			findings: [{ id: 'invalidUrl' }],
		});
		expect(ids(await check(`http://127.0.0.1:${await closedPort()}`))).toEqual([
			'connectionRefused',
		]);
	});
});

const tables: Record<string, object> = {
	modelServer: { ...BLOCKING_RULES, ...FINDING_RULES },
	dify: { ...DIFY_BLOCKING_RULES, ...DIFY_FINDING_RULES },
	speed: SPEED_RULES,
	tools: TOOL_RULES,
	// Findings from errors with a suggestion of Server Health
	error: { generationStuck: true, speedNotMeasured: true },
};
const rows = readRows(`${__dirname}/evidence.tsv`);

test('each finding has a row that states when its suggestion helps, and how that is known', () => {
	const ids = Object.entries(tables).flatMap(([table, rules]) =>
		Object.keys(rules).map((id) => `${table} ${id}`),
	);
	expect(rows.map(([id]) => id).sort()).toEqual(ids.sort());
	for (const row of rows) expect(row.map((cell) => cell.length > 2)).toEqual([true, true, true]);
});
