import { randomUUID } from 'node:crypto';

import type { UploadBody } from './types';
import { getErrorMessage } from '../values';

/** A file that is read in chunks, and never completely in memory. */
export interface FileSource {
	name: string;
	mimeType: string;
	/** Bytes. */
	size: number;
	/** Starts reading at the beginning. */
	open(): AsyncIterable<Uint8Array>;
}

/** A field of a form, or a file in it. */
export interface FormPart {
	field: string;
	value: string | FileSource;
}

/** The state of a form's files while it is sent. */
export interface UploadProgress {
	/** Sent bytes of all files, in the last attempt. */
	bytes: number;
	/** The file that could not be read completely, and why. The request itself only fails with a broken connection. */
	unreadable?: { name: string; reason: string };
}

export interface FormBody extends UploadBody {
	sent: UploadProgress;
}

/** Characters that file systems and servers reject, or that would end the header line. */
const FORBIDDEN_IN_NAMES = /[/\\:*?"<>|\p{Cc}]/gu;

/** The file name that is sent. */
export function toUploadFileName(name: string): string {
	return name.replace(FORBIDDEN_IN_NAMES, '_').trim() || 'file';
}

/** A form with files as a request body (RFC 7578). The files are read while they are sent, and again for each retry. */
export function createFormBody(parts: readonly FormPart[]): FormBody {
	const boundary = `----n8n${randomUUID()}`;
	const blocks = parts.map((part) => ({ head: encode(toPartHead(part, boundary)), part }));
	const tail = encode(`--${boundary}--\r\n`);
	const length = blocks.reduce(
		(sum, { head, part }) => sum + head.byteLength + getPartSize(part) + 2,
		tail.byteLength,
	);
	const progress: UploadProgress = { bytes: 0 };
	async function* generateChunks(): AsyncGenerator<Uint8Array> {
		progress.bytes = 0;
		progress.unreadable = undefined;
		for (const { head, part } of blocks) {
			yield head;
			if (typeof part.value === 'string') yield encode(part.value);
			else yield* readContent(part.value, progress);
			// Ending before the announced length aborts the request.
			if (progress.unreadable !== undefined) return;
			yield encode('\r\n');
		}
		yield tail;
	}
	return {
		content: { [Symbol.asyncIterator]: generateChunks },
		contentType: `multipart/form-data; boundary=${boundary}`,
		length,
		sent: progress,
	};
}

function encode(value: string): Uint8Array {
	return new TextEncoder().encode(value);
}

function getPartSize({ value }: FormPart) {
	return typeof value === 'string' ? encode(value).byteLength : value.size;
}

function toPartHead({ field, value }: FormPart, boundary: string) {
	const disposition = `Content-Disposition: form-data; name="${field}"`;
	if (typeof value === 'string') return `--${boundary}\r\n${disposition}\r\n\r\n`;
	const { name, mimeType } = value;
	const type = /^[\w.+-]+\/[\w.+-]+/.exec(mimeType)?.[0] ?? 'application/octet-stream';
	return `--${boundary}\r\n${disposition}; filename="${toUploadFileName(name)}"\r\nContent-Type: ${type}\r\n\r\n`;
}

async function* readContent(
	{ name, size, open }: FileSource,
	progress: UploadProgress,
): AsyncGenerator<Uint8Array> {
	let readBytes = 0;
	const fail = (reason: string) => {
		progress.unreadable = { name, reason };
	};
	try {
		for await (const chunk of open()) {
			readBytes += chunk.byteLength;
			progress.bytes += chunk.byteLength;
			if (readBytes > size) break;
			yield chunk;
		}
		if (readBytes < size) fail(`it ended after ${readBytes} of ${size} bytes`);
		if (readBytes > size) fail(`it is longer than its ${size} bytes`);
	} catch (error) {
		fail(getErrorMessage(error));
	}
}
