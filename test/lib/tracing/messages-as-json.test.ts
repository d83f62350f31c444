import * as fc from 'fast-check';
import { stringifyMessages } from '../../../lib/tracing/span';
import { examples } from '../../support/properties';

interface Written {
	role: string;
	parts: Array<{ type: string; content: string }>;
}
const MOST = 100_000;
const written = (...texts: string[]) =>
	JSON.parse(stringifyMessages(texts.map((content) => ({ role: 'user', content })))) as Written[];
/** Half of a character cannot be encoded. */
const isWhole = (text: string) => encodeURIComponent(text) !== undefined;

test.each([
	['words', 'word '],
	['Chinese', '你好，世界。'],
	['emoji', '😀'],
	['quotes', '"\\ '],
])('the end of a text of any length (%s) is kept, in complete characters', (_name, unit) => {
	for (const size of [1_000, MOST - 60, MOST, MOST + 1, 3 * MOST]) {
		const text = `${unit.repeat(Math.ceil(size / unit.length))}The end.`;
		const [{ content } = { content: '' }] = written(text)[0]!.parts;
		expect(text.endsWith(content)).toBe(true);
		expect(isWhole(content)).toBe(true);
		expect(content.length).toBeGreaterThan(Math.min(size, MOST) - 100);
		expect(content.length).toBeLessThanOrEqual(MOST);
	}
});

test('the last messages of a conversation are complete, and the one before them is truncated at its start', () => {
	fc.assert(
		fc.property(
			fc.array(fc.integer({ min: 1, max: 60_000 }), { minLength: 1, maxLength: 6 }),
			(sizes) => {
				const texts = sizes.map((size, at) => `${'a '.repeat(size)}${at}`);
				const contents = written(...texts).map(({ parts }) => parts[0]!.content);
				const [first = '', ...rest] = contents;
				expect(rest).toEqual(texts.slice(texts.length - rest.length));
				expect(texts[texts.length - contents.length]!.endsWith(first)).toBe(true);
				const total = texts.join('').length;
				expect(contents.join('').length).toBeGreaterThanOrEqual(Math.min(total, MOST - 1_000));
			},
		),
		examples(50),
	);
});

test('a truncated text never starts with a partial key, which masking could not find', () => {
	const sample = 'local-0123456789abcdef';
	for (let suffixLength = MOST - 300; suffixLength < MOST + 20; suffixLength++) {
		const text = stringifyMessages([
			{ role: 'user', content: `${'a '.repeat(100)}${sample} ${'b'.repeat(suffixLength)} c` },
		]);
		const beginning = /"content":"([^"]{0,30})/.exec(text)?.[1] ?? '';
		expect(text.includes(sample) || !/^[-\w]*[0-9a-f]{3} b/.test(beginning)).toBe(true);
	}
});
