/** Rerank with documents in any items, with each option: requests, items and errors. */
import { expectApproved } from '../../../support/approved/approved-table';
import { combine } from '../../../support/approved/outcome';
import { playItems, REFUSED, startRefusing } from './items-table';
import path from 'node:path';

const ITEMS: Readonly<Record<string, readonly unknown[]>> = {
	'one document': ['a'],
	'three documents': ['a', 'b', 'c'],
	'an array': [['a', 'b']],
	'an array of objects': [[{ text: 'a', id: 1 }, { id: 2 }, { text: 7 }, null, { body: 'd' }]],
	'two arrays': [['a', 'b'], ['c']],
	'an array and a text': [['a'], 'b'],
	'a text and an array': ['b', ['a']],
	'a blank document': ['a', ' ', 'c'],
	'a refused document': ['a', `a ${REFUSED} text`, 'c'],
	'a document of another model': ['other'],
	'only refused documents': [`${REFUSED} 1`, `${REFUSED} 2`],
	'an empty array': [[]],
};
const OPTIONS = {
	'as added': {},
	'not simplified': { simplify: false },
	'two best': { topN: 2, simplify: false },
	'a minimum': { minimumScore: 0.098 },
	'another field': { textField: 'body', includeInputFields: true },
	sigmoid: { scores: 'sigmoid' },
} as const;

test('each list of documents with each option', async () => {
	const server = await startRefusing();
	const rows = [];
	for (const { name, option, continueOnFail } of combine({
		name: Object.keys(ITEMS),
		option: Object.keys(OPTIONS) as Array<keyof typeof OPTIONS>,
		continueOnFail: [false, true],
	})) {
		const mayFail = /refused|and an? |empty/.test(name);
		if (continueOnFail && (!mayFail || option !== 'as added')) continue;
		const input = `${name}, ${option}${continueOnFail ? ', continue' : ''}`;
		const outcome = await playItems(server, input, {
			items: ITEMS[name]!.map((document) => ({ document: document as never })),
			parameters: { resource: 'vector', operation: 'rerank', query: 'q', options: OPTIONS[option] },
			continueOnFail,
		});
		rows.push({ input, outcome });
	}
	for (const document of ['["a","b"]', 'a', '{"a":1}']) {
		const input = `a tool with ${document}`;
		const outcome = await playItems(server, input, {
			items: [{ document }],
			parameters: { resource: 'vector', operation: 'rerank', query: 'q', options: {} },
			isTool: true,
		});
		rows.push({ input, outcome });
	}
	await server.close();
	expectApproved(
		path.join(__dirname, 'rerank.any-items.approved.txt'),
		rows,
		'Each document has its item, best first',
	);
});
