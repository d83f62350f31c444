import { mask } from '../../../lib/errors/mask';
import { decodeEntities, ENTITY_CHARACTERS } from '../../../lib/values/html-entities';

const NAMES = Object.entries(ENTITY_CHARACTERS);

test.each(NAMES)('&%s; is read, also inside a secret', (name, character) => {
	expect(decodeEntities(`a&${name};b`)).toBe(`a${character}b`);
	const secret = `sesame-${character}-4711-open`;
	const written = secret.replace(character, () => `&${name};`);
	expect(mask(`The key ${written} is wrong`, [secret])).not.toMatch(/sesame|4711/);
});
