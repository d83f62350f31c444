import type { INodeProperties } from 'n8n-workflow';

import {
	convertFormValue,
	parseJsonInputs,
	parseForm,
	type FormField,
} from '../../../lib/dify/forms/input-form';
import { isConnectionError } from '../../../lib/errors/error-types';
import { ServerError } from '../../../lib/errors/server-error';
import { omitUndefined, asRecord, type JsonRecord } from '../../../lib/values';
import { choiceField, toOptions, jsonField } from '../field-builders';
import { isUnset } from '../parameters';
import type { DifyCall } from './dify-operation';
import { readFormFiles, uploadFiles, type RequestedFile } from './run-files';

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

/** A field that takes files, of the app's form or of one that a run waits for. */
type FileField = Pick<FormField, 'variable' | 'fileTypes'> & { type: string };

/** Values that were read and checked. Files are uploaded last. */
interface ParsedInputs {
	values: JsonRecord;
	files: Array<{ field: FileField; requested: RequestedFile[] }>;
}

/**
 * The inputs of the app, from its form or as JSON. They are sent on every turn, as Dify requires.
 *
 * @param tell gets warnings about inputs that Dify silently drops
 */
export async function readInputs(
	call: DifyCall,
	tell: (warning: string) => void,
): Promise<ParsedInputs> {
	const { parameters } = call;
	const isJson = parameters.choice<'form' | 'json'>('inputsMode') === 'json';
	// Read as a whole: n8n's own check of `inputs.value` fails on the null of an empty form.
	const given = isJson
		? parseJsonInputs(parameters.value('inputsJson'))
		: asRecord(asRecord(parameters.value('inputs')).value);
	const isFilledIn = Object.values(given).some((value) => value !== null && value !== undefined);
	const form = isFilledIn ? await formOf(call, isJson) : undefined;
	if (form === undefined) return { values: isJson ? given : {}, files: [] };
	warnAboutUnknownInputs(tell, given, form);
	const { values, files } = await readFiles(call, given, form.filter(isFileField));
	const others = form.filter((field) => !isFileField(field));
	const converted = others.map((field) => [
		field.variable,
		convertFormValue(field, given[field.variable]),
	]);
	const own = isJson ? given : omitUndefined(Object.fromEntries(converted) as JsonRecord);
	return { values: { ...own, ...values }, files };
}

/** The form of the app; undefined where it cannot be read, and the run reports what is wrong. */
async function formOf(
	{ appParameters }: DifyCall,
	isJson: boolean,
): Promise<FormField[] | undefined> {
	const parameters = await appParameters().catch((error: unknown) => {
		// The run would wait again for a server that does not answer.
		const isAway = error instanceof ServerError && isConnectionError(error.type);
		if (!isJson || isAway) throw error;
		return undefined;
	});
	return parameters === undefined ? undefined : parseForm(parameters);
}

/** The files of file fields: those to upload, and values to send as they are. */
export async function readFiles(
	{ context, itemIndex }: Pick<DifyCall, 'context' | 'itemIndex'>,
	given: JsonRecord,
	fields: readonly FileField[],
): Promise<ParsedInputs> {
	const read: ParsedInputs = { values: {}, files: [] };
	for (const field of fields) {
		const entries = await readFormFiles(context, itemIndex, given[field.variable]);
		if ('ready' in entries) read.values[field.variable] = oneOrList(field, entries.ready);
		else if (entries.requested.length > 0) read.files.push({ field, ...entries });
	}
	return read;
}

/** The inputs as they are sent. */
export async function uploadInputs(
	{ client }: Pick<DifyCall, 'client'>,
	user: string,
	{ values, files }: ParsedInputs,
): Promise<JsonRecord> {
	const inputs = { ...values };
	for (const { field, requested } of files)
		inputs[field.variable] = oneOrList(
			field,
			await uploadFiles(client, user, requested, field.fileTypes),
		);
	return inputs;
}

/**
 * Warns of values that the form has no field for: fields are renamed or removed in Dify, which silently drops such
 * inputs (docs/protocols/dify.md 2.1.2).
 */
function warnAboutUnknownInputs(
	tell: (warning: string) => void,
	given: JsonRecord,
	form: readonly FormField[],
): void {
	const names = form.map(({ variable }) => variable);
	const unknown = Object.keys(given).filter(
		(name) => !names.includes(name) && !isUnset(given[name]),
	);
	if (unknown.length === 0) return;
	const list = unknown.map((name) => `"${name}"`).join(', ');
	const known = names.join(', ') || 'no fields';
	tell(
		`The form of the app has no field ${list}, so the value was dropped. Its fields: ${known}. If the form was changed in Dify, open the node and refresh the list of fields.`,
	);
}

export function isFileField({ type }: { type: string }): boolean {
	return type === 'file' || type === 'file-list';
}

/** A list of files, or a single one, as the field takes it. */
function oneOrList({ type }: FileField, files: readonly object[]): unknown {
	return type === 'file-list' || files.length > 1 ? files : files[0];
}
