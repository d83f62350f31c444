/** From the bytes of a file to a part of a message. */
import { createInputError } from '../errors/create-error';
import { describeExcess, LONG_TEXT_SUGGESTION } from '../errors/text-limits';
import { describeFile, describeUnnamedFile } from './file-errors';
import type { SentFile } from './file-errors';
import type { FileType } from './file-types';
import { identifyFile } from './file-identity';
import {
	contradictsType,
	getFileType,
	UNSUPPORTED_FILE_SUGGESTIONS,
	decodeText,
} from './file-types';
import { readMail } from './mail';
import { getOwn } from '../values/own-properties';
import type { OriginText } from '../origin';

/** A text of a message's content. */
export interface TextPart extends OriginText {
	type: 'text';
}

/** One part of a message's content, independent of wire protocols. */
export type ContentPart =
	| TextPart
	/** `url`: a data URL with clean base64, or an http(s) URL that the server fetches itself. */
	| { type: 'image'; url: string }
	/** `data`: clean base64. `format`: `wav`, `mp3`, … */
	| { type: 'audio'; data: string; format: string }
	/** `url`: a data URL with clean base64. */
	| { type: 'video'; url: string };

/** An image, audio or video. */
export type MediaPart = Exclude<ContentPart, { type: 'text' }>;

/** A file of an item or of a message. */
interface InputFile {
	/** Undefined for a file without a name, such as one in a message. */
	name?: string | undefined;
	/** The declared MIME type: email programs and browsers label many files `application/octet-stream`. */
	mimeType: string;
	bytes: Buffer;
}

/**
 * Converts a file to a part of a message.
 *
 * @throws a `ServerError` of type `invalidInput` with a suggestion for a file that no model server supports.
 */
export function toContentPart(file: InputFile): ContentPart {
	return toPart(file, getSupportedType(file));
}

/**
 * Checks a file before it is read.
 *
 * @param file - With its first bytes
 * @throws a `ServerError` of type `invalidInput` for a text that is too long
 */
export function assertReadable({ name, mimeType, size, head }: SentFile): void {
	if (getFileType(head, mimeType).category === 'text') assertTextSize(size, name);
}

function assertTextSize(bytes: number, name: string | undefined): void {
	const problem = describeExcess(bytes);
	const subject = name === undefined ? 'A file' : `The file "${name}"`;
	if (problem !== undefined) throw createInputError(`${subject} ${problem}`, LONG_TEXT_SUGGESTION);
}

export interface ReadFile {
	part: ContentPart;
	/** About the file, such as a photo that lies on its side. */
	warnings: string[];
}

/**
 * Reads a file as a part of a message. Of an email, its text is read.
 *
 * @throws a `ServerError` of type `invalidInput` with a suggestion for a file that no model server supports.
 */
export async function readFile(file: InputFile & { name: string }): Promise<ReadFile> {
	const type = getSupportedType(file);
	if (type.category === 'email') {
		const { text, warnings } = await readMail(file.name, file.bytes);
		return { part: toFileText(text), warnings };
	}
	return { part: toPart(file, type), warnings: getTypeWarnings(file, type) };
}

function getTypeWarnings(file: InputFile & { name: string }, type: FileType): string[] {
	if (type.extension === 'jpg') return getJpegWarnings(file);
	// Of other files, the name is not sent.
	return type.category === 'text' ? [...identifyFile({ ...file, head: file.bytes }).warnings] : [];
}

function getSupportedType({ name, mimeType, bytes }: InputFile) {
	return assertSupported({ name, mimeType, size: bytes.byteLength, head: bytes });
}

/**
 * Checks a file that is an image.
 *
 * @param file - With its first bytes
 * @throws a `ServerError` of type `invalidInput` for another file, and for an image that no model server supports
 */
export function assertImage(file: SentFile): void {
	const { category } = assertSupported(file);
	if (category === 'image') return;
	throw createInputError(
		`The file ${describeFile(file)} is not an image`,
		'Enter the field that contains the image.',
	);
}

function assertSupported({
	name,
	mimeType,
	size,
	head,
}: Omit<SentFile, 'name'> & Pick<InputFile, 'name'>): FileType {
	const type = getFileType(head, mimeType);
	const suggestion =
		getOwn(UNSUPPORTED_FILE_SUGGESTIONS, type.extension) ??
		(contradictsType(head, mimeType) ? NOT_ITS_TYPE_SUGGESTION : undefined);
	if (suggestion === undefined) return type;
	const description =
		name === undefined
			? describeUnnamedFile({ mimeType, head })
			: `the file ${describeFile({ name, mimeType, size, head })}`;
	throw createInputError(`Model servers cannot read ${description}`, suggestion);
}

const NOT_ITS_TYPE_SUGGESTION =
	'Its content is not of that type. Check the node that created it: it may be the error of a download, for example of an expired link, or base64 that was not decoded.';

function toPart(
	{ name, bytes }: InputFile,
	{ category, mimeType, extension }: FileType,
): ContentPart {
	if (category === 'audio')
		return { type: 'audio', data: bytes.toString('base64'), format: extension };
	if (category === 'image' || category === 'video')
		return { type: category, url: `data:${mimeType};base64,${bytes.toString('base64')}` };
	assertTextSize(bytes.byteLength, name);
	return toFileText(decodeText(bytes));
}

function toFileText(text: string): TextPart {
	return { type: 'text', text, origin: 'foreign' };
}

const UPRIGHT = 1;

/** Warnings about an image that servers would show to the model in another way. */
export function getJpegWarnings({ name, bytes }: { name: string; bytes: Buffer }): string[] {
	const warnings = getRotationWarnings({ name, head: bytes });
	// Seen with llama-server v0.5.0, even if the file is only a header.
	if (isTruncatedJpeg(bytes))
		warnings.push(
			`The image "${name}" is incomplete, so it may have been truncated in transit. Servers accept it anyway and fill the missing part with gray. Check the node that created the file.`,
		);
	return warnings;
}

/** The warning about a photo that lies on its side: the first bytes of a JPEG show it. */
export function getRotationWarnings({ name, head }: Pick<SentFile, 'name' | 'head'>): string[] {
	const orientation = readOrientation(head);
	return orientation === UPRIGHT
		? []
		: [
				`The image "${name}" is rotated (EXIF orientation ${orientation}), which servers ignore. Rotate it with the node "Edit Image" (Rotate) first.`,
			];
}

/** The bytes in which a camera writes EXIF. */
const EXIF_BYTES = 65_536;

/** The EXIF marker and the orientation entry up to its value, in both byte orders. In hexadecimal. */
const EXIF = '457869660000';

const ORIENTATION = /(?:011200030000000100|1201030001000000)0([1-8])/;

/** The EXIF orientation of a JPEG; 1, upright, if it is missing or truncated. */
function readOrientation(bytes: Uint8Array) {
	const head = Buffer.from(bytes.subarray(0, EXIF_BYTES)).toString('hex');
	const [, exif = ''] = head.split(EXIF, 2);
	return Number(ORIENTATION.exec(exif)?.[1] ?? UPRIGHT);
}

const END_OF_IMAGE = Buffer.from('ffd9', 'hex');

/** JPEG markers that no length follows: pixels, padding. */
const MARKERS_WITHOUT_LENGTH = [0xda, 0xff];

/** JPEG segments that are skipped; a color profile has at most 255. */
const MAX_SEGMENTS = 1_000;

/** The end marker is searched in the last bytes only: pixels never contain it, but long videos appended to a photo do. */
const END_BYTES = 1024 * 1024;

/** Whether a JPEG has no end marker. A thumbnail in its EXIF has a separate one. */
function isTruncatedJpeg(image: Buffer) {
	let offset = 2;
	for (let segments = 0; segments < MAX_SEGMENTS && hasSegment(image, offset); segments++) {
		offset += 2 + image.readUInt16BE(offset + 2);
	}
	return image.indexOf(END_OF_IMAGE, Math.max(offset, image.length - END_BYTES)) < 0;
}

/** Whether a segment with a length begins here. */
function hasSegment(image: Buffer, offset: number) {
	const isMarker = image[offset] === 0xff && !MARKERS_WITHOUT_LENGTH.includes(image[offset + 1]!);
	return isMarker && offset + 4 <= image.length;
}
