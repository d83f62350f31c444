import fc from 'fast-check';
import { matchesModel } from '../../../../lib/servers/model-names';
import { isSameOllamaName } from '../../../../lib/servers/types/ollama-models';

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
