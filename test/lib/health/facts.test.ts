import fc from 'fast-check';
import { forgetChecks } from '../../../lib/health/check';
import { type LlamaServerSim, reply, type SimOptions, startLlamaServerSim } from '../../servers/llama-server';
import { closeRawServers, rawServer } from '../../support/raw-answers';
import { examples } from '../../support/properties';
import { check, finding, ids, json, routes, SESAME } from './support';
import { useSimulator } from '../../servers/use-simulator';

const startServer = useSimulator(startLlamaServerSim);

async function sim(options: SimOptions = {}): Promise<LlamaServerSim> {
	const server = await startServer(options);
	return server;
}

beforeEach(forgetChecks);
afterEach(async () => {
	await closeRawServers();
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
