/** How users name the files of a run: names of binary fields, URLs, and file objects. */
import type { JsonRecord } from '../values/records';
import { asNonEmptyString } from '../values/records';
import { createLocalError } from './create-error';

/**
 * Splits the text of a field into names and URLs, separated by commas. A comma inside a URL belongs to it
 * (`/w_300,h_200/cat.png`), unless whitespace or another URL follows.
 */
export function splitFileNames(text: string): string[] {
	const names = text.match(/https?:\/\/(?:[^\s,]|,(?!\s|https?:\/\/|$))+|[^\s,][^,]*/gi) ?? [];
	return names.map((name) => name.trim());
}

/** The file name in a URL, for its type. */
export function getFileNameFromUrl(url: string): string {
	const path = url.replace(/[?#].*/s, '').replace(/\/{1,99}$/, '');
	return path.slice(path.lastIndexOf('/') + 1) || url;
}

/**
 * The trimmed URL.
 *
 * @throws {ServerError} for a URL that Dify could not fetch
 */
export function parseFileUrl(url: string): string {
	const trimmed = url.trim();
	if (/^https?:\/\//i.test(trimmed) && URL.canParse(trimmed)) return trimmed;
	throw createLocalError('fileRejected', {
		title: `The file URL is not valid: "${trimmed.slice(0, 200)}"`,
		suggestion: 'Enter a full URL that starts with http:// or https:// and that Dify can reach.',
	});
}

/**
 * A file object of the inputs, with the transfer method that its other fields imply.
 *
 * @throws {ServerError}
 */
export function withTransferMethod(file: JsonRecord): JsonRecord {
	if (asNonEmptyString(file.transfer_method) !== undefined) return file;
	if (asNonEmptyString(file.upload_file_id) !== undefined) {
		return { ...file, transfer_method: 'local_file' };
	}
	if (asNonEmptyString(file.url) !== undefined) return { ...file, transfer_method: 'remote_url' };
	throw createLocalError('invalidInputs', {
		title: 'A file in the inputs has neither url nor upload_file_id',
		suggestion: FILE_SUGGESTION,
	});
}

export const FILE_SUGGESTION =
	'Enter the name of a binary field, a URL, or an object with type, transfer_method and url or upload_file_id.';
