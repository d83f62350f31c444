import type { IExecuteFunctions, INodeProperties } from 'n8n-workflow';

import { localError } from '../../../lib/dify/errors/failure';
import { isUnreached } from '../../../lib/errors/kinds';
import { ServerError } from '../../../lib/errors/server-error';
import {
	formValue,
	jsonInputs,
	readForm,
	type FormField,
} from '../../../lib/dify/forms/input-form';
import { recordOf, type JsonRecord } from '../../../lib/values';
import { binaryProperties } from '../binary';
import { choiceField, choices, jsonField } from '../field-kinds';
import { isBlank } from '../field-values';
import { hintOnce } from '../run/hints';
import type { DifyCall } from './run';
import { formFiles, acceptedFiles, type AcceptedFile, type Upload } from './run-files';

export const inputFields: INodeProperties[] = [
	choiceField('Inputs', 'inputsMode', 'form', {
		noDataExpression: true,
		options: choices({
			json: 'As JSON',
			form: 'Fields of the App',
		}),
		description:
			'The variables that the app asks for before its first message. Dify wants them on every turn, also in an existing conversation.',
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
		placeholder: '{ "language": "English" }',
		description:
			'Object with the variables of the app. Text variables need strings, even for digits. A file variable takes the name of a binary field, a URL, or a list of either.',
	}),
];

/** A field that takes files, of the app's form or of one that a run waits for. */
type FileField = Pick<FormField, 'variable' | 'label' | 'files'> & { kind: string };

/** Uploads the files of checked inputs and returns the inputs: files come last, after all checks. */
type CheckedInputs = (upload: Upload) => Promise<JsonRecord>;

/**
 * The inputs of the app, from its form or as JSON. They are sent on every turn, as Dify requires.
 *
 * @param tell gets warnings about inputs that Dify silently drops. Default: hints at the node
 */
export async function inputsOf(
	call: DifyCall,
	tell?: (warning: string) => void,
): Promise<CheckedInputs> {
	const { context, parameters } = call;
	const hint = tell ?? ((warning: string) => hintOnce(context, warning));
	if (parameters.choice<'form' | 'json'>('inputsMode') !== 'json')
		return await inputsFromForm(call, hint);
	return await inputsFromJson(call, hint);
}

async function inputsFromJson(
	call: DifyCall,
	hint: (warning: string) => void,
): Promise<CheckedInputs> {
	const { context, parameters, appParameters } = call;
	const inputs = jsonInputs(parameters.value('inputsJson'));
	const mayHaveFiles = Object.values(inputs).some((value) =>
		mayBeFile(context, parameters.itemIndex, value),
	);
	const hasInputs = Object.keys(inputs).length > 0;
	const form = hasInputs ? await formOf(appParameters) : undefined;
	if (form !== undefined) hintUnknown(hint, inputs, form, 'Dify drops it');
	const fileFields = (form ?? []).filter((field) => isFileField(field) && field.variable in inputs);
	const { send } = await fieldFiles(call, inputs, mayHaveFiles ? fileFields : []);
	return async (upload) => ({ ...inputs, ...(await send(upload)) });
}

async function inputsFromForm(
	call: DifyCall,
	hint: (warning: string) => void,
): Promise<CheckedInputs> {
	const { parameters, appParameters } = call;
	// Read as a whole: n8n's own check of `inputs.value` fails on the null of an empty form.
	const values = recordOf(recordOf(parameters.value('inputs')).value);
	const isFilledIn = Object.values(values).some((value) => value !== null && value !== undefined);
	const form = isFilledIn ? readForm(await appParameters()) : [];
	if (isFilledIn)
		hintUnknown(
			hint,
			values,
			form,
			'what the node has for it was not sent',
			' Open the node, and refresh the list of fields.',
		);
	const inputs: JsonRecord = {};
	for (const field of form.filter((each) => !isFileField(each))) {
		const value = formValue(field, values[field.variable]);
		if (value !== undefined) inputs[field.variable] = value;
	}
	const { send } = await fieldFiles(call, values, form.filter(isFileField));
	return async (upload) => ({ ...inputs, ...(await send(upload)) });
}

/** The files of file fields: names of the fields that have some, and a function that uploads them after all checks. */
export async function fieldFiles(
	call: DifyCall,
	values: JsonRecord,
	fields: readonly FileField[],
): Promise<{ named: ReadonlySet<string>; send: CheckedInputs }> {
	const ready: JsonRecord = {};
	const files = new Map<FileField, AcceptedFile[]>();
	for (const field of fields) {
		const checked = await fileValue(call, field, values[field.variable]);
		if ('files' in checked) files.set(field, checked.files);
		else if (checked.value !== undefined) ready[field.variable] = checked.value;
	}
	const send = async (upload: Upload) => {
		const inputs = { ...ready };
		for (const [field, accepted] of files)
			inputs[field.variable] = oneOrList(field, await upload(accepted));
		return inputs;
	};
	return {
		named: new Set([...[...files.keys()].map(({ variable }) => variable), ...Object.keys(ready)]),
		send,
	};
}

/**
 * Warns of values that the form has no field for: fields are renamed or removed in Dify, which silently drops such
 * inputs (docs/protocols/dify.md 2.1.2).
 *
 * @param fate what happens to them
 */
function hintUnknown(
	hint: (warning: string) => void,
	values: JsonRecord,
	form: readonly FormField[],
	fate: string,
	advice = '',
): void {
	const names = form.map(({ variable }) => variable);
	const unknown = Object.keys(values).filter(
		(name) => !names.includes(name) && !isBlank(values[name]),
	);
	if (unknown.length === 0) return;
	const list = unknown.map((name) => `"${name}"`).join(', ');
	const known = names.join(', ') || 'no fields';
	hint(`The form of the app has no field ${list}, so ${fate}. It has: ${known}.${advice}`);
}

/** The form of the app; undefined where it cannot be read: the run then reports what is wrong. */
async function formOf(appParameters: DifyCall['appParameters']): Promise<FormField[] | undefined> {
	const parameters = await appParameters().catch((error: unknown) => {
		// The run would wait again for a server that does not answer.
		if (error instanceof ServerError && isUnreached(error.kind)) throw error;
		return undefined;
	});
	return parameters === undefined ? undefined : readForm(parameters);
}

/** Whether a value could name files: URLs, or binary fields of the item. */
function mayBeFile(context: IExecuteFunctions, itemIndex: number, value: unknown): boolean {
	if (Array.isArray(value)) return value.some((each) => mayBeFile(context, itemIndex, each));
	if (typeof value !== 'string') return false;
	const names = value.split(',').map((name) => name.trim());
	return names.some(
		(name) => /^https?:/i.test(name) || binaryProperties(context, itemIndex).includes(name),
	);
}

export function isFileField({ kind }: { kind: string }): boolean {
	return kind === 'file' || kind === 'file-list';
}

/** The value of a file field: files to upload, or a value to send unchanged. */
async function fileValue(
	{ context, itemIndex, appParameters }: DifyCall,
	field: FileField,
	value: unknown,
): Promise<{ files: AcceptedFile[] } | { value: unknown }> {
	if (isBlank(value)) return { value: undefined };
	const entries = await formFiles(context, itemIndex, value);
	if ('ready' in entries) return { value: oneOrList(field, entries.ready) };
	if (entries.requested.length === 0) return { value: undefined };
	return { files: acceptedFiles(entries.requested, field.files, await appParameters()) };
}

/** A list of files, or a single one, as the field takes it. */
function oneOrList(field: FileField, files: readonly object[]): unknown {
	if (field.kind === 'file-list') return files;
	if (files.length > 1)
		throw localError(
			'inputs',
			`The field "${field.label}" takes one file, but ${files.length} are given`,
		);
	return files[0];
}
