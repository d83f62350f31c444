import fc from 'fast-check';

import { jsonIn } from '../../../lib/text/json-answer';

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

test.each(['', 'no data', '{"a":', '{{{{', '```json\n{"a":\n```', 'the } and the {'])('none in %j', (text) => {
	expect(jsonIn(text)).toBeUndefined();
});

test('a text of nothing but brackets takes no time', () => {
	expect(jsonIn('{['.repeat(50_000))).toBeUndefined();
});

test('any object is found again, whatever stands around it', () => {
	fc.assert(
		fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.stringMatching(/^[^{[\]}"`]*$/), (object, words) => {
			const json = JSON.stringify(object);
			for (const text of [json, `${words}${json}${words}`, `${words}\n\`\`\`json\n${json}\n\`\`\`\n${words}`])
				expect(jsonIn(text)).toEqual({ value: JSON.parse(json) as unknown });
		}),
	);
});
