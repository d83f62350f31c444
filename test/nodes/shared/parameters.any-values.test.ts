/** What each reader of a field makes of any value, and which values are read once for all items. */
import type { INodeProperties } from 'n8n-workflow';

import { NodeParameters } from '../../../nodes/shared/parameters';
import type { ParameterSource } from '../../../nodes/shared/parameters';
import { expectApproved } from '../../support/approved/approved-table';
import { combine, getOutcome } from '../../support/approved/outcome';
import path from 'node:path';

const field = (
	name: string,
	type: INodeProperties['type'],
	more: Partial<INodeProperties> = {},
): INodeProperties => ({
	displayName: `The ${name}`,
	name,
	type,
	default: '',
	...more,
});
const CHOICES = ['a', 'b'].map((value) => ({ name: value.toUpperCase(), value }));

const OPTIONS: INodeProperties[] = [
	field('number', 'number', { typeOptions: { minValue: 0.5, maxValue: 10 } }),
	field('integer', 'number', { typeOptions: { minValue: 0, numberPrecision: 0 } }),
	field('seconds', 'number', { typeOptions: { minValue: 0 } }),
	field('switch', 'boolean'),
	field('text', 'string'),
	field('json', 'json'),
	field('choice', 'options', { options: CHOICES }),
	field('choices', 'multiOptions', { options: CHOICES }),
];
const PROPERTIES: INodeProperties[] = [
	field('top', 'string', { default: 'the default' }),
	field('computed', 'string', { default: '={{ $json.x }}' }),
	field('model', 'resourceLocator'),
	field('rows', 'fixedCollection', {
		options: [{ name: 'row', displayName: 'Row', values: [field('cell', 'string')] }],
	}),
	{ displayName: 'Options', name: 'options', type: 'collection', default: {}, options: OPTIONS },
];

const READERS: Readonly<Record<string, (parameters: NodeParameters) => unknown>> = {
	number: (parameters) => parameters.number('options.number'),
	'number or 7': (parameters) => parameters.number('options.number', 7),
	integer: (parameters) => parameters.number('options.integer'),
	milliseconds: (parameters) => parameters.milliseconds('options.seconds'),
	'milliseconds or 9': (parameters) => parameters.milliseconds('options.seconds', 9),
	boolean: (parameters) => parameters.boolean('options.switch'),
	'boolean or true': (parameters) => parameters.boolean('options.switch', true),
	string: (parameters) => parameters.string('options.text'),
	requiredString: (parameters) => parameters.requiredString('options.text'),
	rawString: (parameters) => parameters.rawString('options.text'),
	textOption: (parameters) => parameters.textOption('options.text') ?? 'undefined',
	object: (parameters) => parameters.object('options.json'),
	'object or none': (parameters) => parameters.object('options.json', 'none'),
	objectToSend: (parameters) => parameters.objectToSend('options.json'),
	choice: (parameters) => parameters.choice('options.choice'),
	'choice or b': (parameters) => parameters.choice('options.choice', 'b'),
	choices: (parameters) => parameters.choices('options.choices'),
};
const NAMES: Readonly<Record<string, string>> = {
	seconds: 'milliseconds',
	switch: 'boolean',
	text: 'tring',
	json: 'object',
};
const VALUES = [
	...[
		undefined,
		null,
		'',
		' ',
		'a',
		'a ',
		'b',
		'c',
		' x ',
		'0',
		'0.4',
		'7',
		'7.9',
		'11',
		'1e400',
		'true',
		'No',
		'false',
	],
	...[0, 0.4, 0.5, 7.9, 10, 10.1, -1, NaN, true, false, {}, { a: 1 }, ['a', 'b'], ['a', 'c'], []],
	...['{"a":12345678901234567890}', '[1]', '{"a":', { __rl: true, mode: 'id', value: 'in' }],
];

/** A context whose parameters are the same for all items, or one for each. */
const toContext = (
	items: readonly Record<string, unknown>[],
	{ stored, reads = [] }: { stored?: Record<string, unknown>; reads?: string[] } = {},
): ParameterSource => ({
	getNodeParameter: (name, itemIndex, fallback, options) => {
		reads.push(`${name} ${itemIndex}`);
		const { [name]: value } = items[itemIndex]!;
		const isExtracted = (options as { extractValue?: boolean } | undefined)?.extractValue === true;
		if (isExtracted && value !== undefined) return (value as { value: unknown }).value;
		return value === undefined ? fallback : value;
	},
	getNode: () => ({ parameters: stored ?? {} }),
	getInputData: () => items.map((_item, at) => ({ json: { number: at } })),
	getWorkflow: () => ({ id: 'w' }),
});

test('each reader with each value', () => {
	const rows = combine({ reader: Object.keys(READERS), value: VALUES.map((_value, at) => at) }).map(
		({ reader, value: at }) => {
			const value = VALUES[at];
			const names = OPTIONS.filter(
				({ name }) =>
					reader.includes(NAMES[name] ?? name) || (name === 'text' && /tring|text/.test(reader)),
			);
			const option = Object.fromEntries(names.map(({ name }) => [name, value]));
			const parameters = new NodeParameters(toContext([{ options: option }]), 0, PROPERTIES);
			return {
				input: `${reader} of ${typeof value === 'number' ? value : JSON.stringify(value)} ${at}`,
				outcome: getOutcome(() => READERS[reader]!(parameters)),
			};
		},
	);
	expectApproved(
		path.join(__dirname, 'parameters.any-values.approved.txt'),
		rows,
		'A field gives a value of its type, or an error that names it',
	);
});

test('values of two items, by what the workflow stores', () => {
	const stored: Record<string, Record<string, unknown>> = {
		'the same text': { top: 'x' },
		'an expression': { top: '={{ $json.number }}' },
		'options with an expression': { options: { text: '={{ $json.number }}' } },
		'options with an expression inside': { options: { json: { deep: ['={{ $json.number }}'] } } },
		'fixed options': { options: { text: 'x' } },
		'rows with an expression': { rows: { row: [{ cell: '={{ $json.number }}' }] } },
		'nothing stored': {},
	};
	const items = [0, 1].map((at) => ({
		top: `top ${at}`,
		options: { text: `text ${at}`, json: { deep: [at] } },
		rows: { row: [{ cell: at }] },
		model: { __rl: true, mode: 'id', value: `model ${at}` },
	}));
	const rows = Object.entries(stored).map(([input, parameters]) => {
		const reads: string[] = [];
		const context = toContext(items, { stored: parameters, reads });
		const outcomes = items.map((_item, itemIndex) => {
			const of = new NodeParameters(context, itemIndex, PROPERTIES);
			const values = [
				of.value('top'),
				of.value('options.text'),
				of.value('options.json'),
				of.value('options.text'),
				of.value('rows'),
			];
			const known = [
				of.isUnset('top'),
				of.hasOption('text'),
				of.hasOption('number'),
				of.item().number,
				of.workflowId(),
			];
			return JSON.stringify([...values, of.string('model'), ...known]);
		});
		return { input, outcome: [...outcomes, reads.join(', ')].join(' ; ') };
	});
	const empty = new NodeParameters(toContext([{}]), 0, PROPERTIES);
	rows.push({
		input: 'fields that n8n does not have',
		outcome: JSON.stringify(
			['top', 'computed', 'model', 'options.text', 'nothing.x'].map(
				(name) => empty.value(name) ?? null,
			),
		),
	});
	expectApproved(
		path.join(__dirname, 'parameters.any-values.items.approved.txt'),
		rows,
		'A value is read once for all items only if it is the same for all',
	);
});
