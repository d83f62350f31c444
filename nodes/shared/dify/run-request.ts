/** The request of a run from the fields of a node: inputs, files, options. */
import type { RunRequest } from '../../../lib/dify/run/start-run';
import type { INodeProperties } from 'n8n-workflow';
import type { FormField } from '../../../lib/dify/forms';
import { convertFormValue, parseJsonInputs, parseForm } from '../../../lib/dify/forms';
import { ServerError } from '../../../lib/errors/server-error';
import { isConnectionError } from '../../../lib/errors/error-types';
import type { JsonRecord } from '../../../lib/values/records';
import { omitUndefined, asRecord, isUnset } from '../../../lib/values/records';
import { choiceField, jsonField, shownIf } from '../field-builders';
import type { NodeParameters } from '../parameters';
import { asObjectToSend } from '../parameters';
import { fetchAppParameters } from '../../../lib/dify/app';
import type { DifyCall } from './dify-operation';
import { GENERATION_RETRIES, readRequestSettings } from '../timeout-fields';
import { getAppFileTypes } from '../../../lib/dify/files';
import { parseTraceId } from '../../../lib/dify/client';
import type { FormFiles } from './run-files';
import {
	getBinaryFields,
	hasFileEntries,
	isFileField,
	readFormFiles,
	readSelectedFiles,
	selectChatFiles,
	sendFiles,
} from './run-files';

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
			description:
				"The variables of the app's form. Dify requires them on every turn, also in an existing conversation.",
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

/** A field with an object, whose numbers keep all digits. An empty field is an empty object. */
export function readExactObject(parameters: NodeParameters, name: string): JsonRecord {
	const value = parameters.value(name);
	if (isUnset(value)) return {};
	return asObjectToSend(parameters.field(name), value);
}

/** The inputs of a run, checked. */
interface RunInputs {
	/** Without those of file fields. */
	values: JsonRecord;
	files: FormFiles;
	/** About inputs that Dify silently drops. */
	warnings: string[];
}

/** The inputs of the app, from its form or as JSON. They are sent on every turn, as Dify requires. */
async function readInputs(call: DifyCall): Promise<RunInputs> {
	const { parameters } = call;
	const isJson = parameters.choice('inputsMode') === 'json';
	// Read as one object: n8n's validation of `inputs.value` fails on the null of an empty form.
	const input = isJson
		? parseJsonInputs(parameters.value('inputsJson'))
		: asRecord(asRecord(parameters.value('inputs')).value);
	const isFilledIn = Object.values(input).some((value) => value !== null && value !== undefined);
	const form = isFilledIn ? await fetchForm(call, isJson) : undefined;
	if (form === undefined) {
		const noFiles = await readFormFiles(call, {}, []);
		return { values: isJson ? input : {}, files: noFiles, warnings: [] };
	}
	const files = await readFormFiles(call, input, form.filter(isFileField));
	const textFields = form.filter((field) => !isFileField(field));
	const converted = textFields.map((field) => [
		field.variable,
		convertFormValue(field, input[field.variable]),
	]);
	const values = isJson ? input : omitUndefined(Object.fromEntries(converted) as JsonRecord);
	return { values, files, warnings: getUnknownInputWarnings(input, form) };
}

/** The form of the app; undefined if it cannot be read, and the run then reports the error. */
async function fetchForm({ client }: DifyCall, isJson: boolean) {
	const parameters = await fetchAppParameters(client).catch((error: unknown) => {
		// The run would only wait again for an unreachable server.
		const isUnavailable = error instanceof ServerError && isConnectionError(error.type);
		if (!isJson || isUnavailable) throw error;
		return undefined;
	});
	return parameters === undefined ? undefined : parseForm(parameters);
}

/**
 * Warnings about values without a form field: fields are renamed or removed in Dify, which silently drops such inputs
 * (docs/protocols/dify.md 2.1.2).
 */
function getUnknownInputWarnings(input: JsonRecord, form: readonly FormField[]) {
	const names = form.map(({ variable }) => variable);
	const unknown = Object.keys(input).filter(
		(name) => !names.includes(name) && !isUnset(input[name]),
	);
	if (unknown.length === 0) return [];
	const list = unknown.map((name) => `"${name}"`).join(', ');
	return [
		`The form of the app has no field ${list}, so the value was dropped. Its fields: ${names.join(', ') || 'no fields'}. If the form was changed in Dify, open the node and refresh the list of fields.`,
	];
}

export interface RequestSource {
	/** The user to upload files for, and to run as. */
	user: string;
	/** Path of the field "Files". Default: `files`. */
	filesPath?: string;
	/**
	 * Binary fields with the files of a chat message. If the field "Files" is empty, those that the app accepts are sent;
	 * a hint names the others. Default: none
	 */
	chatFiles?: readonly string[];
}

/** A request of a run, with what the item says about it. */
export interface PreparedRun extends RunRequest {
	/** About inputs that Dify silently drops. They were shown as hints. */
	warnings: string[];
}

/**
 * The request of a run, with its options. Files are uploaded after all checks, also those of the caller.
 *
 * @throws {ServerError} also for an app that accepts no files
 */
export async function buildRunRequest(
	call: DifyCall,
	{ user, filesPath = 'files', chatFiles = [] }: RequestSource,
): Promise<PreparedRun> {
	const { client, parameters, typing } = call;
	const options = {
		...readRequestSettings(parameters, GENERATION_RETRIES),
		traceId: parseTraceId(parameters.value('options.traceId')),
		workflowId: parameters.string('options.workflowId') || undefined,
	};
	await typing?.begin();
	const selected = await readSelectedFiles(call, filesPath);
	const { values, files: formFiles, warnings } = await readInputs(call);
	warnings.forEach(call.hint);
	const allowedTypes =
		selected.length === 0 ? undefined : getAppFileTypes(await fetchAppParameters(client));
	const used = new Set([...getBinaryFields(selected), ...formFiles.binaryFields]);
	const unused = chatFiles.filter((name) => !used.has(name));
	const added = await selectChatFiles(call, unused, hasFileEntries(call, filesPath));
	const inputs = { ...values, ...(await formFiles.upload(user)) };
	const files = await sendFiles([...selected, ...added], user, allowedTypes);
	return { ...options, inputs, files, user, warnings, onDeltas: typing?.show };
}
