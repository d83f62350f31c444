/** The name and the type under which a file is sent: its bytes decide, what it declares only where the bytes allow it. */
import { parseMimeType } from '../file-name';
import type { FileType } from './file-types';
import {
	contradictsType,
	detectFileType,
	fitsEnding,
	fitsMimeType,
	getAudioExtension,
	isBinaryEnding,
} from './file-types';
import { getOwn } from '../values/own-properties';

/** A file as n8n describes it. */
export interface DeclaredFile {
	name: string;
	/** The ending without its dot, where n8n has it apart from the name. */
	extension?: string | undefined;
	/** Of the field, or of the response it came from; often only a general one. */
	mimeType: string;
	/** The first bytes; empty if they cannot be read. */
	head: Uint8Array;
}

/** A file as it is sent. */
export interface FileIdentity {
	/** With an ending: servers and Dify go by it. */
	name: string;
	mimeType: string;
	/** What the file declared and its bytes contradict. */
	warnings: readonly string[];
	/** The bytes are markup or JSON, whatever the name says: often the error of a download. */
	isMarkup?: boolean;
}

/** MIME types of any file. */
const GENERAL_TYPES =
	/^(?:|(?:application|binary)\/(?:x-)?(?:octet-stream|binary|download|force-download|unknown)|\*\/\*)$/;

/** Endings of pages that return files, and of files that are not complete. */
const GENERAL_ENDINGS: ReadonlySet<string> = new Set(
	'php asp aspx jsp cgi do ashx bin tmp temp part crdownload'.split(' '),
);

/** MIME types of endings, for files that declare only one of them. */
const TYPES_BY_ENDING: Readonly<Record<string, string>> = {
	csv: 'text/csv',
	tsv: 'text/tab-separated-values',
	md: 'text/markdown',
	html: 'text/html',
	htm: 'text/html',
	json: 'application/json',
	xml: 'application/xml',
	yaml: 'application/yaml',
	ics: 'text/calendar',
	vtt: 'text/vtt',
	srt: 'application/x-subrip',
	eml: 'message/rfc822',
	txt: 'text/plain',
	pdf: 'application/pdf',
	epub: 'application/epub+zip',
	docx: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
	xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
	pptx: 'application/vnd.openxmlformats-officedocument.presentationml.presentation',
	odt: 'application/vnd.oasis.opendocument.text',
	doc: 'application/msword',
	xls: 'application/vnd.ms-excel',
	ppt: 'application/vnd.ms-powerpoint',
	msg: 'application/vnd.ms-outlook',
	jpg: 'image/jpeg',
	jpeg: 'image/jpeg',
	png: 'image/png',
	gif: 'image/gif',
	webp: 'image/webp',
	svg: 'image/svg+xml',
	mp3: 'audio/mpeg',
	m4a: 'audio/mp4',
	wav: 'audio/wav',
	ogg: 'audio/ogg',
	opus: 'audio/ogg',
	flac: 'audio/flac',
	amr: 'audio/amr',
	mp4: 'video/mp4',
	mov: 'video/quicktime',
	webm: 'video/webm',
	mkv: 'video/x-matroska',
};

/**
 * Decides the name and the MIME type of a file.
 *
 * Within a container and in texts, a declared ending or type that the bytes allow stays: a book is a ZIP archive, a table
 * is text. Text with the ending of another format keeps it, since any bytes may look like text; a warning says so.
 */
export function identifyFile({ name, extension = '', mimeType, head }: DeclaredFile): FileIdentity {
	const declaredType = toDeclaredType(mimeType);
	const declared = { ...splitName(name), type: declaredType };
	const given = extension.trim().replace(/^\./, '').toLowerCase();
	const actual = detectFileType(head, /^text\//.test(declaredType) ? 'text' : undefined);
	if (actual === undefined) return identifyByDeclaration(declared, given, head);
	const sentName = toFittingName(declared, given, actual);
	return {
		name: sentName,
		mimeType: toFittingType(actual, { type: declaredType, ending: splitName(sentName).ending }),
		warnings: mayBeChance(actual, declared, head)
			? []
			: getContradictions(declared, actual, sentName),
		...(isMarkup(actual, head) && { isMarkup: true }),
	};
}

/** A shorter text may be the bytes of another format by chance, unless it is markup or JSON. No image looks like text. */
const MIN_TEXT_BYTES = 64;

function mayBeChance(actual: FileType, { type, ending }: DeclaredName, head: Uint8Array) {
	const isShort = actual.category === 'text' && head.length < MIN_TEXT_BYTES;
	const isImage = getDeclaredType(type, ending).startsWith('image/');
	return isShort && !isImage && !isMarkup(actual, head);
}

/** The MIME type of the declaration, otherwise that of its ending; may be empty. */
function getDeclaredType(type: string, ending: string) {
	return type || (getOwn(TYPES_BY_ENDING, ending) ?? '');
}

function isMarkup({ category }: FileType, head: Uint8Array) {
	const start = Buffer.from(head.subarray(0, MIN_TEXT_BYTES)).toString('latin1');
	return category === 'text' && /^(?:\xef\xbb\xbf)?\s*[<{[]/.test(start);
}

interface DeclaredName {
	/** The whole name, without dots and blanks at its end. */
	whole: string;
	/** Before the ending. */
	stem: string;
	/** In lower case, without the dot; empty for a name without one, or with one that says nothing. */
	ending: string;
	/** Declared MIME type; empty if there is none, or only a general one. */
	type: string;
}

/** The end of a name is an ending if it has a letter: versions and hosts end in a dot and other characters, too. */
function splitName(name: string): Omit<DeclaredName, 'type'> {
	const whole = name.trim().replace(/[.\s]{1,50}$/, '');
	const [, stem = whole, last = ''] = /^(.+)\.([A-Za-z\d]{1,10})$/s.exec(whole) ?? [];
	const ending = last.toLowerCase();
	if (GENERAL_ENDINGS.has(ending)) return { whole, stem, ending: '' };
	return /[a-z]/.test(ending) ? { whole, stem, ending } : { whole, stem: whole, ending: '' };
}

function toDeclaredType(mimeType: string) {
	const type = parseMimeType(mimeType);
	return GENERAL_TYPES.test(type) ? '' : type;
}

/** Bytes without a signature that are no text: nothing contradicts what the file declares, unless it is an image. */
function identifyByDeclaration(
	declared: DeclaredName,
	given: string,
	head: Uint8Array,
): FileIdentity {
	const { whole, stem, ending, type } = declared;
	const added = given || getEndingOfType(type) || 'bin';
	const name = ending === '' ? `${stem || 'file'}.${added}` : whole;
	const mimeType = type || getOwn(TYPES_BY_ENDING, ending || added) || 'application/octet-stream';
	const isDamaged =
		head.length > 0 && contradictsType(head, getDeclaredType(type, ending || added));
	const warnings = isDamaged
		? [
				`The file "${whole}" does not begin like ${mimeType}, so it may be damaged. Check the node that created it.`,
			]
		: [];
	return { name, mimeType, warnings };
}

function toFittingName(
	{ whole, stem, ending, type }: DeclaredName,
	given: string,
	actual: FileType,
): string {
	if (fitsEnding(actual, ending)) return whole;
	const isText = actual.category === 'text' || actual.category === 'email';
	// Any bytes may look like text.
	if (isText && ending !== '') return whole;
	const endingOfType = fitsMimeType(actual, type) ? getEndingOfType(type) : '';
	const fitting = [given, endingOfType].find((candidate) => fitsEnding(actual, candidate));
	const newEnding = fitting ?? actual.extension;
	if (ending === '') {
		// `call.wav.tmp`
		return fitsEnding(actual, splitName(stem).ending) ? stem : `${stem || 'file'}.${newEnding}`;
	}
	// `photo.png.jpg`
	if (isKnownEnding(ending) && fitsEnding(actual, splitName(stem).ending)) return stem;
	// An ending that no format has says nothing about the bytes, but servers may need one that does.
	return isKnownEnding(ending) ? `${stem}.${newEnding}` : `${whole}.${newEnding}`;
}

/** What was said about a file. */
interface DeclaredType {
	/** MIME type; may be empty. */
	type: string;
	/** Of its name, as it is sent. */
	ending: string;
}

/** The declared MIME type if it fits the bytes, otherwise that of the ending, otherwise that of the bytes. */
function toFittingType(actual: FileType, { type, ending }: DeclaredType): string {
	if (type !== '' && fitsMimeType(actual, type)) return type;
	const typeOfEnding = fitsEnding(actual, ending) ? getOwn(TYPES_BY_ENDING, ending) : undefined;
	const isText = actual.category === 'text' || actual.category === 'email';
	return typeOfEnding ?? (isText && type !== '' ? type : actual.mimeType);
}

function isKnownEnding(ending: string) {
	return isBinaryEnding(ending) || getOwn(TYPES_BY_ENDING, ending) !== undefined;
}

/** The ending of a MIME type; empty if it is not known. */
function getEndingOfType(type: string): string {
	const entry = Object.entries(TYPES_BY_ENDING).find(([, known]) => known === type);
	return entry?.[0] ?? getAudioExtension(type) ?? '';
}

function getContradictions(
	{ whole, ending }: DeclaredName,
	actual: FileType,
	sentName: string,
): readonly string[] {
	if (ending === '' || fitsEnding(actual, ending) || !isKnownEnding(ending)) return [];
	const file = `The file "${whole}" is ${actual.mimeType} by its content`;
	return sentName === whole
		? [`${file}, which its name does not say. Check the node that created it.`]
		: [`${file}, so it was sent as "${sentName}".`];
}

/**
 * The first bytes of a file.
 *
 * @returns empty bytes if it cannot be read, which its upload reports
 */
export async function readFirstChunk(content: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
	const chunks = content[Symbol.asyncIterator]();
	const first = await chunks.next().catch(() => undefined);
	await chunks.return?.(undefined);
	return first?.done === false ? first.value : new Uint8Array();
}
