import fc from 'fast-check';
import { cpuMilliseconds, LINEAR_CPU_MS } from '../../support/measures/cpu-time';
import { extractJson } from '../../../lib/text/extract-json';

/** The JSON of a text, without a schema. */
function jsonIn(text: string): { value: unknown } | undefined {
	const result = extractJson(text, () => []);
	return result.type === 'invalid' ? undefined : { value: result.value };
}

test.each([
	['plain', '{"a":1}', { a: 1 }],
	['with a byte order mark and blanks', '\uFEFF {"a":1}\n', { a: 1 }],
	['in a code block, as from Gemma and Llama', '```json\n{"a":1}\n```', { a: 1 }],
	['between sentences', 'Here is the data: {"a":"}"} I hope that helps {!}', { a: '}' }],
	['after a bracket in a sentence', 'The set {1, 2} gives [1,2].', [1, 2]],
	['with comments', '{\n  // the a\n  "a": 1, /* and b */ "b": 2\n}', { a: 1, b: 2 }],
	['with a comma at the end', '```\n{"a":[1,2,],}\n```', { a: [1, 2] }],
	['with quotation marks of a text', '{“a”: “it’s”}', { a: 'it’s' }],
	['like Python', "Sure: {'a': None, 'b': True, 'c': 'it\\'s'}", { a: null, b: true, c: "it's" }],
	["with Python's NaN", '{"a":NaN,"b":-Infinity}', { a: null, b: null }],
	['with names like JavaScript', '{a: "x", b_c: 2}', { a: 'x', b_c: 2 }],
	['with wide signs', '{"a"："x"，"b"：2}', { a: 'x', b: 2 }],
	['with other blanks', '{\u00a0"a":\u00a01\u00a0}', { a: 1 }],
	['with a raw line end', '{"a":"x\ny"}', { a: 'x\ny' }],
	['with a path', '{"a":"C:\\Users"}', { a: 'C:\\Users' }],
	['a text', '"A"', 'A'],
	['a null', 'null', null],
])('JSON is read %s', (_name, text, value) => {
	expect(jsonIn(text)).toEqual({ value });
});

test.each([
	'{a}',
	'{1, 2}',
	"{'a': b}",
	'{"a": 04109}',
	'[a, b]',
	'{"a" "b"}',
	"{'a': 'b",
	'/*',
	'{"a": /* 1}',
])('%j is not repaired', (text) => {
	expect(jsonIn(text)).toBeUndefined();
});

test.each(['', 'no data', '{"a":', '{{{{', '```json\n{"a":\n```', 'the } and the {'])(
	'no JSON in %j',
	(text) => {
		expect(jsonIn(text)).toBeUndefined();
	},
);

test('a text of only brackets is processed quickly', () => {
	expect(jsonIn('{['.repeat(50_000))).toBeUndefined();
});

test('any object is found, with any text around it', () => {
	fc.assert(
		fc.property(
			fc.dictionary(fc.string(), fc.jsonValue()),
			// JSON between quotes is a text.
			fc.stringMatching(/^[^{[\]}"'“`]*$/),
			(object, prose) => {
				const json = JSON.stringify(object);
				for (const text of [
					json,
					`${prose}${json}${prose}`,
					`${prose}\n\`\`\`json\n${json}\n\`\`\`\n${prose}`,
				])
					expect(jsonIn(text)).toEqual({ value: JSON.parse(json) as unknown });
			},
		),
	);
});

describe('a response with several JSON values', () => {
	const isNamed = (value: unknown) =>
		typeof value === 'object' && value !== null && 'name' in value ? [] : ['no name'];

	it.each([
		['Example: {"a": 1}. Answer: {"name": "x"}', 'x'],
		['```json\n{"a": 1}\n```\nor rather\n```\n{"name": "x"}\n```', 'x'],
		['{"name": "draft"} is what I thought of. ```json\n{"name": "x"}\n```', 'x'],
		['{"name": "x"}, again: {"name":"x"}', 'x'],
	])('the only valid one is used: %s', (text, name) => {
		expect(extractJson(text, isNamed)).toMatchObject({ value: { name } });
	});

	it('two different valid ones are an issue', () => {
		const result = extractJson('{"name": "x"}, or {"name": "y"}', isNamed);
		expect(result).toEqual({
			type: 'invalid',
			issues: ['The response contains 2 different JSON values instead of one'],
		});
	});

	it('the issues of an invalid one are returned; without JSON there are none', () => {
		expect(extractJson('{"a": 1} {"b": 1}', isNamed)).toEqual({
			type: 'invalid',
			issues: ['no name'],
		});
		expect(extractJson('no data', isNamed)).toEqual({ type: 'invalid', issues: [] });
	});

	it('numbers beyond the precision of JavaScript keep all digits', () => {
		fc.assert(
			fc.property(fc.bigInt(), fc.string(), (number, text) => {
				const json = `{"n":${number},"t":${JSON.stringify(`${text}${number}`)}}`;
				const result = extractJson(json, () => []);
				const isExact = BigInt(Number(number)) === number;
				expect(result).toMatchObject({ json, value: { t: `${text}${number}` } });
				const { n } = (result as { value: { n: unknown } }).value;
				expect(isExact ? BigInt(n as string | number) : n).toBe(isExact ? number : String(number));
			}),
		);
	});

	it('JSON with too many levels is ignored', () => {
		expect(extractJson(`${'['.repeat(20_000)}${']'.repeat(20_000)}`, () => [])).toEqual({
			type: 'invalid',
			issues: [],
		});
	});

	it.each(['{', '[', '{"a":', '{"', '```\n{', '[]]', '{} '])(
		'many repetitions of %j are processed in linear time',
		(piece) => {
			const text = piece.repeat(2_000_000 / piece.length);
			expect(cpuMilliseconds(() => void extractJson(text, () => ['no']))).toBeLessThan(
				LINEAR_CPU_MS,
			);
		},
	);
});

test.each([
	{ name: 'a list of objects', json: `[${"{'a':1},".repeat(60_000)}]` },
	{ name: 'nested lists', json: `{'a':[${"[['x']],".repeat(40_000)}]}` },
	{ name: 'after a sentence', json: `Here: {'list':[${"'a',".repeat(110_000)}]}` },
	{ name: 'in a code block', json: `\`\`\`\n[${"'a',".repeat(110_000)}]\n\`\`\`` },
	{ name: 'in two parts', json: `[${"'a',".repeat(60_000)}} and `.repeat(2) },
])('$name with too many values to be repaired: the issue says so', ({ json }) => {
	expect(extractJson(json, () => ['no'])).toEqual({
		type: 'invalid',
		issues: ['not valid JSON, and too long to be repaired: it has more than 100,000 values'],
	});
});
