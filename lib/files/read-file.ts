import { createInputError } from '../errors/create-error';
import { parseMimeType } from '../file-name';
import { decodeText } from './decode-text';
import { describeFile } from './file-errors';
import { type FileType, getFileType, UNSUPPORTED_FILE_SUGGESTIONS } from './file-types';
import { getJpegWarnings } from './jpeg';
import { readMail } from './mail';

/** One part of a message's content, independent of wire protocols. */
export type ContentPart =
	| { type: 'text'; text: string }
	/** `url`: a data URL with clean base64, or an http(s) URL that the server fetches itself. */
	| { type: 'image'; url: string }
	/** `data`: clean base64. `format`: `wav`, `mp3`, … */
	| { type: 'audio'; data: string; format: string }
	/** `url`: a data URL with clean base64. */
	| { type: 'video'; url: string };

/** An image, audio or video. */
export type MediaPart = Exclude<ContentPart, { type: 'text' }>;

interface InputFile {
	name?: string | undefined;
	/** The declared MIME type: email programs and browsers label many files `application/octet-stream`. */
	mimeType: string;
	bytes: Buffer;
}

/**
 * Converts a file to a part of a message.
 *
 * @throws {ServerError} `invalidInput` with a suggestion for a file that no model server supports
 */
export function toContentPart(file: InputFile): ContentPart {
	return toPart(file, getSupportedType(file));
}

/** As `toContentPart`, with warnings about the file. Of an email, its text is read. */
export async function readFile(
	file: InputFile & { name: string },
): Promise<{ part: ContentPart; warnings: string[] }> {
	const type = getSupportedType(file);
	if (type.category === 'email') {
		const { text, warnings } = await readMail(file.name, file.bytes);
		return { part: { type: 'text', text }, warnings };
	}
	const warnings = type.extension === 'jpg' ? getJpegWarnings(file) : [];
	return { part: toPart(file, type), warnings };
}

function getSupportedType({ name, mimeType, bytes }: InputFile): FileType {
	const type = getFileType(bytes, mimeType);
	const suggestion = UNSUPPORTED_FILE_SUGGESTIONS[type.extension];
	if (suggestion === undefined) return type;
	const description =
		name === undefined
			? `a file of type ${parseMimeType(mimeType) || 'unknown'}`
			: `the file ${describeFile({ name, mimeType, size: bytes.byteLength, head: bytes })}`;
	throw createInputError(`Model servers cannot read ${description}`, suggestion);
}

function toPart({ bytes }: InputFile, { category, mimeType, extension }: FileType): ContentPart {
	if (category === 'audio')
		return { type: 'audio', data: bytes.toString('base64'), format: extension };
	if (category === 'image' || category === 'video')
		return { type: category, url: `data:${mimeType};base64,${bytes.toString('base64')}` };
	return { type: 'text', text: decodeText(bytes) };
}
