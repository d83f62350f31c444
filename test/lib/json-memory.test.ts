import * as fc from 'fast-check';
import { isParsable, JsonMemory } from '../../lib/json-memory';
import { parseJson } from '../../lib/values/json';

function measure(...chunks: string[]): { bytes: number; deepest: number } {
	const memory = new JsonMemory();
	for (const chunk of chunks) memory.add(chunk);
	const { bytes, deepest } = memory;
	return { bytes, deepest };
}

test('the estimate is the same wherever the text is split', () => {
	const text = fc.oneof(
		fc.jsonValue().map((value) => JSON.stringify(value)),
		fc.string({ unit: fc.constantFrom('"', '\\', '{', '}', '[', ']', ',', ':', 'a') }),
	);
	fc.assert(
		fc.property(text, fc.array(fc.nat(40), { maxLength: 5 }), (json, cuts) => {
			const ends = [...cuts.map((cut) => Math.min(cut, json.length)), json.length].sort(
				(a, b) => a - b,
			);
			const chunks = ends.map((end, index) => json.slice(ends[index - 1] ?? 0, end));
			expect(measure(...chunks)).toEqual(measure(json));
		}),
	);
});

test('what is in a string does not count', () => {
	fc.assert(
		fc.property(fc.string({ unit: 'grapheme' }), (text) => {
			expect(measure(JSON.stringify(text))).toEqual(measure('""'));
		}),
	);
	expect(measure('"\\\\"', '{}')).toEqual(measure('"a"{}'));
	expect(measure('"\\', '"{', '}"')).toEqual(measure('""'));
});

test.each<[string, (count: number) => string]>([
	['empty objects', (count) => `[${Array<string>(count).fill('{}').join()}]`],
	['empty lists', (count) => `[${Array<string>(count).fill('[]').join()}]`],
	[
		'objects with other names',
		(count) => `[${Array.from({ length: count }, (_none, at) => `{"n${at}":1}`).join()}]`,
	],
	[
		'properties with other names',
		(count) => `{${Array.from({ length: count }, (_none, at) => `"n${at}":1`).join()}}`,
	],
	['strings', (count) => `[${Array.from({ length: count }, (_none, at) => `"n${at}"`).join()}]`],
	['objects without an end', (count) => `[${'{},'.repeat(count)}`],
])('millions of %s are not parsed', (_name, build) => {
	expect(isParsable(build(10_000), { maxDepth: 500 })).toBe(true);
	const text = build(2_000_000);
	expect(isParsable(text, { maxDepth: 500 })).toBe(false);
	expect(parseJson(text)).toBeUndefined();
});

test('millions of numbers and long strings are parsed', () => {
	const numbers = Array.from({ length: 2_000_000 }, () => 0.5);
	expect(parseJson(JSON.stringify(numbers))).toHaveLength(numbers.length);
	expect(parseJson(JSON.stringify({ audio: 'A'.repeat(20_000_000) }))).toHaveProperty('audio');
});
