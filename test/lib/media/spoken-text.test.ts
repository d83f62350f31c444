import * as fc from 'fast-check';

import { plainText, splitAtSentences } from '../../../lib/media/spoken-text';

test.each([
	['emoji, flags, skin and families', 'Hi 👋🏽 there 🇩🇪 👨‍👩‍👧!', 'Hi there !'],
	['emphasis', '**Really** *new* and __old__ and ~~gone~~', 'Really new and old and gone'],
	['headings, lists, quotes', '# Title\n\n- one\n* two\n> three\n---', 'Title\n\none\ntwo\nthree'],
	['links and pictures', 'See [the page](https://x.y) ![a cat](c.png)', 'See the page a cat'],
	['code', 'Run `npm i`:\n```sh\nls -la\n```', 'Run npm i:\nls -la'],
	[
		'names, sums and digits stay',
		'snake_case_name, 2 * 3 * 4, #1, 50 %',
		'snake_case_name, 2 * 3 * 4, #1, 50 %',
	],
	['Chinese', '**你好**，世界。🙂', '你好，世界。'],
])('plain text: %s', (_name, text, plain) => {
	expect(plainText(text)).toBe(plain);
});

test('a long text is cut at the ends of sentences', () => {
	expect(splitAtSentences('One is here. Two is here! "Three?" Four', 14)).toEqual([
		'One is here.',
		'Two is here!',
		'"Three?" Four',
	]);
	expect(splitAtSentences('你好世界。今天很好！', 6)).toEqual(['你好世界。', '今天很好！']);
	expect(splitAtSentences('The price is 3.50 today. Fine.', 25)).toEqual([
		'The price is 3.50 today.',
		'Fine.',
	]);
	expect(splitAtSentences('aaaa, bbbb, cccc', 10)).toEqual(['aaaa,', 'bbbb, cccc']);
	expect(splitAtSentences('  ', 10)).toEqual([]);
});

test('no part is too long, nothing is lost, and no character is cut', () => {
	const text = fc.array(
		fc.constantFrom('a', 'bc', ' ', '\n', '.', '!', '。', ',', '😀', 'ß', '"'),
		{ maxLength: 80 },
	);
	fc.assert(
		fc.property(text, fc.integer({ min: 2, max: 20 }), (words, most) => {
			const whole = words.join('');
			const parts = splitAtSentences(whole, most);
			expect(parts.every((part) => part.length <= most && part.isWellFormed())).toBe(true);
			expect(parts.join('').replace(/\s/g, '')).toBe(whole.replace(/\s/g, ''));
		}),
	);
});
