/** The field "Files" of a run, which sends files beside the form. */
import { checkPlainText } from '../../../lib/fields/check-value';
import type { RowsField, Values, ValueSource } from '../../../lib/fields/field';
import { createEmptyFieldError } from '../../../lib/fields/field-errors';
import { isUnset } from '../../../lib/values/records';
import { pushAll } from '../../../lib/values/lists';
import type { DifyCall } from './dify-operation';
import { parseFileUrl } from '../../../lib/dify/file-references';
import { getBinaryProperties, splitNames } from '../../../lib/n8n/binary';
import { isMissingInMessage } from '../items/chat-files';
import type { FileRequest } from './file-requests';
import { toUrlRequest, toUploadRequest } from './file-requests';

export const filesField = {
	kind: 'rows',
	label: 'Files',
	entry: 'File',
	fields: {
		source: {
			kind: 'choice',
			label: 'Source',
			default: 'binary',
			choices: {
				all: [
					'All Binary Fields',
					'All files of the item, for example files dropped into the chat',
				],
				binary: 'Binary Field',
				url: ['URL', 'A URL that Dify downloads'],
			},
		},
		binaryProperty: {
			kind: 'name',
			label: 'Input Binary Field',
			default: 'data',
			shownIf: { source: ['binary'] },
			hint: 'Name of the binary field; separate several names with commas',
			parse: parsePropertyNames,
		},
		url: {
			kind: 'text',
			label: 'URL',
			shownIf: { source: ['url'] },
			placeholder: 'e.g. https://example.com/image.png',
			hint: 'Separate several URLs with spaces, or pass an array. An item without a URL is an error; an empty array sends no file',
			parse: parseUrls,
		},
		type: {
			kind: 'choice',
			label: 'Type',
			default: 'auto',
			choices: {
				audio: 'Audio',
				auto: ['Automatic', 'Detect from file name, MIME type and the types the app accepts'],
				custom: ['Custom', 'Another type, with an extension that the app allows'],
				document: 'Document',
				image: 'Image',
				video: 'Video',
			},
			isOptional: true,
		},
	},
	description: 'Files to send with the message. File upload must be enabled in the app.',
} as const satisfies RowsField;

/** A row of this field. */
export type FileRow = Values<typeof filesField.fields>;

/** The files of the field "Files". */
export async function readRequestedFiles(
	call: DifyCall,
	rows: readonly FileRow[],
): Promise<FileRequest[]> {
	const files: FileRequest[] = [];
	for (const row of rows) pushAll(files, await readRowFiles(call, row));
	return files;
}

async function readRowFiles(call: DifyCall, row: FileRow): Promise<FileRequest[]> {
	const type = row.type === 'auto' ? undefined : row.type;
	const { url: urls = [] } = row;
	if (row.source === 'url') return urls.map((url) => toUrlRequest(url, type));
	const names = row.binaryProperty ?? getBinaryProperties(call.context, call.itemIndex);
	const files: FileRequest[] = [];
	for (const name of names) {
		if (!isMissingInMessage(call, name)) files.push(await toUploadRequest(call, name, type));
	}
	return files;
}

/** A row without a name is an error: a failed expression must not silently drop a file. */
function parsePropertyNames(value: unknown, source: ValueSource): string[] {
	const names = splitNames(isUnset(value) ? '' : checkPlainText(source, value));
	if (names.length === 0) throw createEmptyFieldError(source, NO_FILE_SUGGESTION);
	return names;
}

function parseUrls(value: unknown, source: ValueSource): string[] {
	const urls = Array.isArray(value)
		? value.map(String)
		: String(value ?? '')
				.split(/\s+/)
				.filter((url) => url !== '');
	if (urls.length === 0 && !Array.isArray(value))
		throw createEmptyFieldError(source, NO_FILE_SUGGESTION);
	return urls.map(parseFileUrl);
}

const NO_FILE_SUGGESTION =
	'Correct the field in the node. If some items have no file, use All Binary Fields, or an expression that returns an empty array of URLs for them.';
