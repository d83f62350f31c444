import type { IBinaryKeyData } from 'n8n-workflow';

import { plainFileName } from '../../lib/file-name';
import { messageOf } from '../../lib/values';
import { Readable } from '../../lib/vendor';
import type { OperationCall } from './run/operations';

interface FileToStore {
	content: Buffer | AsyncIterable<Uint8Array>;
	/** With its extension: without one n8n uses `.mpga` for audio/mpeg. */
	fileName: string;
	mimeType: string;
}

/** A stored file: binary data for the item, and facts for an agent, which sees nothing else. */
interface StoredFile {
	binary: IBinaryKeyData;
	facts: { fileName: string; mimeType: string; bytes: number };
}

/** Streams a file into n8n's store for binary data, under the property that the field names. */
export async function storeFile(
	{ context, parameters }: Pick<OperationCall, 'context' | 'parameters'>,
	fieldPath: string,
	{ content, fileName: givenName, mimeType }: FileToStore,
): Promise<StoredFile> {
	const fileName = plainFileName(givenName, 'file');
	let bytes = 0;
	const failed: unknown[] = [];
	async function* counted(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
		const source = pieces[Symbol.asyncIterator]();
		try {
			for (;;) {
				const next = await source.next().catch((error: unknown) => ({ error }));
				if ('error' in next) {
					failed.push(next.error);
					return;
				}
				if (next.done === true) return;
				bytes += next.value.byteLength;
				yield next.value;
			}
		} finally {
			await source.return?.(undefined);
		}
	}
	if (Buffer.isBuffer(content)) bytes = content.byteLength;
	const source = Buffer.isBuffer(content)
		? content
		: Readable.from(counted(content), { objectMode: false });
	const data = await context.helpers
		.prepareBinaryData(source, fileName, mimeType)
		.catch((error: unknown) => {
			// n8n leaves the stream open where its disk is full, and with it the connection to the server.
			if (!Buffer.isBuffer(source)) source.destroy();
			if (!Buffer.isBuffer(content)) closeUnread(content);
			throw error;
		});
	// n8n would replace the error that tells why the server broke off.
	if (failed.length > 0) throw failed[0];
	return {
		binary: { [parameters.name(fieldPath) || 'data']: data },
		facts: { fileName, mimeType: data.mimeType, bytes },
	};
}

/** Why a file is missing beside a text that must not be lost for it. */
export function notStored(file: string, error: unknown): string {
	return `n8n could not store ${file} (${messageOf(error)}). Look at the disk, or the store, for its binary data.`;
}

/** Ends what was perhaps never read: a generator runs its `finally` only once it has begun. */
function closeUnread(content: AsyncIterable<Uint8Array>): void {
	const pieces = content[Symbol.asyncIterator]();
	const closing = pieces.next().then(async () => await pieces.return?.());
	closing.catch(() => {});
}

/** A name without a path, and without an extension of its own. */
export function baseName(name: string, fallback: string): string {
	return plainFileName(name.replace(/\.[A-Za-z0-9]{1,5}$/, ''), fallback);
}
