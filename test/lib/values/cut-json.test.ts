import * as fc from 'fast-check';
import { parseCutJson } from '../../../lib/values/cut-json';

test.each<[string, unknown]>([
	['{"a":"b', { a: 'b' }],
	['{"a":[{"b":"c\\', { a: [{ b: 'c' }] }],
	['{"a":"b\\\\', { a: 'b\\' }],
	['{"a":"b\\u00e', { a: 'b' }],
	['{"a":"b\\\\u00e', { a: 'b\\u00e' }],
	['{"a":1,"b', { a: 1 }],
	['{"a":1,"b"', { a: 1 }],
	['{"a":1,"b":', { a: 1 }],
	['{"a":[1,2,tr', { a: [1, 2] }],
	['{"a":{"b":1},"c":[', { a: { b: 1 }, c: [] }],
	['{"a":1}', { a: 1 }],
	['{', {}],
	['', undefined],
	['text', undefined],
	['{"a":b,"c"', undefined],
])('JSON that was cut is read: %s', (text, value) => {
	expect(parseCutJson(text)).toEqual(value);
});

test('each beginning has the text that it contains', () => {
	fc.assert(
		fc.property(fc.string(), fc.string(), fc.nat(), (before, content, cut) => {
			const whole = JSON.stringify({ before, choices: [{ delta: { content } }] });
			const start = whole.indexOf('"content":"') + '"content":"'.length;
			const end = start + (cut % (whole.length - start));
			const { choices, ...rest } = parseCutJson(whole.slice(0, end)) as {
				before: string;
				choices: Array<{ delta: { content: string } }>;
			};
			expect(rest).toEqual({ before });
			const { content: kept } = choices[0]!.delta;
			expect(content.slice(0, kept.length)).toBe(kept);
			// No more than an escape is missing.
			expect(JSON.stringify(kept).length).toBeGreaterThan(end - start + 2 - 6);
		}),
	);
});
