import {
	parseFormActions,
	formPath,
	parseFormFields,
	submitForm,
} from '../../lib/dify/forms/human-form';
import { isNonEmpty, omitUndefined, toText, type JsonRecord } from '../../lib/values';
import { readUser } from '../shared/dify/ids';
import { isFileField, readFiles, uploadInputs } from '../shared/dify/inputs';
import { toPlainObject } from '../shared/dify/plain-object';
import { defineRequestOperation } from '../shared/dify/define-operation';
import type { DifyOperation } from '../shared/dify/dify-operation';
import { simplifyField } from '../shared/dify/run-options';
import { jsonField, stringField } from '../shared/field-builders';
import type { NodeParameters } from '../shared/parameters';
import { runUserField } from './fields';

const formTokenField = stringField('Form Token', 'formToken', {
	typeOptions: { password: true },
	default: '={{ $json.forms?.[0]?.formToken }}',
	required: true,
	description: 'The "formToken" of the form from the output of the paused run',
});

const tokenIn = (parameters: NodeParameters) => parameters.string('formToken');

export const formGet = defineRequestOperation({
	option: {
		name: 'Get',
		value: 'get',
		action: 'Get a form',
		description: 'Get the text, fields and buttons of the form of a paused run',
	},
	fields: [formTokenField, simplifyField],
	request: (parameters) => ['GET', formPath(tokenIn(parameters))],
	toItems: (form, parameters) => {
		const formToken = tokenIn(parameters);
		if (!parameters.boolean('simplify')) return { form_token: formToken, ...form };
		return toPlainObject({
			formToken,
			formContent: form.form_content ?? '',
			inputs: parseFormFields(form).map((input) => ({ ...input, fileTypes: undefined })),
			actions: parseFormActions(form),
			...omitUndefined({ expirationTime: form.expiration_time }),
		});
	},
});

export const formSubmit: DifyOperation = {
	option: {
		name: 'Submit',
		value: 'submit',
		action: 'Submit a form',
		description: 'Submit the form of a paused run; the run then continues',
	},
	fields: [
		formTokenField,
		stringField('Action', 'action', {
			required: true,
			placeholder: 'e.g. approve',
			description: 'The ID or label of the button to press',
		}),
		jsonField('Values', 'values', '{}', {
			typeOptions: { rows: 4 },
			placeholder: 'e.g. { "note": "Looks good" }',
			description:
				'Object with a value for each form field. File fields take names of binary fields or URLs. Empty fields use the form defaults.',
		}),
		{
			...runUserField,
			description:
				'Who submits the form. To follow the run afterwards, use the user who started it.',
		},
	],
	run: async (call) => {
		const { client, parameters } = call;
		const formToken = tokenIn(parameters);
		const user = readUser(parameters);
		const given = parameters.object('values', undefined) ?? {};
		const form = await client.get(formPath(formToken));
		const action = actionIn(form, parameters.requiredString('action'));
		const fields = parseFormFields(form).map((input) => ({ ...input, variable: input.name }));
		const texts: JsonRecord = { ...given };
		// Dify takes defaults on its own page only, and a number makes the run fail later.
		for (const { name, default: preset } of fields.filter((field) => !isFileField(field)))
			if (isNonEmpty(given[name]) || preset !== undefined)
				texts[name] = isNonEmpty(given[name]) ? toText(given[name]) : preset;
		const { values, files } = await readFiles(call, given, fields.filter(isFileField));
		const inputs = await uploadInputs(call, user, { values: { ...texts, ...values }, files });
		await submitForm(client, formToken, { action, inputs, user });
		return [{ json: { formToken, action, user, submitted: true } }];
	},
};

/** The ID of a button, by its ID or by what stands on it. Dify refuses one that does not exist. */
function actionIn(form: JsonRecord, wanted: string): string {
	const actions = parseFormActions(form);
	if (actions.some(({ id }) => id === wanted)) return wanted;
	const titled = actions.find(({ title }) => title.trim().toLowerCase() === wanted.toLowerCase());
	return titled?.id ?? wanted;
}
