import type { INodeProperties } from 'n8n-workflow';

import { actionOf, checkedValues, getHumanForm, submitHumanForm, type HumanInput } from '../../../lib/dify/human-form';
import type { JsonRecord } from '../../../lib/values';
import { userIn } from '../../shared/dify/ids';
import { fileValue, oneOrList } from '../../shared/dify/inputs';
import { uploadOf, type TakenFile } from '../../shared/dify/run-files';
import { formTokenField, formTokenIn, runUserField } from '../fields';
import type { DifyCall, DifyOperation } from '../../shared/dify/run';
import { jsonField, stringField } from '../../shared/field-kinds';

/** Fields of every operation that answers a form. */
export const answerFields: INodeProperties[] = [
	formTokenField,
	stringField('Action', 'action', {
		required: true,
		placeholder: 'e.g. approve',
		description: 'Which button of the form is pressed: its ID, or what stands on it',
	}),
	jsonField('Values', 'values', '{}', {
		typeOptions: { rows: 4 },
		placeholder: '{ "note": "Looks good" }',
		description:
			'Object with a value for each field of the form. A field with files takes names of binary properties or URLs. Defaults of the form count where nothing is given.',
	}),
	{
		...runUserField,
		description: 'Who answers. To follow the run afterwards, it must be the user who started it.',
	},
];

/** Checks the answer against the form and sends it. @returns the token of the form, and the action */
export async function submitAnswer({
	app,
	context,
	parameters,
	signal,
}: DifyCall): Promise<{ formToken: string; action: string; user: string }> {
	const formToken = formTokenIn(parameters);
	const user = userIn(parameters);
	const values = parameters.object('values', undefined) ?? {};
	const form = await getHumanForm(app.client, formToken, signal);
	const action = actionOf(form, parameters.name('action'));
	const files = new Map<HumanInput, TakenFile[]>();
	const ready: JsonRecord = {};
	for (const input of form.inputs.filter(({ kind }) => kind === 'file' || kind === 'file-list')) {
		const field = { ...input, label: input.name };
		const given = values[input.name];
		const value = await fileValue(context, parameters.itemIndex, field, given, await app.parameters(signal));
		if ('taken' in value) files.set(input, value.taken);
		else if (value.value !== undefined) ready[input.name] = value.value;
	}
	const named = new Set([...[...files.keys()].map(({ name }) => name), ...Object.keys(ready)]);
	const inputs: JsonRecord = { ...checkedValues(form, values, named), ...ready };
	const upload = uploadOf(app.client, user, signal);
	for (const [input, taken] of files)
		inputs[input.name] = oneOrList({ ...input, label: input.name }, await upload(taken));
	await submitHumanForm(app.client, formToken, { action, inputs, user }, signal);
	return { formToken, action, user };
}

export const formSubmit: DifyOperation = {
	option: {
		name: 'Submit',
		value: 'submit',
		action: 'Submit a form',
		description: 'Answer what a paused run asks; the run then goes on by itself (Dify 1.14 and newer)',
	},
	fields: answerFields,
	run: async (call) => [
		{ json: { ...(await submitAnswer(call)), submitted: true }, pairedItem: { item: call.parameters.itemIndex } },
	],
};
