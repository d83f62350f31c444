import type { IExecuteFunctions } from 'n8n-workflow';
import type { DifyClient } from '../../../lib/dify/client';
import { createLocalError } from '../../../lib/dify/errors';
import {
	parseFileUrl,
	splitFileNames,
	toDifyFileType,
	FILE_SUGGESTION,
	getFileNameFromUrl,
	withTransferMethod,
	type DifyFileRef,
	type DifyFileType,
	uploadFile,
} from '../../../lib/dify/files';
import type { FileSource } from '../../../lib/http/multipart';
import { parseJson } from '../../../lib/json';
import {
	pushAll,
	isRecord,
	asRecord,
	asRecords,
	toText,
	type JsonRecord,
} from '../../../lib/values';
import { getBinaryProperties, createFileSource, splitNames } from '../binary';
import { choiceField, toOptions, fixedCollectionField, stringField } from '../field-builders';
import {
	asChoice,
	asText,
	type Field,
	isUnset,
	type NodeParameters,
	createFieldError,
} from '../parameters';
import type { DifyCall } from './dify-operation';

export const filesField = fixedCollectionField('Files', 'files', 'File', {
	values: [
		choiceField('Source', 'source', 'binary', {
			options: toOptions({
				all: [
					'All Binary Fields',
					'All files of the item, for example files dropped into the chat',
				],
				binary: 'Binary Field',
				url: ['URL', 'A URL that Dify downloads'],
			}),
		}),
		stringField('Input Binary Field', 'binaryProperty', {
			default: 'data',
			displayOptions: { show: { source: ['binary'] } },
			hint: 'Name of the binary field; separate several names with commas',
		}),
		stringField('URL', 'url', {
			displayOptions: { show: { source: ['url'] } },
			placeholder: 'e.g. https://example.com/image.png',
			hint: 'Separate several URLs with spaces, or pass an array. An item without a URL is an error; an empty array sends no file',
		}),
		choiceField('Type', 'type', 'auto', {
			options: toOptions({
				audio: 'Audio',
				auto: ['Automatic', 'Detect from file name, MIME type and the types the app accepts'],
				custom: ['Custom', 'Another type, with an extension that the app allows'],
				document: 'Document',
				image: 'Image',
				video: 'Video',
			}),
		}),
	],
	description: 'Files to send with the message. File upload must be enabled in the app.',
});

/** A file to send, before it is uploaded. */
export type RequestedFile =
	| { source: FileSource; type?: DifyFileType }
	| { url: string; type?: DifyFileType };

/** The entries of the field "Files". @param path of this field */
export async function readRequestedFiles(
	{ context, parameters }: Pick<DifyCall, 'context' | 'parameters'>,
	path = 'files',
): Promise<RequestedFile[]> {
	const files: RequestedFile[] = [];
	for (const entry of asRecords(asRecord(parameters.value(path)).file))
		pushAll(files, await readEntryFiles(context, parameters, entry, `${path}.file`));
	return files;
}

async function readEntryFiles(
	context: IExecuteFunctions,
	parameters: NodeParameters,
	entry: JsonRecord,
	path: string,
): Promise<RequestedFile[]> {
	const { itemIndex } = parameters;
	const field = (name: string) => parameters.field(`${path}.${name}`);
	const selectedType = isUnset(entry.type)
		? 'auto'
		: asChoice<DifyFileType | 'auto'>(field('type'), entry.type);
	const type = selectedType === 'auto' ? undefined : selectedType;
	const source = asChoice<'all' | 'binary' | 'url'>(field('source'), entry.source);
	if (source === 'url') return parseUrls(field('url'), entry.url).map((url) => ({ url, type }));
	const names =
		source === 'all'
			? getBinaryProperties(context, itemIndex)
			: parsePropertyNames(field('binaryProperty'), entry.binaryProperty);
	const files: RequestedFile[] = [];
	for (const name of names)
		files.push({ source: await createFileSource(context, itemIndex, name), type });
	return files;
}

/** Files to upload, or Dify's file objects to send unchanged. */
type FormFiles =
	| { type: 'requested'; files: RequestedFile[] }
	| { type: 'ready'; files: JsonRecord[] };

/**
 * Reads a file field of the app's form: names of binary fields, URLs, or Dify's file objects. Several values are an
 * array, JSON text of one, or separated by commas.
 */
export async function readFormFiles(
	context: IExecuteFunctions,
	itemIndex: number,
	value: unknown,
): Promise<FormFiles> {
	const entries = isUnset(value) ? [] : parseFormEntries(value);
	if (entries.length > 0 && entries.every(isRecord))
		return { type: 'ready', files: entries.map(withTransferMethod) };
	const files: RequestedFile[] = [];
	for (const entry of entries) {
		const name = typeof entry === 'string' ? entry.trim() : undefined;
		if (name === undefined)
			throw createLocalError(
				'invalidInputs',
				`A file in the inputs must be a string, but is ${toText(entry).slice(0, 100)}`,
				FILE_SUGGESTION,
			);
		if (/^https?:/i.test(name)) files.push({ url: parseFileUrl(name) });
		else if (name !== '') files.push({ source: await createFileSource(context, itemIndex, name) });
	}
	return { type: 'requested', files };
}

function parseFormEntries(value: unknown): unknown[] {
	if (typeof value !== 'string') return [value].flat();
	const parsed = /^\s*[[{]/.test(value) ? parseJson(value) : undefined;
	return parsed === undefined ? splitFileNames(value) : [parsed].flat();
}

/** Uploads binary files, and returns the references for the run. @param allowedTypes undefined: any */
export async function uploadFiles(
	client: DifyClient,
	user: string,
	files: readonly RequestedFile[],
	allowedTypes?: readonly unknown[],
): Promise<DifyFileRef[]> {
	const references: DifyFileRef[] = [];
	for (const file of files) {
		const isUrl = 'url' in file;
		const name = isUrl ? getFileNameFromUrl(file.url) : file.source.name;
		const type =
			file.type ?? toDifyFileType(name, isUrl ? undefined : file.source.mimeType, allowedTypes);
		if (isUrl) references.push({ type, transfer_method: 'remote_url', url: file.url });
		else {
			const id = await uploadFile(client, file.source, user);
			references.push({ type, transfer_method: 'local_file', upload_file_id: id });
		}
	}
	return references;
}

/** An entry without a name is an error: a failed expression must not silently drop a file. */
function parsePropertyNames(field: Field, value: unknown): string[] {
	const names = splitNames(isUnset(value) ? '' : asText(field, value));
	if (names.length === 0) throw createFieldError(field.label, 'is empty', NO_FILE_SUGGESTION);
	return names;
}

function parseUrls({ label }: Field, value: unknown): string[] {
	const urls = Array.isArray(value)
		? value.map(String)
		: String(value ?? '')
				.split(/\s+/)
				.filter((url) => url !== '');
	if (urls.length === 0 && !Array.isArray(value))
		throw createFieldError(label, 'is empty', NO_FILE_SUGGESTION);
	return urls.map(parseFileUrl);
}

const NO_FILE_SUGGESTION =
	'Correct the field in the node. If some items have no file, use All Binary Fields, or an expression that returns an empty array of URLs for them.';
