import fc from 'fast-check';
import { selectOnlyModel, suggestModels } from '../../../lib/servers/model-selection';
import {
	matchesModel,
	matchesModelId,
	getDisplayName,
	getDisplayNames,
} from '../../../lib/servers/model-names';
import {
	parseParameterCount,
	getModelEntries,
	parseModels,
	parseProps,
} from '../../../lib/servers/parse-models';
import { parseMetrics } from '../../../lib/servers/metrics';
import { indexOllamaEntries, parseOllamaModel } from '../../../lib/servers/types/ollama';
import { isRecord } from '../../../lib/values/records';
import { parseJson } from '../../../lib/values/json';
import { examples } from '../../support/jest/properties';
import { httpFixture } from '../../support/servers/streams';
import { isSameOllamaName } from '../../../lib/servers/types/ollama-models';

const recorded = (name: string): unknown =>
	parseJson(httpFixture(`${name}.http`).body.toString('utf8'));

describe('recorded lists', () => {
	it('llama-server: context, size, trained context', () => {
		expect(parseModels(recorded('llama-server-v0.5.0/models'))).toEqual([
			{
				id: expect.any(String) as string,
				aliases: [],
				context: expect.any(Number) as number,
				trainedContext: 8192,
				parameters: 134515008,
				size: expect.any(Number) as number,
				quantization: 'Q4_1',
			},
		]);
	});

	it('a router: states, command lines, load errors', () => {
		const models = parseModels(recorded('llama-server-v0.5.0/router-models-failed')) ?? [];
		const failed = models.find(({ state }) => state === 'failed');
		expect(failed).toMatchObject({
			exitCode: 1,
			args: expect.arrayContaining(['--model']) as string[],
		});
		expect(models.filter(({ state }) => state === undefined)).toEqual([]);
	});

	it('llama-swap: states and aliases', () => {
		expect(parseModels(recorded('llama-swap-0bdb372/models'))).toEqual([
			{ id: 'broken', aliases: [], state: 'unloaded' },
			{ id: 'chat', aliases: [], state: 'unloaded' },
			{ id: 'minilm', aliases: [], state: 'unloaded' },
			{ id: 'tiny', aliases: ['gpt-4o-mini'], state: 'unloaded' },
		]);
	});

	it('Ollama: running models by name', () => {
		const running = indexOllamaEntries(recorded('ollama-v0.17.4/ps') as Record<string, unknown>);
		const [[id, entry]] = [...running!] as [[string, Record<string, unknown>]];
		expect(parseOllamaModel(id, { running: entry })).toMatchObject({
			id,
			context: expect.any(Number) as number,
		});
		expect(parseOllamaModel(id, {})).not.toHaveProperty('state');
	});

	it('/props of llama-server', () => {
		expect(
			parseProps(recorded('llama-server-v0.5.0/props') as Record<string, unknown>),
		).toMatchObject({
			context: expect.any(Number) as number,
			vision: false,
			audio: false,
		});
	});
});

describe('formats of a model list', () => {
	it.each<[string, unknown, number | undefined]>([
		['OpenAI’s format', { object: 'list', data: [{ id: 'a' }] }, 1],
		['a bare array, as from custom servers', [{ id: 'a' }, { id: 'b' }], 2],
		['null, as from Ollama without models', { data: null }, 0],
		['empty', { data: [] }, 0],
		['under another name', { models: [{ name: 'a' }], data: null }, 1],
		['in another object', { data: { models: ['a', 'b'] } }, 2],
		['with entries that are not objects', { data: [null, 'x', 3, { id: 'a' }] }, 1],
		['a text', { data: 'x' }, undefined],
		['an error', { error: 'x' }, undefined],
		['not JSON', undefined, undefined],
	])('the models of a list: %s', (_name, json, count) => {
		expect(getModelEntries(json)?.length).toBe(count);
	});

	it('names of models', () => {
		const entries = [
			{ id: 2 },
			{ name: 'b' },
			{ model: 'c', name: 'C' },
			{ key: 'd' },
			{ model_name: 'e' },
		];
		expect(parseModels([...entries, { id: ' ' }, {}])?.map(({ id }) => id)).toEqual([...'2bcde']);
	});

	it('embedding and rerank models of a router are detected by their command line', () => {
		const entry = (id: string, args: string[]) => ({ id, status: { value: 'loaded', args } });
		const models = parseModels({
			data: [
				entry('a', ['x', '--embeddings']),
				entry('b', ['x', '--reranking']),
				entry('c', ['x', '--model', '-y']),
			],
		});
		expect(models?.map(({ embeddings }) => embeddings)).toEqual([true, true, false]);
	});

	it.each<[number | string | undefined, number | undefined]>([
		['8.0B', 8e9],
		['134.52M', 134_520_000],
		['500', 500],
		[7e9, 7e9],
		['many', undefined],
		[undefined, undefined],
	])('%j parameters are %j', (text, count) => {
		expect(parseParameterCount(text)).toBe(count);
	});
});

const modelWith = (architecture: unknown) =>
	parseModels({ data: [{ id: 'm', architecture }] })![0]!;

it.each([
	[
		{ input_modalities: ['text', 'image'], output_modalities: ['text'] },
		{ vision: true, audio: false, video: false },
	],
	[
		{ input_modalities: ['text', 'image', 'video'], output_modalities: ['text'] },
		{ vision: true, audio: false, video: true },
	],
	[
		{ input_modalities: ['text', 'audio', 'smell'], output_modalities: ['text'] },
		{ vision: false, audio: true, video: false },
	],
	[{ input_modalities: ['text', 'image'] }, { vision: true, audio: false, video: false }],
	[{}, {}],
	[undefined, {}],
	['image', {}],
])(
	'input modalities of a model, by its architecture (S3–S5): %j means %j',
	(architecture, capabilities) => {
		expect(modelWith(architecture)).toEqual({ id: 'm', aliases: [], ...capabilities });
	},
);

describe('any response', () => {
	it('gives each model an ID, and no number below one', () => {
		const entry = fc.dictionary(
			fc.constantFrom(
				'id',
				'aliases',
				'meta',
				'architecture',
				'status',
				'max_model_len',
				'context_window',
				'custom_metadata',
				'max_input_tokens',
				'type',
				'owned_by',
			),
			fc.oneof(
				fc.jsonValue(),
				fc.dictionary(
					fc.constantFrom('n_ctx', 'size', 'ftype', 'args', 'value', 'failed', 'model_type'),
					fc.jsonValue(),
				),
			),
		);
		fc.assert(
			fc.property(fc.oneof(fc.jsonValue(), fc.record({ data: fc.array(entry) })), (json) => {
				for (const model of parseModels(json) ?? []) {
					expect(model.id).not.toBe('');
					expect(model.aliases.filter((alias) => typeof alias !== 'string')).toEqual([]);
					for (const value of [model.context, model.size, model.trainedContext])
						expect(value ?? 1).toBeGreaterThan(0);
				}
			}),
			examples(300),
		);
	});

	it.each([
		[{ tag: { details: { family: 'nomic-bert', families: ['nomic-bert'] } } }, true],
		[{ tag: { details: { family: 'bert' } } }, true],
		[{ tag: { details: { family: 'bert' } }, shown: { capabilities: ['completion'] } }, false],
		[{ tag: { details: { family: 'qwen3' } } }, undefined],
		[{ shown: { capabilities: ['embedding'] } }, true],
	])('detects embedding models of Ollama: %j', (answers, embeddings) => {
		expect(parseOllamaModel('a', answers).embeddings).toBe(embeddings);
	});

	it('never throws for props, tags and running models', () => {
		fc.assert(
			fc.property(fc.jsonValue(), fc.jsonValue(), fc.jsonValue(), (props, tag, shown) => {
				if (isRecord(props)) parseProps(props);
				const model = parseOllamaModel('a', {
					tag: isRecord(tag) ? tag : undefined,
					shown: isRecord(shown) ? shown : undefined,
				});
				expect(model.id).toBe('a');
				if (isRecord(props)) indexOllamaEntries(props);
			}),
			examples(300),
		);
	});
});

describe('metrics', () => {
	test('llama-server: its own metrics', () => {
		const values = parseMetrics(
			httpFixture('llama-server-v0.5.0/metrics.http').body.toString('utf8'),
		);
		expect(values).toMatchObject({
			'llamacpp:requests_processing': 0,
			'llamacpp:requests_deferred': 0,
		});
	});

	test('vLLM: values of one metric are added up; comments and invalid numbers are skipped', () => {
		const text = [
			'# HELP vllm:num_requests_running Number of requests',
			'vllm:num_requests_running{model_name="a"} 2.0',
			'vllm:num_requests_running{model_name="b"} 1e0',
			'vllm:odd NaN',
			'vllm:negative -3',
			' indented 5',
		].join('\n');
		expect(parseMetrics(text)).toEqual({ 'vllm:num_requests_running': 3, 'vllm:negative': -3 });
	});
});

test('Ollama reads a name without a tag as latest', () => {
	expect([
		matchesModelId('qwen3:latest', 'qwen3'),
		matchesModelId('qwen3:8b', 'qwen3'),
		matchesModelId('a', 'a'),
	]).toEqual([true, false, true]);
	expect(matchesModelId('a', undefined)).toBe(false);
});

test('Ollama names are equal regardless of case, default registry, library and :latest; others are not', () => {
	const part = fc.stringMatching(/^[a-z][a-z0-9.-]{0,8}[a-z0-9]$/);
	const flip = (name: string) =>
		name.replace(/[a-z]/g, (letter, at: number) => (at % 2 ? letter : letter.toUpperCase()));
	fc.assert(
		fc.property(
			part,
			part,
			fc.boolean(),
			fc.constantFrom('', 'library/', 'registry.ollama.ai/library/', 'https://registry.ollama.ai/'),
			(name, other, tagged, front) => {
				const id = tagged ? `${name}:q4` : `${name}:latest`;
				const ways = [
					id,
					name,
					flip(id),
					`library/${id}`,
					`registry.ollama.ai/library/${flip(id)}`,
					front + id,
				];
				const sameNames = ways.slice(tagged ? 2 : 0);
				expect(sameNames.filter((way) => isSameOllamaName(id, way))).toEqual(sameNames);
				expect(
					sameNames.filter((way) => matchesModel({ id, aliases: [] }, way, isSameOllamaName)),
				).toEqual(sameNames);
				expect(matchesModel({ id, aliases: [] }, flip(id))).toBe(flip(id) === id);
				expect(isSameOllamaName(id, `${name}${other}`)).toBe(false);
				expect(isSameOllamaName(id, `${other}/${name}`)).toBe(other === 'library' && !tagged);
				if (tagged) expect(isSameOllamaName(id, name)).toBe(false);
			},
		),
	);
});

test('llama-swap: an alias matches the model', () => {
	expect(matchesModel({ id: 'tiny', aliases: ['gpt-4o-mini'] }, 'gpt-4o-mini')).toBe(true);
	expect(matchesModel({ id: 'tiny', aliases: [] }, undefined)).toBe(false);
});

test('at most ten names are shown, then the number of the others', () => {
	const names = Array.from({ length: 12 }, (_, at) => `m${at}`);
	expect(suggestModels(names, undefined)).toBe(
		`Use one of: ${names.slice(0, 10).join(', ')}, and 2 more.`,
	);
	expect(suggestModels([], 'load it.')).toBe('Select another model, or load it.');
	expect(suggestModels([], undefined)).toBe('');
});

test.each([
	['/home/me/models/SmolLM2-135M-Instruct.Q4_1.gguf', 'SmolLM2-135M-Instruct.Q4_1'],
	['C:\\models\\qwen3-8b.GGUF', 'qwen3-8b'],
	['models/qwen3-8b-00001-of-00003.gguf', 'qwen3-8b'],
	['qwen3-8b.gguf', 'qwen3-8b'],
	['/models/Qwen3-8B', 'Qwen3-8B'],
	['Qwen/Qwen3-8B', 'Qwen/Qwen3-8B'],
	['unsloth/Qwen3-8B-GGUF:Q4_K_M', 'unsloth/Qwen3-8B-GGUF:Q4_K_M'],
	['qwen3:8b', 'qwen3:8b'],
	['', ''],
])('%j is displayed as %j', (id, name) => {
	expect(getDisplayName(id)).toBe(name);
});

test('equal display names are replaced by full IDs', () => {
	const names = (...ids: string[]) => [...getDisplayNames(ids).values()];
	expect(names('/a/q4/qwen.gguf', '/a/q8/qwen.gguf', '/a/q8/gemma.gguf')).toEqual([
		'/a/q4/qwen.gguf',
		'/a/q8/qwen.gguf',
		'gemma',
	]);
	expect(names('m', 'm.gguf')).toEqual(['m', 'm.gguf']);
});

test('no two IDs have the same display name, and each name is a part of its ID', () => {
	const part = fc.constantFrom('a', 'b', 'm.gguf', 'm');
	const path = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => `/${parts.join('/')}`);
	fc.assert(
		fc.property(fc.array(path, { maxLength: 6 }), (ids) => {
			for (const [id, name] of getDisplayNames(ids)) {
				const others = [...new Set(ids)].filter((other) => other !== id);
				expect(id).toContain(name);
				expect(others.map((other) => getDisplayNames(ids).get(other))).not.toContain(name);
			}
		}),
	);
});

test('a list of 50,000 models, and IDs with 100,000 folders, are processed quickly', () => {
	const ids = Array.from({ length: 50_000 }, (_, at) => `/models/${at}/model.gguf`);
	expect(getDisplayNames(ids).get(ids[7]!)).toBe('/models/7/model.gguf');
	const deep = '/x'.repeat(100_000);
	expect(getDisplayNames([`/a${deep}`, `/b${deep}`]).size).toBe(2);
});

describe('the model if the field is empty', () => {
	const state = (id: string, of?: string) => ({ id, ...(of === undefined ? {} : { state: of }) });

	test('is the only one, or the only one that is loaded', () => {
		expect(selectOnlyModel([state('a')])).toBe('a');
		expect(selectOnlyModel([state('a', 'unloaded')])).toBe('a');
		expect(selectOnlyModel([state('a', 'unloaded'), state('b', 'loaded')])).toBe('b');
		expect(selectOnlyModel([state('a', 'unloaded'), state('b', 'sleeping')])).toBe('b');
	});

	test.each([
		['several', [state('a'), state('b')], 'Use one of: a, b.'],
		[
			'several that are loaded',
			[state('a', 'loaded'), state('b', 'loaded'), state('c')],
			'Use one of: a, b.',
		],
		['none', [], 'enter its name'],
	])('%s: an error that lists them', (_name, models, advice) => {
		expect(() => selectOnlyModel(models)).toThrow(
			expect.objectContaining({ suggestion: expect.stringContaining(advice) as string }),
		);
	});
});
