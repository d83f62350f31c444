import fc from 'fast-check';

import { cpuMilliseconds, LINEAR_CPU_MS } from '../../support/cpu-time';
import { extractJson } from '../../../lib/chat/extract-json';

/** Of any kind. */
function jsonIn(text: string): { value: unknown } | undefined {
	const found = extractJson(text, () => []);
	return 'issues' in found ? undefined : { value: found.value };
}

test.each([
	['plain', '{"a":1}', { a: 1 }],
	['with a byte order mark and blanks', '\uFEFF {"a":1}\n', { a: 1 }],
	['in a code block, as Gemma and Llama write it', '```json\n{"a":1}\n```', { a: 1 }],
	['between sentences', 'Here is the data: {"a":"}"} I hope that helps {!}', { a: '}' }],
	['behind a bracket in a sentence', 'The set {1, 2} gives [1,2].', [1, 2]],
	['a text', '"A"', 'A'],
	['a null', 'null', null],
])('%s', (_name, text, value) => {
	expect(jsonIn(text)).toEqual({ value });
});

test.each(['', 'no data', '{"a":', '{{{{', '```json\n{"a":\n```', 'the } and the {'])(
	'none in %j',
	(text) => {
		expect(jsonIn(text)).toBeUndefined();
	},
);

test('a text of nothing but brackets takes no time', () => {
	expect(jsonIn('{['.repeat(50_000))).toBeUndefined();
});

test('any object is found again, whatever stands around it', () => {
	fc.assert(
		fc.property(
			fc.dictionary(fc.string(), fc.jsonValue()),
			fc.stringMatching(/^[^{[\]}"`]*$/),
			(object, words) => {
				const json = JSON.stringify(object);
				for (const text of [
					json,
					`${words}${json}${words}`,
					`${words}\n\`\`\`json\n${json}\n\`\`\`\n${words}`,
				])
					expect(jsonIn(text)).toEqual({ value: JSON.parse(json) as unknown });
			},
		),
	);
});

describe('which JSON of an answer is meant', () => {
	const isNamed = (value: unknown) =>
		typeof value === 'object' && value !== null && 'name' in value ? [] : ['no name'];

	it.each([
		['Example: {"a": 1}. Answer: {"name": "x"}', 'x'],
		['```json\n{"a": 1}\n```\nor rather\n```\n{"name": "x"}\n```', 'x'],
		['{"name": "draft"} is what I thought of. ```json\n{"name": "x"}\n```', 'x'],
		['{"name": "x"}, once more: {"name":"x"}', 'x'],
	])('the one that fits: %s', (text, name) => {
		expect(extractJson(text, isNamed)).toMatchObject({ value: { name } });
	});

	it('two different valid ones: neither', () => {
		const found = extractJson('{"name": "x"}, or {"name": "y"}', isNamed);
		expect(found).toEqual({
			issues: ['The response contains 2 different JSON values instead of one'],
		});
	});

	it('where none fits, what is wrong is told; nothing where there is none', () => {
		expect(extractJson('{"a": 1} {"b": 1}', isNamed)).toEqual({ issues: ['no name'] });
		expect(extractJson('no data', isNamed)).toEqual({ issues: [] });
	});

	it('numbers that JavaScript cannot hold are kept as they were written', () => {
		fc.assert(
			fc.property(fc.bigInt(), fc.string(), (number, text) => {
				const json = `{"n":${number},"t":${JSON.stringify(`${text}${number}`)}}`;
				const found = extractJson(json, () => []);
				const isExact = BigInt(Number(number)) === number;
				expect(found).toMatchObject({ json, value: { t: `${text}${number}` } });
				const { n } = (found as { value: { n: unknown } }).value;
				expect(isExact ? BigInt(n as string | number) === number : n === String(number)).toBe(true);
			}),
		);
	});

	it('JSON that is nested too deeply to work with is none', () => {
		expect(extractJson(`${'['.repeat(20_000)}${']'.repeat(20_000)}`, () => [])).toEqual({
			issues: [],
		});
	});

	it.each(['{', '[', '{"a":', '{"', '```\n{', '[]]', '{} '])(
		'many %j take little time',
		(piece) => {
			const text = piece.repeat(2_000_000 / piece.length);
			expect(cpuMilliseconds(() => void extractJson(text, () => ['no']))).toBeLessThan(
				LINEAR_CPU_MS,
			);
		},
	);
});
