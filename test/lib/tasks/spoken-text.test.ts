import { stripMarkdown } from '../../../lib/tasks/synthesize-speech';

test.each([
	['emoji, flags, skin and families', 'Hi 👋🏽 there 🇩🇪 👨‍👩‍👧!', 'Hi there !'],
	['emphasis', '**Really** *new* and __old__ and ~~gone~~', 'Really new and old and gone'],
	['headings, lists, quotes', '# Title\n\n- one\n* two\n> three\n---', 'Title\n\none\ntwo\nthree'],
	['links and images', 'See [the page](https://x.y) ![a cat](c.png)', 'See the page a cat'],
	['code', 'Run `npm i`:\n```sh\nls -la\n```', 'Run npm i:\nls -la'],
	[
		'names, sums and digits stay',
		'snake_case_name, 2 * 3 * 4, #1, 50 %',
		'snake_case_name, 2 * 3 * 4, #1, 50 %',
	],
	['Chinese', '**你好**，世界。🙂', '你好，世界。'],
])('plain text: %s', (_name, text, plain) => {
	expect(stripMarkdown(text)).toBe(plain);
});
