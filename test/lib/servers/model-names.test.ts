import fc from 'fast-check';
import { isSameOllamaName } from '../../../lib/servers/types/ollama-actions';
import {
	matchesModel,
	matchesModelId,
	selectOnlyModel,
	getDisplayName,
	getDisplayNames,
	suggestModels,
} from '../../../lib/servers/models';

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
				for (const way of ways.slice(tagged ? 2 : 0)) {
					expect(isSameOllamaName(id, way)).toBe(true);
					expect(matchesModel({ id, aliases: [] }, way, isSameOllamaName)).toBe(true);
				}
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
