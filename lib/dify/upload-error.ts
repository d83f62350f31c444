import { ServerError } from '../errors/server-error';
import type { FileSource, UploadProgress } from '../http/multipart';
import { createDifyError, createLocalError } from './create-error';

/** Proxies accept files of this size. */
const SMALL_BYTES = 64 * 1024;

/** How far an upload came. */
interface UploadState extends UploadProgress {
	/** Longest pause in sending, and longest wait for Dify to store the file. */
	idleMs: number;
}

/** Errors that are about the key or the address, whatever file is sent. */
const STATUSES_WITHOUT_FILE: ReadonlySet<number> = new Set([401, 403, 404, 405, 429]);

/**
 * Explains a failed upload: a proxy often just closes the connection if a file is too large, and an error response seldom
 * names the file, which may be one of several.
 *
 * @returns the error to throw; one that says enough, unchanged
 */
export function explainUploadError(
	error: unknown,
	file: FileSource,
	{ bytes, unreadable, idleMs }: UploadState,
): unknown {
	const { name, size } = file;
	if (unreadable !== undefined) {
		const unreadableFile = { name, reason: unreadable.reason };
		return createLocalError('fileRejected', { about: { unreadableFile } });
	}
	if (!(error instanceof ServerError)) return error;
	if (error.status !== undefined) return nameFile(error, error.status, file);
	if (error.type === 'firstTokenTimeout') {
		const unstoredFile = { name, waitedMs: idleMs };
		return createDifyError('runTimeout', { url: error.url, about: { unstoredFile } });
	}
	if (error.type !== 'closedBeforeResponse') return error;
	if (bytes === 0 || size <= SMALL_BYTES) return error;
	return createDifyError('requestTooLarge', {
		url: error.url,
		about: { brokenUpload: { name, fileSize: size, sentBytes: bytes } },
	});
}

/** The error with the name, the type and the size of the file, if it may be about it. */
function nameFile(error: ServerError, status: number, { name, mimeType, size }: FileSource) {
	if (STATUSES_WITHOUT_FILE.has(status)) return error;
	return error.withFacts({ sentFiles: [{ name, declaredType: mimeType, size }] });
}
