import fc from 'fast-check';

import { affirmedIn } from '../../../lib/tasks/affirmed-label';

const NAMES = ['order', 'order status', 'billing', '投诉'];
const SENTENCES = [
	'It is about %.',
	'This text is about %.',
	'% fits best',
	'So, I think the category is "%".',
	'这是关于%的问题。',
];
const DENIALS = [
	'It is not about %.',
	'Is it about %?',
	'It could be %.',
	'It is about % or something else.',
	'Anything but %.',
	'这不是%邮件',
];

test.each([
	['It is about order status.', 1],
	['It is about order.', 0],
	['这是投诉。', 3],
	['It is about order status, not order.', undefined],
	['It is about order status and billing.', undefined],
	['It is about orders.', undefined],
	['It is about the weather.', undefined],
])('%s', (sentence, at) => {
	expect(affirmedIn(sentence, NAMES)).toBe(at);
});

/** Names of words that no sentence here has, some of them the beginning of others. */
const names = fc.uniqueArray(
	fc
		.array(fc.constantFrom('order', 'status', 'billing', 'c++', 'zölle', 'zoll'), {
			minLength: 1,
			maxLength: 3,
		})
		.map((words) => words.join(' ')),
	{ minLength: 1, maxLength: 8 },
);

test('a plain sentence names its label, whatever the others are called', () => {
	fc.assert(
		fc.property(
			names,
			fc.nat(),
			fc.constantFrom(...SENTENCES),
			fc.boolean(),
			(all, pick, form, isLoud) => {
				const at = pick % all.length;
				const name = isLoud ? all[at]!.toUpperCase() : all[at]!;
				expect(affirmedIn(form.replace('%', name), all)).toBe(at);
			},
		),
	);
});

test('a sentence that denies, doubts or asks names none', () => {
	fc.assert(
		fc.property(names, fc.nat(), fc.constantFrom(...DENIALS), (all, pick, form) => {
			expect(affirmedIn(form.replace('%', all[pick % all.length]!), all)).toBeUndefined();
		}),
	);
});

test('a sentence that names two labels names none', () => {
	// Labels that are words of such sentences, too.
	const withWords = names.map((all) => [...all, 'request', 'question']);
	fc.assert(
		fc.property(withWords, fc.nat(), fc.nat(), (all, one, other) => {
			const [first, second] = [all[one % all.length]!, all[other % all.length]!];
			fc.pre(!first.includes(second) && !second.includes(first));
			expect(affirmedIn(`It is about ${first}: ${second}.`, all)).toBeUndefined();
		}),
	);
});

test('no text breaks the reading', () => {
	fc.assert(
		fc.property(fc.string(), fc.array(fc.string()), (text, all) => {
			const at = affirmedIn(text, all);
			expect(at === undefined || all[at] !== undefined).toBe(true);
		}),
	);
});
