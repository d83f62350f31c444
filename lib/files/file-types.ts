/**
 * Detects the type of a file from its bytes: email programs and browsers label many files `application/octet-stream`,
 * Windows labels a CSV file a workbook, and phones label HEIC a JPEG.
 */

import { parseMimeType } from '../file-name';
import { tryOrUndefined } from '../values/attempt';

/** Bytes that are inspected. */
const HEAD_BYTES = 8192;

type FileCategory = 'image' | 'audio' | 'video' | 'text' | 'email' | 'document';

export interface FileType {
	category: FileCategory;
	/** Empty if it is unknown. */
	mimeType: string;
	/** Without the period; empty if it is unknown. */
	extension: string;
}

const OFFICE = 'application/vnd.openxmlformats-officedocument';

/**
 * Matched against the first bytes as Latin-1 (the signatures of each format's standard). The first match counts. Default
 * extension: the MIME subtype. One line each, as in a table of signatures.
 */
const SIGNATURES: ReadonlyArray<[signature: RegExp, mimeType: string, extension?: string]> = [
	[/^\x89PNG\r\n/, 'image/png'],
	[/^\xff\xd8\xff/, 'image/jpeg', 'jpg'],
	[/^GIF8[79]a/, 'image/gif'],
	[/^BM[^]{4}\0{4}/, 'image/bmp'],
	[/^RIFF[^]{4}WEBP/, 'image/webp'],
	[/^(?:II\*\0|MM\0\*)/, 'image/tiff'],
	[/^[^]{4}ftyp(?:hei[cxms]|hev[cxms]|mif1|msf1)/, 'image/heic'],
	[/^[^]{4}ftypavi[fs]/, 'image/avif'],
	[
		/^(?:\xef\xbb\xbf)?\s*<(?:svg|(?:\?xml|!--|!DOCTYPE svg)[^]{0,4000}<svg)[\s/>]/i,
		'image/svg+xml',
		'svg',
	],
	[/^RIFF[^]{4}WAVE/, 'audio/wav'],
	[/^fLaC/, 'audio/flac'],
	[/^OggS/, 'audio/ogg'],
	[/^#!AMR/, 'audio/amr'],
	[/^[^]{4}ftypM4[AB]/, 'audio/mp4', 'm4a'],
	[/^(?:ID3|\xff[\xe2\xe3\xf2\xf3\xfa\xfb])/, 'audio/mpeg', 'mp3'],
	[/^\xff[\xf0\xf1\xf8\xf9]/, 'audio/aac'],
	[/^[^]{4}ftypqt/, 'video/quicktime', 'mov'],
	[/^[^]{4}ftyp/, 'video/mp4'],
	// The first byte is the control character 0x1a.
	[/^[^]E\xdf\xa3/, 'video/webm'],
	[/^RIFF[^]{4}AVI /, 'video/x-msvideo', 'avi'],
	[/^%PDF/, 'application/pdf'],
	[/^\{\\rtf/, 'application/rtf'],
	[/^PK[^ -~]{2}[^]{0,4000}word\//, `${OFFICE}.wordprocessingml.document`, 'docx'],
	[/^PK[^ -~]{2}[^]{0,4000}xl\//, `${OFFICE}.spreadsheetml.sheet`, 'xlsx'],
	[/^PK[^ -~]{2}[^]{0,4000}ppt\//, `${OFFICE}.presentationml.presentation`, 'pptx'],
	[/^PK[^ -~]{2}[^]{0,90}opendocument\.text/, 'application/vnd.oasis.opendocument.text', 'odt'],
	[/^PK[^ -~]{2}/, 'application/zip'],
	[/^\xd0\xcf[^]\xe0/, 'application/x-ole-storage', 'doc'],
	// A web page that a browser saved as an email.
	[/^From: ["<]Saved by /, 'multipart/related', 'mht'],
];

function toMediaCategory(mimeType: string) {
	const [family] = mimeType.split('/');
	return (['image', 'audio', 'video'] as const).find((category) => category === family);
}

const PHOTO_SUGGESTION =
	'Convert it to JPEG or PNG first, or set the phone or camera to save photos as JPEG.';
const suggestExtract = (operation: string) =>
	`Add the node "Extract From File" (${operation}) before this one and pass on its text.`;
const OFFICE_SUGGESTION =
	'Save it as PDF first, and add the node "Extract From File" (Extract From PDF) before this one.';

/** Suggestions for files that no model server reads, by extension. */
export const UNSUPPORTED_FILE_SUGGESTIONS: Record<string, string> = {
	heic: PHOTO_SUGGESTION,
	heif: PHOTO_SUGGESTION,
	avif: PHOTO_SUGGESTION,
	svg: 'SVG is a vector format: convert the file to PNG first, or pass its source as text.',
	pdf: `${suggestExtract('Extract From PDF')} A scan contains no text: set the scanner to save PNG or JPEG, or convert the page before n8n ("pdftoppm -png").`,
	rtf: suggestExtract('Extract From RTF'),
	mht: `Save the page as HTML. ${suggestExtract('Extract From HTML')}`,
	xlsx: suggestExtract('Extract From XLSX'),
	docx: OFFICE_SUGGESTION,
	pptx: OFFICE_SUGGESTION,
	odt: OFFICE_SUGGESTION,
	doc: `For an old workbook: ${suggestExtract('Extract From XLS')} For an old document: ${OFFICE_SUGGESTION}`,
	zip: 'Add the node "Compression" (Decompress) before this one and pass on its files.',
	'': 'Pass images, audio (wav, mp3, flac), video or text, or remove the file.',
};

/** Audio subtypes whose extension differs from their name. */
const AUDIO_EXTENSION_BY_SUBTYPE: Record<string, string> = {
	mpeg: 'mp3',
	wave: 'wav',
	mp4: 'm4a',
};

/** Extensions that servers read as audio. */
export const AUDIO_EXTENSIONS: ReadonlySet<string> = new Set(
	'mp3 mpga wav flac ogg opus m4a aac webm mp4 amr'.split(' '),
);

/** The usual file extension of an audio MIME type; undefined if unknown. */
export function getAudioExtension(mimeType: string): string | undefined {
	const [, family, name = ''] =
		/^(audio|video|application)\/(?:x-|vnd\.)?(.*)/.exec(parseMimeType(mimeType)) ?? [];
	const extension = (family === 'audio' ? AUDIO_EXTENSION_BY_SUBTYPE[name] : undefined) ?? name;
	return AUDIO_EXTENSIONS.has(extension) ? extension : undefined;
}

/** MIME types of texts. */
const TEXT_TYPES =
	/^text\/|^application\/(?:(?:.*\+)?(?:json|xml|yaml)|x-yaml|x-ndjson|javascript|sql)$/;
const TEXT: FileType = { category: 'text', mimeType: 'text/plain', extension: 'txt' };

/** The type by content, otherwise by the declared MIME type. */
export function getFileType(bytes: Uint8Array, mimeType: string): FileType {
	const declared = fileTypeFromMime(parseMimeType(mimeType));
	const actual = detectFileType(bytes, declared?.category);
	// A video container may contain only audio, which only its declared type shows.
	if (actual?.category === 'video' && declared?.category === 'audio') return declared;
	// Any bytes may look like text.
	if (actual?.category === 'text' && declared?.category === 'image') return declared;
	return actual ?? declared ?? { category: 'document', mimeType: '', extension: '' };
}

function fileTypeFromMime(mimeType: string) {
	if (TEXT_TYPES.test(mimeType)) return TEXT;
	const [, name = ''] = mimeType.replace(/\+.*/, '').split('/');
	const category = toMediaCategory(mimeType);
	const extension = (category === 'audio' && getAudioExtension(mimeType)) || name;
	return category && { category, mimeType, extension };
}

/**
 * The type by the content of a file; undefined if it has no known signature and is not text. A declared text may begin
 * as media do: with an SVG image, or the letters "ID3".
 */
export function detectFileType(
	bytes: Uint8Array,
	declaredCategory?: FileCategory,
): FileType | undefined {
	const head = Buffer.from(bytes.subarray(0, HEAD_BYTES)).toString('latin1');
	const isText =
		head !== '' &&
		(detectUtf16(bytes) !== undefined ||
			![...head].some((character) => character < ' ' && !TEXT_CONTROLS.includes(character)));
	const isDeclaredText = isText && declaredCategory === 'text';
	for (const [signature, mimeType, extension = mimeType.split('/')[1]!] of SIGNATURES) {
		const category = toMediaCategory(mimeType) ?? 'document';
		const isPossible = category === 'document' || !isDeclaredText;
		if (isPossible && signature.test(head)) return { category, mimeType, extension };
	}
	if (!isText) return undefined;
	return isMail(head) ? { category: 'email', mimeType: 'message/rfc822', extension: 'eml' } : TEXT;
}

/** Control characters that occur in text: tab, line breaks, form feed, escape. */
const TEXT_CONTROLS = '\t\n\v\f\r\x1b';

/** A plain text may begin with fewer email headers. */
const MIN_MAIL_HEADERS = 3;

function isMail(head: string) {
	const [header = ''] = head.split(/\r?\n\r?\n/, 1);
	const names = header.match(/^(?:from|to|date|subject|message-id|mime-version|received)(?=:)/gim);
	const distinct = new Set(names?.map((name) => name.toLowerCase()));
	return /^[\w-]{1,60}:/.test(header) && distinct.size >= MIN_MAIL_HEADERS;
}

/**
 * Decodes the bytes of a text file: UTF-16 with a byte-order mark, UTF-8, GB18030 by its byte pairs, otherwise
 * Windows-1252, a superset of Latin-1.
 */
export function decodeText(bytes: Uint8Array): string {
	const utf16 = detectUtf16(bytes);
	if (utf16 !== undefined) return new TextDecoder(utf16).decode(bytes);
	const tryDecode = (encoding: string) =>
		tryOrUndefined(() => new TextDecoder(encoding, { fatal: true }).decode(bytes));
	return (
		tryDecode('utf-8') ??
		(hasPairedBytes(bytes) ? tryDecode('gb18030') : undefined) ??
		new TextDecoder('windows-1252').decode(bytes)
	);
}

/** Chinese text has runs of two or more bytes above ASCII; Western letters above ASCII are mostly single. */
function hasPairedBytes(bytes: Uint8Array) {
	const head = Buffer.from(bytes.subarray(0, HEAD_BYTES)).toString('latin1');
	const runs = head.match(/[\x80-\xff]+/g) ?? [];
	return runs.join('').length >= 3 * runs.length;
}

/** The encoding by the byte-order mark. */
function detectUtf16([first, second]: Uint8Array): string | undefined {
	if (first === 0xff && second === 0xfe) return 'utf-16le';
	return first === 0xfe && second === 0xff ? 'utf-16be' : undefined;
}
