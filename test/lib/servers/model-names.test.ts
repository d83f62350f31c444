import { isModelNamed, isNamed, waysToModel } from '../../../lib/servers/model-names';

test('Ollama takes a name without a tag for its latest', () => {
	expect([isNamed('qwen3:latest', 'qwen3'), isNamed('qwen3:8b', 'qwen3'), isNamed('a', 'a')]).toEqual([
		true,
		false,
		true,
	]);
	expect(isNamed('a', undefined)).toBe(false);
});

test('llama-swap: another name of a model is one of its names', () => {
	expect(isModelNamed({ id: 'tiny', aliases: ['gpt-4o-mini'] }, 'gpt-4o-mini')).toBe(true);
	expect(isModelNamed({ id: 'tiny', aliases: [] }, undefined)).toBe(false);
});

test('ten names at most are shown, then how many more', () => {
	const names = Array.from({ length: 12 }, (_, at) => `m${at}`);
	expect(waysToModel(names, undefined)).toBe(`Use one of: ${names.slice(0, 10).join(', ')}, and 2 more.`);
	expect(waysToModel([], 'load it.')).toBe('Or load it.');
	expect(waysToModel([], undefined)).toBe('');
});
