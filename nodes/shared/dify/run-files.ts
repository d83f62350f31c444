/** The files of a run: those of the field "Files", of file fields of a form, and of a chat message. */
import type { INodeProperties } from 'n8n-workflow';
import { selectAllowedFiles } from '../../../lib/dify/allowed-files';
import { fetchAppParameters } from '../../../lib/dify/app';
import { createLocalError } from '../../../lib/dify/errors';
import type { DifyFileType } from '../../../lib/dify/files';
import {
	parseFileUrl,
	splitFileNames,
	toDifyFileType,
	FILE_SUGGESTION,
	getFileNameFromUrl,
	withTransferMethod,
	uploadFile,
} from '../../../lib/dify/files';
import type { FormField } from '../../../lib/dify/forms';
import type { UnsentFile } from '../../../lib/files/unsent-files';
import { describeUnsentFiles } from '../../../lib/files/unsent-files';
import type { FileSource } from '../../../lib/http/multipart';
import { parseJsonExactly } from '../../../lib/values/exact-json';
import { pushAll } from '../../../lib/values/lists';
import type { JsonRecord } from '../../../lib/values/records';
import { asRecord, isRecord, asRecords, isUnset } from '../../../lib/values/records';
import { getErrorMessage, toText } from '../../../lib/values/text';
import { getBinaryFileName, getBinaryProperties, createFileSource, splitNames } from '../binary';
import { choiceField, fixedCollectionField, stringField, shownIf } from '../field-builders';
import type { Field } from '../parameters';
import { asChoice, asText, createFieldError } from '../parameters';
import type { DifyCall } from './dify-operation';

/** A file field of the app's form or of a human input form. */
interface FileField extends Pick<FormField, 'variable' | 'fileTypes'> {
	/** Dify's type of the field. */
	type: string;
}

/** The files of file fields, read and not yet uploaded. */
export interface FormFiles {
	/** Binary fields that they name. */
	binaryFields: readonly string[];
	/** Uploads them, and returns the inputs to send. */
	upload(user: string): Promise<JsonRecord>;
}

/** A file field with its files. */
interface FieldFiles {
	field: FileField;
	files: FileRequest[];
}

/** A file that is sent with a run. */
interface FileRequest {
	/** The binary field with the file; undefined for others. */
	binaryField?: string;
	/**
	 * Creates its reference, and uploads a binary file before.
	 *
	 * @param allowedTypes of the app or field. Default: any
	 */
	send(user: string, allowedTypes?: readonly unknown[]): Promise<object>;
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

/** Whether a field of a form takes files. */
export function isFileField({ type }: Pick<FileField, 'type'>): boolean {
	return type === 'file' || type === 'file-list';
}

/** The binary fields that the files are in. */
export function getBinaryFields(requests: readonly FileRequest[]): string[] {
	return requests.flatMap(({ binaryField }) => binaryField ?? []);
}

/**
 * The files of the field "Files".
 *
 * @param path of this field
 */
export async function readSelectedFiles(call: DifyCall, path: string): Promise<FileRequest[]> {
	const files: FileRequest[] = [];
	for (const entry of getFileEntries(call, path)) {
		pushAll(files, await readEntryFiles(call, entry, `${path}.file`));
	}
	return files;
}

/** Whether the field "Files" has entries, which then decide which files are sent. */
export function hasFileEntries(call: DifyCall, path: string): boolean {
	return getFileEntries(call, path).length > 0;
}

/**
 * Reads the files of file fields. They are uploaded after all checks.
 *
 * @param input values by variable
 */
export async function readFormFiles(
	call: DifyCall,
	input: JsonRecord,
	fields: readonly FileField[],
): Promise<FormFiles> {
	const fieldFiles: FieldFiles[] = [];
	for (const field of fields) {
		const files = await readEntries(call, parseFileEntries(input[field.variable]));
		if (files.length > 0) fieldFiles.push({ field, files });
	}
	return {
		binaryFields: fieldFiles.flatMap(({ files }) => getBinaryFields(files)),
		upload: async (user) => {
			const inputs: JsonRecord = {};
			for (const { field, files } of fieldFiles) {
				const { type, variable, fileTypes } = field;
				const sent = await sendFiles(files, user, fileTypes);
				inputs[variable] = type === 'file-list' || sent.length > 1 ? sent : sent[0];
			}
			return inputs;
		},
	};
}

/**
 * The files of a chat message that no field of the node names, as far as the app accepts them. A hint names the others.
 *
 * @param isSelected whether the field "Files" decides which files are sent
 */
export async function selectChatFiles(
	call: DifyCall,
	binaryFields: readonly string[],
	isSelected: boolean,
): Promise<FileRequest[]> {
	if (binaryFields.length === 0) return [];
	const files: FileSource[] = [];
	const unsent: UnsentFile[] = [];
	for (const binaryField of binaryFields) {
		const file = await readBinaryFile(call, binaryField).catch((error: unknown) => {
			unsent.push({ name: getBinaryFileName(call, binaryField), reason: getErrorMessage(error) });
		});
		if (file && isSelected) unsent.push({ name: file.name, reason: 'Files does not select it' });
		else if (file) files.push(file);
	}
	const parameters = files.length === 0 ? {} : await fetchAppParameters(call.client);
	const selection = selectAllowedFiles(files, parameters);
	pushAll(unsent, selection.unsent);
	if (unsent.length > 0) call.hint(describeUnsentFiles(unsent));
	return selection.allowed.map(({ file, type }) => ({
		send: async (user) => ({
			type,
			transfer_method: 'local_file',
			upload_file_id: await uploadFile(call.client, file, user),
		}),
	}));
}

/** Uploads files in their order, and returns their references. */
export async function sendFiles(
	requests: readonly FileRequest[],
	user: string,
	allowedTypes?: readonly unknown[],
): Promise<object[]> {
	const references: object[] = [];
	for (const request of requests) references.push(await request.send(user, allowedTypes));
	return references;
}

/** The entries of the field "Files". */
function getFileEntries({ parameters }: DifyCall, path: string) {
	return asRecords(asRecord(parameters.value(path)).file);
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

function toUrlRequest(url: string, type?: DifyFileType): FileRequest {
	return {
		send: async (_user, allowedTypes) => ({
			type: type ?? toDifyFileType({ name: getFileNameFromUrl(url) }, allowedTypes),
			// Dify silently drops an entry without it (docs/protocols/dify.md 2.1.3).
			transfer_method: 'remote_url',
			url,
		}),
	};
}

/** The file of a binary field. */
async function readBinaryFile({ context, itemIndex, hint }: DifyCall, binaryField: string) {
	const source = await createFileSource(context, itemIndex, binaryField);
	source.warnings?.forEach(hint);
	return { ...source, binaryField };
}

async function toUploadRequest(
	call: DifyCall,
	binaryField: string,
	type?: DifyFileType,
): Promise<FileRequest> {
	const source = await readBinaryFile(call, binaryField);
	return {
		binaryField,
		send: async (user, allowedTypes) => ({
			type: type ?? toDifyFileType(source, allowedTypes),
			transfer_method: 'local_file',
			upload_file_id: await uploadFile(call.client, source, user),
		}),
	};
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
async function readEntries(call: DifyCall, entries: readonly unknown[]) {
	if (entries.every(isRecord)) {
		return entries.map(withTransferMethod).map((file) => ({ send: async () => file }));
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
