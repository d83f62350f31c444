import { peeked } from './peek';
import { quietly } from '../values';

type CompressionFormat = ConstructorParameters<typeof DecompressionStream>[0];

const COMPRESSIONS: ReadonlyMap<string, string> = new Map([
	['gzip', 'gzip'],
	['x-gzip', 'gzip'],
	['deflate', 'deflate'],
	// From Node 24.7 on. No release of Node reads zstd as a stream of this kind.
	['br', 'brotli'],
]);

/** Compressors that are registered for HTTP. Everything else that servers write there is none. */
const NOT_READABLE: ReadonlySet<string> = new Set([
	'br',
	'zstd',
	'dcb',
	'dcz',
	'compress',
	'x-compress',
	'exi',
	'pack200-gzip',
]);

/**
 * The body without compression; undefined where it is compressed in a way that cannot be read here. Servers and proxies
 * also write `none`, `utf-8`, `binary` or `chunked` into this header, which compress nothing.
 */
export function decompressed(body: AsyncIterable<Uint8Array>, encoding = ''): AsyncIterable<Uint8Array> | undefined {
	// The last one was applied last.
	const names = encoding
		.toLowerCase()
		.split(',')
		.map((name) => name.trim())
		.reverse();
	let plain: AsyncIterable<Uint8Array> | undefined = body;
	for (const name of names) {
		const format = COMPRESSIONS.get(name);
		if (plain === undefined || (format === undefined && !NOT_READABLE.has(name))) continue;
		plain = format !== undefined && canUnpack(format) ? unpacked(plain, format) : undefined;
	}
	return plain;
}

function canUnpack(format: string): boolean {
	return quietly(() => new DecompressionStream(format as CompressionFormat)) !== undefined;
}

/** An empty body is no compressed one, but some proxies label their own empty error answers so. */
async function* unpacked(body: AsyncIterable<Uint8Array>, labelled: string): AsyncGenerator<Uint8Array> {
	const source = peeked(body);
	let beginning = await source.head(2);
	if (labelled === 'deflate' && !isZlib(beginning)) beginning = await source.head(TOLD_BY_BYTES);
	if (beginning.length === 0) return;
	const format = formatOf(beginning, labelled);
	if (format === undefined) yield* source.pieces();
	else
		yield* ReadableStream.from(source.pieces()).pipeThrough(
			new DecompressionStream(format as CompressionFormat),
		) as unknown as AsyncIterable<Uint8Array>;
}

/** By so many bytes a text is told from deflate without its header. */
const TOLD_BY_BYTES = 16;

/** How a body is compressed, by its first bytes: some servers pass on the label of an answer that they unpacked. */
function formatOf(beginning: Uint8Array, labelled: string): string | undefined {
	if (labelled === 'gzip') return beginning[0] === 0x1f ? 'gzip' : undefined;
	if (labelled !== 'deflate') return labelled;
	if (isZlib(beginning)) return 'deflate';
	// Old servers leave out the header that deflate should have.
	return isText(beginning) ? undefined : 'deflate-raw';
}

/** The header of deflate: its method in four bits, and a sum over both bytes. */
function isZlib([first = 0, second]: Uint8Array): boolean {
	return second !== undefined && (first & 0x0f) === 8 && (first * 256 + second) % 31 === 0;
}

function isText(bytes: Uint8Array): boolean {
	const text = quietly(() => new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true }));
	return text !== undefined && [...text].every((letter) => letter >= ' ' || /\s/.test(letter));
}
