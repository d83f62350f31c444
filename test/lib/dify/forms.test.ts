/** Forms of apps and of paused runs, as Dify describes them. */
import { parseAppForm } from '../../../lib/dify/app-form';
import { explainInputError } from '../../../lib/dify/input-error';
import {
	convertFormValue,
	parseExactNumber,
	parseJsonInputs,
} from '../../../lib/dify/input-values';
import {
	humanFormPath,
	parseHumanFormActions,
	parseHumanFormFields,
} from '../../../lib/dify/human-form';
import type { AppFormField } from '../../../lib/dify/app-form';
import { createDifyError } from '../../../lib/dify/create-error';
import type { DifyClient } from '../../../lib/dify/client';

test('the form of an app: known types, and text for others', () => {
	const settings = { variable: 'a', label: 'A', required: true, max_length: 48 };
	const user_input_form = [
		{ select: { ...settings, options: ['x', 1], default: 'x' } },
		{ 'future-type': { variable: 'b', label: '', options: null, allowed_file_types: ['image'] } },
		{ external_data_tool: { variable: 'c' } },
		{ number: { label: 'without a variable' } },
		'no form',
	];
	expect(parseAppForm({ user_input_form })).toEqual([
		{
			type: 'select',
			variable: 'a',
			label: 'A',
			required: true,
			default: 'x',
			options: ['x', '1'],
			fileTypes: undefined,
			maxLength: 48,
		},
		{
			type: 'text-input',
			variable: 'b',
			label: 'b',
			required: false,
			options: [],
			fileTypes: ['image'],
			maxLength: undefined,
		},
	]);
	expect(parseAppForm({})).toEqual([]);
});

test.each<[AppFormField['type'], unknown, unknown]>([
	['text-input', 5, '5'],
	['text-input', '', ''],
	['text-input', null, undefined],
	['paragraph', { a: 1 }, '{"a":1}'],
	['select', '', undefined],
	['select', 'x', 'x'],
	['number', '2.5', 2.5],
	['number', ' ', undefined],
	['number', 'many', 'many'],
	['checkbox', 'true', true],
	['checkbox', 0, false],
	['checkbox', 'perhaps', 'perhaps'],
	['json_object', { a: 1 }, { a: 1 }],
	['json_object', '{', '{'],
])('a field of type %s converts %j to %j', (type, value, expected) => {
	expect(convertFormValue({ type } as AppFormField, value)).toEqual(expected);
});

test.each([
	['number', '12345678901234567890', '12345678901234567890'],
	['number', ' -9007199254740993 ', '-9007199254740993'],
	['number', '0.1234567890123456789', '0.1234567890123456789'],
	['json_object', '{"a":12345678901234567890}', '{"a":12345678901234567890}'],
	['json_object', '[1,{"b":[1e400]}]', '[1,{"b":[1e400]}]'],
	['text-input', 9007199254740991, '"9007199254740991"'],
])('a field of type %s sends %j as %s', (type, value, json) => {
	expect(JSON.stringify(convertFormValue({ type } as AppFormField, value))).toBe(json);
});

test.each([
	['7', 7],
	[7, 7],
	['9007199254740993', '9007199254740993'],
	['', undefined],
	['x', undefined],
	[undefined, undefined],
])('%j as an exact number', (value, expected) => {
	expect(parseExactNumber(value)).toBe(expected);
});

test('inputs are an object, or nothing', () => {
	expect(parseJsonInputs(' ')).toEqual({});
	expect(JSON.stringify(parseJsonInputs('{"id":9007199254740993}'))).toBe(
		'{"id":9007199254740993}',
	);
	for (const value of ['[1]', '5', 'x', null, [1]])
		expect(() => parseJsonInputs(value)).toThrow('The inputs are not a JSON object');
});

describe('the form of a paused run', () => {
	const input = (name: string, more: object = {}) => ({ output_variable_name: name, ...more });

	test('has the types and options of its fields', () => {
		const inputs = [
			input('note'),
			input('unit', { type: 'select', option_source: { type: 'constant', value: ['C', 1] } }),
			input('from run', { type: 'select', option_source: { type: 'variable', value: ['a'] } }),
			input('files', { type: 'file-list', allowed_file_types: ['image'] }),
			{ type: 'paragraph' },
		];
		expect(parseHumanFormFields({ inputs })).toEqual([
			{ name: 'note', type: 'paragraph' },
			{ name: 'unit', type: 'select', options: ['C', '1'] },
			{ name: 'from run', type: 'select' },
			{ name: 'files', type: 'file-list', fileTypes: ['image'] },
		]);
	});

	test.each([
		[{ type: 'constant', value: 'written' }, { a: 'of the run' }, 'of the run'],
		[{ type: 'constant', value: 'written' }, { b: 'of another' }, 'written'],
		[{ type: 'constant', value: 'written' }, { a: '' }, 'written'],
		[{ type: 'variable', value: 'name' }, { a: 'of the run' }, 'of the run'],
		[{ type: 'variable', value: 'name' }, undefined, undefined],
		[undefined, undefined, undefined],
	])('default %j, resolved %j', (setting, resolved, expected) => {
		const inputs = [input('a', { default: setting })];
		const [field] = parseHumanFormFields({ inputs, resolved_default_values: resolved });
		expect(field!.default).toBe(expected);
	});

	test('has its buttons under either name', () => {
		const buttons = [{ id: 'ok', title: 'OK' }, { id: 'no' }, { title: 'without ID' }];
		const expected = [
			{ id: 'ok', title: 'OK' },
			{ id: 'no', title: 'no' },
		];
		expect(parseHumanFormActions({ user_actions: buttons })).toEqual(expected);
		expect(parseHumanFormActions({ actions: buttons })).toEqual(expected);
		expect(parseHumanFormActions({})).toEqual([]);
	});

	test('has no path without a token', () => {
		expect(humanFormPath('a/b')).toBe('/form/human_input/a%2Fb');
		for (const token of ['', 'null', 'undefined'])
			expect(() => humanFormPath(token)).toThrow('The form has no token');
	});
});

const PARAMETERS = {
	user_input_form: [
		{ 'text-input': { variable: 'q', label: 'Question', max_length: 48 } },
		{ number: { variable: 'age', label: 'Age in Years' } },
		{ select: { variable: 'lang', label: 'Language', options: ['en', 'de'] } },
		{ 'file-list': { variable: 'docs', label: 'Documents', max_length: 20 } },
	],
};
const explain = async (serverText: string, parameters: object = PARAMETERS) =>
	await explainInputError(createDifyError('invalidInputs', { serverText, title: serverText }), {
		get: async () => await Promise.resolve(parameters),
	} as unknown as DifyClient);

interface RejectedInput {
	/** From Dify. */
	message: string;
	title: string;
	/** Part of the detail. */
	fact: string;
}

test.each<RejectedInput>([
	{
		message: 'q in input form must be less than 48 characters',
		title: 'The input "Question" must be less than 48 characters',
		fact: 'maximum 48 characters',
	},
	{
		message: "(type 'text-input') q in input form must be a string",
		title: 'The input "Question" must be a string',
		fact: 'type text-input',
	},
	{
		message: 'age is required in input form',
		title: 'The input "Age in Years" is required',
		fact: 'type number',
	},
	{
		message: "lang in input form must be one of the following: ['en', 'de']",
		title: "The input \"Language\" must be one of the following: ['en', 'de']",
		fact: 'one of en, de',
	},
	{
		message: 'docs in input form must be less than 10 files',
		title: 'The input "Documents" must be less than 10 files',
		fact: 'maximum 20 files',
	},
])('"$message" has the title "$title" and the fact "$fact"', async ({ message, title, fact }) => {
	const error = await explain(message);
	expect(error.message).toBe(title);
	expect(error.detail).toContain(fact);
});

test('a message that names no field of the form stays', async () => {
	expect((await explain('other in input form must be a file')).message).toBe(
		'other in input form must be a file',
	);
	expect((await explain('Some new text')).message).toBe('Some new text');
});

test.each(['text-input', 'paragraph', 'select'])(
	'a number in a %s is put in quotes',
	async (type) => {
		const error = await explain(`(type '${type}') q in input form must be a string`);
		expect(error.suggestion).toContain('quotation marks');
		expect((await explain('q is required in input form')).suggestion).not.toContain('quotation');
	},
);
