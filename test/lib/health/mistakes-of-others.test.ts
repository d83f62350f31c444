import fc from 'fast-check';

import { forgetChecks } from '../../../lib/health/check';
import { changeModel } from '../../../lib/servers/load';
import { TIME_LIMIT_MS } from '../../../lib/health/probes';
import { connectTo } from '../../../lib/servers/connect';
import { appKey, startDifySim } from '../../servers/dify';
import {
	type LlamaServerSim,
	reply,
	type SimOptions,
	startLlamaServerSim,
	startSilentServer,
} from '../../servers/llama-server';
import { delay, net } from '../../support/node';
import { closeRawServers, rawServer, type RawAnswering, whole } from '../../support/raw-answers';
import { examples } from '../../support/properties';
import { AT_ONCE_MS } from '../../support/time';
import { check, checkDify, finding, ids, SESAME } from './support';
import { useSimulator } from '../../servers/use-simulator';

const startServer = useSimulator(startLlamaServerSim);
const startDify = useSimulator(startDifySim);
const startSilent = useSimulator(startSilentServer);

async function sim(options: SimOptions = {}): Promise<LlamaServerSim> {
	const server = await startServer(options);
	return server;
}

beforeEach(forgetChecks);
afterEach(async () => {
	await closeRawServers();
});
const JSON_TYPE = { 'Content-Type': 'application/json' };
const json = (status: string, body: object, headers: Record<string, string> = {}) =>
	whole(status, JSON.stringify(body), { ...JSON_TYPE, ...headers });
/** Answers by path, and 404 elsewhere. */
const routes =
	(
		known: Record<string, RawAnswering>,
		otherwise: RawAnswering = whole('404 Not Found', '404 page not found\n', { 'Content-Type': 'text/plain' }),
	): RawAnswering =>
	(path, socket, head) =>
		(known[path] ?? otherwise)(path, socket, head);
const movedTo =
	(place: string, status = 301): RawAnswering =>
	(path, socket) =>
		void socket.end(
			`HTTP/1.1 ${status} Moved\r\nLocation: ${place}${path}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
		);

describe('an address that leads on to another one', () => {
	it.each([301, 302, 303])('by %d: questions are answered there, but no generation would be', async (status) => {
		const server = await sim();
		const url = await rawServer(movedTo(server.url, status));
		const result = await check(url, {}, { apiKey: '' });
		expect(result).toMatchObject({ status: 'misconfigured', healthy: false });
		expect(finding(result, 'moved')).toMatchObject({ severity: 'error', advice: `Type ${server.url} as base URL.` });
		const connection = connectTo({ baseUrl: url });
		await expect(
			connection.json(`${connection.url.api}/chat/completions`, {
				json: { messages: [{ role: 'user', content: 'x' }] },
			}),
		).rejects.toMatchObject({ kind: 'redirect' });
	});

	it.each([307, 308])('by %d: works, with a warning', async (status) => {
		const server = await sim();
		const result = await check(await rawServer(movedTo(server.url, status)), {}, { apiKey: '' });
		expect(result.status).toBe('healthy');
		expect(finding(result, 'moved').severity).toBe('warning');
	});

	it('a slash at the end is no other address', async () => {
		const list = json('200 OK', { object: 'list', data: [{ id: 'm', owned_by: 'local' }] });
		const url = await rawServer(
			routes({
				'/v1/models': (_path, socket) =>
					void socket.end('HTTP/1.1 307 x\r\nLocation: /v1/models/\r\nContent-Length: 0\r\n\r\n'),
				'/v1/models/': list,
			}),
		);
		expect(ids(await check(url))).not.toContain('moved');
	});

	it.each([301, 308])('Dify, which gets no key there (%d): the key is not what is wrong', async (status) => {
		const dify = await startDify();
		const url = await rawServer(movedTo(new URL(dify.url).origin, status));
		const result = await checkDify(`${url}/v1`, { apiKey: appKey('chat') });
		await dify.close();
		expect(result.status).toBe('misconfigured');
		expect(finding(result, 'moved')).toMatchObject({
			severity: 'error',
			advice: `Type ${new URL(dify.url).origin} as base URL.`,
		});
	});

	it('Dify at another path of the same address', async () => {
		const app = { name: 'Helper', mode: 'chat' };
		const url = await rawServer(
			routes({ '/dify/v1/info': json('200 OK', app), '/dify/v1/parameters': json('200 OK', {}) }, movedTo('/dify')),
		);
		expect(finding(await checkDify(`${url}/v1`, { apiKey: appKey('chat') }), 'moved').advice).toBe(
			`Type ${url}/dify as base URL.`,
		);
	});

	it('the address that a redirect names is shown without the key it repeats', async () => {
		const login = await rawServer(
			whole('200 OK', '<!doctype html><title>Sign in</title>', { 'Content-Type': 'text/html' }),
		);
		const url = await rawServer(
			(_path, socket) =>
				void socket.end(`HTTP/1.1 302 x\r\nLocation: ${login}/login?key=${SESAME}\r\nContent-Length: 0\r\n\r\n`),
		);
		const result = await check(url);
		expect(finding(result, 'notAnApi').observed).toContain('/login?key=***');
		expect(JSON.stringify(result)).not.toContain(SESAME);
	});
});

describe('answers that do not end', () => {
	const webCam: RawAnswering = (_path, socket) => {
		socket.write('HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=x\r\n\r\n');
		const send = async () => {
			while (!socket.destroyed) {
				socket.write('--x\r\nContent-Type: image/jpeg\r\n\r\nabc\r\n');
				await delay(20);
			}
		};
		void send();
	};

	it.each([
		['a web cam', webCam],
		[
			'headers and nothing more',
			(_path: string, socket: net.Socket) =>
				void socket.write('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n'),
		],
	])('%s: the check ends in time and says so', async (_name, answer) => {
		const startedAt = Date.now();
		const result = await check(await rawServer(answer), { timeLimitMs: 1500 });
		expect(Date.now() - startedAt).toBeLessThan(AT_ONCE_MS);
		expect(result.status).toBe('unreachable');
		expect(finding(result, 'endlessAnswer').observed).toContain('an answer without end');
	});

	it('a flood: what answers is no model server', async () => {
		const url = await rawServer((_path, socket) => {
			socket.write('HTTP/1.1 200 OK\r\n\r\n');
			const push = () => {
				while (!socket.destroyed && socket.write(Buffer.alloc(1_000_000, 97)));
			};
			socket.on('drain', push);
			push();
		});
		expect(ids(await check(url, { timeLimitMs: 60_000 }))).toEqual(['invalidAnswer']);
	});
});

describe('proxies that refuse', () => {
	it.each(['', SESAME])('a page with 403 is no matter of the key (key "%s")', async (apiKey) => {
		const url = await rawServer(
			whole('403 Forbidden', '<!DOCTYPE html><html><title>Just a moment...</title></html>', {
				'Content-Type': 'text/html',
				'cf-mitigated': 'challenge',
			}),
		);
		const result = await check(url, {}, { apiKey });
		expect(finding(result, 'proxyRefuses')).toMatchObject({
			meaning: 'Something in front of the server does not let n8n through',
			observed: expect.stringContaining('Just a moment') as string,
		});
	});

	it.each(['', SESAME])('a password is wanted (key "%s")', async (apiKey) => {
		const url = await rawServer(
			whole('401 Unauthorized', '<html></html>', {
				'Content-Type': 'text/html',
				'WWW-Authenticate': 'Basic realm="x"',
			}),
		);
		const result = await check(url, {}, { apiKey });
		expect(result.status).toBe('unauthorized');
		expect(finding(result, 'proxyPassword').advice).toContain('"Basic "');
	});

	it('Cloudflare cannot reach the tunnel', async () => {
		const result = await check(
			await rawServer(whole('530 <none>', 'error code: 1033', { 'Content-Type': 'text/plain' })),
		);
		expect(result.status).toBe('unreachable');
		expect(finding(result, 'gateway').advice).toContain('cloudflared');
	});

	it('the forward proxy of the environment answers for the server', async () => {
		const result = await check(
			await rawServer(
				whole('503 Service Unavailable', '<html><title>ERROR</title></html>', {
					Server: 'squid/5.7',
					'Content-Type': 'text/html',
					'X-Squid-Error': 'ERR_CONNECT_FAIL 111',
				}),
			),
		);
		expect(finding(result, 'proxy').meaning).toContain('ERR_CONNECT_FAIL 111');
		expect(finding(result, 'proxy').advice).toContain('NO_PROXY');
	});
});

describe('servers that look like others', () => {
	const PAGE = whole('200 OK', '<!doctype html><title>Open WebUI</title>', { 'Content-Type': 'text/html' });
	const LITELLM = {
		object: 'list',
		data: [{ id: 'gpt-4o', object: 'model', created: 1_677_610_602, owned_by: 'openai' }],
	};

	it('Open WebUI names a version where Ollama does', async () => {
		const url = await rawServer(
			routes(
				{
					'/api/version': json('200 OK', { version: '0.6.5' }),
					'/api/models': json('401 Unauthorized', { detail: 'Not authenticated' }),
				},
				PAGE,
			),
		);
		const result = await check(url);
		expect(result.server).toEqual({ kind: 'unknown', version: null });
		expect(finding(result, 'notAnApi').advice).toBe(`Type ${url}/api as base URL: there the API answers.`);
	});

	it('KoboldCpp plays Ollama', async () => {
		const list = json('200 OK', {
			object: 'list',
			data: [{ id: 'koboldcpp/qwen3', object: 'model', created: 1, owned_by: 'koboldcpp' }],
		});
		const url = await rawServer(routes({ '/v1/models': list, '/api/version': json('200 OK', { version: '0.7.0' }) }));
		expect(await check(url)).toMatchObject({
			status: 'healthy',
			server: { kind: 'koboldcpp' },
			models: [{ id: 'koboldcpp/qwen3' }],
		});
	});

	it.each([
		['by its list', json('200 OK', LITELLM)],
		['by its headers', json('200 OK', { object: 'list', data: [] }, { 'x-litellm-version': '1.95.0' })],
	])('LiteLLM, known %s: /health, which would send a request to every model, is not asked', async (_name, models) => {
		const asked: string[] = [];
		const url = await rawServer((path, socket, head) => {
			asked.push(path);
			routes({ '/llm/v1/models': models })(path, socket, head);
		});
		expect((await check(`${url}/llm`)).server.kind).toBe('litellm');
		expect(asked).toContain('/llm/v1/models');
		expect(asked.filter((path) => path.endsWith('/health'))).toEqual([]);
	});

	it('LM Studio answers a wrong path with status 200: its words are shown, and the right place is found', async () => {
		const no = json('200 OK', { error: 'Unexpected endpoint or method. (GET /llm/v1/models). Returning 200 anyway' });
		const url = await rawServer(
			routes(
				{ '/v1/models': json('200 OK', { object: 'list', data: [{ id: 'qwen3', owned_by: 'organization_owner' }] }) },
				no,
			),
		);
		const result = await check(`${url}/llm`);
		expect(finding(result, 'invalidAnswer')).toMatchObject({
			observed: expect.stringContaining('Unexpected endpoint or method') as string,
			advice: `Type ${url} as base URL: there the API answers.`,
		});
		expect((await check(url)).status).toBe('healthy');
	});
});

describe('numbers and names that are none', () => {
	it('metrics that are no numbers', async () => {
		const server = await sim({ metrics: true });
		server.route(
			'GET /metrics',
			reply.error(
				200,
				'llamacpp:requests_deferred NaN\nllamacpp:requests_processing +Inf\nllamacpp:n_decode_total 1.2.3\n',
			),
		);
		expect(await check(server.url)).toMatchObject({ status: 'healthy', queue: null, slots: { busy: null } });
	});

	it('models without meta, without a name, and two hundred of them', async () => {
		const data = [
			{ id: 'a/b:c 語', object: 'model', owned_by: 'llamacpp', meta: null },
			{ object: 'model' },
			null,
			'x',
			...Array.from({ length: 200 }, (_, at) => ({ id: `m${at}`, aliases: 7, status: 'loaded' })),
		];
		const url = await rawServer(
			routes({
				'/v1/models': json('200 OK', { object: 'list', data }),
				'/props': json('200 OK', {}),
				'/health': json('200 OK', { status: 'ok' }),
			}),
		);
		const result = await check(url, { expectations: { model: 'm150', vision: true, minContext: 5 } });
		expect(result.models).toHaveLength(201);
		expect(result.models![0]).toMatchObject({ id: 'a/b:c 語', context: null, size: null });
	});

	it('a router with more loaded models than are asked: the one that is needed is among them', async () => {
		const names = Array.from({ length: 20 }, (_, at) => `m${at}`);
		const data = names.map((id) => ({
			id,
			object: 'model',
			owned_by: 'llamacpp',
			aliases: [`alias-${id}`],
			status: { value: 'loaded' },
		}));
		const props = json('200 OK', {
			total_slots: 1,
			modalities: { vision: true, audio: false },
			default_generation_settings: { n_ctx: 9000 },
		});
		const url = await rawServer((path, socket, head) =>
			(path.startsWith('/props?')
				? props
				: routes({ '/v1/models': json('200 OK', { data }), '/props': json('200 OK', { role: 'router' }) }))(
				path,
				socket,
				head,
			),
		);
		for (const model of ['m19', 'alias-m19'])
			expect(ids(await check(url, { expectations: { model, vision: true, minContext: 8192 } }))).toEqual([]);
	});

	it('a key in the list of models or in a version stays out of the result', async () => {
		const url = await rawServer(
			routes({
				'/v1/models': json('200 OK', { data: [{ id: `model of ${SESAME}`, owned_by: 'llamacpp' }] }),
				'/props': json('200 OK', { build_info: `Bearer ${SESAME}` }),
			}),
		);
		const result = await check(url);
		expect(result.models![0]!.id).toBe('model of ***');
		expect(JSON.stringify(result)).not.toContain(SESAME);
	});

	it('a key that is a word leaves the names of models alone', async () => {
		const url = await rawServer(
			routes({ '/v1/models': json('200 OK', { data: [{ id: 'llama-3.1-8b-instruct-q4', owned_by: 'llamacpp' }] }) }),
		);
		const extraHeaders = { header: [{ name: 'X-Model', value: 'llama-3.1-8b-instruct-q4' }] };
		expect((await check(url, {}, { apiKey: 'llama', extraHeaders })).models![0]!.id).toBe('llama-3.1-8b-instruct-q4');
	});

	it('the short form of an option that holds a key is no less secret', async () => {
		const server = await sim({ profile: 'router', models: [{ id: 'bad', status: 'unloaded', exitCode: 1 }] });
		const args = ['llama-server', '-hft', 'hf_hidden', '--ctx-size', '4096'];
		server.route(
			'GET /v1/models',
			reply.json({ data: [{ id: 'bad', status: { value: 'unloaded', failed: true, exit_code: 1, args } }] }),
		);
		const { advice } = finding(await check(server.url), 'modelFailed');
		expect(advice).toContain('-hft *** --ctx-size 4096');
	});
});

describe('fields of any other type than expected', () => {
	const CURSED: unknown[] = [
		null,
		0,
		-1,
		1e300,
		'',
		'loaded',
		'\ud800',
		[],
		[null],
		{},
		{ toString: 1, valueOf: 1 },
		[[['x']]],
		true,
		'x'.repeat(5_000),
		'__proto__',
		['--api-key'],
	];
	const value = fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...CURSED) }, fc.jsonValue());
	const record = (...names: string[]) =>
		fc.record(Object.fromEntries(names.map((name) => [name, value])), { requiredKeys: [] });
	const status = fc.oneof(value, record('value', 'failed', 'exit_code', 'args'), fc.constant({ value: 'loaded' }));
	const model = fc.record(
		{
			id: value,
			owned_by: value,
			aliases: value,
			meta: fc.oneof(value, record('n_ctx', 'size', 'ftype')),
			status,
			architecture: fc.oneof(value, record('input_modalities')),
			created: value,
			max_model_len: value,
		},
		{ requiredKeys: ['id'] },
	);
	const bodies = {
		'GET /v1/models': fc.oneof(value, fc.record({ data: fc.oneof(value, fc.array(model, { maxLength: 4 })) })),
		'GET /props': fc.oneof(
			value,
			record(
				'role',
				'build_info',
				'total_slots',
				'is_sleeping',
				'default_generation_settings',
				'modalities',
				'chat_template_caps',
				'endpoint_slots',
				'models_autoload',
			),
		),
		'GET /health': value,
		'GET /api/version': fc.oneof(value, record('version'), fc.constant({ version: '0.12.0' })),
		'GET /version': record('version', 'git_commit'),
		'GET /api/tags': record('models'),
		'GET /api/ps': fc.oneof(
			record('models'),
			fc.record({ models: fc.array(record('name', 'size', 'size_vram', 'context_length'), { maxLength: 3 }) }),
		),
		'POST /api/show': record('capabilities', 'model_info', 'details'),
		'GET /slots': fc.oneof(value, fc.array(record('id', 'is_processing', 'id_task', 'next_token'), { maxLength: 3 })),
		'POST /v1/embeddings': record('error'),
		'POST /v1/rerank': fc.record({ detail: fc.array(record('loc', 'msg'), { maxLength: 2 }) }),
	};

	it.each(['llama.cpp', 'uvicorn'])(
		'a server that calls itself %s gets a result, whatever is in its answers',
		async (name) => {
			let answers: Record<string, unknown> = {};
			let code = 200;
			const url = await rawServer((path, socket, head) => {
				const route = `${head.split(' ')[0]} ${path.replace(/\?.*/, '')}`;
				json(`${code} X`, (answers[route] ?? {}) as object, { Server: name })(path, socket, head);
			});
			await fc.assert(
				fc.asyncProperty(fc.record(bodies), fc.constantFrom(200, 200, 200, 400, 500), async (some, status) => {
					[answers, code] = [some, status];
					const result = await check(url, {
						readSlots: true,
						expectations: {
							model: 'm',
							vision: true,
							tools: true,
							embeddings: true,
							rerank: true,
							minContext: 5,
							minSlots: 2,
						},
					});
					expect(JSON.stringify(result)).not.toMatch(/undefined|NaN|\[object Object\]/);
					expect(result.findings.every(({ meaning, advice }) => meaning !== '' && advice !== '')).toBe(true);
				}),
				examples(60),
			);
		},
	);
});

it.each([3e9, 1e13, 1e15])('a time limit of %d ms is as good as none', async (timeLimitMs) => {
	const server = await sim();
	expect((await check(server.url, { timeLimitMs })).status).toBe('healthy');
});

it('a dead host still takes less than 3 seconds', async () => {
	expect(TIME_LIMIT_MS).toBeLessThan(3_000);
	const silent = await startSilent();
	const startedAt = Date.now();
	const result = await check(silent.url, { timeLimitMs: undefined });
	await silent.close();
	expect(Date.now() - startedAt).toBeLessThan(AT_ONCE_MS);
	// A machine that stood still just then may have come to the limit of the whole before that of connecting.
	expect(['connectTimeout', 'noAnswer']).toEqual(expect.arrayContaining(ids(result)));
	expect(result).toMatchObject({ status: 'unreachable', findings: [{ severity: 'error' }] });
});

describe('Text Embeddings Inference, which has no list of models', () => {
	const info = {
		model_id: 'BAAI/bge-m3',
		model_type: { embedding: { pooling: 'cls' } },
		max_input_length: 8192,
		max_client_batch_size: 32,
		version: '1.8.0',
	};
	const tei = async (tokenize: RawAnswering) =>
		await rawServer(
			routes(
				{ '/health': whole('200 OK', ''), '/info': json('200 OK', info), '/tokenize': tokenize },
				whole('404 Not Found', ''),
			),
		);
	const wrongQuestion = json('422 Unprocessable Entity', { error: 'missing field `inputs`', error_type: 'Validation' });

	it('is healthy, with the model that it tells of', async () => {
		const result = await check(await tei(wrongQuestion), { expectations: { embeddings: true, minContext: 4096 } });
		expect(result).toMatchObject({
			status: 'healthy',
			server: { kind: 'tei', version: '1.8.0' },
			models: [{ id: 'BAAI/bge-m3', context: 8192, embeddings: true, loaded: true }],
			findings: [],
		});
	});

	it('refuses the key', async () => {
		expect((await check(await tei(whole('401 Unauthorized', '')))).status).toBe('unauthorized');
	});
});

describe('a model of Ollama that makes embeddings only', () => {
	it.each([
		['load', []],
		['unload', ['nomic']],
	] as const)('%s', async (action, loaded) => {
		const asked: string[] = [];
		const url = await rawServer((path, socket, head) => {
			asked.push(path);
			routes({
				'/api/ps': json('200 OK', { models: asked.includes('/api/embed') ? [] : loaded.map((name) => ({ name })) }),
				'/api/generate': json('400 Bad Request', { error: '"nomic" does not support generate' }),
				'/api/embed': json('200 OK', { model: 'nomic', embeddings: [] }),
				'/v1/models': json('200 OK', { object: 'list', data: [{ id: 'nomic:latest', owned_by: 'library' }] }),
			})(path, socket, head);
		});
		expect(
			await changeModel(connectTo({ baseUrl: url }), action, { model: 'nomic', wait: true, limitMs: 60_000 }),
		).toMatchObject({ changed: true });
		expect(asked).toEqual([
			'/v1/models',
			'/api/ps',
			'/api/generate',
			'/api/embed',
			...(action === 'unload' ? ['/api/ps'] : []),
		]);
	});
});
