import { parseMimeType } from '../file-name';
import {
	fileTypeFromMime,
	detectFileType,
	type FileType,
	TEXT_FILE_TYPE,
	decodeText,
	UNKNOWN_FILE_TYPE,
	UNSUPPORTED_FILE_SUGGESTIONS,
} from '../files';
import type { ContentPart } from './types';
import {
	extractBase64,
	decodeBytes,
	normalizeBase64,
	toDataUrl,
	createContentError,
} from './data-url';

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
 * @throws {ServerError} of type `invalidInput` with advice for anything else
 */
export function toContentPart(file: FileInput): ContentPart {
	const { data } = file;
	const { category, mimeType, extension } = typeOf(file);
	const remedy = UNSUPPORTED_FILE_SUGGESTIONS[extension];
	if (remedy !== undefined)
		throw createContentError(`Model servers cannot read ${labelOf(file)}`, remedy);
	switch (category) {
		case 'image':
			return { type: 'image', url: toDataUrl(mimeType, extractBase64(data)) };
		case 'video':
			return { type: 'video', url: toDataUrl(mimeType, extractBase64(data)) };
		case 'audio':
			return { type: 'audio', data: normalizeBase64(extractBase64(data)), format: extension };
		default:
			return { type: 'text', text: decodeText(decodeBytes(data)) };
	}
}

/** The type that decides how a file is sent. */
function typeOf(file: FileInput): FileType {
	if (TEXT_TYPES.test(parseMimeType(file.mime))) return TEXT_FILE_TYPE;
	const declared = fileTypeFromMime(file.mime);
	if (declared?.category === 'audio') return declared;
	const actual = detectFileType(decodeBytes(file.data.slice(0, HEAD_CHARACTERS)));
	if (declared?.category === 'image' && !isSure(actual)) return declared;
	return actual ?? declared ?? UNKNOWN_FILE_TYPE;
}

/** Whether the bytes say more than a declared type of picture. */
function isSure(actual: FileType | undefined): boolean {
	return (
		actual !== undefined &&
		(actual.category === 'image' || UNSUPPORTED_FILE_SUGGESTIONS[actual.extension] !== undefined)
	);
}

function labelOf(file: FileInput): string {
	const type = parseMimeType(file.mime);
	if (file.name === undefined) return `a file of type ${type || 'unknown'}`;
	return `the file "${file.name}" (${type || 'unknown type'})`;
}
