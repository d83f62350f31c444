import * as fc from 'fast-check';
import { replaceInSteps } from '../../../lib/values/replace-in-steps';
import { decodeEntities, decodeEntitiesInSteps } from '../../../lib/values/html-entities';

interface Replaced {
	text: string;
	steps: number;
}

function finish(work: Generator<undefined, string>): Replaced {
	for (let steps = 0; ; steps++) {
		const { done, value } = work.next();
		if (done) return { text: value, steps };
	}
}

const replace = (text: string) =>
	finish(replaceInSteps(text, /a(b?)/g, ([all, b]) => `<${all}${b}>`));

test('the text is that of String.replace', () => {
	fc.assert(
		fc.property(
			fc.string({ unit: fc.constantFrom('a', 'b', 'c') }),
			fc.nat(9_000),
			(text, count) => {
				const long = text.repeat(count);
				expect(replace(long).text).toBe(long.replace(/a(b?)/g, (all, b) => `<${all}${b}>`));
			},
		),
	);
});

test.each([
	{ what: 'no match', text: 'c'.repeat(100_000), steps: 0 },
	{ what: 'few matches', text: 'ab'.repeat(9_999), steps: 0 },
	{ what: 'many matches', text: 'ab'.repeat(10_000), steps: 1 },
	{ what: 'very many matches', text: 'ab'.repeat(95_000), steps: 9 },
])('other work may run: $what', ({ text, steps }) => {
	expect(replace(text).steps).toBe(steps);
});

test('entities are decoded alike at once and in steps', () => {
	fc.assert(
		fc.property(
			fc.array(fc.constantFrom('&lt;', '&#60;', '&#x3C;', '&', 'amp;', '&nbsp;', '&#0;', ' a')),
			(parts) => {
				const text = parts.join('');
				expect(finish(decodeEntitiesInSteps(text)).text).toBe(decodeEntities(text));
			},
		),
	);
});
