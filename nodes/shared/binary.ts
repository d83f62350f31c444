import type { IBinaryData, IBinaryKeyData, IExecuteFunctions } from 'n8n-workflow';
import { createInputError } from '../../lib/errors/create-error';
import type { FileSource } from '../../lib/http/multipart';
import { sanitizeFileName } from '../../lib/file-name';
import { Readable } from '../../lib/vendor';
import type { OperationCall } from './run/operations';

const STREAM_PIECE = 256 * 1024;

/**
 * A binary property of an item as an upload source, without reading it: n8n has it as base64 in memory, or in a file or
 * store that can be streamed.
 *
 * @throws {NodeOperationError} of n8n when the item has no such property
 */
export async function createFileSource(
	context: IExecuteFunctions,
	itemIndex: number,
	property: string,
): Promise<FileSource> {
	const binary = context.helpers.assertBinaryData(itemIndex, property);
	const base = {
		name: fileName(binary, property),
		mimeType: binary.mimeType || 'application/octet-stream',
	};
	const { id } = binary;
	const source =
		id === undefined || id === ''
			? inItem(binary)
			: { size: await storedSize(context, id), open: () => readStoredFile(context, id) };
	if (source.size === 0)
		throw createInputError(
			`The binary data of "${base.name}" is empty`,
			'Check the node that created the file.',
		);
	return { ...base, ...source };
}

/** A file in memory. */
function inItem({ data }: IBinaryData): Pick<FileSource, 'size' | 'open'> {
	const bytes = Buffer.from(data, 'base64');
	return { size: bytes.byteLength, open: () => Readable.from([bytes]) };
}

/** All binary properties of an item, in their order. */
export function getBinaryProperties(context: IExecuteFunctions, itemIndex: number): string[] {
	return Object.keys(context.getInputData()[itemIndex]?.binary ?? {});
}

/** Splits names separated by commas. */
export function splitNames(typed: string): string[] {
	return typed
		.split(',')
		.map((name) => name.trim())
		.filter((name) => name !== '');
}

function fileName(
	{ fileName: name, fileExtension: extension }: IBinaryData,
	property: string,
): string {
	if (name !== undefined && name.trim() !== '') return name;
	return extension === undefined || extension === '' ? property : `${property}.${extension}`;
}

async function* readStoredFile(context: IExecuteFunctions, id: string): AsyncGenerator<Uint8Array> {
	for await (const piece of await context.helpers.getBinaryStream(id, STREAM_PIECE))
		yield piece as Uint8Array;
}

/** Bytes of a stored file, needed before the upload. */
async function storedSize(context: IExecuteFunctions, id: string): Promise<number> {
	return (await context.helpers.getBinaryMetadata(id)).fileSize;
}

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
	const fileName = sanitizeFileName(givenName, 'file');
	let bytes = 0;
	const failed: unknown[] = [];
	async function* counted(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
		try {
			for await (const piece of pieces) {
				bytes += piece.byteLength;
				yield piece;
			}
		} catch (error) {
			failed.push(error);
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
			throw error;
		});
	// n8n would replace the error that tells why the server broke off.
	if (failed.length > 0) throw failed[0];
	return {
		binary: { [parameters.string(fieldPath) || 'data']: data },
		facts: { fileName, mimeType: data.mimeType, bytes },
	};
}

/** A name without a path, and without an extension of its own. */
export function baseName(name: string, fallback: string): string {
	return sanitizeFileName(name.replace(/\.[A-Za-z0-9]{1,5}$/, ''), fallback);
}
