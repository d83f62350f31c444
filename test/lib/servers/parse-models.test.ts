import fc from 'fast-check';
import {
	parseParameterCount,
	getModelEntries,
	parseModels,
	parseProps,
} from '../../../lib/servers/parse-models';
import { indexOllamaEntries, parseOllamaModel } from '../../../lib/servers/types/ollama';
import { isRecord } from '../../../lib/values/records';
import { parseJson } from '../../../lib/values/json';
import { examples } from '../../support/jest/properties';
import { httpFixture } from '../../support/servers/streams';

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
		['8b', 8e9],
		['7 B', 7e9],
		['1.5t', 1.5e12],
		['350k', 350_000],
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
	[
		{ input_modalities: ['text'], output_modalities: ['decisions'] },
		{ vision: false, audio: false, video: false, decisions: true, writesText: false },
	],
	[{ output_modalities: ['text', 'decisions'] }, { decisions: true, writesText: true }],
	[{ output_modalities: 'decisions' }, {}],
	[{ output_modalities: ['smell'] }, {}],
	[{}, {}],
	[undefined, {}],
	['image', {}],
])(
	'inputs and outputs of a model, by its architecture (S3–S5): %j means %j',
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
