/** Forms with a file as request bodies. */
import { randomUUID } from 'node:crypto';
import type { UploadBody } from './types';
import type { JsonRecord } from '../values/records';
import { getErrorMessage, toText } from '../values/text';

/** A file that is read in chunks, and never completely in memory. */
export interface FileSource {
	/** With an ending. */
	name: string;
	/** The name in n8n, for errors before it is sent. */
	declaredName?: string;
	/** By its bytes, as far as they show it. */
	mimeType: string;
	/** Bytes. */
	size: number;
	/** Starts reading at the beginning. */
	open(): AsyncIterable<Uint8Array>;
	/** What the file declared and its bytes contradict. */
	warnings?: readonly string[];
	/** The bytes are markup or JSON, whatever the name says. */
	isMarkup?: boolean;
}

/** A file of a form. */
export interface FormFile {
	/** Name of its field. */
	field: string;
	file: FileSource;
}

/** The state of a form's files while it is sent. */
export interface UploadProgress {
	/** Sent bytes of all files, in the last attempt. */
	bytes: number;
	/** Set if a file could not be read completely. The request itself only fails with a broken connection. */
	unreadable?: UnreadableFile;
}

/** A file that could not be read completely. */
export interface UnreadableFile {
	name: string;
	/** Continues the sentence "… could not be read: ". */
	reason: string;
}

/** A form as a body. */
export interface FormBody extends UploadBody {
	/** Changes while the form is sent. */
	sent: UploadProgress;
}

/** Characters that file systems and servers reject, or that would end the header line. */
const FORBIDDEN_IN_NAMES = /[/\\:*?"<>|\p{Cc}]/gu;

/** Characters; Dify cuts longer names, and file systems allow 255 bytes. */
const MAX_NAME_LENGTH = 200;

/** The file name that is sent. A long one keeps its ending. */
export function toUploadFileName(name: string): string {
	const safe = name.replace(FORBIDDEN_IN_NAMES, '_').trim() || 'file';
	const characters = [...safe];
	if (characters.length <= MAX_NAME_LENGTH) return safe;
	const ending = /\.[A-Za-z\d]{1,10}$/.exec(safe)?.[0] ?? '';
	return characters.slice(0, MAX_NAME_LENGTH - ending.length).join('') + ending;
}

/**
 * A form as a request body (RFC 7578): text fields, one part for each entry of a list, then the files. Each is read while it
 * is sent, and again for each retry.
 */
export function createFormBody(fields: JsonRecord, files: readonly FormFile[]): FormBody {
	const boundary = `----n8n${randomUUID()}`;
	const texts = Object.entries(fields).flatMap(([name, value]) =>
		[value].flat().map((entry) => `${toPartHead({ boundary, name })}\r\n\r\n${toText(entry)}\r\n`),
	);
	const start = Buffer.from(texts.join(''));
	const parts = files.map(({ field, file }) => ({
		head: Buffer.from(toFileHead(file, toPartHead({ boundary, name: field }))),
		file,
	}));
	const end = Buffer.from(`--${boundary}--\r\n`);
	const progress: UploadProgress = { bytes: 0 };
	async function* generateChunks(): AsyncGenerator<Uint8Array> {
		progress.bytes = 0;
		progress.unreadable = undefined;
		yield start;
		for (const { head, file } of parts) {
			yield head;
			yield* readContent(file, progress);
			// Ending before the announced length aborts the request.
			if (progress.unreadable !== undefined) return;
			yield LINE_END;
		}
		yield end;
	}
	return {
		content: { [Symbol.asyncIterator]: generateChunks },
		contentType: `multipart/form-data; boundary=${boundary}`,
		fields,
		length: parts.reduce(
			(sum, { head, file }) => sum + head.byteLength + file.size + LINE_END.byteLength,
			start.byteLength + end.byteLength,
		),
		sent: progress,
	};
}

const LINE_END = Buffer.from('\r\n');

function toFileHead({ name, mimeType }: FileSource, partHead: string) {
	const type = /^[\w.+-]+\/[\w.+-]+/.exec(mimeType)?.[0] ?? 'application/octet-stream';
	return `${partHead}; filename="${toUploadFileName(name)}"\r\nContent-Type: ${type}\r\n\r\n`;
}

function toPartHead({ boundary, name }: { boundary: string; name: string }) {
	return `--${boundary}\r\nContent-Disposition: form-data; name="${name.replace(ENDING_NAMES, encodeURIComponent)}"`;
}

/** Characters that would end the name or its line. The HTML standard encodes them so. */
const ENDING_NAMES = /["\r\n]/g;

async function* readContent({ name, size, open }: FileSource, progress: UploadProgress) {
	const fail = (reason: string) => {
		progress.unreadable = { name, reason };
	};
	let bytes = 0;
	try {
		for await (const chunk of open()) {
			bytes += chunk.byteLength;
			progress.bytes += chunk.byteLength;
			if (bytes > size) break;
			yield chunk;
		}
		if (bytes < size) fail(`it ended after ${bytes} of ${size} bytes`);
		if (bytes > size) fail(`it is longer than its ${size} bytes`);
	} catch (error) {
		fail(getErrorMessage(error));
	}
}
