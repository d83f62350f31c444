import fc from 'fast-check';
import {
	matchesModel,
	matchesModelId,
	getDisplayName,
	getDisplayNames,
} from '../../../lib/servers/model-names';

test('Ollama reads a name without a tag as latest', () => {
	expect([
		matchesModelId('qwen3:latest', 'qwen3'),
		matchesModelId('qwen3:8b', 'qwen3'),
		matchesModelId('a', 'a'),
	]).toEqual([true, false, true]);
	expect(matchesModelId('a', undefined)).toBe(false);
});

test('llama-swap: an alias matches the model', () => {
	expect(matchesModel({ id: 'tiny', aliases: ['gpt-4o-mini'] }, 'gpt-4o-mini')).toBe(true);
	expect(matchesModel({ id: 'tiny', aliases: [] }, undefined)).toBe(false);
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
