import { ServerError } from '../../errors/server-error';
import type { DifyClient } from '../client';
import { difyFailure, localError } from '../errors/failure';
import { formBody, type FileSource, type FormSent } from '../../http/multipart';
import { nonEmptyText, type JsonRecord } from '../../values';

const UPLOAD_IDLE_MS = 120_000;
const SMALL_BYTES = 64 * 1024;

/**
 * Uploads a file for a run of the same user.
 *
 * @param idleMs longest pause in sending, and longest wait for Dify to store the file
 * @returns its id in Dify
 * @throws {ServerError}
 */
export async function uploadFile(
	client: DifyClient,
	source: FileSource,
	user: string,
	idleMs = UPLOAD_IDLE_MS,
): Promise<string> {
	const path = '/files/upload';
	return fileIdIn(client, path, await postFile(client, path, source, { fields: { user }, idleMs }));
}

/** @throws {ServerError} where the answer to an upload names no file */
export function fileIdIn(client: DifyClient, path: string, answer: JsonRecord): string {
	const id = nonEmptyText(answer.id);
	if (id !== undefined) return id;
	throw difyFailure('emptyAnswer', {
		url: client.url(path),
		message: 'Dify took the file, but gave no ID for it',
		remedy: 'Check the proxies in front of Dify.',
	});
}

/** Options of an upload. */
interface FilePost {
	/** Text fields of the form, in front of the file. */
	fields?: Record<string, string>;
	/** Longest pause in sending, and longest wait for Dify to store the file. Default: two minutes. */
	idleMs?: number;
}

/**
 * Streams a file as a form, so that it is never whole in memory.
 *
 * @returns the object that Dify answers with
 * @throws {ServerError}
 */
export async function postFile(
	client: DifyClient,
	path: string,
	source: FileSource,
	{ fields = {}, idleMs = UPLOAD_IDLE_MS }: FilePost = {},
): Promise<JsonRecord> {
	const url = client.url(path);
	// The part of the file must be called `file`, and needs a MIME type (docs/protocols/dify.md 2.9).
	const body = formBody([
		...Object.entries(fields).map(([field, value]) => ({ field, value })),
		{ field: 'file', file: source },
	]);
	const request = { method: 'POST' as const, signal: client.signal, timeoutMs: 0, idleMs, body };
	const answer = await client.connection.call(url, request).catch((error: unknown) => {
		throw uploadFailure(error, source, body.sent, url);
	});
	return client.readObject(answer, 'POST');
}

/** Explains a failed upload: a proxy often just closes the connection if a file is too large. */
function uploadFailure(
	error: unknown,
	{ name, size }: FileSource,
	{ bytes, unreadable }: FormSent,
	url: string,
): unknown {
	if (unreadable !== undefined)
		return localError(
			'fileRejected',
			`"${name}" could not be read: ${unreadable.reason}`,
			'Look at the binary data of the item, and at where n8n stores binary data.',
		);
	if (!(error instanceof ServerError) || bytes === 0) return error;
	const progress = `${bytes} of ${size} bytes`;
	if (error.kind === 'idleLimit')
		return difyFailure('timeout', {
			url,
			message: `The upload of "${name}" stood still (${progress})`,
			remedy: 'Check the network between n8n and Dify, and the storage of Dify.',
		});
	// No proxy refuses such small files.
	if (error.kind !== 'closedBeforeAnswer' || (size ?? 0) <= SMALL_BYTES) return error;
	return difyFailure('fileTooLarge', {
		url,
		message: `The connection was closed while "${name}" was sent (${progress})`,
		remedy:
			'Usually the file is too large for a proxy in front of Dify: raise its limit (nginx: client_max_body_size), or send a smaller file.',
	});
}
