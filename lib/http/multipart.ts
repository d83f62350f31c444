import { randomUUID } from 'node:crypto';

import type { UploadBody } from './types';
import { getErrorMessage } from '../values';

/** A file that is read in pieces, and never completely in memory. */
export interface FileSource {
	name: string;
	mimeType: string;
	/** Bytes. */
	size: number;
	/** Starts reading at the beginning. */
	open(): AsyncIterable<Uint8Array>;
}

/** A field of a form, or a file in it. */
export type FormPart = { field: string; value: string } | { field: string; file: FileSource };

/** The state of a form's files while it is sent. */
export interface UploadProgress {
	/** Sent bytes of all files, in the last attempt. */
	bytes: number;
	/** The file that could not be read completely, and why. The request itself only fails with a broken connection. */
	unreadable?: { name: string; reason: string };
}

interface FormBody extends UploadBody {
	sent: UploadProgress;
}

/** Characters that file systems and servers refuse, or that would end the header line. */
const FORBIDDEN_IN_NAMES = /[/\\:*?"<>|\p{Cc}]/gu;

/** The file name that is sent. */
export function toUploadFileName(name: string): string {
	return name.replace(FORBIDDEN_IN_NAMES, '_').trim() || 'file';
}

/** A form with files as a request body (RFC 7578). The files are read while they are sent, and again for each retry. */
export function createFormBody(parts: readonly FormPart[]): FormBody {
	const boundary = `----n8n${randomUUID()}`;
	const blocks = parts.map((part) => ({ head: encode(headOf(part, boundary)), part }));
	const tail = encode(`--${boundary}--\r\n`);
	const length = blocks.reduce(
		(sum, { head, part }) => sum + head.byteLength + sizeOf(part) + 2,
		tail.byteLength,
	);
	const sent: UploadProgress = { bytes: 0 };
	async function* pieces(): AsyncGenerator<Uint8Array> {
		sent.bytes = 0;
		sent.unreadable = undefined;
		for (const { head, part } of blocks) {
			yield head;
			if ('value' in part) yield encode(part.value);
			else yield* contentOf(part.file, sent);
			// Ending before the announced length aborts the request.
			if (sent.unreadable !== undefined) return;
			yield encode('\r\n');
		}
		yield tail;
	}
	return {
		content: { [Symbol.asyncIterator]: pieces },
		contentType: `multipart/form-data; boundary=${boundary}`,
		length,
		sent,
	};
}

function encode(value: string): Uint8Array {
	return new TextEncoder().encode(value);
}

function sizeOf(part: FormPart): number {
	return 'value' in part ? encode(part.value).byteLength : part.file.size;
}

function headOf(part: FormPart, boundary: string): string {
	const disposition = `Content-Disposition: form-data; name="${part.field}"`;
	if ('value' in part) return `--${boundary}\r\n${disposition}\r\n\r\n`;
	const { name, mimeType } = part.file;
	const type = /^[\w.+-]+\/[\w.+-]+/.exec(mimeType)?.[0] ?? 'application/octet-stream';
	return `--${boundary}\r\n${disposition}; filename="${toUploadFileName(name)}"\r\nContent-Type: ${type}\r\n\r\n`;
}

async function* contentOf(
	{ name, size, open }: FileSource,
	sent: UploadProgress,
): AsyncGenerator<Uint8Array> {
	let read = 0;
	const fail = (reason: string) => {
		sent.unreadable = { name, reason };
	};
	try {
		for await (const piece of open()) {
			read += piece.byteLength;
			sent.bytes += piece.byteLength;
			if (read > size) break;
			yield piece;
		}
		if (read < size) fail(`it ended after ${read} of ${size} bytes`);
		if (read > size) fail(`it is longer than its ${size} bytes`);
	} catch (error) {
		fail(getErrorMessage(error));
	}
}
