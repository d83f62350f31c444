/** What the bytes of a picture or of sound are that a server sent. Its declared type is only a claim. */
import type { FileType } from './file-types';
import { detectFileType } from './file-types';
import { getOwn } from '../values/own-properties';
import { tryOrUndefined } from '../values/try-or-undefined';

/** The expected kind of file. */
interface ExpectedMedia {
	type: 'media';
	file: FileType;
}

/** No known signature, and no text. */
interface UnknownMedia {
	type: 'unknown';
}

/** Anything else. */
interface OtherMedia {
	type: 'other';
	/** As an object: "an image (image/png)". */
	description: string;
	/** Words of the server, a page, JSON. */
	isText: boolean;
}

/** What the bytes show. */
export type ReceivedMedia = ExpectedMedia | UnknownMedia | OtherMedia;

/** Containers of audio that may also have video. */
const AUDIO_OF_CONTAINERS: Readonly<Record<string, FileType>> = {
	'video/mp4': { category: 'audio', mimeType: 'audio/mp4', extension: 'm4a' },
	'video/webm': { category: 'audio', mimeType: 'audio/webm', extension: 'webm' },
};

/** Formats whose signature has two or three bytes, with which raw samples may begin. */
const SHORT_SIGNATURE =
	/^(?:image\/(?:jpeg|bmp)|application\/(?:gzip|zip|x-ole-storage|vnd\.|epub))/;

const SVG_TYPE = 'image/svg+xml';

/** @param bytes - The beginning of a picture, or all of it. An SVG is none: it is a document, which may have scripts. */
export function inspectImage(bytes: Uint8Array): ReceivedMedia {
	const file = detectFileType(bytes);
	if (file === undefined) return { type: 'unknown' };
	const isImage = file.category === 'image' && file.mimeType !== SVG_TYPE;
	return isImage ? { type: 'media', file } : toOther(file);
}

/**
 * @param head - The beginning of the sound.
 * @param isRaw - Samples without a header were requested or declared: they may begin as a short signature does.
 */
export function inspectAudio(head: Uint8Array, { isRaw = false } = {}): ReceivedMedia {
	const detected = detectFileType(head);
	if (detected === undefined) return !isRaw && beginsAsMarkup(head) ? TEXT : { type: 'unknown' };
	const file = getOwn(AUDIO_OF_CONTAINERS, detected.mimeType) ?? detected;
	if (file.category === 'audio') return { type: 'media', file };
	const other = toOther(file);
	const isCoincidence = other.isText
		? !hasWord(head) && (isRaw || !beginsAsMarkup(head))
		: isRaw && SHORT_SIGNATURE.test(file.mimeType);
	return isCoincidence ? { type: 'unknown' } : other;
}

/** Whether it begins as JSON or a page, which may have any bytes further on. No format of audio does. */
function beginsAsMarkup(head: Uint8Array): boolean {
	return /^\s*[{<]/.test(Buffer.from(head).toString('latin1'));
}

/** Sound without a signature may consist of bytes that are characters, but hardly of words. */
function hasWord(head: Uint8Array): boolean {
	const text = tryOrUndefined(() =>
		new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: true }),
	);
	// Letters of UTF-16 have a zero byte each.
	const letters = Buffer.from(head).toString('latin1').replaceAll('\0', '');
	return /\p{L}{2}/u.test(text ?? '') || /[A-Za-z]{4}/.test(letters);
}

function toOther(file: FileType): OtherMedia {
	const { category, mimeType } = file;
	const isText = category === 'text' || category === 'email';
	if (isText) return TEXT;
	const isSvg = mimeType === SVG_TYPE;
	const description = isSvg
		? 'an SVG document, which may contain scripts'
		: `${NOUNS[category]} (${mimeType})`;
	return { type: 'other', description, isText };
}

const TEXT: OtherMedia = { type: 'other', description: 'text', isText: true };

const NOUNS: Readonly<Record<Exclude<FileType['category'], 'text' | 'email'>, string>> = {
	image: 'an image',
	audio: 'sound',
	video: 'a video',
	document: 'a file',
};
