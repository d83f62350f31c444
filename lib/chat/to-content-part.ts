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

/** Base64 characters decoded to detect the type of a file. */
const HEAD_CHARACTERS = 8192;

/**
 * Converts a file to an image, audio, video or text part: by its MIME type, or by its content if model servers do not
 * support that type. Email programs and browsers label many files `application/octet-stream`, and on Windows, Excel
 * registers CSV files as `application/vnd.ms-excel`.
 *
 * @throws {ServerError} of type `invalidInput` with a suggestion for all other files
 */
export function toContentPart(file: FileInput): ContentPart {
	const { data } = file;
	const { category, mimeType, extension } = detectSentType(file);
	const suggestion = UNSUPPORTED_FILE_SUGGESTIONS[extension];
	if (suggestion !== undefined)
		throw createContentError(`Model servers cannot read ${describeFile(file)}`, suggestion);
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
function detectSentType(file: FileInput): FileType {
	if (TEXT_TYPES.test(parseMimeType(file.mime))) return TEXT_FILE_TYPE;
	const declared = fileTypeFromMime(file.mime);
	if (declared?.category === 'audio') return declared;
	const actual = detectFileType(decodeBytes(file.data.slice(0, HEAD_CHARACTERS)));
	if (declared?.category === 'image' && !isReliable(actual)) return declared;
	return actual ?? declared ?? UNKNOWN_FILE_TYPE;
}

/** Whether the detected type overrides a declared image type. */
function isReliable(actual: FileType | undefined): boolean {
	return (
		actual !== undefined &&
		(actual.category === 'image' || UNSUPPORTED_FILE_SUGGESTIONS[actual.extension] !== undefined)
	);
}

function describeFile(file: FileInput): string {
	const type = parseMimeType(file.mime);
	if (file.name === undefined) return `a file of type ${type || 'unknown'}`;
	return `the file "${file.name}" (${type || 'unknown type'})`;
}
