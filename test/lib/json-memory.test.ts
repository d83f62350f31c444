import * as fc from 'fast-check';
import { estimateMemory, isParsable, JsonMemory, MemoryBudget } from '../../lib/json-memory';
import { parseJson } from '../../lib/values/json';
import { parseExactJson } from '../../lib/values/exact-json';

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

test('the memory of a value is that of its JSON', () => {
	fc.assert(
		fc.property(fc.jsonValue(), (value) => {
			const length = JSON.stringify(value).length;
			const { bytes } = measure(JSON.stringify(value));
			// The estimate of a value also counts the characters of strings, and each entry of a list.
			expect(estimateMemory(value)).toBeLessThanOrEqual(bytes + 9 * length + 8);
			expect(estimateMemory(value)).toBeGreaterThanOrEqual(bytes / 4);
		}),
	);
});

test('a budget refuses what does not fit, and takes what still does', () => {
	const budget = new MemoryBudget(1_000);
	expect([
		budget.take('x'.repeat(900)),
		budget.take({ a: 'x'.repeat(100) }),
		budget.take('x'),
	]).toEqual([true, false, true]);
});

describe('numbers that JavaScript cannot represent', () => {
	/** As a reviver of `JSON.parse` sees them, in the order of the text. */
	function parseByReviver(json: string): unknown {
		return JSON.parse(json, ((
			_key: string,
			entry: unknown,
			{ source = '' }: { source?: string } = {},
		) =>
			typeof entry === 'number' && parseExactJson(`[${source}]`).unsafeNumbers.length > 0
				? source
				: entry) as never);
	}

	const digits = fc.stringMatching(/^-?[1-9]\d{0,30}(\.\d{1,20})?(e[+-]?\d{1,4})?$/);
	const text = fc.oneof(
		fc.string(),
		digits,
		digits.map((number) => `,${number},`),
		digits.map((number) => `\\",${number}\\"`),
	);
	const json = fc.letrec<{ value: string }>((tie) => ({
		value: fc.oneof(
			{ maxDepth: 3 },
			digits,
			text.map((value) => JSON.stringify(value)),
			fc.array(tie('value'), { maxLength: 4 }).map((list) => `[${list.join(', ')}]`),
			fc.dictionary(text, tie('value'), { maxKeys: 3 }).map(
				(record) =>
					`{${Object.entries(record)
						.map(([name, value]) => `${JSON.stringify(name)}:${value}`)
						.join()}}`,
			),
		),
	})).value;

	it('become strings with all of their digits, at each place and only outside of strings', () => {
		fc.assert(
			fc.property(json, (source) => {
				expect(parseExactJson(source).value).toEqual(parseByReviver(source));
			}),
			{ numRuns: 1_000 },
		);
	});

	it('are found beside a million others', () => {
		const list = `[${'0.1234567890123456,'.repeat(300_000)}12345678901234567890,"12345678901234567891"]`;
		const { value, unsafeNumbers } = parseExactJson(list);
		expect(unsafeNumbers).toEqual(['12345678901234567890']);
		expect((value as unknown[]).slice(-2)).toEqual([
			'12345678901234567890',
			'12345678901234567891',
		]);
	});
});
