import { decodeEntities, ENTITY_CHARACTERS } from '../../../lib/values/html-entities';

const NAMES = Object.entries(ENTITY_CHARACTERS);

test.each(NAMES)('&%s; is read', (name, character) => {
	expect(decodeEntities(`a&${name};b`)).toBe(`a${character}b`);
});
