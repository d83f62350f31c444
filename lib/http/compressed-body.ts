/**
 * Responses that a proxy compressed although `accept-encoding: identity` was sent. A few bytes may stand for many: the
 * bytes of all layers have one budget, and whatever ends the request ends all layers at once.
 */
import type { Readable, Transform } from '../vendor';
import { addAbortSignal, pipeline, zlib } from '../vendor';
import type { ByteBudget } from './body-limits';
import { BodyTooLargeError } from './body-limits';
import { ConnectionFailure, readConnection } from './connection-failure';
import { asRecord, asString } from '../values/records';

/** A stream that removes one layer of compression. */
interface Decompressor extends Transform {
	/** Compressed bytes that it has read. */
	readonly bytesWritten: number;
}

type CreateDecompressor = () => Decompressor;

/** A power of two: RFC 9659 allows responses to need 8 MB of memory to be decompressed. */
const ZSTD_WINDOW_LOG = 23;

/** Undefined in older versions of Node.js. */
const { createZstdDecompress } = zlib as Partial<typeof zlib>;

/**
 * Reads all frames of a body. The stream of Node.js ends with the first frame that ends within a chunk, and loses the frames
 * after it without an error (nodejs/node#64741).
 */
function createZstd(): Decompressor {
	const stream = createZstdDecompress!({
		params: { [zlib.constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG },
	});
	const push = stream.push.bind(stream);
	const readFrame = stream._transform.bind(stream);
	let isReading = false;
	stream.push = (bytes) => (bytes === null && isReading ? true : push(bytes));
	stream._transform = (chunk: Uint8Array, encoding, callback) => {
		const { bytesWritten } = stream;
		isReading = true;
		readFrame(chunk, encoding, (error) => {
			isReading = false;
			const rest = chunk.subarray(stream.bytesWritten - bytesWritten);
			// After the end of the request, nothing is read any more.
			const hasEnded = rest.length === 0 || rest.length === chunk.length;
			if (error || hasEnded) callback(error);
			else stream._transform(rest, encoding, callback);
		});
	};
	return stream;
}

const DECOMPRESSORS: ReadonlyMap<string, CreateDecompressor> = new Map<string, CreateDecompressor>([
	['gzip', zlib.createGunzip],
	['x-gzip', zlib.createGunzip],
	['deflate', zlib.createInflate],
	['br', zlib.createBrotliDecompress],
	...(createZstdDecompress === undefined ? [] : [['zstd', createZstd] as const]),
]);

/** A server and a proxy in front of it. */
const MAX_LAYERS = 2;

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

/** Of zlib, Brotli and Zstandard. No error of a connection has such a code. */
const ZLIB_CODE = /^(?:Z_|ERR__|ZSTD_)/;

const EARLY_END = 'Z_BUF_ERROR';

/** Where a compressed body comes from. */
interface CompressedSource {
	body: Readable;
	/** Ends the decompression at once: Stop, and every timeout. */
	signal: AbortSignal;
}

/** A compressed body that has not been read. */
export class CompressedBody {
	/** The last layer, while it is read. */
	private output: Readable | undefined;

	/** @param encodings - The layer that was applied last is the last one */
	constructor(
		private readonly source: CompressedSource,
		private readonly encodings: readonly string[],
	) {}

	/**
	 * The decompressed bytes.
	 *
	 * @param budget - Pays for the bytes between the layers; the reader pays for those that it gets
	 * @throws {UnknownCompressionError} before anything is read
	 * @throws {BrokenCompressionError}
	 * @throws {BodyTooLargeError} if there are too many bytes between the layers
	 */
	async *open(budget: ByteBudget): AsyncGenerator<Uint8Array> {
		const [outer, ...others] = createLayers(this.encodings);
		const inner = others.flatMap((layer) => [
			async function* (bytes: AsyncIterable<Uint8Array>) {
				for await (const chunk of bytes) {
					budget.spend(chunk.byteLength);
					yield chunk;
				}
			},
			layer,
		]);
		// An error of any layer destroys all of them.
		const { body, signal } = this.source;
		this.output = pipeline([body, outer, ...inner] as never, () => {}) as unknown as Readable;
		addAbortSignal(signal, this.output);
		try {
			yield* this.output as AsyncIterable<Uint8Array>;
		} catch (error) {
			// A response without content, such as 204.
			if (asRecord(error).code === EARLY_END && outer.bytesWritten === 0) return;
			throw toBodyError(error, this.encodings);
		}
	}

	/** Ends the decompression. */
	close(): void {
		this.output?.destroy();
	}
}

function toBodyError(error: unknown, encodings: readonly string[]) {
	const isBroken = ZLIB_CODE.test(asString(asRecord(error).code) ?? '');
	if (isBroken) return new BrokenCompressionError(encodings.join(', '), error as Error);
	return error instanceof BodyTooLargeError ? error : new ConnectionFailure(error);
}

/**
 * Streams that remove the layers, the outer one first.
 *
 * @throws {UnknownCompressionError} also for too many layers
 */
function createLayers(encodings: readonly string[]) {
	const unknown = encodings.find((name) => !DECOMPRESSORS.has(name));
	const isTooDeep = encodings.length > MAX_LAYERS;
	const unread = unknown ?? (isTooDeep ? encodings.join(', ') : undefined);
	if (unread !== undefined) throw new UnknownCompressionError(unread.slice(0, MAX_ENCODING_LENGTH));
	const layers = encodings.map((encoding) => DECOMPRESSORS.get(encoding)!());
	return layers.reverse() as [Decompressor, ...Decompressor[]];
}

/**
 * Prepares to remove the compression of a body.
 *
 * @param encoding - The header `content-encoding`: the last one of a list was applied last
 * @returns the bytes of the body if it is not compressed
 */
export function decompress(
	source: CompressedSource,
	encoding = '',
): AsyncIterable<Uint8Array> | CompressedBody {
	const encodings = encoding
		.toLowerCase()
		.split(',')
		.map((name) => name.trim())
		.filter((name) => name !== '' && name !== 'identity');
	return encodings.length === 0
		? readConnection(source.body)
		: new CompressedBody(source, encodings);
}
