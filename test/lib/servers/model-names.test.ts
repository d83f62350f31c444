import fc from 'fast-check';
import { matchesModel, matchesModelId, getDisplayNames } from '../../../lib/servers/model-names';
import { isSameOllamaName } from '../../../lib/servers/types/ollama-models';

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
