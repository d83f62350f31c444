/**
 * Responses that a proxy compressed although `accept-encoding: identity` was sent. A few bytes may stand for many: they are
 * decompressed as they are read, and their reader counts them.
 */
import type { Readable, Transform } from '../vendor';
import { addAbortSignal, pipeline, zlib } from '../vendor';
import { ConnectionFailure, readConnection } from './connection-failure';
import { asRecord, asString } from '../values/records';

/** A stream that decompresses. */
interface Decompressor extends Transform {
	/** Compressed bytes that it has read. */
	readonly bytesWritten: number;
}

/** What all proxies have. No other compression is read, and no body that was compressed twice. */
const DECOMPRESSORS: ReadonlyMap<string, () => Decompressor> = new Map<string, () => Decompressor>([
	['gzip', zlib.createGunzip],
	['x-gzip', zlib.createGunzip],
	['deflate', zlib.createInflate],
	['br', zlib.createBrotliDecompress],
]);

/** Characters of the compression in an error. */
const MAX_ENCODING_LENGTH = 40;

/** The body is compressed in a way that is not read. */
export class UnknownCompressionError extends Error {
	constructor(readonly encoding: string) {
		super(`The body is compressed with ${encoding}`);
	}
}

/** The body is not what its compression says. */
export class BrokenCompressionError extends Error {
	constructor(
		readonly encoding: string,
		override readonly cause: Error,
	) {
		super(`The body is no valid ${encoding}: ${cause.message}`);
	}
}

/** Of zlib and Brotli. No error of a connection has such a code. */
const ZLIB_CODE = /^(?:Z_|ERR__)/;

const EARLY_END = 'Z_BUF_ERROR';

/** Where a body comes from. */
interface BodySource {
	body: Readable;
	/** Ends the decompression at once: Stop, and every timeout. */
	signal: AbortSignal;
}

/**
 * The bytes of a body, decompressed if it is compressed. Its reader fails with an `UnknownCompressionError` before anything is
 * read, with a `BrokenCompressionError`, or with a `ConnectionFailure`.
 *
 * @param encoding - The header `content-encoding`. Default: none.
 */
export function decompress(source: BodySource, encoding = ''): AsyncIterable<Uint8Array> {
	const encodings = encoding
		.toLowerCase()
		.split(',')
		.map((name) => name.trim())
		.filter((name) => name !== '' && name !== 'identity');
	return encodings.length === 0
		? readConnection(source.body)
		: readDecompressed(source, encodings.join(', '));
}

async function* readDecompressed(
	{ body, signal }: BodySource,
	encoding: string,
): AsyncGenerator<Uint8Array> {
	const create = DECOMPRESSORS.get(encoding);
	if (create === undefined)
		throw new UnknownCompressionError(encoding.slice(0, MAX_ENCODING_LENGTH));
	const decompressor = create();
	// The end of one, by an error or early, ends the other.
	pipeline(body, decompressor, () => {});
	addAbortSignal(signal, decompressor);
	try {
		for await (const chunk of decompressor as AsyncIterable<Uint8Array>) yield chunk;
	} catch (error) {
		// A response without content, such as 204.
		if (getCode(error) === EARLY_END && decompressor.bytesWritten === 0) return;
		throw toBodyError(error, encoding);
	}
}

function toBodyError(error: unknown, encoding: string): Error {
	const isBroken = ZLIB_CODE.test(getCode(error));
	return isBroken
		? new BrokenCompressionError(encoding, error as Error)
		: new ConnectionFailure(error);
}

function getCode(error: unknown): string {
	return asString(asRecord(error).code) ?? '';
}
