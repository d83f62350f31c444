/** Forms of runs that wait for human input. */
import { followRun } from '../../lib/dify/run/follow-run';
import { isMissingRun } from '../../lib/dify/run/run-record';
import {
	createActionError,
	humanFormPath,
	parseHumanFormActions,
	parseHumanFormFields,
	toFormContent,
	withMissingValues,
} from '../../lib/dify/human-form';
import { rethrowWith, ServerError } from '../../lib/errors/server-error';
import type { JsonRecord } from '../../lib/values/records';
import { asRecords, isNonEmpty } from '../../lib/values/records';
import { toText } from '../../lib/values/text';
import { readExactObject } from '../shared/dify/exact-object';
import { isFileField, readFiles } from '../shared/dify/form-files';
import { toPlainObject } from '../shared/dify/run-output';
import type { DifyCall, DifyResource } from '../shared/dify/dify-operation';
import { readId, simplifyField } from '../shared/dify/dify-fields';
import { DEFAULT_USER, readUser } from '../shared/dify/dify-user';
import { jsonField, optionsCollection, stringField } from '../shared/field-builders';
import type { NodeParameters } from '../shared/parameters';
import { readRequestSettings } from '../shared/timeout-fields';
import { getKeptValues, readOutputOptions, toRunItem } from './run-item';
import { runIdField, runUserField, submitOptions } from './fields';
import { getOwn, setOwn } from '../../lib/values/own-properties';

const formTokenField = stringField('Form Token', 'formToken', {
	typeOptions: { password: true },
	default: '={{ $json.forms?.[0]?.formToken }}',
	required: true,
	description: 'The "formToken" of the form from the output of the paused run',
});

/** @throws {ServerError} if it is empty because the item is not of a paused run */
function readFormToken(parameters: NodeParameters) {
	const token = parameters.string('formToken');
	if (token === '' && parameters.item().forms === undefined)
		throw parameters.createEmptyError(
			'formToken',
			'Add this node after the Dify Workflow node whose run is paused, or drag the formToken of its output to Form Token.',
		);
	return token;
}

export const forms: DifyResource = {
	name: 'Form',
	value: 'form',
	description: 'The form of a run that waits for human input',
	operations: [
		{
			name: 'Submit',
			value: 'submit',
			action: 'Submit a form',
			description: 'Submit the form of a paused run, and wait for its outputs or its next form',
			mainFields: ['values'],
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
					description: `The user who submits the form. To follow the run, use the user who started it. ${DEFAULT_USER}`,
				},
				{
					...runIdField,
					required: false,
					description:
						'The run ID that Execute returns, to follow the run. If empty, the node returns after the submission.',
				},
				simplifyField,
				optionsCollection(submitOptions),
			],
			execute: async (call) => {
				const { client, parameters } = call;
				const formToken = readFormToken(parameters);
				const user = readUser(parameters);
				// Before the form is sent: an invalid value must not lose the result of the submission.
				const follow = readFollow(call, { user, formToken });
				const formValues = readExactObject(parameters, 'values');
				const form = await client.get(humanFormPath(formToken));
				const action = findActionId(form, parameters);
				const fields = parseHumanFormFields(form).map((input) => ({
					...input,
					variable: input.name,
				}));
				const textFields = fields.filter((field) => !isFileField(field));
				const texts: JsonRecord = { ...formValues };
				// Dify applies defaults on its own page only, and numbers make the run fail later.
				for (const { name, default: defaultValue } of textFields) {
					const isFilledIn = isNonEmpty(getOwn(formValues, name));
					if (isFilledIn) setOwn(texts, name, toText(getOwn(formValues, name)));
					else if (defaultValue !== undefined) setOwn(texts, name, defaultValue);
				}
				const files = await readFiles(call, formValues, fields.filter(isFileField));
				const inputs = { ...texts, ...(await files.upload(user)) };
				// Never resent: Dify rejects a second submission.
				await client
					.sendJson('POST', humanFormPath(formToken), { json: { action, inputs, user } })
					.catch(rethrowWith((error) => withMissingValues(error, fields, inputs)));
				const submission = { formToken, action, user, submitted: true };
				const item = await follow?.();
				// The outputs come first: n8n's table shows the first columns.
				return { ...item, json: { ...item?.json, ...submission, ...item?.json } };
			},
		},
		{
			name: 'Get',
			value: 'get',
			action: 'Get a form',
			description: 'Get the text, fields and buttons of the form of a paused run',
			fields: [formTokenField, simplifyField],
			execute: async ({ client, parameters }) => {
				const formToken = readFormToken(parameters);
				const form = await client.get(humanFormPath(formToken));
				if (!parameters.boolean('simplify')) return { json: { form_token: formToken, ...form } };
				return {
					json: toPlainObject({
						formToken,
						formContent: toFormContent(form) ?? '',
						inputs: parseHumanFormFields(form).map((input) => ({ ...input, fileTypes: undefined })),
						actions: parseHumanFormActions(form),
						expirationTime: form.expiration_time,
					}),
				};
			},
		},
	],
};

interface Submission {
	user: string;
	formToken: string;
}

/** Follows the run of a submission to its outputs or its next form; undefined if the node returns after the submission. */
function readFollow(call: DifyCall, { user, formToken }: Submission) {
	const { client, parameters, chatStream } = call;
	const output = readOutputOptions(call, user);
	const { timeouts } = readRequestSettings(parameters);
	const returnsImmediately = parameters.boolean('options.returnImmediately', false);
	if (returnsImmediately || parameters.string('workflowRunId') === '') return undefined;
	const runId = readId(parameters, 'workflowRunId');
	return async () => {
		await chatStream?.begin();
		const running = followRun(client, {
			runId,
			user,
			onDeltas: chatStream?.show,
			timeouts,
			submittedToken: formToken,
			...getKeptValues(output),
		});
		return await toRunItem(call, { running, output }).catch((error: unknown) => {
			// The submission counts if only the run ID or the user is wrong.
			if (!(error instanceof ServerError) || !isMissingRun(error.type)) throw error;
			call.hint(
				'The form was submitted, but Dify cannot find the run: check the Workflow Run ID, and use the user who started the run.',
			);
			return undefined;
		});
	};
}

/**
 * The ID of a button, by its ID or label.
 *
 * @throws {ServerError} if the form has other buttons: Dify would reject it
 */
function findActionId(form: JsonRecord, parameters: NodeParameters) {
	const idOrLabel = parameters.requiredString('action');
	const actions = findActions(form, parameters);
	// The buttons are unknown.
	if (actions.length === 0 || actions.some(({ id }) => id === idOrLabel)) return idOrLabel;
	const action = actions.find(
		({ title }) => title.trim().toLowerCase() === idOrLabel.trim().toLowerCase(),
	);
	if (action === undefined) throw createActionError(actions, idOrLabel);
	return action.id;
}

/** The buttons of the form, otherwise those in the input item, as a paused run returns them. */
function findActions(form: JsonRecord, parameters: NodeParameters) {
	const actions = parseHumanFormActions(form);
	if (actions.length > 0) return actions;
	const token = readFormToken(parameters);
	const inputForm = asRecords(parameters.item().forms).find(({ formToken }) => formToken === token);
	return parseHumanFormActions(inputForm ?? {});
}
