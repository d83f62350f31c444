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
 * The body without compression; undefined where it is compressed in a way that cannot be read here. Servers and proxies also
 * write `none`, `utf-8`, `binary` or `chunked` into this header, which compress nothing.
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
	try {
		new DecompressionStream(format as CompressionFormat);
		return true;
	} catch {
		return false;
	}
}

/** An empty body is no compressed one, but some proxies label their own empty error answers so. */
async function* unpacked(body: AsyncIterable<Uint8Array>, format: string): AsyncGenerator<Uint8Array> {
	const pieces = body[Symbol.asyncIterator]();
	const first = await pieces.next();
	if (first.done === true) return;
	const actual = formatOf(first.value, format);
	async function* all(): AsyncGenerator<Uint8Array> {
		yield first.value as Uint8Array;
		yield* { [Symbol.asyncIterator]: () => pieces };
	}
	if (actual === undefined) yield* all();
	else
		yield* ReadableStream.from(all()).pipeThrough(
			new DecompressionStream(actual as CompressionFormat),
		) as unknown as AsyncIterable<Uint8Array>;
}

/** How a body is compressed, by its first bytes: some servers pass on the label of an answer that they unpacked. */
function formatOf(beginning: Uint8Array, labelled: string): string | undefined {
	const [first = 0, second = 0] = beginning;
	if (labelled === 'gzip') return first === 0x1f ? 'gzip' : undefined;
	if (labelled !== 'deflate') return labelled;
	if ((first & 0x0f) === 8 && (first * 256 + second) % 31 === 0) return 'deflate';
	// Old servers leave out the header that deflate should have.
	const isText = beginning
		.subarray(0, 8)
		.every((byte) => (byte >= 0x20 && byte < 0x7f) || (byte >= 0x09 && byte <= 0x0d));
	return isText ? undefined : 'deflate-raw';
}
