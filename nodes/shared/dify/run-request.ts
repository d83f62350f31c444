import type { INodeProperties } from 'n8n-workflow';
import {
	convertFormValue,
	parseJsonInputs,
	parseForm,
	type FormField,
} from '../../../lib/dify/forms';
import { isConnectionError } from '../../../lib/errors/error-types';
import { ServerError } from '../../../lib/errors/server-error';
import { omitUndefined, asRecord, type JsonRecord } from '../../../lib/values';
import { choiceField, toOptions, jsonField } from '../field-builders';
import { isUnset } from '../parameters';
import type { DifyCall } from './dify-operation';
import { readFormFiles, uploadFiles, type RequestedFile, readRequestedFiles } from './run-files';
import { getAppFileTypes } from '../../../lib/dify/files';
import type { RunRequest } from '../../../lib/dify/run/start-run';

export const inputFields: INodeProperties[] = [
	choiceField('Inputs', 'inputsMode', 'form', {
		noDataExpression: true,
		options: toOptions({
			json: 'As JSON',
			form: 'App Fields',
		}),
		description:
			"The variables of the app's form. Dify requires them on every turn, also in an existing conversation.",
	}),
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
		displayOptions: { show: { inputsMode: ['form'] } },
	},
	jsonField('Inputs as JSON', 'inputsJson', '{}', {
		typeOptions: { rows: 4 },
		displayOptions: { show: { inputsMode: ['json'] } },
		placeholder: 'e.g. { "language": "English" }',
		description:
			'Object with the variables of the app. Text variables require strings, even for digits. File variables take the name of a binary field, a URL, or an array of either.',
	}),
];

/** A file field of the app's form or of a human input form. */
type FileField = Pick<FormField, 'variable' | 'fileTypes'> & { type: string };

/** Validated values. Files are uploaded last. */
interface ParsedInputs {
	values: JsonRecord;
	files: Array<{ field: FileField; requested: RequestedFile[] }>;
}

/**
 * The inputs of the app, from its form or as JSON. They are sent on every turn, as Dify requires.
 *
 * @param onWarning receives warnings about inputs that Dify silently drops
 */
async function readInputs(
	call: DifyCall,
	onWarning: (warning: string) => void,
): Promise<ParsedInputs> {
	const { parameters } = call;
	const isJson = parameters.choice('inputsMode') === 'json';
	// Read as one object: n8n's validation of `inputs.value` fails on the null of an empty form.
	const input = isJson
		? parseJsonInputs(parameters.value('inputsJson'))
		: asRecord(asRecord(parameters.value('inputs')).value);
	const isFilledIn = Object.values(input).some((value) => value !== null && value !== undefined);
	const form = isFilledIn ? await fetchForm(call, isJson) : undefined;
	if (form === undefined) return { values: isJson ? input : {}, files: [] };
	warnAboutUnknownInputs(onWarning, input, form);
	const { values, files } = await readFiles(call, input, form.filter(isFileField));
	const textFields = form.filter((field) => !isFileField(field));
	const converted = textFields.map((field) => [
		field.variable,
		convertFormValue(field, input[field.variable]),
	]);
	const inputValues = isJson ? input : omitUndefined(Object.fromEntries(converted) as JsonRecord);
	return { values: { ...inputValues, ...values }, files };
}

/** The form of the app; undefined if it cannot be read, and the run then reports the error. */
async function fetchForm(
	{ appParameters }: DifyCall,
	isJson: boolean,
): Promise<FormField[] | undefined> {
	const parameters = await appParameters().catch((error: unknown) => {
		// The run would only wait again for an unreachable server.
		const isUnavailable = error instanceof ServerError && isConnectionError(error.type);
		if (!isJson || isUnavailable) throw error;
		return undefined;
	});
	return parameters === undefined ? undefined : parseForm(parameters);
}

/** Reads file fields: files to upload, and values to send unchanged. */
export async function readFiles(
	{ context, itemIndex }: Pick<DifyCall, 'context' | 'itemIndex'>,
	input: JsonRecord,
	fields: readonly FileField[],
): Promise<ParsedInputs> {
	const parsed: ParsedInputs = { values: {}, files: [] };
	for (const field of fields) {
		const { type, files } = await readFormFiles(context, itemIndex, input[field.variable]);
		if (type === 'ready') parsed.values[field.variable] = toFileValue(field, files);
		else if (files.length > 0) parsed.files.push({ field, requested: files });
	}
	return parsed;
}

/** Uploads the files and returns the inputs to send. */
export async function uploadInputs(
	{ client }: Pick<DifyCall, 'client'>,
	user: string,
	{ values, files }: ParsedInputs,
): Promise<JsonRecord> {
	const inputs = { ...values };
	for (const { field, requested } of files)
		inputs[field.variable] = toFileValue(
			field,
			await uploadFiles(client, user, requested, field.fileTypes),
		);
	return inputs;
}

/**
 * Warns about values without a form field: fields are renamed or removed in Dify, which silently drops such inputs
 * (docs/protocols/dify.md 2.1.2).
 */
function warnAboutUnknownInputs(
	onWarning: (warning: string) => void,
	input: JsonRecord,
	form: readonly FormField[],
): void {
	const names = form.map(({ variable }) => variable);
	const unknown = Object.keys(input).filter(
		(name) => !names.includes(name) && !isUnset(input[name]),
	);
	if (unknown.length === 0) return;
	const list = unknown.map((name) => `"${name}"`).join(', ');
	const fieldNames = names.join(', ') || 'no fields';
	onWarning(
		`The form of the app has no field ${list}, so the value was dropped. Its fields: ${fieldNames}. If the form was changed in Dify, open the node and refresh the list of fields.`,
	);
}

export function isFileField({ type }: { type: string }): boolean {
	return type === 'file' || type === 'file-list';
}

/** A list of files or a single file, as the field requires. */
function toFileValue({ type }: FileField, files: readonly object[]): unknown {
	return type === 'file-list' || files.length > 1 ? files : files[0];
}

interface RequestOptions {
	/** Path of the field "Files". Default: `files`. */
	filesPath?: string;
	/** Receives warnings about inputs that Dify silently drops. Default: hints. */
	onWarning?: (warning: string) => void;
}

/** The request of a run. Files are uploaded after all checks. */
export async function buildRunRequest(
	call: DifyCall,
	user: string,
	{ filesPath, onWarning = call.hint }: RequestOptions = {},
): Promise<Pick<RunRequest, 'inputs' | 'files' | 'user'>> {
	const requested = await readRequestedFiles(call, filesPath);
	const parsedInputs = await readInputs(call, onWarning);
	const allowedTypes =
		requested.length === 0 ? undefined : getAppFileTypes(await call.appParameters());
	const inputs = await uploadInputs(call, user, parsedInputs);
	return { inputs, files: await uploadFiles(call.client, user, requested, allowedTypes), user };
}
