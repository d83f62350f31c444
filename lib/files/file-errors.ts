/** The sent files of an error: server messages seldom name the file or its issue. */
import { describeNamedFile } from '../errors/chapters/files';
import type { NamedFile } from '../errors/facts';
import type { ServerError } from '../errors/server-error';
import { isOneOf } from '../errors/error-types';
import { detectFileType } from './file-types';
import { parseMimeType } from '../file-name';

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

/** The error with the files that were sent, if it may be about them. */
export function withSentFiles(error: ServerError, files: readonly SentFile[]): ServerError {
	if (files.length === 0 || !mayBeCausedByFile(error.type)) return error;
	return error.withFacts({ sentFiles: files.map(toNamedFile) });
}

function toNamedFile({ name, mimeType, size, head }: SentFile): NamedFile {
	const declaredType = parseMimeType(mimeType) ?? '';
	return { name, declaredType, actualType: detectFileType(head)?.mimeType, size };
}

/** The MIME type of a file by its content; as reported if that does not show it. */
export function getContentType({ mimeType, head }: Pick<SentFile, 'mimeType' | 'head'>): string {
	return detectFileType(head)?.mimeType ?? (parseMimeType(mimeType) || 'unknown');
}

/** `"photo.jpg" (image/heic by its content, 1.2 MB)` */
export function describeFile(file: SentFile): string {
	return describeNamedFile(toNamedFile(file));
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
