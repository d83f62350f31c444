import fc from 'fast-check';

const HALVES_BEGIN = 0xd800;
const HALVES = 0x800;

/**
 * As the `unit` of `fc.string`: any character of Unicode. The same examples as of `unit: 'binary'`, which first makes a
 * table of all of them: that takes a second and a hundred megabytes in each suite.
 */
export const anyCodePoint: fc.Arbitrary<string> = fc.nat({ max: 0x10ffff - HALVES }).map(
	(index) => String.fromCodePoint(index < HALVES_BEGIN ? index : index + HALVES),
	(character) => {
		if (typeof character !== 'string' || [...character].length !== 1 || !character.isWellFormed())
			throw new Error('No character');
		const point = character.codePointAt(0)!;
		return point < HALVES_BEGIN ? point : point - HALVES;
	},
);
