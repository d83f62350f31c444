import fc from 'fast-check';

import { JsonEnd } from '../../../lib/http/json-end';
import { examples } from '../../support/properties';

/** Where the value ends, counted from the beginning of all pieces; undefined where it does not. */
function endOf(pieces: string[]): number | undefined {
	const json = new JsonEnd();
	let before = 0;
	for (const piece of pieces) {
		const end = json.push(piece);
		expect(json.isComplete).toBe(end !== undefined);
		if (end !== undefined) return before + end;
		before += piece.length;
	}
	return undefined;
}

const letters = (text: string) => text.split('');

describe('JsonEnd', () => {
	test.each([
		['{"a":1}', 7],
		[' \r\n{"a":{"b":[]}} ', 17],
		['\uFEFF{}', 3],
		['[1,2]x', 5],
		['{"a":"}"}', 9],
		['{"a":"\\"}"}', 11],
		['{"a":"\\\\"}{', 10],
		['{"a":', undefined],
		['[{"a":"]}', undefined],
		['"text"', undefined],
		['data: {}', undefined],
		['', undefined],
	])('%j ends at %p', (text, expected) => {
		expect(endOf([text])).toBe(expected);
		expect(endOf(letters(text))).toBe(expected);
	});

	test('any value ends where JSON.stringify ended it, in any pieces', () => {
		const value = fc.oneof(
			fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue()),
			fc.array(fc.jsonValue()),
		);
		fc.assert(
			fc.property(value, fc.integer({ min: 1, max: 9 }), fc.string(), (given, size, after) => {
				const text = JSON.stringify(given);
				const pieces = (text + after).match(new RegExp(`[^]{1,${size}}`, 'g'))!;
				expect(endOf(pieces)).toBe(text.length);
			}),
			examples(200),
		);
	});

	test('it tells whether a piece ended inside a string', () => {
		const json = new JsonEnd();
		const seen = ['{"a', '":', '"x\\', '"', '"', '}'].map((piece) => {
			json.push(piece);
			return json.isInString;
		});
		expect(seen).toEqual([true, false, true, true, false, false]);
	});
});
