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

test.each<[string, number, (count: number) => string]>([
	['empty objects', 1_000_000, (count) => `[${Array<string>(count).fill('{}').join()}]`],
	['empty lists', 1_000_000, (count) => `[${Array<string>(count).fill('[]').join()}]`],
	[
		'objects with other names',
		500_000,
		(count) => `[${Array.from({ length: count }, (_none, at) => `{"n${at}":1}`).join()}]`,
	],
	[
		'properties with other names',
		1_000_000,
		(count) => `{${Array.from({ length: count }, (_none, at) => `"n${at}":1`).join()}}`,
	],
	[
		'strings',
		2_000_000,
		(count) => `[${Array.from({ length: count }, (_none, at) => `"n${at}"`).join()}]`,
	],
	['objects without an end', 1_000_000, (count) => `[${'{},'.repeat(count)}`],
])('too many %s are not parsed: %d', (_name, count, build) => {
	expect(isParsable(build(10_000), { maxDepth: 500 })).toBe(true);
	const text = build(count);
	expect(isParsable(text, { maxDepth: 500 })).toBe(false);
	expect(parseJson(text)).toBeUndefined();
});

test('millions of numbers and long strings are parsed', () => {
	const numbers = Array.from({ length: 2_000_000 }, () => 0.5);
	expect(parseJson(JSON.stringify(numbers))).toHaveLength(numbers.length);
	expect(parseJson(JSON.stringify({ audio: 'A'.repeat(20_000_000) }))).toHaveProperty('audio');
});
