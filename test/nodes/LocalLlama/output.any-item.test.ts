/** The item of each operation of Local Llama, by the fields and files of its input and the options of its output. */
import type { INodeExecutionData, INodeParameters } from 'n8n-workflow';

import { startGoodServer } from '../../faults/good-server';
import { createCredential, passUntilEnded, withoutIds } from '../../faults/harness';
import { listOperations } from '../../faults/operations';
import type { OperationResult } from '../../faults/operations';
import { expectApproved } from '../../support/approved/approved-table';
import { useClock } from '../../guarantees/support/fake-clock';
import path from 'node:path';
import { describeNodeError, withoutTimes } from '../../support/approved/outcome';

const clock = useClock();
const FILE = { mimeType: 'text/plain', fileName: 'old.txt', data: 'eA==' };

/** Items whose fields have the names of results. */
const ITEMS: Readonly<Record<string, INodeExecutionData[]>> = {
	'a text': [{ json: { text: 'a llama', output: 'old', metadata: 1, classification: 'old' } }],
	'a file': [{ json: { text: 'a llama' }, binary: { data: FILE } }],
	'two items': [{ json: { text: 'one', n: 0 } }, { json: { text: 'two', n: 1 } }],
};

interface Setting {
	options?: INodeParameters;
	parameters?: INodeParameters;
	isTool?: boolean;
}

const SETTINGS: Readonly<Record<string, Setting>> = {
	'as added': {},
	'input fields on': { options: { includeInputFields: true } },
	'input fields off': { options: { includeInputFields: false } },
	'not simplified': { options: { simplify: false } },
	'another field': { options: { outputField: 'text', simplify: false, includeInputFields: true } },
	'the field error': { options: { outputField: 'error' } },
	'a field with a dot': { options: { outputField: 'a.b' } },
	'as a tool': { isTool: true },
	'one item for all': {
		options: { singleItem: true, includeInputFields: true },
		parameters: { text: 'one' },
	},
};

/** Those with options of the output. A list in a text has an item for each of its texts. */
const OPERATIONS: Readonly<Record<string, INodeParameters>> = {
	'text chat': {},
	'text extract': {},
	'text classify': {},
	'text complete': { prompt: ['one', 'two'] as never },
	'vector embed': { text: ['one', 'two'] as never },
	'vector rerank': { document: [{ text: 'one', n: 5 }, { text: 'two' }] as never },
	'image generate': {},
	'audio speak': {},
};

/** Hints of items that run at the same time arrive in any order. */
const describeItems = ({ items = [], hints = [] }: OperationResult): string =>
	[
		...items.flat().map(({ json, binary, pairedItem }) => {
			const files = Object.entries(binary ?? {}).map(
				([name, { fileName }]) => `${name} ${fileName}`,
			);
			return [
				JSON.stringify(withoutTimes(json)),
				...files,
				`of ${JSON.stringify(pairedItem)}`,
			].join(' ');
		}),
		...hints.map(({ message }) => `hint ${message}`).sort(),
	].join(' ; ');

test('each operation with each input and setting', async () => {
	const operations = await listOperations();
	const server = await startGoodServer();
	const outcomes = new Map<string, Promise<string>>();
	for (const [name, own] of Object.entries(OPERATIONS))
		for (const [input, items] of Object.entries(ITEMS))
			for (const [setting, { options, parameters, isTool }] of Object.entries(SETTINGS)) {
				const operation = operations.find((one) => one.name === `Local Llama ${name}`)!;
				const key = `${name}, ${input}, ${setting}`;
				const credential = createCredential(operation, { url: server.at(key), key: 'key' });
				const work = operation
					.run({
						credentials: items.map(() => credential),
						items,
						parameters: { ...own, ...parameters },
						...(options && { options }),
						...(isTool === true && { isTool }),
					})
					.then(describeItems, describeNodeError);
				outcomes.set(key, work);
			}
	expect(await passUntilEnded(outcomes, { clock, servers: [server] })).toEqual([]);
	const rows = [];
	for (const [input, outcome] of outcomes) rows.push({ input, outcome: withoutIds(await outcome) });
	await server.close();
	expectApproved(
		path.join(__dirname, 'output.any-item.approved.txt'),
		rows,
		'An item keeps its input as chosen, and a lost field is told',
	);
});
