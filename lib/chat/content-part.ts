import { mimeTypeIn } from '../file-name';
import {
	declaredType,
	fileTypeOf,
	type FileType,
	TEXT,
	textOfBytes,
	UNKNOWN,
	UNREAD,
} from '../files';
import type { ContentPart } from './types';
import { base64Of, bytesOf, cleanBase64, dataUrl, unusable } from './data-url';

export interface FileInput {
	/** The declared MIME type; may be empty. */
	mime: string;
	/** Base64, or a data URL. */
	data: string;
	name?: string;
}

const TEXT_TYPES =
	/^text\/|^application\/(?:(?:.*\+)?(?:json|xml|yaml)|x-yaml|x-ndjson|javascript|sql)$/;

/** What is decoded of a file to look at its content. */
const HEAD_CHARACTERS = 8192;

/**
 * Converts a file to a picture, audio, video or text part: by its MIME type, and by its content where the type says nothing
 * that a model server reads. Mail programs and browsers call many files `application/octet-stream`, and Excel's
 * registration makes a CSV file `application/vnd.ms-excel` on Windows.
 *
 * @throws {ServerError} of kind `invalidInput` with advice for anything else
 */
export function filePart(file: FileInput): ContentPart {
	const { data } = file;
	const { kind, mimeType, extension } = typeOf(file);
	const remedy = UNREAD[extension];
	if (remedy !== undefined) throw unusable(`Model servers cannot read ${labelOf(file)}`, remedy);
	switch (kind) {
		case 'picture':
			return { type: 'image', url: dataUrl(mimeType, base64Of(data)) };
		case 'video':
			return { type: 'video', url: dataUrl(mimeType, base64Of(data)) };
		case 'sound':
			return { type: 'audio', data: cleanBase64(base64Of(data)), format: extension };
		default:
			return { type: 'text', text: textOfBytes(bytesOf(data)) };
	}
}

/** The type that decides how a file is sent. */
function typeOf(file: FileInput): FileType {
	if (TEXT_TYPES.test(mimeTypeIn(file.mime))) return TEXT;
	const declared = declaredType(file.mime);
	if (declared?.kind === 'sound') return declared;
	const actual = fileTypeOf(bytesOf(file.data.slice(0, HEAD_CHARACTERS)));
	if (declared?.kind === 'picture' && !isSure(actual)) return declared;
	return actual ?? declared ?? UNKNOWN;
}

/** Whether the bytes say more than a declared type of picture. */
function isSure(actual: FileType | undefined): boolean {
	return (
		actual !== undefined && (actual.kind === 'picture' || UNREAD[actual.extension] !== undefined)
	);
}

function labelOf(file: FileInput): string {
	const type = mimeTypeIn(file.mime);
	if (file.name === undefined) return `a file of type ${type || 'unknown'}`;
	return `the file "${file.name}" (${type || 'unknown type'})`;
}
