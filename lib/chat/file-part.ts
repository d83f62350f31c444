import { mimeTypeIn } from '../file-name';
import { soundExtension } from '../sound-format';
import type { ContentPart } from './types';
import {
	base64Of,
	bytesOf,
	charsetIn,
	cleanBase64,
	dataUrl,
	parseDataUrl,
	unusable,
} from './data-url';
import { mimeOfContent } from './file-content';
import { decodeText } from './text-encoding';

export interface ModelFile {
	/** The declared MIME type; may be empty. */
	mime: string;
	/** Base64, or a data URL. */
	data: string;
	name?: string;
}

const TEXT_TYPES =
	/^text\/|^application\/(?:(?:.*\+)?(?:json|xml|yaml)|x-yaml|x-ndjson|javascript|sql)$/;

const PHOTO_REMEDY =
	'Convert it to JPEG or PNG first, or let the phone or the camera save photos as JPEG.';

/** What is decoded of a file to look at its content. */
const HEAD_CHARACTERS = 8192;

/** What to do with files that some programs call pictures or documents, and no model server reads. */
const REMEDIES: ReadonlyMap<string, string> = new Map([
	['image/heic', PHOTO_REMEDY],
	['image/heif', PHOTO_REMEDY],
	['image/avif', 'Convert it to JPEG or PNG first.'],
	[
		'image/svg+xml',
		'It is a drawing made of shapes: convert it to PNG first, or pass its source on as text.',
	],
]);

/**
 * Converts a file to a picture, audio, video or text part: by its MIME type, and by its content where the type says nothing
 * that a model server reads. Mail programs and browsers call many files `application/octet-stream`, and Excel's
 * registration makes a CSV file `application/vnd.ms-excel` on Windows.
 *
 * @throws {ServerError} of kind `invalidInput` with advice for anything else
 */
export function filePart(file: ModelFile): ContentPart {
	const type = typeOf(file);
	const remedy = REMEDIES.get(type);
	if (remedy !== undefined) throw unusable(`A model server cannot read ${labelOf(file)}`, remedy);
	if (type.startsWith('image/'))
		return { type: 'image', url: mediaUrl('picture', type, file.data) };
	if (type.startsWith('video/')) return { type: 'video', url: mediaUrl('video', type, file.data) };
	if (type.startsWith('audio/')) return audioPart(type, file.data);
	if (TEXT_TYPES.test(type)) return { type: 'text', text: textOf(file) };
	if (type === 'application/pdf')
		throw unusable(
			`A model server cannot read PDFs, and ${labelOf(file)} was passed to the model`,
			'Put an "Extract From File" node (Extract From PDF) in front and pass its text on. A scan has no text: let the scanner save PNG or JPEG, or convert the page before n8n ("pdftoppm -png").',
		);
	throw unusable(
		`A model server cannot read ${labelOf(file)}`,
		'Pass pictures, audio (wav, mp3, flac), video or text, or leave the file out.',
	);
}

function mediaUrl(label: 'picture' | 'video', type: string, data: string): string {
	if (parseDataUrl(data)?.isBase64 === false)
		throw unusable(`The data URL of the ${label} is not base64`);
	return dataUrl(type, base64Of(data));
}

function audioPart(type: string, data: string): ContentPart {
	return {
		type: 'audio',
		data: cleanBase64(base64Of(data)),
		format: soundExtension(type) ?? type.slice('audio/'.length),
	};
}

/** The type that decides how a file is sent. */
function typeOf(file: ModelFile): string {
	const declared = mimeTypeIn(file.mime);
	if (declared.startsWith('audio/') || TEXT_TYPES.test(declared)) return declared;
	const actual = mimeOfContent(bytesOf(file.data.slice(0, HEAD_CHARACTERS))) ?? declared;
	if (!declared.startsWith('image/')) return actual;
	// Servers look at the content of a picture themselves, but photos that are no JPEG may be called one.
	return REMEDIES.has(actual) ? actual : declared;
}

function labelOf(file: ModelFile): string {
	const type = mimeTypeIn(file.mime);
	if (file.name === undefined) return `a file of type ${type || 'unknown'}`;
	return `the file "${file.name}" (${type || 'unknown type'})`;
}

function textOf({ mime, data }: ModelFile): string {
	const charset = parseDataUrl(data)?.charset ?? charsetIn(mime.split(';').slice(1));
	return decodeText(bytesOf(data), charset);
}
