/** What is shown of attempts that are retried or corrected: each text once, in whatever parts it arrives. */
import * as fc from 'fast-check';
import { DisplayedText } from '../../../../lib/chat/read/displayed-text';

/** What is shown of attempts whose texts arrive in parts of a length. */
function show(attempts: readonly string[], length: number) {
	const deltas: string[] = [];
	const display = new DisplayedText(false, (delta) => deltas.push(delta));
	for (const [at, text] of attempts.entries()) {
		if (at > 0) display.startNextAttempt();
		for (let from = 0; from < text.length; from += length)
			display.push({ text: text.slice(from, from + length), reasoning: '' });
	}
	display.endAttempt();
	expect(deltas.join('')).toBe(display.text);
	return display.text;
}

const ROWS = [
	{ attempts: ['One.'], shown: 'One.' },
	{ attempts: ['One.', 'Two.'], shown: 'One.\n\nTwo.' },
	{ attempts: ['One.', 'One.'], shown: 'One.' },
	{ attempts: ['One.', 'One.', 'Two.'], shown: 'One.\n\nTwo.' },
	{ attempts: ['One.', 'Two.', 'One.'], shown: 'One.\n\nTwo.' },
	{ attempts: ['One.', 'Two.', 'Two.', 'One.', 'Three.'], shown: 'One.\n\nTwo.\n\nThree.' },
	{ attempts: ['One.', 'One. And more.'], shown: 'One.\n\nOne. And more.' },
	{ attempts: ['One. And more.', 'One.'], shown: 'One. And more.\n\nOne.' },
	{ attempts: ['', 'One.'], shown: 'One.' },
];

test.each(ROWS)('$attempts', ({ attempts, shown }) => {
	const found = [1, 2, 3, 100].map((length) => [length, show(attempts, length)]);
	expect(found).toEqual([1, 2, 3, 100].map((length) => [length, shown]));
});

test('different texts are paragraphs, however many there are', () => {
	const text = fc.constantFrom('A', 'Bc', 'Def', '文字', '😀.');
	fc.assert(
		fc.property(
			fc.uniqueArray(text, { minLength: 1 }),
			fc.integer({ min: 1, max: 9 }),
			(list, length) => {
				expect(show(list, length)).toBe(list.join('\n\n'));
			},
		),
	);
});
