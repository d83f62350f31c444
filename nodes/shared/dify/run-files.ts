import type { IExecuteFunctions, INodeProperties } from 'n8n-workflow';

import type { DifyClient } from '../../../lib/dify/client';
import { localError } from '../../../lib/dify/errors/failure';
import {
	checkedUrl,
	checkFiles,
	fileNames,
	fileTypeOf,
	nameInUrl,
	sizeLimitsOf,
	type DifyFileRef,
	type DifyFileType,
	type FileRules,
} from '../../../lib/dify/files/files';
import { append, isRecord, type JsonRecord, nonEmptyText, recordsIn } from '../../../lib/values';
import { uploadFile } from '../../../lib/dify/files/upload';
import type { FileSource } from '../../../lib/http/multipart';
import { binaryProperties, binarySource, namesIn } from '../binary';
import { choiceField, choices, rowsField, stringField } from '../field-kinds';
import { asChoice, asText, isBlank, wrongField, type Field } from '../field-values';
import type { NodeParameters } from '../parameters';

export const filesField: INodeProperties = rowsField('Files', 'files', 'File', {
	values: [
		choiceField('Source', 'source', 'binary', {
			options: choices({
				all: [
					'All Binary Properties',
					'Every file of the item, for example what was dropped into the chat',
				],
				binary: 'Binary Property',
				url: ['URL', 'An address that Dify itself fetches'],
			}),
		}),
		stringField('Input Binary Field', 'binaryProperty', {
			default: 'data',
			displayOptions: { show: { source: ['binary'] } },
			hint: 'Name of the binary property; separate several with commas',
		}),
		stringField('URL', 'url', {
			displayOptions: { show: { source: ['url'] } },
			placeholder: 'https://example.com/picture.png',
			hint: 'Separate several URLs with spaces, or give a list. An item without a URL is an error; an empty list sends no file',
		}),
		choiceField('Type', 'type', 'auto', {
			options: choices({
				audio: 'Audio',
				auto: ['Automatic', 'From the name and the MIME type, and from what the app takes'],
				custom: ['Custom', 'Another kind, whose extension the app allows'],
				document: 'Document',
				image: 'Image',
				video: 'Video',
			}),
		}),
	],
	description: 'Files to send with the message. File upload must be switched on in the app.',
});

/** A file to send, before the app's rules are known. */
type RequestedFile =
	| { source: FileSource; type?: DifyFileType }
	| { url: string; type?: DifyFileType };

/** The entries of the field "Files". */
export async function requestedFiles(
	context: IExecuteFunctions,
	parameters: NodeParameters,
): Promise<RequestedFile[]> {
	const files: RequestedFile[] = [];
	for (const entry of recordsIn(parameters.value('files.file')))
		append(files, await filesOfEntry(context, parameters, entry));
	return files;
}

async function filesOfEntry(
	context: IExecuteFunctions,
	parameters: NodeParameters,
	entry: JsonRecord,
): Promise<RequestedFile[]> {
	const { itemIndex } = parameters;
	const field = (name: string) => parameters.field(`files.file.${name}`);
	const type = typeIn(field('type'), entry.type);
	const source = asChoice<'all' | 'binary' | 'url'>(field('source'), entry.source);
	if (source === 'url') return urlsIn(field('url'), entry.url).map((url) => ({ url, type }));
	const names =
		source === 'all'
			? binaryProperties(context, itemIndex)
			: propertyNames(field('binaryProperty'), entry.binaryProperty);
	const files: RequestedFile[] = [];
	for (const name of names)
		files.push({ source: await binarySource(context, itemIndex, name), type });
	return files;
}

/**
 * The value of a file field in the app's form: names of binary properties, URLs, or Dify's own file objects. Several
 * are a list, JSON text of one, or separated by commas.
 */
export async function formFiles(
	context: IExecuteFunctions,
	itemIndex: number,
	value: unknown,
): Promise<{ requested: RequestedFile[] } | { ready: JsonRecord[] }> {
	const entries = formEntries(value);
	if (entries.length > 0 && entries.every(isRecord)) return { ready: entries.map(withMethod) };
	const requested: RequestedFile[] = [];
	for (const entry of entries) {
		const name = nameOfEntry(entry);
		if (name === '') continue;
		if (/^https?:/i.test(name)) requested.push({ url: checkedUrl(name) });
		else requested.push({ source: await binarySource(context, itemIndex, name) });
	}
	return { requested };
}

function formEntries(value: unknown): unknown[] {
	const parsed = typeof value === 'string' && /^\s*[[{]/.test(value) ? parsedJson(value) : value;
	if (Array.isArray(parsed)) return parsed as unknown[];
	return typeof parsed === 'string' ? fileNames(parsed) : [parsed];
}

function nameOfEntry(entry: unknown): string {
	if (typeof entry === 'string') return entry.trim();
	throw localError(
		'inputs',
		`A file of the inputs must be a text, but is ${JSON.stringify(entry)?.slice(0, 100)}`,
		HOW_TO_GIVE_FILES,
	);
}

/** A file that the app takes, with its type. */
export type AcceptedFile = { file: RequestedFile; type: DifyFileType };

/** Uploads binary files, and returns the references for the run. */
export type Upload = (files: readonly AcceptedFile[]) => Promise<DifyFileRef[]>;

/** Checks the files against the rules of the app or of a form field. */
export function acceptedFiles(
	requested: readonly RequestedFile[],
	rules: FileRules,
	parameters: JsonRecord,
): AcceptedFile[] {
	const files = requested.map((file) => ({
		file,
		type:
			file.type ??
			fileTypeOf(nameOf(file), 'source' in file ? file.source.mimeType : undefined, rules),
	}));
	const facts = files.map(({ file, type }) => ({
		name: nameOf(file),
		type,
		size: 'url' in file ? undefined : file.source.size,
	}));
	checkFiles(facts, rules, sizeLimitsOf(parameters));
	return files;
}

export function uploadOf(client: DifyClient, user: string): Upload {
	return async (files) => {
		const references: DifyFileRef[] = [];
		for (const { file, type } of files) {
			if ('url' in file) references.push({ type, transfer_method: 'remote_url', url: file.url });
			else {
				const id = await uploadFile(client, file.source, user);
				references.push({ type, transfer_method: 'local_file', upload_file_id: id });
			}
		}
		return references;
	};
}

function nameOf(file: RequestedFile): string {
	return 'url' in file ? nameInUrl(file.url) : file.source.name;
}

function typeIn(field: Field, value: unknown): DifyFileType | undefined {
	const type = isBlank(value) ? 'auto' : asChoice<DifyFileType | 'auto'>(field, value);
	return type === 'auto' ? undefined : type;
}

/** An entry without a name is an error, not "no file": a failed expression must not silently drop a file. */
function propertyNames(field: Field, value: unknown): string[] {
	const names = namesIn(isBlank(value) ? '' : asText(field, value));
	if (names.length === 0) throw wrongField(field.label, 'is empty', HOW_TO_GIVE_NONE);
	return names;
}

function urlsIn({ label }: Field, value: unknown): string[] {
	const urls = Array.isArray(value)
		? value.map(String)
		: String(value ?? '')
				.split(/\s+/)
				.filter((url) => url !== '');
	if (urls.length === 0 && !Array.isArray(value))
		throw wrongField(label, 'is empty', HOW_TO_GIVE_NONE);
	return urls.map(checkedUrl);
}

const HOW_TO_GIVE_NONE =
	'Correct the field in the node. Where some items have no file, use All Binary Properties, or an expression that gives an empty list of URLs for them.';

/**
 * Dify drops a file without a transfer method, or refuses it with a text about enums (docs/protocols/dify.md 2.1.3).
 * Adds the method that the other fields imply.
 */
function withMethod(file: JsonRecord): JsonRecord {
	if (nonEmptyText(file.transfer_method) !== undefined) return file;
	if (nonEmptyText(file.upload_file_id) !== undefined)
		return { ...file, transfer_method: 'local_file' };
	if (nonEmptyText(file.url) !== undefined) return { ...file, transfer_method: 'remote_url' };
	throw localError(
		'inputs',
		'A file of the inputs has neither url nor upload_file_id',
		HOW_TO_GIVE_FILES,
	);
}

const HOW_TO_GIVE_FILES =
	'Give the name of a binary property, a URL, or an object with type, transfer_method and url or upload_file_id.';

function parsedJson(value: string): unknown {
	try {
		return JSON.parse(value) as unknown;
	} catch {
		throw localError('inputs', 'A file of the inputs is not valid JSON', HOW_TO_GIVE_FILES);
	}
}
