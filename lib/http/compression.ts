import { peeked } from './peek';
import { quietly } from '../values';

type CompressionFormat = ConstructorParameters<typeof DecompressionStream>[0];

const COMPRESSIONS: ReadonlyMap<string, string> = new Map([
	['gzip', 'gzip'],
	['x-gzip', 'gzip'],
	['deflate', 'deflate'],
	// From Node 24.7 on. No release of Node has zstd as a DecompressionStream.
	['br', 'brotli'],
]);

/** The other content codings that are registered for HTTP. Unregistered values are not compression. */
const NOT_READABLE = /^(?:br|zstd|dcb|dcz|(?:x-)?compress|exi|pack200-gzip)$/;

/** No proxy compresses more than twice; a thousand layers of gzip take seconds. */
const MAX_LAYERS = 3;

/**
 * The decompressed body; undefined if its compression is not supported, or was applied more than three times. Servers
 * and proxies also send `none`, `utf-8`, `binary` or `chunked` in this header, which mean no compression.
 */
export function decompressed(
	body: AsyncIterable<Uint8Array>,
	encoding = '',
): AsyncIterable<Uint8Array> | undefined {
	const layers = encoding
		.toLowerCase()
		.split(',')
		.map((name) => name.trim())
		.filter((name) => COMPRESSIONS.has(name) || NOT_READABLE.test(name));
	const formats = layers.map((name) => COMPRESSIONS.get(name));
	if (formats.length > MAX_LAYERS || !formats.every(canUnpack)) return undefined;
	// The last one was applied last, and must be undone first.
	return formats.reduceRight((plain, format) => unpacked(plain, format), body);
}

function canUnpack(format: string | undefined): format is string {
	if (format === undefined) return false;
	return quietly(() => new DecompressionStream(format as CompressionFormat)) !== undefined;
}

/** Decompresses a body. An empty one is accepted, since some proxies label their empty error answers as compressed. */
async function* unpacked(
	body: AsyncIterable<Uint8Array>,
	labelled: string,
): AsyncGenerator<Uint8Array> {
	const source = peeked(body);
	const beginning = await source.head(2);
	if (beginning.length === 0) return;
	const format = formatOf(beginning, labelled);
	if (format === undefined) yield* source.pieces();
	else
		yield* ReadableStream.from(source.pieces()).pipeThrough(
			new DecompressionStream(format as CompressionFormat),
		) as unknown as AsyncIterable<Uint8Array>;
}

/**
 * The real compression by the first bytes; undefined for none: some servers decompress an answer and keep its header.
 */
function formatOf(beginning: Uint8Array, labelled: string): string | undefined {
	if (labelled === 'gzip') return beginning[0] === 0x1f ? 'gzip' : undefined;
	if (labelled === 'deflate') return isZlib(beginning) ? 'deflate' : undefined;
	return labelled;
}

/** Whether the bytes are a zlib header: method 8, and a checksum over both bytes. */
function isZlib([first = 0, second]: Uint8Array): boolean {
	return second !== undefined && (first & 0x0f) === 8 && (first * 256 + second) % 31 === 0;
}
