/** Names the files of a request that a server refused: its words seldom say which one, or what is wrong with it. */
import type { ErrorType } from '../errors/error-types';
import type { ServerError } from '../errors/server-error';
import { detectFileType } from '../files';
import { parseMimeType } from '../file-name';

export interface SentFile {
	name: string;
	/** As n8n calls it. */
	mimeType: string;
	/** Bytes. */
	size: number;
	/** Its first bytes. */
	head: Uint8Array;
}

/** Refusals that a file may be the reason for. */
const FILE_ERRORS: ReadonlySet<ErrorType> = new Set([
	'badRequest',
	'promptTooLong',
	'fileUnreadable',
	'modalityUnsupported',
	'serverError',
	'streamError',
	'requestTooLarge',
]);

const TOO_LARGE = /file ?size|too large|maximum .{0,40}size/i;

/** Put in front of other advice. */
const FILE_SUGGESTIONS: Partial<Record<ErrorType, string>> = {
	promptTooLong: 'Files use tokens, too: pass fewer or smaller files. ',
	requestTooLarge:
		'Shorten or shrink the file, or raise the limit of the server (vLLM: VLLM_MAX_AUDIO_CLIP_FILESIZE_MB) or of the proxy in front of it (nginx: client_max_body_size). ',
};

/** The refusal with its files: name, type by content, and size. */
export function withFileNames(error: ServerError, files: readonly SentFile[]): ServerError {
	if (files.length === 0 || !FILE_ERRORS.has(error.type)) return error;
	const named = files.map(describeFile).join(', ');
	const isTooLarge = error.type !== 'promptTooLong' && TOO_LARGE.test(error.serverText ?? '');
	const type = isTooLarge ? 'requestTooLarge' : error.type;
	return error.copyWith({
		type,
		detail: `${error.detail}. Files sent: ${named}`,
		suggestion: `${FILE_SUGGESTIONS[type] ?? ''}${error.suggestion}`,
	});
}

/** `"photo.jpg" (image/heic by its content, 1.2 MB)` */
export function describeFile({ name, mimeType, size, head }: SentFile): string {
	const declared = parseMimeType(mimeType) || 'unknown type';
	const actual = detectFileType(head)?.mimeType;
	const isOther = actual !== undefined && actual !== declared;
	return `"${name}" (${isOther ? `${actual} by its content` : declared}, ${formatBytes(size)})`;
}

function formatBytes(bytes: number): string {
	if (bytes < 1000) return `${bytes} bytes`;
	return bytes < 1e6 ? `${Math.round(bytes / 1e3)} kB` : `${Math.round(bytes / 1e5) / 10} MB`;
}
