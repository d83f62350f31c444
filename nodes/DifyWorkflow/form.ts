/** Forms of runs that wait for human input. */
import { followRun } from '../../lib/dify/run/follow-run';
import { isMissingRun } from '../../lib/dify/run/run-record';
import type { HumanFormAction } from '../../lib/dify/human-form';
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
import { isFileField, readFiles } from '../shared/dify/form-files';
import { toPlainObject } from '../shared/dify/run-output';
import { toName } from '../../lib/fields/check-value';
import type { FieldTable, TextField, ValueSource } from '../../lib/fields/field';
import { createEmptyFieldError } from '../../lib/fields/field-errors';
import { DEFAULT_USER, parseId, readUser, simplifyField } from '../shared/dify/common-fields';
import type { DifyCall, DifyResource } from '../shared/dify/dify-operation';
import { optionsField } from '../shared/fields/options-field';
import { toRequestSettings } from '../shared/fields/request-options';
import { defineOperation } from '../shared/items/define-operation';
import type { FieldValues } from '../shared/items/define-operation';
import { getKeptValues, toRunItem, toRunOutput } from './run-item';
import { common, currentRunField, followTotalTimeout, onPause, runUserField } from './fields';
import { getOwn, setOwn } from '../../lib/values/own-properties';

const formTokenField = {
	kind: 'text',
	label: 'Form Token',
	isSecret: true,
	default: '={{ $json.forms?.[0]?.formToken }}',
	required: true,
	description: 'The "formToken" of the form from the output of the paused run',
	parse: (value: unknown, source: ValueSource): string => toName(source, value),
} as const satisfies TextField;

/** @throws {ServerError} if it is empty because the item is not of a paused run */
function readFormToken({ source, values: { formToken } }: FormCall) {
	if (formToken === '' && source.item().forms === undefined)
		throw createEmptyFieldError(
			formTokenField,
			'Add this node after the Dify Workflow node whose run is paused, or drag the formToken of its output to Form Token.',
		);
	return formToken;
}

const submitFields = {
	formToken: formTokenField,
	action: {
		kind: 'name',
		label: 'Action',
		required: true,
		placeholder: 'e.g. approve',
		description: 'The ID or label of the button to press',
	},
	values: {
		kind: 'json',
		label: 'Values',
		default: '{}',
		rows: 4,
		placeholder: 'e.g. { "note": "Looks good" }',
		description:
			'Object with a value for each form field. File fields take names of binary fields or URLs. Empty fields use the form defaults.',
		isOptional: true,
	},
	user: {
		...runUserField,
		description: `The user who submits the form. To follow the run, use the user who started it. ${DEFAULT_USER}`,
	},
	workflowRunId: {
		...currentRunField,
		description:
			'The run ID that Execute returns, to follow the run. If empty, the node returns after the submission.',
		parse: (value: unknown, source: ValueSource): string | undefined =>
			toName(source, value) === '' ? undefined : parseId(value, source),
	},
	simplify: simplifyField,
	options: optionsField({
		returnImmediately: {
			kind: 'switch',
			label: 'Return Immediately',
			default: false,
			description:
				'Whether to return after the submission instead of waiting for the outputs or the next form',
		},
		...common,
		onPause,
		totalTimeout: followTotalTimeout,
	}),
} as const satisfies FieldTable;

const getFields = {
	formToken: formTokenField,
	simplify: simplifyField,
} as const satisfies FieldTable;

type FormCall = DifyCall & { values: { readonly formToken: string } };
type SubmitCall = DifyCall & FieldValues<typeof submitFields>;

export const forms: DifyResource = {
	name: 'Form',
	value: 'form',
	description: 'The form of a run that waits for human input',
	operations: [
		defineOperation({
			name: 'Submit',
			value: 'submit',
			action: 'Submit a form',
			description: 'Submit the form of a paused run, and wait for its outputs or its next form',
			mainFields: ['values'],
			fields: submitFields,
			execute: submit,
		}),
		defineOperation({
			name: 'Get',
			value: 'get',
			action: 'Get a form',
			description: 'Get the text, fields and buttons of the form of a paused run',
			fields: getFields,
			execute: getForm,
		}),
	],
};

async function submit(call: SubmitCall) {
	const { client, source, values } = call;
	const formToken = readFormToken(call);
	const user = readUser(source, values);
	// Before the form is sent: an invalid value must not lose the result of the submission.
	const follow = readFollow(call, { user, formToken });
	const { values: formValues, action: idOrLabel } = values;
	const form = await client.get(humanFormPath(formToken));
	const action = findActionId(findActions(call, form), idOrLabel);
	const fields = parseHumanFormFields(form).map((input) => ({
		...input,
		variable: input.name,
		label: input.name,
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
}

async function getForm(call: DifyCall & FieldValues<typeof getFields>) {
	const { simplify } = call.values;
	const formToken = readFormToken(call);
	const form = await call.client.get(humanFormPath(formToken));
	if (!simplify) return { json: { form_token: formToken, ...form } };
	return {
		json: toPlainObject({
			formToken,
			formContent: toFormContent(form) ?? '',
			inputs: parseHumanFormFields(form).map((input) => ({ ...input, fileRules: undefined })),
			actions: parseHumanFormActions(form),
			expirationTime: form.expiration_time,
		}),
	};
}

interface Submission {
	user: string;
	formToken: string;
}

/** Follows the run of a submission to its outputs or its next form; undefined if the node returns after the submission. */
function readFollow(call: SubmitCall, { user, formToken }: Submission) {
	const { client, values, chatStream } = call;
	const { options } = values;
	const output = toRunOutput(values, user);
	const { timeouts } = toRequestSettings(options);
	const runId = options.returnImmediately === true ? undefined : values.workflowRunId;
	if (runId === undefined) return undefined;
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
 * @param actions - The buttons of the form; empty if they are unknown.
 * @throws {ServerError} if the form has other buttons: Dify would reject it
 */
function findActionId(actions: readonly HumanFormAction[], idOrLabel: string) {
	if (actions.length === 0 || actions.some(({ id }) => id === idOrLabel)) return idOrLabel;
	const action = actions.find(
		({ title }) => title.trim().toLowerCase() === idOrLabel.trim().toLowerCase(),
	);
	if (action === undefined) throw createActionError(actions, idOrLabel);
	return action.id;
}

/** The buttons of the form, otherwise those in the input item, as a paused run returns them. */
function findActions({ source, values: { formToken: token } }: SubmitCall, form: JsonRecord) {
	const actions = parseHumanFormActions(form);
	if (actions.length > 0) return actions;
	const inputForm = asRecords(source.item().forms).find(({ formToken }) => formToken === token);
	return parseHumanFormActions(inputForm ?? {});
}
