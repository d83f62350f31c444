/** Embed with texts and arrays in any items, with each option: requests, items and errors. */
import { expectApproved } from '../../../support/approved/approved-table';
import { combine } from '../../../support/approved/outcome';
import { playItems, REFUSED, startRefusing } from './items-table';
import path from 'node:path';

const ITEMS: Readonly<Record<string, readonly unknown[]>> = {
	'one text': ['a'],
	'three texts': ['a', 'b', 'c'],
	'an array': [['a', 'b']],
	'arrays and a text': [['a', 'b'], 'c', ['d']],
	'a refused text': ['a', `a ${REFUSED} text`, 'c'],
	'a refused text in an array': [['a', `a ${REFUSED} text`], 'c'],
	'blank texts': ['a', ' ', 'c'],
	'an empty array': ['a', [], 'c'],
	'an entry that is no text': [['a', { b: 1 }], 'c'],
	numbers: [[1, 2.5]],
	'a text of another model': ['other'],
	'only refused texts': [`${REFUSED} 1`, `${REFUSED} 2`],
};
const OPTIONS = {
	'as added': {},
	'not simplified': { simplify: false },
	'one item': { singleItem: true, simplify: false },
	'batches of one, base64': { batchSize: 1, encoding: 'base64' },
	'input fields': { includeInputFields: true },
	'blank texts as a space': { blankTexts: 'space' },
} as const;

test('each list of texts with each option', async () => {
	const server = await startRefusing();
	const rows = [];
	for (const { name, option, continueOnFail } of combine({
		name: Object.keys(ITEMS),
		option: Object.keys(OPTIONS) as Array<keyof typeof OPTIONS>,
		continueOnFail: [false, true],
	})) {
		const mayFail = /refused|blank|empty|no text/.test(name);
		if (continueOnFail && (!mayFail || option === 'input fields')) continue;
		const input = `${name}, ${option}${continueOnFail ? ', continue' : ''}`;
		const outcome = await playItems(server, input, {
			items: ITEMS[name]!.map((text) => ({ text: text as never })),
			parameters: { resource: 'vector', operation: 'embed', options: OPTIONS[option] },
			continueOnFail,
		});
		rows.push({ input, outcome });
	}
	await server.close();
	expectApproved(
		path.join(__dirname, 'embed.any-items.approved.txt'),
		rows,
		'Each text has its item, and a failed one its error',
	);
});
