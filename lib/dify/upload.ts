import { randomUUID } from 'node:crypto';

import { ServerError } from '../errors/server-error';
import type { DifyClient } from './client';
import { difyFailure, refusedHere } from './failure';
import { nonEmptyText } from '../values';

/** A file that can be read piece by piece, so that it is never whole in memory. */
export interface FileSource {
	name: string;
	mimeType: string;
	/** Bytes. */
	size: number;
	/** Starts reading at the beginning. */
	open(): AsyncIterable<Uint8Array>;
}

const UPLOAD_IDLE_MS = 120_000;

/** What Dify 1.12 refuses in a name (docs/protocols/dify.md 2.9), and what would end the line of the header. */
const FORBIDDEN_IN_NAMES = /[/\\:*?"<>|\p{Cc}]/gu;

/**
 * Uploads a file for a run of the same user.
 *
 * @param idleMs longest pause while bytes go out, and for Dify to store the file
 * @returns its id in Dify
 * @throws {ServerError}
 */
export async function uploadFile(
	client: DifyClient,
	source: FileSource,
	user: string,
	signal?: AbortSignal,
	idleMs = UPLOAD_IDLE_MS,
): Promise<string> {
	const url = client.url('/files/upload');
	const boundary = `----n8n${randomUUID()}`;
	const head = encode(headOf(source, user, boundary));
	const tail = encode(`\r\n--${boundary}--\r\n`);
	const sent: Sent = { bytes: 0 };
	const outcome = await client.connection
		.call(url, {
			method: 'POST',
			signal,
			timeoutMs: 0,
			idleMs,
			body: {
				content: pieces(head, source, tail, sent),
				contentType: `multipart/form-data; boundary=${boundary}`,
				length: head.byteLength + source.size + tail.byteLength,
			},
		})
		.then(
			(answer) => ({ answer }),
			(failed: unknown) => ({ failed }),
		);
	if ('failed' in outcome) throw uploadFailure(outcome.failed, source, sent, url);
	const id = nonEmptyText(client.readObject(outcome.answer, 'POST').id);
	if (id === undefined)
		throw difyFailure('emptyAnswer', {
			url,
			status: outcome.answer.status,
			message: 'Dify took the file, but gave no ID for it',
			remedy: 'Check the proxies in front of Dify.',
		});
	return id;
}

function encode(value: string): Uint8Array {
	return new TextEncoder().encode(value);
}

/** The part of the file must be called `file`, and needs a MIME type (docs/protocols/dify.md 2.9). */
function headOf({ name, mimeType }: FileSource, user: string, boundary: string): string {
	const type = /^[\w.+-]+\/[\w.+-]+/.exec(mimeType)?.[0] ?? 'application/octet-stream';
	return [
		`--${boundary}`,
		'Content-Disposition: form-data; name="user"',
		'',
		user,
		`--${boundary}`,
		`Content-Disposition: form-data; name="file"; filename="${uploadName(name)}"`,
		`Content-Type: ${type}`,
		'',
		'',
	].join('\r\n');
}

/** The name that Dify gets to see. */
export function uploadName(name: string): string {
	return name.replace(FORBIDDEN_IN_NAMES, '_').trim() || 'file';
}

interface Sent {
	bytes: number;
	/** Why the file could not be read to its end. The connection only breaks then. */
	unreadable?: string;
}

async function* pieces(head: Uint8Array, source: FileSource, tail: Uint8Array, sent: Sent): AsyncGenerator<Uint8Array> {
	yield head;
	try {
		for await (const piece of source.open()) {
			sent.bytes += piece.byteLength;
			if (sent.bytes > source.size) break;
			yield piece;
		}
		if (sent.bytes < source.size) sent.unreadable = `it ended after ${sent.bytes} of ${source.size} bytes`;
		if (sent.bytes > source.size) sent.unreadable = `it is longer than its ${source.size} bytes`;
	} catch (error) {
		sent.unreadable = error instanceof Error ? error.message : String(error);
	}
	// The length was announced, so without its end the request is broken off.
	if (sent.unreadable === undefined) yield tail;
}

/** A proxy that finds an upload too large often just closes the connection. */
function uploadFailure(error: unknown, { name, size }: FileSource, { bytes, unreadable }: Sent, url: string): unknown {
	if (unreadable !== undefined)
		return refusedHere(
			'fileRejected',
			`"${name}" could not be read: ${unreadable}`,
			'Look at the binary data of the item, and at where n8n stores binary data.',
		);
	if (!(error instanceof ServerError) || bytes === 0) return error;
	const progress = `${bytes} of ${size} bytes`;
	if (error.kind === 'idleLimit') {
		return difyFailure('timeout', {
			url,
			message: `The upload of "${name}" stood still (${progress})`,
			remedy: 'Check the network between n8n and Dify, and the storage of Dify.',
		});
	}
	if (error.kind !== 'closedBeforeAnswer' && error.kind !== 'connectionLost') return error;
	return difyFailure('fileTooLarge', {
		url,
		message: `The connection was closed while "${name}" was sent (${progress})`,
		remedy:
			'Usually the file is too large for a proxy in front of Dify: raise its limit (nginx: client_max_body_size), or send a smaller file.',
	});
}
