/** Forms of a paused run of any kind: their text, fields and buttons, and what errors say of them. */
import { createDifyError } from '../../../lib/dify/create-error';
import {
	createActionError,
	humanFormPath,
	parseHumanFormActions,
	parseHumanFormFields,
	toFormContent,
	withMissingValues,
} from '../../../lib/dify/human-form';
import type { AppFormField } from '../../../lib/dify/app-form';
import type { HumanFormField } from '../../../lib/dify/human-form';
import { parseAppForm } from '../../../lib/dify/app-form';
import { expectApproved } from '../../support/approved/approved-table';
import { combine, getOutcome, describeError } from '../../support/approved/outcome';
import path from 'node:path';

const input = (more: object) => ({ output_variable_name: 'name', ...more });

test('each field, button, text and error of a form', () => {
	const fields = [
		...combine({
			type: [undefined, 'paragraph', 'select', 'file-list'],
			default: [undefined, { type: 'constant', value: 'C' }, { type: 'variable', value: 'V' }],
			resolved: [undefined, { name: 'R' }, { name: '' }, { other: 'O' }],
		}).map(({ resolved, ...more }) => ({
			inputs: [input(more)],
			resolved_default_values: resolved,
		})),
		...[undefined, 'constant', 'variable'].map((type) => ({
			inputs: [input({ type: 'select', option_source: { type, value: ['a', 1] } })],
		})),
		{ inputs: [input({ type: 'file', allowed_file_types: ['image'] })] },
		{ inputs: [input({ type: 'file', allowed_file_types: [] })] },
		{ inputs: [{ type: 'paragraph' }, { output_variable_name: '' }, 5] },
		{ inputs: 'x' },
	];
	const actions = [
		{ user_actions: [{ id: 'yes', title: 'Yes' }, { id: 'no' }, { title: 'x' }, { id: '' }] },
		{ actions: [{ id: 'a', title: '' }], user_actions: null },
		{ actions: [{ id: 'a' }], user_actions: [] },
		{},
	];
	const texts = [
		{ form_content: 'Name: {{#$output.name#}} and {{# $output.name #}}', inputs: [input({})] },
		{ form_content: '{{#$output.other#}} {{#sys.x#}}', inputs: [input({})] },
		{ form_content: '', inputs: [] },
		{ form_content: 5 },
	];
	const tokens = ['token', 'a/b', '', 'null', 'undefined', ' '];
	const buttons = Array.from({ length: 22 }, (_none, at) => ({ id: `b${at}`, title: `b${at}` }));
	const form = parseHumanFormFields({
		inputs: [
			input({}),
			{ output_variable_name: 'unit', type: 'select', option_source: { value: ['C', 'F'] } },
		],
	});
	const rejected = createDifyError('formRejected', {
		inputWords: { title: 'It is wrong', suggestion: 'First.' },
	});
	const other = createDifyError('notFound', {
		inputWords: { title: 'It is gone', suggestion: 'First.' },
	});
	const errors = [
		createActionError([], 'x'),
		createActionError(
			[
				{ id: 'yes', title: 'Yes' },
				{ id: 'no', title: 'no' },
			],
			'y'.repeat(70),
		),
		createActionError(buttons.slice(0, 20), 'x'),
		createActionError(buttons.slice(0, 21), 'x'),
		withMissingValues(rejected, form, {}),
		withMissingValues(rejected, form, { name: 'x' }),
		withMissingValues(rejected, form, { name: '', unit: null }),
		withMissingValues(rejected, form, { name: 'x', unit: 'C' }),
		withMissingValues(other, form, {}),
	];
	expectApproved(
		path.join(__dirname, 'human-form.any-form.approved.txt'),
		[
			...fields.map((one) => ({
				input: `fields ${JSON.stringify(one)}`,
				outcome: parseHumanFormFields(one as never).map(withFileTypes),
			})),
			...actions.map((one) => ({
				input: `buttons ${JSON.stringify(one)}`,
				outcome: parseHumanFormActions(one as never),
			})),
			...texts.map((one) => ({
				input: `text ${JSON.stringify(one)}`,
				outcome: JSON.stringify(toFormContent(one as never)) ?? 'undefined',
			})),
			...tokens.map((one) => ({
				input: `token "${one}"`,
				outcome: getOutcome(() => humanFormPath(one)),
			})),
			...errors.map((error, at) => ({ input: `error ${at}`, outcome: describeError(error) })),
		],
		'A form shows its text, fields and buttons, and a wrong answer names them',
	);
});

/** A field with the types of files that it accepts, in place of all of its rules. */
function withFileTypes({ fileRules, ...field }: HumanFormField | AppFormField) {
	return { ...field, fileTypes: fileRules?.types };
}

test('each field of the form of an app', () => {
	const settings = combine({
		label: ['Label', ''],
		required: [true, 'yes', undefined],
		default: ['x', '', 0, undefined],
	});
	const forms = [
		...settings.map((one) => ({ paragraph: { variable: 'v', ...one } })),
		...['text-input', 'select', 'number', 'checkbox', 'json_object', 'file', 'new'].map((type) => ({
			[type]: { variable: 'v', options: ['a', 1], max_length: 48 },
		})),
		{ file: { variable: 'v', allowed_file_types: ['image'], max_length: '3' } },
		{ external_data_tool: { variable: 'v' } },
		{ paragraph: { variable: '' } },
		{ paragraph: 'x' },
		{ number: { variable: 'a' }, file: { variable: 'b' } },
	];
	const rows = forms.map((one) => ({
		input: JSON.stringify(one),
		outcome: parseAppForm({ user_input_form: [one] }).map(withFileTypes),
	}));
	expectApproved(
		path.join(__dirname, 'human-form.any-form.app.approved.txt'),
		rows,
		'A form of an app has the fields that its author made',
	);
});
