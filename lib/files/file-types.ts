/**
 * Detects the type of a file from its bytes: email programs and browsers label many files `application/octet-stream`,
 * Windows labels a CSV file a workbook, and phones label HEIC a JPEG.
 */

import { parseMimeType } from '../file-name';
import { tryOrUndefined } from '../values/try-or-undefined';
import { getOwn } from '../values/own-properties';

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

/** A format that its first bytes show. */
interface FileFormat {
	/** Matched against the first bytes as Latin-1, as the format's standard defines them. */
	signature: RegExp;
	mimeType: string;
	/** Default: the MIME subtype. */
	extension?: string;
	/** Further endings of files with these bytes: other names, and the formats within a container. */
	endings?: string;
	/** Further MIME types of files with these bytes. */
	mimeTypes?: RegExp;
}

/** Office formats, books and programs are ZIP archives. */
const ZIP_ENDINGS =
	'zip docx docm dotx xlsx xlsm xlsb xltx pptx pptm ppsx potx odt ods odp odg epub jar apk kmz cbz pages numbers key vsdx whl xpi';
const ZIP_MIME_TYPES =
	/zip|openxmlformats|opendocument|java-archive|android\.package|macroenabled|x-iwork|vnd\.apple\.|ms-excel|ms-visio/;
const ISO_ENDINGS = 'mp4 m4a m4b m4v mov qt 3gp 3g2 f4v';
const ISO_MIME_TYPES =
	/^(?:audio|video)\/(?:(?:x-)?m4[abv]|mp4|quicktime|3gpp2?|mpeg4-generic|aac|x-aac)$/;

/** With the only compression that is used, "deflate". */
const GZIP = '\u001f\u008b\u0008';

/** The first match counts. */
const FORMATS: readonly FileFormat[] = [
	{ signature: /^\x89PNG\r\n/, mimeType: 'image/png', endings: 'apng' },
	{
		signature: /^\xff\xd8\xff/,
		mimeType: 'image/jpeg',
		extension: 'jpg',
		endings: 'jpeg jpe jfif pjpeg mpo',
		mimeTypes: /^image\/p?jpe?g$/,
	},
	{ signature: /^GIF8[79]a/, mimeType: 'image/gif' },
	{ signature: /^BM[^]{4}\0{4}/, mimeType: 'image/bmp', endings: 'dib', mimeTypes: /bmp/ },
	{ signature: /^RIFF[^]{4}WEBP/, mimeType: 'image/webp' },
	{
		// TIFF, and BigTIFF.
		signature: /^(?:II[*+]\0|MM\0[*+])/,
		mimeType: 'image/tiff',
		// Raw photos of cameras have the same beginning.
		endings: 'tif dng nef arw cr2 pef',
		mimeTypes: /^image\/x-/,
	},
	{
		// The main brand of some is that of any such container, followed by a version and further brands.
		signature: /^[^]{4}ftyp(?:avi[fs]|m[is]f1[^]{4}(?:[^]{4}){0,10}avi[fs])/,
		mimeType: 'image/avif',
		endings: 'avifs',
	},
	{
		signature: /^[^]{4}ftyp(?:hei[cxms]|hev[cxms]|mif1|msf1)/,
		mimeType: 'image/heic',
		endings: 'heif hif heics',
		mimeTypes: /^image\/hei[cf]/,
	},
	{
		signature: /^(?:\xef\xbb\xbf)?\s*<(?:svg|(?:\?xml|!--|!DOCTYPE svg)[^]{0,4000}<svg)[\s/>]/i,
		mimeType: 'image/svg+xml',
		extension: 'svg',
		endings: 'xml html htm txt md',
		mimeTypes: /xml|^text\//,
	},
	{
		signature: /^RIFF[^]{4}WAVE/,
		mimeType: 'audio/wav',
		endings: 'wave bwf',
		mimeTypes: /^audio\/(?:x-|vnd\.)?wave?$/,
	},
	{ signature: /^fLaC/, mimeType: 'audio/flac', mimeTypes: /^audio\/x-flac$/ },
	{
		signature: /^OggS/,
		mimeType: 'audio/ogg',
		endings: 'oga ogv ogx opus spx',
		mimeTypes: /^(?:audio|video|application)\/(?:x-)?(?:ogg|opus|vorbis|speex)/,
	},
	{ signature: /^#!AMR/, mimeType: 'audio/amr', mimeTypes: /^audio\/amr/ },
	{ signature: /^FORM[^]{4}AIF[FC]/, mimeType: 'audio/aiff', endings: 'aif aifc' },
	{
		signature: /^[^]{4}ftypM4[AB]/,
		mimeType: 'audio/mp4',
		extension: 'm4a',
		endings: ISO_ENDINGS,
		mimeTypes: ISO_MIME_TYPES,
	},
	{
		signature: /^(?:ID3|\xff[\xe2\xe3\xf2\xf3\xfa\xfb])/,
		mimeType: 'audio/mpeg',
		extension: 'mp3',
		endings: 'mpga mp2 mpeg',
		mimeTypes: /^audio\/(?:x-)?(?:mp3|mpeg3?|mpga)$/,
	},
	{
		signature: /^\xff[\xf0\xf1\xf8\xf9]/,
		mimeType: 'audio/aac',
		endings: 'adts',
		mimeTypes: /^audio\/(?:x-|vnd\.dlna\.)?(?:aac|adts)$/,
	},
	{
		// A raw photo of Canon.
		signature: /^[^]{4}ftypcrx /,
		mimeType: 'image/x-canon-cr3',
		extension: 'cr3',
	},
	{
		signature: /^[^]{4}ftypqt/,
		mimeType: 'video/quicktime',
		extension: 'mov',
		endings: ISO_ENDINGS,
		mimeTypes: ISO_MIME_TYPES,
	},
	{
		signature: /^[^]{4}ftyp/,
		mimeType: 'video/mp4',
		endings: ISO_ENDINGS,
		mimeTypes: ISO_MIME_TYPES,
	},
	{
		// The first byte is the control character 0x1a.
		signature: /^[^]E\xdf\xa3/,
		mimeType: 'video/webm',
		endings: 'mkv mka weba mk3d',
		mimeTypes: /^(?:audio|video)\/(?:x-)?(?:webm|matroska)/,
	},
	{
		signature: /^RIFF[^]{4}AVI /,
		mimeType: 'video/x-msvideo',
		extension: 'avi',
		mimeTypes: /^video\/(?:avi|msvideo)$/,
	},
	{ signature: /^%PDF/, mimeType: 'application/pdf', endings: 'ai', mimeTypes: /pdf/ },
	{
		signature: /^\{\\rtf/,
		mimeType: 'application/rtf',
		// Word saves and opens both.
		endings: 'doc txt',
		mimeTypes: /rtf|msword/,
	},
	{
		signature: /^PK[^ -~]{2}[^]{0,90}application\/epub/,
		mimeType: 'application/epub+zip',
		extension: 'epub',
		endings: ZIP_ENDINGS,
		mimeTypes: ZIP_MIME_TYPES,
	},
	{
		signature: /^PK[^ -~]{2}[^]{0,4000}word\//,
		mimeType: `${OFFICE}.wordprocessingml.document`,
		extension: 'docx',
		endings: ZIP_ENDINGS,
		mimeTypes: ZIP_MIME_TYPES,
	},
	{
		signature: /^PK[^ -~]{2}[^]{0,4000}xl\//,
		mimeType: `${OFFICE}.spreadsheetml.sheet`,
		extension: 'xlsx',
		endings: ZIP_ENDINGS,
		mimeTypes: ZIP_MIME_TYPES,
	},
	{
		signature: /^PK[^ -~]{2}[^]{0,4000}ppt\//,
		mimeType: `${OFFICE}.presentationml.presentation`,
		extension: 'pptx',
		endings: ZIP_ENDINGS,
		mimeTypes: ZIP_MIME_TYPES,
	},
	{
		signature: /^PK[^ -~]{2}[^]{0,90}opendocument\.text/,
		mimeType: 'application/vnd.oasis.opendocument.text',
		extension: 'odt',
		endings: ZIP_ENDINGS,
		mimeTypes: ZIP_MIME_TYPES,
	},
	{
		signature: /^PK[^ -~]{2}[^]{0,90}opendocument\.spreadsheet/,
		mimeType: 'application/vnd.oasis.opendocument.spreadsheet',
		extension: 'ods',
		endings: ZIP_ENDINGS,
		mimeTypes: ZIP_MIME_TYPES,
	},
	{
		signature: /^PK[^ -~]{2}[^]{0,90}opendocument\.presentation/,
		mimeType: 'application/vnd.oasis.opendocument.presentation',
		extension: 'odp',
		endings: ZIP_ENDINGS,
		mimeTypes: ZIP_MIME_TYPES,
	},
	{
		signature: /^PK[^ -~]{2}/,
		mimeType: 'application/zip',
		endings: ZIP_ENDINGS,
		mimeTypes: ZIP_MIME_TYPES,
	},
	{
		signature: /^\xd0\xcf[^]\xe0/,
		mimeType: 'application/x-ole-storage',
		extension: 'doc',
		endings: 'dot xls xlt ppt pps msg msi pub vsd hwp',
		mimeTypes: /msword|ms-excel|ms-powerpoint|ms-outlook|ms-office|visio|hwp/,
	},
	{
		// A web page that a browser saved as an email.
		signature: /^From: ["<]Saved by /,
		mimeType: 'multipart/related',
		extension: 'mht',
		endings: 'mhtml eml',
		mimeTypes: /rfc822|mhtml/,
	},
	{
		signature: new RegExp(`^${GZIP}`),
		mimeType: 'application/gzip',
		extension: 'gz',
		endings: 'tgz svgz emz',
		mimeTypes: /gzip|compressed/,
	},
	{
		signature: /^7z\xbc\xaf'/,
		mimeType: 'application/x-7z-compressed',
		extension: '7z',
		endings: 'cb7',
	},
	{
		signature: /^Rar!/,
		mimeType: 'application/vnd.rar',
		extension: 'rar',
		endings: 'cbr',
		mimeTypes: /rar/,
	},
	{ signature: /^BZh\d1AY&SY/, mimeType: 'application/x-bzip2', extension: 'bz2', endings: 'tbz2' },
	{ signature: /^\xfd7zXZ\0/, mimeType: 'application/x-xz', extension: 'xz', endings: 'txz' },
	{ signature: /^\(\xb5\/\xfd/, mimeType: 'application/zstd', extension: 'zst', endings: 'tzst' },
	{
		signature: /^[^]{257}ustar/,
		mimeType: 'application/x-tar',
		extension: 'tar',
		mimeTypes: /tar/,
	},
	{
		signature: /^SQLite format 3\0/,
		mimeType: 'application/vnd.sqlite3',
		extension: 'sqlite',
		endings: 'sqlite3 db db3 s3db gpkg mbtiles',
		mimeTypes: /sqlite/,
	},
	{
		signature: /^PAR1/,
		mimeType: 'application/vnd.apache.parquet',
		extension: 'parquet',
		endings: 'pq',
		mimeTypes: /parquet/,
	},
	{ signature: /^GGUF/, mimeType: 'application/x-gguf', extension: 'gguf' },
	{ signature: /^\x7fELF/, mimeType: 'application/x-elf', extension: 'elf', endings: 'so o bin' },
	{
		// Readers accept other bytes before it (ISO 32000-1, annex H, note 13): blanks, or headers of a download. The comment
		// of bytes above ASCII sets it apart from a text about the format.
		signature:
			/^(?:\xef\xbb\xbf)?(?:\s{0,100}%PDF-\d|[^]{0,1000}?%PDF-\d\.\d\s{1,4}%[\x80-\xff]{3})/,
		mimeType: 'application/pdf',
	},
];

function toFileType({
	mimeType,
	extension = mimeType.split('/')[1]!,
}: Pick<FileFormat, 'mimeType' | 'extension'>): FileType {
	return { category: toMediaCategory(mimeType) ?? 'document', mimeType, extension };
}

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

const UNPACK_SUGGESTION =
	'Add the node "Compression" (Decompress) before this one and pass on its files.';
const ARCHIVE_SUGGESTION = 'Unpack it before n8n, and pass on its files.';
const DATA_SUGGESTION = 'Query the rows that the model needs, and pass them on as text or CSV.';
const PROGRAM_SUGGESTION = 'Pass images, audio (wav, mp3, flac), video or text instead.';

/** Suggestions for files that no model server reads, by extension. */
export const UNSUPPORTED_FILE_SUGGESTIONS: Record<string, string> = {
	heic: PHOTO_SUGGESTION,
	heif: PHOTO_SUGGESTION,
	avif: PHOTO_SUGGESTION,
	cr3: PHOTO_SUGGESTION,
	svg: 'SVG is a vector format: convert the file to PNG first, or pass its source as text.',
	pdf: `${suggestExtract('Extract From PDF')} A scan contains no text: set the scanner to save PNG or JPEG, or convert the page before n8n ("pdftoppm -png").`,
	rtf: suggestExtract('Extract From RTF'),
	mht: `Save the page as HTML. ${suggestExtract('Extract From HTML')}`,
	xlsx: suggestExtract('Extract From XLSX'),
	ods: suggestExtract('Extract From ODS'),
	docx: OFFICE_SUGGESTION,
	pptx: OFFICE_SUGGESTION,
	odt: OFFICE_SUGGESTION,
	odp: OFFICE_SUGGESTION,
	doc: `For an old workbook: ${suggestExtract('Extract From XLS')} For an old document: ${OFFICE_SUGGESTION}`,
	zip: UNPACK_SUGGESTION,
	epub: UNPACK_SUGGESTION,
	gz: UNPACK_SUGGESTION,
	'7z': ARCHIVE_SUGGESTION,
	rar: ARCHIVE_SUGGESTION,
	bz2: ARCHIVE_SUGGESTION,
	xz: ARCHIVE_SUGGESTION,
	zst: ARCHIVE_SUGGESTION,
	tar: ARCHIVE_SUGGESTION,
	sqlite: DATA_SUGGESTION,
	parquet: DATA_SUGGESTION,
	gguf: PROGRAM_SUGGESTION,
	elf: PROGRAM_SUGGESTION,
	'': 'Pass images, audio (wav, mp3, flac), video or text, or remove the file.',
};

/** Whether the bytes of a format may have this ending. An empty ending fits nothing. */
export function fitsEnding({ mimeType, extension }: FileType, ending: string): boolean {
	if (ending === '') return false;
	if (mimeType === TEXT.mimeType || mimeType === MAIL.mimeType) return !isBinaryEnding(ending);
	return ending === extension || (getFormat(mimeType)?.endings?.split(' ') ?? []).includes(ending);
}

/** Whether the bytes of a format may have this MIME type. */
export function fitsMimeType(type: FileType, mimeType: string): boolean {
	if (type.mimeType === TEXT.mimeType || type.mimeType === MAIL.mimeType)
		return getFormat(mimeType) === undefined && toMediaCategory(mimeType) === undefined;
	return mimeType === type.mimeType || getFormat(type.mimeType)?.mimeTypes?.test(mimeType) === true;
}

function getFormat(mimeType: string) {
	return FORMATS.find((format) => format.mimeType === mimeType);
}

/**
 * What a file is if its MIME type is that of a document with a signature, or of one inside a container, such as a table in a
 * ZIP archive: "a file of type application/pdf".
 */
export function describeDocument(mimeType: string): string | undefined {
	const isDocument = FORMATS.some(
		(format) =>
			toFileType(format).category === 'document' &&
			(format.mimeType === mimeType || format.mimeTypes?.test(mimeType) === true),
	);
	return isDocument ? `a file of type ${mimeType}` : undefined;
}

/** Whether an ending belongs to a format that has a signature. */
export function isBinaryEnding(ending: string): boolean {
	return BINARY_ENDINGS.has(ending) && !TEXT_ENDINGS.has(ending);
}

/** Endings of texts that also belong to a format with a signature. */
const TEXT_ENDINGS: ReadonlySet<string> = new Set(
	'txt md html htm xml svg eml mht mhtml key'.split(' '),
);

const BINARY_ENDINGS: ReadonlySet<string> = new Set(
	FORMATS.flatMap((format) => [
		toFileType(format).extension,
		...(format.endings?.split(' ') ?? []),
	]),
);

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
	const extension =
		(family === 'audio' ? getOwn(AUDIO_EXTENSION_BY_SUBTYPE, name) : undefined) ?? name;
	return AUDIO_EXTENSIONS.has(extension) ? extension : undefined;
}

/** MIME types of texts. */
const TEXT_TYPES =
	/^text\/|^application\/(?:(?:.*\+)?(?:json|xml|yaml)|x-yaml|x-ndjson|javascript|sql)$/;

/** Whether a MIME type is that of a text. */
export function isTextType(mimeType: string): boolean {
	return TEXT_TYPES.test(mimeType);
}

const TEXT: FileType = { category: 'text', mimeType: 'text/plain', extension: 'txt' };
const MAIL: FileType = { category: 'email', mimeType: 'message/rfc822', extension: 'eml' };

/** The type by content, otherwise by the declared MIME type. */
export function getFileType(bytes: Uint8Array, mimeType: string): FileType {
	const declared = fileTypeFromMime(parseMimeType(mimeType));
	const actual = detectFileType(bytes, declared?.category);
	// A video container may contain only audio, which only its declared type shows.
	if (actual?.category === 'video' && declared?.category === 'audio') return declared;
	// Any bytes may look like text.
	if (actual?.category === 'text' && declared?.category === 'image') return declared;
	if (actual === undefined && declared?.category === 'text' && isBinary(bytes)) return UNKNOWN;
	return actual ?? declared ?? UNKNOWN;
}

/**
 * Whether bytes cannot be what their MIME type says: a text under the type of an image, of a format with a signature, or
 * of a PDF; or an image without the signature of its format. Audio and video may lack theirs, and exports of tables and
 * documents are often texts under the type of an office format.
 */
export function contradictsType(bytes: Uint8Array, mimeType: string): boolean {
	const declaredType = parseMimeType(mimeType);
	const category = toMediaCategory(declaredType);
	const isMedia = category !== undefined || PDF_TYPE.test(declaredType);
	if (!isMedia || bytes.length < MIN_JUDGED_BYTES) return false;
	const actual = detectFileType(bytes, category);
	const isImage = category === 'image';
	if (actual === undefined) return isImage && SIGNED_IMAGE.test(declaredType);
	if (actual.category !== 'text' && actual.category !== 'email') return false;
	return isImage || isFormatType(declaredType);
}

/** A shorter file may end within the signature of any format. */
const MIN_JUDGED_BYTES = 8;

const PDF_TYPE = /^application\/(?:x-)?pdf$/;

/** Bitmaps, icons and raw photos have further beginnings. */
const SIGNED_IMAGE = /^image\/(?:png|p?jpe?g|gif|webp|tiff|hei[cf]|avif)$/;

/** Whether a MIME type is that of a format with a signature. */
function isFormatType(mimeType: string) {
	return FORMATS.some(
		(format) => format.mimeType === mimeType || format.mimeTypes?.test(mimeType) === true,
	);
}

/** Bytes that may be a text with a few control characters. */
const MIN_BINARY_BYTES = 32;
/** Share of control characters: a tenth of random bytes, almost none of a text in any encoding. */
const MIN_BINARY_CONTROLS = 0.04;

function isBinary(bytes: Uint8Array) {
	const head = bytes.subarray(0, HEAD_BYTES);
	const controls = head.filter(isControl).length;
	return head.length >= MIN_BINARY_BYTES && controls > head.length * MIN_BINARY_CONTROLS;
}

function isControl(byte: number) {
	return byte < 0x20 && !TEXT_CONTROLS.includes(String.fromCharCode(byte));
}

const UNKNOWN: FileType = { category: 'document', mimeType: '', extension: '' };

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
		(detectUtf16(bytes) !== undefined || !bytes.subarray(0, HEAD_BYTES).some(isControl));
	const isDeclaredText = isText && declaredCategory === 'text';
	for (const format of FORMATS) {
		const type = toFileType(format);
		const isPossible = type.category === 'document' || !isDeclaredText;
		if (isPossible && format.signature.test(head)) return type;
	}
	if (!isText) return undefined;
	return isMail(head) ? MAIL : TEXT;
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

/** The encoding by the byte-order mark, or by the zero byte of most characters. */
function detectUtf16(bytes: Uint8Array): string | undefined {
	const [first, second] = bytes;
	if (first === 0xff && second === 0xfe) return 'utf-16le';
	if (first === 0xfe && second === 0xff) return 'utf-16be';
	const head = bytes.subarray(0, HEAD_BYTES);
	if (head.length < MIN_UTF16_BYTES) return undefined;
	const zeros = [0, 0];
	let controls = 0;
	for (const [index, byte] of head.entries()) {
		if (byte === 0) zeros[index % 2]!++;
		else if (isControl(byte)) controls++;
	}
	const [even = 0, odd = 0] = zeros;
	const most = head.length * MIN_UTF16_ZEROS;
	if (controls > 0 || Math.min(even, odd) > 0 || Math.max(even, odd) < most) return undefined;
	return odd > 0 ? 'utf-16le' : 'utf-16be';
}

/** A shorter text without a byte-order mark may be anything. */
const MIN_UTF16_BYTES = 8;

/** Share of zero bytes in a text of mostly Latin letters, in which every second byte is zero. */
const MIN_UTF16_ZEROS = 0.3;
