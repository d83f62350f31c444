/** The scanner of JSON finds the same signs as one that reads each character, wherever the text is split. */
import * as fc from 'fast-check';
import { BRACKETS, JsonSigns, QUOTES, SEPARATORS } from '../../../lib/values/json-signs';

const KINDS: ReadonlyMap<string, number> = new Map([
	...Array.from('{}[]', (sign) => [sign, BRACKETS] as const),
	...Array.from(',:', (sign) => [sign, SEPARATORS] as const),
	['"', QUOTES],
]);

/** The signs that are wanted, character by character, and whether the text ends in a string. */
function readSlowly(text: string, wanted: number) {
	const found: number[] = [];
	let isInString = false;
	let isEscaped = false;
	for (const [at, character] of text.split('').entries()) {
		const kind = KINDS.get(character) ?? 0;
		if (isInString && (isEscaped || character !== '"')) {
			isEscaped = !isEscaped && character === '\\';
			continue;
		}
		if (kind === QUOTES) isInString = !isInString;
		if ((kind & wanted) !== 0) found.push(at);
	}
	return { found, isInString };
}

function read(chunks: readonly string[], wanted: number) {
	const signs = new JsonSigns(wanted);
	const found: number[] = [];
	let before = 0;
	for (const chunk of chunks) {
		for (let at = signs.next(chunk, 0); at < chunk.length; at = signs.next(chunk, at + 1))
			found.push(before + at);
		before += chunk.length;
	}
	return { found, isInString: signs.isInString };
}

const text = fc.oneof(
	fc.jsonValue().map((value) => JSON.stringify(value)),
	fc.jsonValue().map((value) => JSON.stringify(JSON.stringify(value), undefined, 1)),
	fc.string({ unit: fc.constantFrom('"', '\\', '{', '}', '[', ']', ',', ':', 'a', '木', '🦙') }),
	fc.string({ unit: fc.constantFrom('"', '\\', '{') }),
);

test('any text, split anywhere', () => {
	fc.assert(
		fc.property(
			text,
			fc.array(fc.nat(60), { maxLength: 6 }),
			fc.integer({ min: 1, max: BRACKETS | SEPARATORS | QUOTES }),
			(source, cuts, wanted) => {
				const ends = [...cuts.map((cut) => Math.min(cut, source.length)), source.length].sort(
					(one, other) => one - other,
				);
				const chunks = ends.map((end, index) => source.slice(ends[index - 1] ?? 0, end));
				const expected = readSlowly(source, wanted);
				expect(read(chunks, wanted)).toEqual(expected);
				expect(read(source.split(''), wanted)).toEqual(expected);
			},
		),
	);
});

test('in a string there are none, also behind an escaped quotation mark in the next chunk', () => {
	const chunks = ['{"a\\', '"{', '\\\\', '"', ':1}'];
	expect(read(chunks, BRACKETS)).toEqual({ found: [0, 11], isInString: false });
	expect(read(chunks, SEPARATORS).found).toEqual([9]);
	expect(read(chunks, QUOTES).found).toEqual([1, 8]);
	expect(read(['"\\', '""{'], BRACKETS)).toEqual({ found: [4], isInString: false });
});
