import type { INodeProperties } from 'n8n-workflow';

import {
	actionOf,
	checkedValues,
	getHumanForm,
	submitHumanForm,
} from '../../../lib/dify/forms/human-form';
import { userIn } from '../../shared/dify/ids';
import { fieldFiles, isFileField } from '../../shared/dify/inputs';
import { uploadOf } from '../../shared/dify/run-files';
import { formTokenField, formTokenIn, runUserField } from '../fields';
import type { DifyCall, DifyOperation } from '../../shared/dify/run';
import { jsonField, stringField } from '../../shared/field-kinds';

const answerFields: INodeProperties[] = [
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
async function submitAnswer(
	call: DifyCall,
): Promise<{ formToken: string; action: string; user: string }> {
	const { client, parameters } = call;
	const formToken = formTokenIn(parameters);
	const user = userIn(parameters);
	const values = parameters.object('values', undefined) ?? {};
	const form = await getHumanForm(client, formToken);
	const action = actionOf(form, parameters.name('action'));
	const fields = form.inputs.filter(isFileField);
	const files = fields.map((input) => ({ ...input, variable: input.name, label: input.name }));
	const { named, send } = await fieldFiles(call, values, files);
	const checked = checkedValues(form, values, named);
	const inputs = { ...checked, ...(await send(uploadOf(client, user))) };
	await submitHumanForm(client, formToken, { action, inputs, user });
	return { formToken, action, user };
}

export const formSubmit: DifyOperation = {
	option: {
		name: 'Submit',
		value: 'submit',
		action: 'Submit a form',
		description: 'Answer what a paused run asks; the run then goes on by itself',
	},
	fields: answerFields,
	run: async (call) => [
		{
			json: { ...(await submitAnswer(call)), submitted: true },
			pairedItem: { item: call.parameters.itemIndex },
		},
	],
};
