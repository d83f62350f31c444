import type { IBinaryData, IBinaryKeyData, IExecuteFunctions } from 'n8n-workflow';
import { createInputError } from '../errors/create-error';
import type { FileSource } from '../http/multipart';
import { sanitizeFileName, withoutFolders } from '../file-name';
import { isRecord } from '../values/records';
import { truncate } from '../values/text';
import { tryOrUndefined } from '../values/try-or-undefined';
import { identifyFile, readFirstChunk } from '../files/file-identity';
import { decodeInlineData } from '../files/inline-data';
import { Readable } from '../vendor';
import { getOwn } from '../values/own-properties';

const STREAM_CHUNK_BYTES = 256 * 1024;
/** Characters of a field's name in an error, and of a list of names. A name from an expression has any length. */
const MAX_QUOTED_NAME = 100;
const MAX_QUOTED_LIST = 1000;

/**
 * A binary field of an item as an upload source. Its name and type follow from its first bytes.
 *
 * @throws {ServerError} as `openBinaryField`
 */
export async function createFileSource(
	context: IExecuteFunctions,
	itemIndex: number,
	property: string,
): Promise<FileSource> {
	const file = await openBinaryField(context, itemIndex, property);
	const head = await readFirstChunk(file.open());
	return { ...file, declaredName: file.name, ...identifyFile({ ...file, head }) };
}

/** A file as n8n describes it, and its content. */
interface BinaryFile extends Omit<FileSource, 'warnings'> {
	/** The ending without its dot, where n8n has it apart from the name. */
	extension: string | undefined;
}

/**
 * A binary field of an item, without reading it whole: n8n has it as base64 in memory, or in a file or store that can be
 * streamed.
 *
 * @throws {ServerError} of type `invalidInput` if the item has no such field, or its file is empty or missing in n8n's
 *   storage
 */
export async function openBinaryField(
	context: IExecuteFunctions,
	itemIndex: number,
	property: string,
): Promise<BinaryFile> {
	const { id, data, fileName, fileExtension, mimeType } = getBinaryData(
		context,
		itemIndex,
		property,
	);
	const defaultName = fileExtension ? `${property}.${fileExtension}` : property;
	const name = fileName?.trim() ? fileName : defaultName;
	const inline = decodeInlineData(id ? '' : data);
	if (inline === undefined)
		throw createInputError(
			`The binary data of "${name}" is not base64`,
			'Check the node that created the file.',
		);
	const { bytes } = inline;
	const stored =
		id &&
		(await context.helpers.getBinaryMetadata(id).catch(() => {
			throw createInputError(
				`The file "${name}" is missing in the binary data storage of n8n`,
				'Run the node that created the file again, and check whether n8n deletes binary data too early.',
				{
					detail: `The file "${name}" in the field "${property}" of item ${itemIndex + 1} is missing in the binary data storage of n8n`,
				},
			);
		}));
	const size = stored ? stored.fileSize : bytes.byteLength;
	if (size === 0)
		throw createInputError(
			`The binary data of "${name}" is empty`,
			'Check the node that created the file.',
		);
	return {
		name,
		extension: fileExtension,
		mimeType: mimeType || inline.mimeType || 'application/octet-stream',
		size,
		open: () => (id ? readStoredFile(context, id) : Readable.from([bytes])),
	};
}

/** The binary data of a field. The error for a field that is not there names those of the item. */
function getBinaryData(context: IExecuteFunctions, itemIndex: number, property: string) {
	const binary = tryOrUndefined(() => context.helpers.assertBinaryData(itemIndex, property));
	if (isBinaryData(binary)) return binary;
	const fields = getBinaryProperties(context, itemIndex);
	const problem = `The item has no binary field '${truncate(property, MAX_QUOTED_NAME)}'`;
	if (fields.length === 0)
		throw createInputError(
			`${problem}. The item has no files`,
			'Check that the node before this one passes on its file, and that no node between them drops it.',
		);
	throw createInputError(
		`${problem}. The item has: ${truncate(fields.join(', '), MAX_QUOTED_LIST)}`,
		'Enter the name of one of these fields.',
	);
}

/** n8n also finds what every object has: the function `constructor`, and the object `__proto__`. */
function isBinaryData(binary: unknown): binary is IBinaryData {
	return isRecord(binary) && (Object.hasOwn(binary, 'data') || Object.hasOwn(binary, 'id'));
}

async function* readStoredFile(context: IExecuteFunctions, id: string): AsyncGenerator<Uint8Array> {
	for await (const chunk of await context.helpers.getBinaryStream(id, STREAM_CHUNK_BYTES))
		yield chunk as Uint8Array;
}

/** Names of all binary properties of an item, in their order. */
export function getBinaryProperties(context: IExecuteFunctions, itemIndex: number): string[] {
	return Object.keys(context.getInputData()[itemIndex]?.binary ?? {});
}

/** The name of a file, also of one that cannot be read; the name of its field if it has none. */
export function getBinaryFileName({ context, itemIndex }: ItemPlace, property: string): string {
	return getOwn(context.getInputData()[itemIndex]?.binary, property)?.fileName ?? property;
}

/** An item of a node. */
interface ItemPlace {
	context: IExecuteFunctions;
	itemIndex: number;
}

/** Splits names separated by commas. */
export function splitNames(names: string): string[] {
	return names
		.split(',')
		.map((name) => name.trim())
		.filter((name) => name !== '');
}

interface FileToStore {
	/** Read while it is stored. */
	content: Buffer | AsyncIterable<Uint8Array>;
	/** With its extension: without one n8n uses `.mpga` for audio/mpeg. */
	fileName: string;
	mimeType: string;
}

/** A file in n8n's binary data store. */
export interface StoredFile {
	/** For the item. */
	binary: IBinaryKeyData;
	/** Name, MIME type and bytes: an agent sees only those. */
	facts: Record<string, string | number>;
}

/**
 * Streams a file into n8n's binary data store.
 *
 * @param property - Name of its binary field in the item.
 * @throws the error of the source, if it ends early.
 */
export async function storeFile(
	{ context }: Pick<ItemPlace, 'context'>,
	property: string,
	{ content, fileName: originalName, mimeType }: FileToStore,
): Promise<StoredFile> {
	const fileName = sanitizeFileName(originalName, 'file');
	let bytes = 0;
	const errors: unknown[] = [];
	async function* countBytes(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
		try {
			for await (const chunk of chunks) {
				bytes += chunk.byteLength;
				yield chunk;
			}
		} catch (error) {
			errors.push(error);
		}
	}
	if (Buffer.isBuffer(content)) bytes = content.byteLength;
	const source = Buffer.isBuffer(content)
		? content
		: Readable.from(countBytes(content), { objectMode: false });
	const data = await context.helpers
		.prepareBinaryData(source, fileName, mimeType)
		.catch((error: unknown) => {
			// If its disk is full, n8n leaves the stream open, and with it the connection to the server.
			if (!Buffer.isBuffer(source)) source.destroy();
			throw error;
		});
	// n8n would replace the error with the reason why the server ended the response early.
	if (errors.length > 0) throw errors[0];
	return {
		binary: { [property]: data },
		facts: { fileName, mimeType: data.mimeType, bytes },
	};
}

/** A name without its path and extension. Digits after a dot are part of a number. */
export function baseName(name: string, fallback: string): string {
	return sanitizeFileName(withoutFolders(name).replace(ENDING, ''), fallback);
}

const ENDING = /\.\d{0,4}[A-Za-z][A-Za-z0-9]{0,4}$/;
