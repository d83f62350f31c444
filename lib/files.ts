/**
 * What a file is by its bytes: mail programs and browsers call many files `application/octet-stream`, Windows calls a CSV
 * file a workbook, and phones call HEIC a JPEG.
 */

import { mimeTypeIn } from './file-name';
import { quietly } from './values';

export type FileKind = 'picture' | 'sound' | 'video' | 'text' | 'mail' | 'document';

export interface FileType {
	kind: FileKind;
	mimeType: string;
	extension: string;
}

type Row = readonly [signature: RegExp, kind: FileKind, mimeType: string, extension: string];

const OFFICE = 'application/vnd.openxmlformats-officedocument';

/** By the first bytes as Latin-1 (the signatures of each format's standard). The first match counts. */
const SIGNATURES: readonly Row[] = [
	[/^\x89PNG\r\n/, 'picture', 'image/png', 'png'],
	[/^\xff\xd8\xff/, 'picture', 'image/jpeg', 'jpg'],
	[/^GIF8[79]a/, 'picture', 'image/gif', 'gif'],
	[/^BM[^]{4}\0{4}/, 'picture', 'image/bmp', 'bmp'],
	[/^RIFF[^]{4}WEBP/, 'picture', 'image/webp', 'webp'],
	[/^(?:II\*\0|MM\0\*)/, 'picture', 'image/tiff', 'tiff'],
	[/^[^]{4}ftyp(?:hei[cxms]|hev[cxms]|mif1|msf1)/, 'picture', 'image/heic', 'heic'],
	[/^[^]{4}ftypavi[fs]/, 'picture', 'image/avif', 'avif'],
	[/^RIFF[^]{4}WAVE/, 'sound', 'audio/wav', 'wav'],
	[/^fLaC/, 'sound', 'audio/flac', 'flac'],
	[/^OggS/, 'sound', 'audio/ogg', 'ogg'],
	[/^#!AMR/, 'sound', 'audio/amr', 'amr'],
	[/^[^]{4}ftypM4[AB]/, 'sound', 'audio/mp4', 'm4a'],
	[/^(?:ID3|\xff[\xe2\xe3\xf2\xf3\xfa\xfb])/, 'sound', 'audio/mpeg', 'mp3'],
	[/^\xff[\xf0\xf1\xf8\xf9]/, 'sound', 'audio/aac', 'aac'],
	[/^[^]{4}ftypqt/, 'video', 'video/quicktime', 'mov'],
	[/^[^]{4}ftyp/, 'video', 'video/mp4', 'mp4'],
	// The first byte is the control character 0x1a.
	[/^[^]E\xdf\xa3/, 'video', 'video/webm', 'webm'],
	[/^RIFF[^]{4}AVI /, 'video', 'video/x-msvideo', 'avi'],
	[/^%PDF/, 'document', 'application/pdf', 'pdf'],
	[/^\{\\rtf/, 'document', 'application/rtf', 'rtf'],
	[/^PK[^]{2}[^]{0,4000}word\//, 'document', `${OFFICE}.wordprocessingml.document`, 'docx'],
	[/^PK[^]{2}[^]{0,4000}xl\//, 'document', `${OFFICE}.spreadsheetml.sheet`, 'xlsx'],
	[/^PK[^]{2}[^]{0,4000}ppt\//, 'document', `${OFFICE}.presentationml.presentation`, 'pptx'],
	[
		/^PK[^]{2}[^]{0,90}opendocument\.text/,
		'document',
		'application/vnd.oasis.opendocument.text',
		'odt',
	],
	[/^PK[^]{2}/, 'document', 'application/zip', 'zip'],
	[/^\xd0\xcf[^]\xe0/, 'document', 'application/x-ole-storage', 'doc'],
];

const PHOTO =
	'Convert it to JPEG or PNG first, or let the phone or the camera save photos as JPEG.';
const extract = (operation: string) =>
	`Put the node "Extract From File" (${operation}) in front and pass its text on.`;
const OF_OFFICE =
	'Save it as PDF first, and put the node "Extract From File" (Extract From PDF) in front.';

/** What to do with files that no model server reads, by their extension. */
export const UNREAD: Readonly<Record<string, string>> = {
	heic: PHOTO,
	heif: PHOTO,
	avif: PHOTO,
	svg: 'It is a drawing made of shapes: convert it to PNG first, or pass its source on as text.',
	pdf: `${extract('Extract From PDF')} A scan has no text: let the scanner save PNG or JPEG, or convert the page before n8n ("pdftoppm -png").`,
	rtf: extract('Extract From RTF'),
	mht: `Save the page as HTML. ${extract('Extract From HTML')}`,
	xlsx: extract('Extract From XLSX'),
	docx: OF_OFFICE,
	pptx: OF_OFFICE,
	odt: OF_OFFICE,
	doc: `Of an old workbook: ${extract('Extract From XLS')} Of an old document: ${OF_OFFICE}`,
	zip: 'Put the node "Compression" (Decompress) in front and pass its files on.',
};

/** Names of sounds in MIME types, where the extension is another. */
const SOUNDS: Readonly<Record<string, string>> = { mpeg: 'mp3', wave: 'wav', mp4: 'm4a' };

export const SOUND_EXTENSIONS: ReadonlySet<string> = new Set(
	'mp3 mpga wav flac ogg opus m4a aac webm mp4 amr'.split(' '),
);

/** The usual file extension of a sound's MIME type; undefined for an unknown one. */
export function soundExtension(mimeType: string): string | undefined {
	const [, family, name = ''] =
		/^(audio|video|application)\/(?:x-|vnd\.)?(.*)/.exec(mimeTypeIn(mimeType)) ?? [];
	const extension = (family === 'audio' ? SOUNDS[name] : undefined) ?? name;
	return SOUND_EXTENSIONS.has(extension) ? extension : undefined;
}

/** The type that a file is called by, for one whose bytes say nothing. */
export function declaredType(mime: string): FileType | undefined {
	const mimeType = mimeTypeIn(mime);
	const [family, extension = ''] = mimeType.replace(/\+.*/, '').split('/');
	if (family === 'image') return { kind: 'picture', mimeType, extension };
	if (family === 'video') return { kind: 'video', mimeType, extension };
	if (family !== 'audio') return undefined;
	return { kind: 'sound', mimeType, extension: soundExtension(mimeType) ?? extension };
}

/** Bytes that are looked at. */
const HEAD_BYTES = 8192;

export const TEXT: FileType = { kind: 'text', mimeType: 'text/plain', extension: 'txt' };
const MAIL: FileType = { kind: 'mail', mimeType: 'message/rfc822', extension: 'eml' };
const WEB_ARCHIVE: FileType = {
	kind: 'document',
	mimeType: 'multipart/related',
	extension: 'mht',
};
const SVG: FileType = { kind: 'picture', mimeType: 'image/svg+xml', extension: 'svg' };

/** The type by the content of a file; undefined if it has no known signature and is no text. */
export function fileTypeOf(bytes: Uint8Array): FileType | undefined {
	const head = Buffer.from(bytes.subarray(0, HEAD_BYTES));
	const characters = head.toString('latin1');
	const row = SIGNATURES.find(([signature]) => signature.test(characters));
	if (row !== undefined) return { kind: row[1], mimeType: row[2], extension: row[3] };
	if (
		head.length === 0 ||
		(!UTF16_MARK.test(characters) && utf16Of(head) === undefined && head.some(isBinary))
	)
		return undefined;
	if (isSvg(characters)) return SVG;
	return envelopeIn(characters) ?? TEXT;
}

/** Byte-order marks of UTF-16. */
const UTF16_MARK = /^(?:\xff\xfe|\xfe\xff)/;

/** The control characters that texts have: tab, line breaks, form feed, escape. */
const TEXT_CONTROLS = new Set([0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x1b]);

function isBinary(byte: number): boolean {
	return byte < 0x20 && !TEXT_CONTROLS.has(byte);
}

function isSvg(characters: string): boolean {
	return (
		/^(?:\xef\xbb\xbf)?\s*<(?:svg|\?xml|!--|!DOCTYPE svg)/i.test(characters) &&
		/<svg[\s>]/i.test(characters)
	);
}

const OF_MAILS = new Set([
	'from',
	'to',
	'date',
	'subject',
	'message-id',
	'mime-version',
	'received',
]);
/** Fewer may stand at the beginning of a text. */
const LEAST_OF_MAILS = 3;

/** A mail, or a web page that a browser saved as one. */
function envelopeIn(characters: string): FileType | undefined {
	const [header = ''] = characters.split(/\r?\n\r?\n/, 1);
	if (!/^[\w-]{1,60}:/.test(header)) return undefined;
	const lines = header.split('\n');
	const names = new Set(lines.map((line) => /^[\w-]{1,60}(?=:)/.exec(line)?.[0].toLowerCase()));
	const isArchive =
		names.has('snapshot-content-location') || !(names.has('to') || names.has('received'));
	if (isArchive && /^content-type:\s*multipart\/related/im.test(header)) return WEB_ARCHIVE;
	const known = [...names].filter((name) => name !== undefined && OF_MAILS.has(name));
	return known.length >= LEAST_OF_MAILS ? MAIL : undefined;
}

/**
 * Decodes the bytes of a text file. The encoding is told by, in this order: a byte-order mark, the declared `charset`,
 * zeros in every second byte (UTF-16), valid UTF-8, a declaration inside the text, the shape of GB18030; else it is
 * Windows-1252, a superset of Latin-1.
 */
export function textOfBytes(bytes: Uint8Array, declared?: string): string {
	const marked = encodingOfMark(bytes) ?? knownEncoding(declared) ?? utf16Of(bytes);
	if (marked !== undefined) return new TextDecoder(marked).decode(bytes);
	return (
		decoded(bytes, 'utf-8') ??
		decoded(bytes, knownEncoding(writtenInside(bytes))) ??
		(isInPairs(bytes) ? decoded(bytes, 'gb18030') : undefined) ??
		new TextDecoder('windows-1252').decode(bytes)
	);
}

function decoded(bytes: Uint8Array, encoding: string | undefined): string | undefined {
	if (encoding === undefined) return undefined;
	try {
		return new TextDecoder(encoding, { fatal: true }).decode(bytes);
	} catch {
		return undefined;
	}
}

/** Chinese stands in words of two and more bytes above ASCII, Western letters mostly alone. */
function isInPairs(bytes: Uint8Array): boolean {
	const looked = Buffer.from(bytes.subarray(0, HEAD_BYTES)).toString('latin1');
	const runs = looked.match(/[\x80-\xff]+/g) ?? [];
	return looked.replace(/[^\x80-\xff]/g, '').length >= 3 * runs.length;
}

/** The encoding that XML, HTML or CSS declare inside. */
function writtenInside(bytes: Uint8Array): string | undefined {
	const begin = Buffer.from(bytes.subarray(0, HEAD_BYTES)).toString('latin1');
	return /(?:<\?xml[^<>]*\sencoding|<meta[^<>]*\scharset|^@charset)\s{0,9}=?\s{0,9}["']?([\w:.-]+)/i.exec(
		begin,
	)?.[1];
}

function encodingOfMark([first, second, third]: Uint8Array): string | undefined {
	if (first === 0xff && second === 0xfe) return 'utf-16le';
	if (first === 0xfe && second === 0xff) return 'utf-16be';
	return first === 0xef && second === 0xbb && third === 0xbf ? 'utf-8' : undefined;
}

/** Undefined for unknown names, and for UTF-8, which is often declared wrongly and checked by the bytes. */
function knownEncoding(label: string | undefined): string | undefined {
	const encoding =
		label === undefined ? undefined : quietly(() => new TextDecoder(label.trim()).encoding);
	return encoding === 'utf-8' ? undefined : encoding;
}

function utf16Of(bytes: Uint8Array): string | undefined {
	const looked = bytes.subarray(0, HEAD_BYTES);
	if (looked.length < 4 || bytes.length % 2 !== 0) return undefined;
	const zerosAt = (parity: number) =>
		looked.filter((byte, at) => at % 2 === parity && byte === 0).length;
	const [even, odd, most] = [zerosAt(0), zerosAt(1), looked.length / 4];
	if (odd > most && even === 0) return 'utf-16le';
	return even > most && odd === 0 ? 'utf-16be' : undefined;
}

/** What a picture says of itself in its first bytes. */
export interface PictureFacts {
	/** Pixels. */
	width?: number;
	height?: number;
	/** Of EXIF: 1 is upright. */
	orientation?: number;
}

export function pictureFacts(bytes: Uint8Array): PictureFacts {
	const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	const read = READERS[fileTypeOf(bytes)?.extension ?? ''];
	// Reading behind the end of a file that was cut.
	return (read && quietly(() => read(buffer))) ?? {};
}

const READERS: Readonly<Record<string, (buffer: Buffer) => PictureFacts>> = {
	png: (buffer) => ({ width: buffer.readUInt32BE(16), height: buffer.readUInt32BE(20) }),
	gif: (buffer) => ({ width: buffer.readUInt16LE(6), height: buffer.readUInt16LE(8) }),
	jpg: jpegFacts,
	webp: webpFacts,
};

/** Markers between those of frames: Huffman tables, reserved, arithmetic coding. */
const NO_FRAMES: ReadonlySet<number> = new Set([0xc4, 0xc8, 0xcc]);
const APP1 = 0xe1;

/** Walks the segments to the frame header, which holds the size. */
function jpegFacts(buffer: Buffer): PictureFacts {
	const facts: PictureFacts = {};
	for (let at = 2; at + 9 <= buffer.length && buffer[at] === 0xff; ) {
		const marker = buffer[at + 1]!;
		if (marker === APP1) facts.orientation ??= orientationIn(buffer.subarray(at + 4));
		if (marker >= 0xc0 && marker <= 0xcf && !NO_FRAMES.has(marker))
			return { ...facts, width: buffer.readUInt16BE(at + 7), height: buffer.readUInt16BE(at + 5) };
		at += 2 + buffer.readUInt16BE(at + 2);
	}
	return facts;
}

const ORIENTATION_TAG = 0x0112;
const ENTRY_BYTES = 12;

/** EXIF holds a TIFF file, whose first directory has the orientation. */
function orientationIn(segment: Buffer): number | undefined {
	if (segment.toString('latin1', 0, 6) !== 'Exif\0\0') return undefined;
	const tiff = segment.subarray(6);
	const isLittle = tiff.toString('latin1', 0, 2) === 'II';
	const short = (at: number) => (isLittle ? tiff.readUInt16LE(at) : tiff.readUInt16BE(at));
	const start = isLittle ? tiff.readUInt32LE(4) : tiff.readUInt32BE(4);
	for (let entry = 0; entry < short(start); entry++) {
		const at = start + 2 + entry * ENTRY_BYTES;
		if (short(at) === ORIENTATION_TAG) return short(at + 8);
	}
	return undefined;
}

function webpFacts(buffer: Buffer): PictureFacts {
	const chunk = buffer.toString('latin1', 12, 16);
	if (chunk === 'VP8X')
		return { width: buffer.readUIntLE(24, 3) + 1, height: buffer.readUIntLE(27, 3) + 1 };
	if (chunk === 'VP8 ')
		return { width: buffer.readUInt16LE(26) & 0x3fff, height: buffer.readUInt16LE(28) & 0x3fff };
	const bits = buffer.readUInt32LE(21);
	return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
}
