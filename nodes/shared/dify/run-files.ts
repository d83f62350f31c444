/** The field "Files" of a run, which sends files beside the form. */
import type { INodeProperties } from 'n8n-workflow';
import type { JsonRecord } from '../../../lib/values/records';
import { asRecord, asRecords, isUnset } from '../../../lib/values/records';
import { pushAll } from '../../../lib/values/lists';
import { choiceField, fixedCollectionField, stringField, shownIf } from '../field-builders';
import type { Field } from '../parameters';
import { asChoice, asText, createEmptyFieldError } from '../parameters';
import type { DifyCall } from './dify-operation';
import type { DifyFileType } from '../../../lib/dify/file-types';
import { parseFileUrl } from '../../../lib/dify/file-references';
import { getBinaryProperties, splitNames } from '../binary';
import { isMissingInMessage } from '../run/chat-files';
import type { FileRequest } from './file-requests';
import { toUrlRequest, toUploadRequest } from './file-requests';

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
 * The files of the field "Files".
 *
 * @param path of this field
 */
export async function readRequestedFiles(call: DifyCall, path: string): Promise<FileRequest[]> {
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
	for (const name of names) {
		if (!isMissingInMessage(call, name)) files.push(await toUploadRequest(call, name, type));
	}
	return files;
}

/** An entry without a name is an error: a failed expression must not silently drop a file. */
function parsePropertyNames(field: Field, value: unknown) {
	const names = splitNames(isUnset(value) ? '' : asText(field, value));
	if (names.length === 0) throw createEmptyFieldError(field.label, NO_FILE_SUGGESTION);
	return names;
}

function parseUrls({ label }: Field, value: unknown) {
	const urls = Array.isArray(value)
		? value.map(String)
		: String(value ?? '')
				.split(/\s+/)
				.filter((url) => url !== '');
	if (urls.length === 0 && !Array.isArray(value)) {
		throw createEmptyFieldError(label, NO_FILE_SUGGESTION);
	}
	return urls.map(parseFileUrl);
}

const NO_FILE_SUGGESTION =
	'Correct the field in the node. If some items have no file, use All Binary Fields, or an expression that returns an empty array of URLs for them.';
