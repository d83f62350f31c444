import { formatDuration } from '../values/duration';
import { formatBytes } from '../values/size';
import { withPeriod } from '../errors/sentences';
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
		return createLocalError('fileRejected', {
			title: `"${name}" could not be read: ${unreadable.reason}`,
			suggestion: 'Check the binary data of the item and the binary data storage of n8n.',
		});
	}
	if (!(error instanceof ServerError)) return error;
	if (error.status !== undefined) return nameFile(error, error.status, file);
	if (error.type === 'firstTokenTimeout') {
		return createDifyError('runTimeout', {
			url: error.url,
			title: `Dify did not process "${name}" within ${formatDuration(idleMs)}`,
			suggestion: 'Check the log of the Dify API, its storage, and the proxy in front of it.',
		});
	}
	if (error.type !== 'closedBeforeResponse') return error;
	if (bytes === 0 || size <= SMALL_BYTES) return error;
	return createDifyError('requestTooLarge', {
		url: error.url,
		title: `The connection was closed while "${name}" was being uploaded (${bytes} of ${size} bytes)`,
		suggestion:
			'The usual cause is a file that is too large for a proxy in front of Dify: raise its limit (nginx: client_max_body_size), or send a smaller file.',
	});
}

/** The error with the name, the type and the size of the file, if it may be about it. */
function nameFile(error: ServerError, status: number, { name, mimeType, size }: FileSource) {
	if (STATUSES_WITHOUT_FILE.has(status)) return error;
	const file = `"${name}" (${mimeType}, ${formatBytes(size)})`;
	return error.copyWith({ detail: `${withPeriod(error.detail)} File sent: ${file}` });
}
