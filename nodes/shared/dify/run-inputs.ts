/** The inputs of a run: the fields of a node, and their values for the app's form. */
import type { INodeProperties } from 'n8n-workflow';
import type { AppFormField } from '../../../lib/dify/app-form';
import { parseAppForm } from '../../../lib/dify/app-form';
import { convertFormValue, parseJsonInputs } from '../../../lib/dify/input-values';
import { ServerError } from '../../../lib/errors/server-error';
import { createInputError } from '../../../lib/errors/create-error';
import {
	assertTextLength,
	describeExcess,
	LONG_TEXT_SUGGESTION,
} from '../../../lib/errors/text-limits';
import { TASK_LIMITS } from '../../../lib/task-limits';
import { isConnectionError } from '../../../lib/errors/error-types';
import type { JsonRecord } from '../../../lib/values/records';
import { omitUndefined, asRecord, isUnset } from '../../../lib/values/records';
import { collectTexts } from '../../../lib/values/text';
import { choiceField, jsonField, shownIf } from '../field-builders';
import { fetchAppParameters } from '../../../lib/dify/app';
import type { DifyCall } from './dify-operation';
import type { FormFiles } from './form-files';
import { readFiles, isFileField } from './form-files';
import { getOwn } from '../../../lib/values/own-properties';

export const inputFields: INodeProperties[] = [
	choiceField(
		'Inputs',
		'inputsMode',
		'form',
		{
			json: 'As JSON',
			form: 'App Fields',
		},
		{
			noDataExpression: true,
			description: "The variables of the app's form",
		},
	),
	{
		displayName: 'Form',
		name: 'inputs',
		type: 'resourceMapper',
		noDataExpression: true,
		default: { mappingMode: 'defineBelow', value: null },
		typeOptions: {
			resourceMapper: {
				resourceMapperMethod: 'getForm',
				mode: 'add',
				fieldWords: { singular: 'field', plural: 'fields' },
				addAllFields: true,
				multiKeyMatch: false,
				supportAutoMap: false,
			},
		},
		...shownIf('inputsMode', 'form'),
	},
	jsonField('Inputs as JSON', 'inputsJson', '{}', {
		typeOptions: { rows: 4 },
		...shownIf('inputsMode', 'json'),
		placeholder: 'e.g. { "language": "English" }',
		description:
			'Object with the variables of the app. Text variables require strings, even for digits. File variables take the name of a binary field, a URL, or an array of either.',
	}),
];

/** The inputs of a run, checked. */
interface RunInputs {
	/** Without those of file fields. */
	values: JsonRecord;
	files: FormFiles;
	/** About inputs that Dify silently drops. */
	warnings: string[];
}

/** The inputs of the app, from its form or as JSON. In a chat, they are sent on every turn, as Dify requires. */
export async function readInputs(call: DifyCall): Promise<RunInputs> {
	const { parameters } = call;
	const isJson = parameters.choice('inputsMode') === 'json';
	// Read as one object: n8n's validation of `inputs.value` fails on the null of an empty form.
	const input = isJson
		? parseJsonInputs(parameters.value('inputsJson'))
		: asRecord(asRecord(parameters.value('inputs')).value);
	assertShortInputs(input);
	const isFilledIn = Object.values(input).some((value) => value !== null && value !== undefined);
	const form = isFilledIn ? await fetchForm(call, isJson) : undefined;
	if (form === undefined) {
		const noFiles = await readFiles(call, {}, []);
		return { values: isJson ? input : {}, files: noFiles, warnings: [] };
	}
	const files = await readFiles(call, input, form.filter(isFileField));
	const textFields = form.filter((field) => !isFileField(field));
	const converted = textFields.map((field) => [
		field.variable,
		convertFormValue(field, getOwn(input, field.variable)),
	]);
	const values = isJson ? input : omitUndefined(Object.fromEntries(converted) as JsonRecord);
	return { values, files, warnings: getUnknownInputWarnings(input, form) };
}

/** @throws {ServerError} of type `invalidInput` for an input that is too long, and for inputs that are too long together */
function assertShortInputs(input: JsonRecord) {
	let bytes = 0;
	for (const [name, value] of Object.entries(input))
		for (const text of collectTexts(value)) {
			assertTextLength(text, `The input "${name}"`);
			bytes += Buffer.byteLength(text);
		}
	const excess = describeExcess(bytes, TASK_LIMITS.difyRun.sentBytes);
	if (excess !== undefined)
		throw createInputError(`The set of inputs ${excess}`, LONG_TEXT_SUGGESTION);
}

/** The form of the app; undefined if it cannot be read, and the run then reports the error. */
async function fetchForm({ client }: DifyCall, isJson: boolean) {
	const appParameters = await fetchAppParameters(client).catch((error: unknown) => {
		// The run would only wait again for an unreachable server.
		const isUnavailable = error instanceof ServerError && isConnectionError(error.type);
		if (!isJson || isUnavailable) throw error;
		return undefined;
	});
	return appParameters === undefined ? undefined : parseAppForm(appParameters);
}

/**
 * Warnings about values without a form field: fields are renamed or removed in Dify, which silently drops such inputs
 * (docs/protocols/dify.md 2.1.2).
 */
function getUnknownInputWarnings(input: JsonRecord, form: readonly AppFormField[]) {
	const names = new Set(form.map(({ variable }) => variable));
	const unknown = Object.keys(input).filter(
		(name) => !names.has(name) && !isUnset(getOwn(input, name)),
	);
	if (unknown.length === 0) return [];
	const list = unknown.map((name) => `"${name}"`).join(', ');
	return [
		`The form of the app has no field ${list}, so the value was dropped. Its fields: ${[...names].join(', ') || 'no fields'}. If the form was changed in Dify, open the node and refresh the list of fields.`,
	];
}
