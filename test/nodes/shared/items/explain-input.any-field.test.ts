/** What is said about a value that cannot be used, by what is written in the field and what the item has. */
import type { INodeProperties } from 'n8n-workflow';

import { createDifyError } from '../../../../lib/dify/create-error';
import { createInputError } from '../../../../lib/errors/create-error';
import type { ServerError } from '../../../../lib/errors/server-error';
import { explainInput } from '../../../../nodes/shared/items/explain-input';
import { expectApproved } from '../../../support/approved/approved-table';
import { combine, describeError } from '../../../support/approved/outcome';
import path from 'node:path';

const field = (name: string, displayName: string, more: Partial<INodeProperties> = {}) => ({
	displayName,
	name,
	type: 'string' as const,
	default: '',
	...more,
});
const PROPERTIES: INodeProperties[] = [
	field('text', 'Text', { default: '={{ $json.text }}' }),
	field('model', 'Model', { type: 'resourceLocator' }),
	field('rows', 'Rows', { type: 'fixedCollection' }),
	{
		...field('options', 'Options', { type: 'collection', default: {} }),
		options: [field('name', 'Name'), field('responseMode', 'Response Mode')],
	},
];

/** What the workflow stores. */
const STORED: Readonly<Record<string, object>> = {
	'the default': {},
	'a fixed text': { text: 'fixed' },
	'an expression': { text: '={{ $json.other }}' },
	'an expression with a quoted name': { text: '={{ $json["a name"] }}' },
	'an expression without a name': { text: '={{ 1 + 1 }}' },
	'an expression of two names': { text: '={{ $json.text + $json.gone }}' },
	'an expression of a chat': { text: '={{ $json.chatInput }}' },
};
const ERRORS: Readonly<Record<string, (label: string) => ServerError>> = {
	empty: (label) =>
		createInputError(`${label} is empty`, undefined, { field: label, inputProblem: 'empty' }),
	'empty, with its own advice': (label) =>
		createInputError(`${label} is empty`, 'Advice.', { field: label, inputProblem: 'empty' }),
	wrong: (label) =>
		createInputError(`${label} is wrong`, undefined, { field: label, inputProblem: 'wrong' }),
};
const ITEMS: Readonly<Record<string, object>> = {
	'with the field': { text: 'x' },
	'without it': { a: 1 },
	'of an error': { error: 'x' },
};

function explain(
	error: unknown,
	{
		stored,
		json = {},
		continues = false,
		isTool = false,
	}: { stored: object; json?: object; continues?: boolean; isTool?: boolean },
): string {
	const { reason, isOfNode } = explainInput(error, {
		context: {
			getNode: () => ({ type: `test${isTool ? 'Tool' : ''}`, parameters: stored }) as never,
			getInputData: () => [{ json }] as never,
			continueOnFail: () => continues,
			getChatTrigger: () => null,
			evaluateExpression: () => undefined as never,
		},
		properties: PROPERTIES,
		itemIndex: 0,
	});
	return `${describeError(reason)}${isOfNode ? ' ; of the node' : ''}`;
}

test('each error of a field, and of what is in it', () => {
	const rows = combine({
		stored: Object.keys(STORED),
		error: Object.keys(ERRORS),
		item: Object.keys(ITEMS),
	}).map(({ stored, error, item }) => ({
		input: `${stored}, ${error}, an item ${item}`,
		outcome: explain(ERRORS[error]!('Text'), { stored: STORED[stored]!, json: ITEMS[item] }),
	}));
	const toLocator = (value: unknown) => ({ model: { __rl: true, mode: 'id', value } });
	const others: Readonly<Record<string, readonly [label: string, stored: object]>> = {
		'a locator with an expression': ['Model', toLocator('={{ $json.gone }}')],
		'a locator with a fixed value': ['Model', toLocator('m')],
		'a value that only looks like a locator': ['Model', { model: { value: '={{ $json.gone }}' } }],
		'an option': ['Name', { options: { name: '={{ $json.gone }}' } }],
		'an option that is not there': ['Name', { options: {} }],
		'an option with a fixed value': ['Name', { options: { name: 'x' } }],
		'rows with an expression': ['Rows', { rows: { row: [{ cell: '={{ $json.gone }}' }] } }],
		'rows without one': ['Rows', { rows: { row: [{ cell: 'x' }] } }],
		'a field that does not exist': ['Nothing', {}],
		'a label in other letters': ['text', { text: '={{ $json.gone }}' }],
	};
	for (const [name, [label, stored]] of Object.entries(others))
		for (const error of Object.keys(ERRORS))
			rows.push({
				input: `${name}, ${error}`,
				outcome: explain(ERRORS[error]!(label), { stored }),
			});
	const stored = { text: '={{ $json.gone }}' };
	const empty = ERRORS.empty!('Text');
	const refused = (param: string) =>
		createDifyError('invalidParam', { sentence: `${param}: It is wrong`, facts: { param } });
	const further: Readonly<Record<string, string>> = {
		'the node goes on': explain(ERRORS.empty!('Model'), {
			stored: toLocator('={{ 1 }}'),
			continues: true,
		}),
		'a tool': explain(empty, { stored, isTool: true }),
		'an error of a server': explain(empty.copyWith({ status: 400 } as never), { stored }),
		'no error of ours': explain(new Error('other'), { stored }),
		'Dify names a field': explain(refused('text'), { stored: {} }),
		'Dify names an option in its own form': explain(refused('options.response_mode'), {
			stored: {},
		}),
		'Dify names no field': explain(refused('other'), { stored: {} }),
	};
	for (const [input, outcome] of Object.entries(further)) rows.push({ input, outcome });
	expectApproved(
		path.join(__dirname, 'explain-input.any-field.approved.txt'),
		rows,
		'A wrong value is named with its field and where it comes from',
	);
});
