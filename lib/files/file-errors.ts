/** Adds the sent files to an error: server messages seldom name the file or its issue. */
import { withPeriod } from '../errors/describe-error';
import type { ServerError } from '../errors/server-error';
import { isOneOf } from '../errors/error-types';
import { detectFileType } from './file-types';
import { parseMimeType } from '../file-name';
import { formatBytes } from '../values/size';

export interface SentFile {
	name: string;
	/** As reported by n8n. */
	mimeType: string;
	/** In bytes. */
	size: number;
	/** First bytes of the content. */
	head: Uint8Array;
}

const mayBeCausedByFile = isOneOf(
	'badRequest',
	'promptTooLong',
	'modalityUnsupported',
	'serverError',
	'streamError',
	'requestTooLarge',
);

/** Adds name, detected type and size of the files to the error. */
export function withFileNames(error: ServerError, files: readonly SentFile[]): ServerError {
	if (files.length === 0 || !mayBeCausedByFile(error.type)) return error;
	const fileList = files.map(describeFile).join(', ');
	return error.copyWith({ detail: `${withPeriod(error.detail)} Files sent: ${fileList}` });
}

/** The MIME type of a file by its content; as reported if that does not show it. */
export function getContentType({ mimeType, head }: Pick<SentFile, 'mimeType' | 'head'>): string {
	return detectFileType(head)?.mimeType ?? (parseMimeType(mimeType) || 'unknown');
}

/** `"photo.jpg" (image/heic by its content, 1.2 MB)` */
export function describeFile({ name, mimeType, size, head }: SentFile): string {
	const declared = parseMimeType(mimeType) || 'unknown type';
	const actual = detectFileType(head)?.mimeType ?? declared;
	const type = actual === declared ? declared : `${actual} by its content`;
	return `"${name}" (${type}, ${formatBytes(size)})`;
}

/** A file without a name: `a file of type image/jpeg (image/heic by its content)`. */
export function describeUnnamedFile({
	mimeType,
	head,
}: Pick<SentFile, 'mimeType' | 'head'>): string {
	const declared = parseMimeType(mimeType) || 'unknown';
	const actual = detectFileType(head)?.mimeType ?? declared;
	const content = actual === declared ? '' : ` (${actual} by its content)`;
	return `a file of type ${declared}${content}`;
}
