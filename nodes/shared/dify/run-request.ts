/** The request of a run from the fields of a node: inputs, files, options. */
import type { RunRequest } from '../../../lib/dify/run/start-run';
import type { INodeProperties } from 'n8n-workflow';
import type { FormField } from '../../../lib/dify/forms';
import { convertFormValue, parseJsonInputs, parseForm } from '../../../lib/dify/forms';
import { ServerError } from '../../../lib/errors/server-error';
import { isConnectionError } from '../../../lib/errors/error-types';
import type { JsonRecord } from '../../../lib/values/records';
import { omitUndefined, asRecord, isRecord, asRecords, isUnset } from '../../../lib/values/records';
import { parseJsonExactly } from '../../../lib/values/exact-json';
import { pushAll } from '../../../lib/values/lists';
import { toText } from '../../../lib/values/text';
import {
	choiceField,
	jsonField,
	fixedCollectionField,
	stringField,
	shownIf,
} from '../field-builders';
import type { Field, NodeParameters } from '../parameters';
import { asChoice, asObjectToSend, asText, createFieldError } from '../parameters';
import { fetchAppParameters } from '../../../lib/dify/app';
import type { DifyCall } from './dify-operation';
import { GENERATION_RETRIES, readRequestSettings } from '../timeout-fields';
import type { DifyFileType } from '../../../lib/dify/files';
import {
	getAppFileTypes,
	parseFileUrl,
	splitFileNames,
	toDifyFileType,
	FILE_SUGGESTION,
	getFileNameFromUrl,
	withTransferMethod,
	uploadFile,
} from '../../../lib/dify/files';
import { parseTraceId } from '../../../lib/dify/client';
import { createLocalError } from '../../../lib/dify/create-error';
import { getBinaryProperties, createFileSource, splitNames } from '../binary';

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

/** A file field of the app's form or of a human input form. */
interface FileField extends Pick<FormField, 'variable' | 'fileTypes'> {
	/** Dify's type of the field. */
	type: string;
}

/** Uploads the files of file fields, and returns the inputs to send. */
type UploadFiles = (user: string) => Promise<JsonRecord>;

/** The inputs of a run, checked. */
interface RunInputs {
	/** Without those of file fields. */
	values: JsonRecord;
	uploadFiles: UploadFiles;
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
		return { values: isJson ? input : {}, uploadFiles: async () => ({}), warnings: [] };
	}
	const uploadFiles = await readFiles(call, input, form.filter(isFileField));
	const textFields = form.filter((field) => !isFileField(field));
	const converted = textFields.map((field) => [
		field.variable,
		convertFormValue(field, input[field.variable]),
	]);
	const values = isJson ? input : omitUndefined(Object.fromEntries(converted) as JsonRecord);
	return { values, uploadFiles, warnings: getUnknownInputWarnings(input, form) };
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
 * Reads the files of file fields.
 *
 * @param input values by variable
 * @returns a function that uploads them, to be called after all checks
 */
export async function readFiles(
	call: DifyCall,
	input: JsonRecord,
	fields: readonly FileField[],
): Promise<UploadFiles> {
	const fieldFiles: FieldFiles[] = [];
	for (const field of fields) {
		const files = await readFormFiles(call, parseFileEntries(input[field.variable]));
		if (files.length > 0) fieldFiles.push({ field, files });
	}
	return async (user) => {
		const inputs: JsonRecord = {};
		for (const { field, files } of fieldFiles) {
			const { type, variable, fileTypes } = field;
			const sent = await sendFiles(files, user, fileTypes);
			inputs[variable] = type === 'file-list' || sent.length > 1 ? sent : sent[0];
		}
		return inputs;
	};
}

/** A file field with its files. */
interface FieldFiles {
	field: FileField;
	files: FileRequest[];
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

/** Whether a field of a form takes files. */
export function isFileField({ type }: Pick<FileField, 'type'>): boolean {
	return type === 'file' || type === 'file-list';
}

export interface RequestSource {
	/** The user to upload files for, and to run as. */
	user: string;
	/** Path of the field "Files". Default: `files`. */
	filesPath?: string;
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
	{ user, filesPath = 'files' }: RequestSource,
): Promise<PreparedRun> {
	const { client, parameters, typing } = call;
	const options = {
		...readRequestSettings(parameters, GENERATION_RETRIES),
		traceId: parseTraceId(parameters.value('options.traceId')),
		workflowId: parameters.string('options.workflowId') || undefined,
	};
	await typing?.begin();
	const requests = await readRequestedFiles(call, filesPath);
	const { values, uploadFiles, warnings } = await readInputs(call);
	warnings.forEach(call.hint);
	const allowedTypes =
		requests.length === 0 ? undefined : getAppFileTypes(await fetchAppParameters(client));
	const inputs = { ...values, ...(await uploadFiles(user)) };
	const files = await sendFiles(requests, user, allowedTypes);
	return { ...options, inputs, files, user, warnings, onDeltas: typing?.show };
}

export const filesField: INodeProperties = fixedCollectionField(
	'Files',
	'files',
	'File',
	[
		choiceField('Source', 'source', 'binary', {
			all: ['All Binary Fields', 'All files of the item, for example files dropped into the chat'],
			binary: 'Binary Field',
			url: ['URL', 'A URL that Dify downloads'],
		}),
		stringField('Input Binary Field', 'binaryProperty', {
			default: 'data',
			...shownIf('source', 'binary'),
			hint: 'Name of the binary field; separate several names with commas',
		}),
		stringField('URL', 'url', {
			...shownIf('source', 'url'),
			placeholder: 'e.g. https://example.com/image.png',
			hint: 'Separate several URLs with spaces, or pass an array. An item without a URL is an error; an empty array sends no file',
		}),
		choiceField('Type', 'type', 'auto', {
			audio: 'Audio',
			auto: ['Automatic', 'Detect from file name, MIME type and the types the app accepts'],
			custom: ['Custom', 'Another type, with an extension that the app allows'],
			document: 'Document',
			image: 'Image',
			video: 'Video',
		}),
	],
	'Files to send with the message. File upload must be enabled in the app.',
);

/**
 * Creates the reference of a file for a run, and uploads a binary file before.
 *
 * @param allowedTypes of the app or field. Default: any
 */
type FileRequest = (user: string, allowedTypes?: readonly unknown[]) => Promise<object>;

function toUrlRequest(url: string, type?: DifyFileType): FileRequest {
	return async (_user, allowedTypes) => ({
		type: type ?? toDifyFileType({ name: getFileNameFromUrl(url) }, allowedTypes),
		// Dify silently drops an entry without it (docs/protocols/dify.md 2.1.3).
		transfer_method: 'remote_url',
		url,
	});
}

async function toUploadRequest(
	{ client, context, itemIndex, hint }: DifyCall,
	property: string,
	type?: DifyFileType,
): Promise<FileRequest> {
	const source = await createFileSource(context, itemIndex, property);
	source.warnings?.forEach(hint);
	return async (user, allowedTypes) => ({
		type: type ?? toDifyFileType(source, allowedTypes),
		transfer_method: 'local_file',
		upload_file_id: await uploadFile(client, source, user),
	});
}

async function sendFiles(
	requests: readonly FileRequest[],
	user: string,
	allowedTypes?: readonly unknown[],
) {
	const references: object[] = [];
	for (const send of requests) references.push(await send(user, allowedTypes));
	return references;
}

/**
 * The files of the field "Files".
 *
 * @param path of this field
 */
async function readRequestedFiles(call: DifyCall, path: string) {
	const files: FileRequest[] = [];
	for (const entry of asRecords(asRecord(call.parameters.value(path)).file)) {
		pushAll(files, await readEntryFiles(call, entry, `${path}.file`));
	}
	return files;
}

async function readEntryFiles(
	call: DifyCall,
	entry: JsonRecord,
	path: string,
): Promise<FileRequest[]> {
	const field = (name: string) => call.parameters.field(`${path}.${name}`);
	const selectedType = isUnset(entry.type)
		? 'auto'
		: asChoice<DifyFileType | 'auto'>(field('type'), entry.type);
	const type = selectedType === 'auto' ? undefined : selectedType;
	const source = asChoice<'all' | 'binary' | 'url'>(field('source'), entry.source);
	if (source === 'url') {
		return parseUrls(field('url'), entry.url).map((url) => toUrlRequest(url, type));
	}
	const names =
		source === 'all'
			? getBinaryProperties(call.context, call.itemIndex)
			: parsePropertyNames(field('binaryProperty'), entry.binaryProperty);
	const files: FileRequest[] = [];
	for (const name of names) files.push(await toUploadRequest(call, name, type));
	return files;
}

/**
 * The values of a file field in the app's form: names of binary fields, URLs, or Dify's file objects, which are sent
 * unchanged. Several values are an array, JSON text of one, or separated by commas.
 */
function parseFileEntries(value: unknown): unknown[] {
	if (isUnset(value)) return [];
	if (typeof value !== 'string') return [value].flat();
	const parsed = /^\s*[[{]/.test(value) ? parseJsonExactly(value) : undefined;
	return parsed === undefined ? splitFileNames(value) : [parsed].flat();
}

/** The files of such a field. */
async function readFormFiles(call: DifyCall, entries: readonly unknown[]) {
	if (entries.every(isRecord)) {
		return entries.map(withTransferMethod).map((file) => async () => file);
	}
	const files: FileRequest[] = [];
	for (const entry of entries) {
		const name = typeof entry === 'string' ? entry.trim() : undefined;
		if (name === undefined) {
			throw createLocalError('invalidInputs', {
				title: `A file in the inputs must be a string, but is ${toText(entry).slice(0, 100)}`,
				suggestion: FILE_SUGGESTION,
			});
		}
		if (/^https?:/i.test(name)) files.push(toUrlRequest(parseFileUrl(name)));
		else if (name !== '') files.push(await toUploadRequest(call, name));
	}
	return files;
}

/** An entry without a name is an error: a failed expression must not silently drop a file. */
function parsePropertyNames(field: Field, value: unknown) {
	const names = splitNames(isUnset(value) ? '' : asText(field, value));
	if (names.length === 0) throw createFieldError(field.label, 'is empty', NO_FILE_SUGGESTION);
	return names;
}

function parseUrls({ label }: Field, value: unknown) {
	const urls = Array.isArray(value)
		? value.map(String)
		: String(value ?? '')
				.split(/\s+/)
				.filter((url) => url !== '');
	if (urls.length === 0 && !Array.isArray(value)) {
		throw createFieldError(label, 'is empty', NO_FILE_SUGGESTION);
	}
	return urls.map(parseFileUrl);
}

const NO_FILE_SUGGESTION =
	'Correct the field in the node. If some items have no file, use All Binary Fields, or an expression that returns an empty array of URLs for them.';
