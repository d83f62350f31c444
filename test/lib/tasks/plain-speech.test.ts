/** What is spoken of a text with Markdown and emoji. */
import { stripMarkdown } from '../../../lib/tasks/plain-speech';
import { expectApproved } from '../../support/approved/approved-table';
import path from 'node:path';

const TEXTS = [
	...[
		'**bold** and *slanted*',
		'***both***',
		'__bold__ _slanted_ snake_case',
		'~~gone~~',
		'2 * 3 * 4',
		'* item\n* item',
		'# Title\n## Part',
	],
	...[
		'> quote',
		'1. first',
		'- [link](http://a/b_c) end',
		'![picture](http://a)',
		'`code` and ```\nblock\n```',
		'```js\nlet a;\n```',
		'---\ntext\n***',
	],
	...[
		'| a | b |\n|---|:-:|\n| 1 | 2 \\| 3 |',
		'a | b without a table',
		'| only | one row |',
		'smile 😀 flag 🇩🇪 skin 👍🏽 family 👨‍👩‍👧 keycap 1️⃣ # *',
	],
	...[
		'a  b\t\tc ',
		' \n ',
		'**not closed',
		'[text] (no link)',
		'**outer *inner* outer**',
		'Grüße _für_ alle',
		'a\\*b\\*',
	],
];

test('each text', () => {
	const rows = TEXTS.map((text) => ({ input: JSON.stringify(text), outcome: stripMarkdown(text) }));
	expectApproved(
		path.join(__dirname, 'plain-speech.approved.txt'),
		rows,
		'What is spoken has the words of the text, without its marks',
	);
});
