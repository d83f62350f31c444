import * as fc from 'fast-check';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import * as zlib from 'node:zlib';
import {
	BrokenCompressionError,
	decompress,
	UnknownCompressionError,
} from '../../../lib/http/compressed-body';
import { BodyTooLargeError } from '../../../lib/http/body-limits';
import { readBuffer, readChunks } from '../../../lib/http/response-body';

const MB = 1024 * 1024;

interface Kind {
	compress: (bytes: Uint8Array) => Buffer;
	/** A compressed part that stands for nothing: a body may have any number of them. */
	nothing: Buffer;
	/** What must stand before and behind such parts. */
	frame?: [start: Buffer, end: Buffer];
}

const bytes = (hex: string) => Buffer.from(hex, 'hex');

const KINDS: Readonly<Record<string, Kind>> = {
	gzip: { compress: zlib.gzipSync, nothing: zlib.gzipSync('') },
	'x-gzip': { compress: zlib.gzipSync, nothing: zlib.gzipSync('') },
	deflate: {
		compress: zlib.deflateSync,
		// An empty block that is stored.
		nothing: bytes('000000ffff'),
		frame: [bytes('789c'), bytes('030000000001')],
	},
	br: {
		compress: zlib.brotliCompressSync,
		// A block of metadata without bytes.
		nothing: bytes('06'),
		frame: [bytes('0c'), bytes('03')],
	},
	zstd: {
		compress: zlib.zstdCompressSync,
		// An empty block that is stored.
		nothing: bytes('000000'),
		frame: [bytes('28b52ffd0058'), bytes('010000')],
	},
};

const NAMES = Object.keys(KINDS);
const PAIRS = NAMES.flatMap((inner) => NAMES.map((outer) => ({ inner, outer })));

const open = (body: Readable, encoding: string, signal = new AbortController().signal) =>
	decompress({ body, signal }, encoding);

const read = async (body: Uint8Array | Uint8Array[], encoding: string, maxBytes = Infinity) => {
	const source = Readable.from([body].flat());
	const parts: Uint8Array[] = [];
	for await (const part of readChunks(open(source, encoding), maxBytes)) parts.push(part);
	return Buffer.concat(parts).toString();
};

const getError = async (reading: Promise<unknown>) =>
	await reading.then(
		(value) => ({ value }),
		(error: unknown) => error,
	);

/** Parts that stand for nothing, compressed again. */
const nothingCompressed = (inner: string, outer: string, size: number) => {
	const { nothing, frame = [Buffer.alloc(0), Buffer.alloc(0)] } = KINDS[inner]!;
	const parts = Buffer.alloc(size, nothing);
	const end = size - (size % nothing.length);
	return KINDS[outer]!.compress(Buffer.concat([frame[0], parts.subarray(0, end), frame[1]]));
};

describe('a body', () => {
	it.each(NAMES)('of one layer, %s', async (name) => {
		expect(await read(KINDS[name]!.compress(Buffer.from('text')), name)).toBe('text');
	});

	it.each(PAIRS)('of two layers: $inner, $outer', async ({ inner, outer }) => {
		const body = KINDS[outer]!.compress(KINDS[inner]!.compress(Buffer.from('text')));
		expect(await read(body, `${inner}, ${outer}`)).toBe('text');
	});

	it.each(['', 'identity', ' , identity,', 'identity, identity, identity', ' IDENTITY '])(
		'that is not compressed: "%s"',
		async (encoding) => {
			expect(await read(Buffer.from('text'), encoding)).toBe('text');
		},
	);

	it.each(['gzip,', ',gzip', 'GZIP', ' gzip ', 'gzip, identity', 'identity,,gzip'])(
		'with a header that says nothing more: "%s"',
		async (encoding) => {
			expect(await read(zlib.gzipSync('text'), encoding)).toBe('text');
		},
	);

	it.each(NAMES)('without content, such as that of 204: %s', async (name) => {
		expect(await read([], name)).toBe('');
	});

	it.each(['gzip', 'x-gzip', 'zstd'])(
		'of parts that were compressed one by one, wherever its bytes are split: %s',
		async (name) => {
			const { compress } = KINDS[name]!;
			const parts = ['Each part ', '', 'is a frame', ' of its own.'];
			const body = Buffer.concat(parts.map((part) => compress(Buffer.from(part))));
			expect(await read(body, name)).toBe(parts.join(''));
			expect(await read(compress(body), `${name}, ${name}`)).toBe(parts.join(''));
			for (let at = 1; at < body.length; at++)
				expect(await read([body.subarray(0, at), body.subarray(at)], name)).toBe(parts.join(''));
		},
	);

	it('is the same wherever its bytes are split', async () => {
		const names = fc.array(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 2 });
		await fc.assert(
			fc.asyncProperty(
				names,
				fc.string(),
				fc.array(fc.nat(500), { maxLength: 5 }),
				async (encodings, text, cuts) => {
					const body = encodings.reduce<Uint8Array>(
						(inner, name) => KINDS[name]!.compress(inner),
						Buffer.from(text),
					);
					const ends = [...cuts.filter((cut) => cut < body.length), body.length].sort(
						(a, b) => a - b,
					);
					const parts = ends.map((end, index) => body.subarray(ends[index - 1] ?? 0, end));
					const content = await read(parts, encodings.join(', '));
					expect(content).toBe(Buffer.from(text).toString());
				},
			),
		);
	});
});

describe('an error', () => {
	it.each([
		{ encoding: 'snappy', named: 'snappy' },
		{ encoding: 'gzip, dcb', named: 'dcb' },
		{ encoding: 'constructor', named: 'constructor' },
		{ encoding: '__proto__', named: '__proto__' },
		{ encoding: 'gzip, gzip, gzip', named: 'gzip, gzip, gzip' },
		{ encoding: 'br, identity, deflate, , zstd', named: 'br, deflate, zstd' },
		{ encoding: 'gzip,'.repeat(20), named: 'gzip, gzip, gzip, gzip, gzip, gzip, gzip' },
		{ encoding: 'x'.repeat(5_000), named: 'x'.repeat(40) },
	])('names what is not read: $named', async ({ encoding, named }) => {
		const source = Readable.from([]);
		const error = await getError(readBuffer(readChunks(open(source, encoding), 10)));
		expect(error).toBeInstanceOf(UnknownCompressionError);
		expect((error as UnknownCompressionError).encoding.replace(/[, g]*$/, '')).toBe(
			named.replace(/[, g]*$/, ''),
		);
		expect(source.readableFlowing).toBe(null);
	});

	it.each(
		NAMES.flatMap((name) => {
			const body = KINDS[name]!.compress(Buffer.from('{"a":1}'.repeat(50)));
			return [
				{ name, broken: 'other bytes', body: Buffer.from('{"a":1}') },
				{ name, broken: 'an end that is too early', body: body.subarray(0, -9) },
			];
		}),
	)('says that a body is no valid $name: $broken', async ({ name, body }) => {
		const error = await getError(read(body, name));
		expect(error).toBeInstanceOf(BrokenCompressionError);
		expect(error).toMatchObject({ encoding: name });
	});

	it('of the connection stays what it is', async () => {
		const reset = Object.assign(new Error('reset'), { code: 'ECONNRESET' });
		const source = Readable.from(
			(async function* () {
				yield await Promise.resolve(zlib.gzipSync('text').subarray(0, 12));
				throw reset;
			})(),
		);
		expect(await getError(readBuffer(readChunks(open(source, 'gzip'), 10)))).toMatchObject({
			cause: reset,
		});
	});

	it('says that a body needs more memory than HTTP allows', async () => {
		const { ZSTD_c_windowLog: windowLog, ZSTD_c_contentSizeFlag: sizeFlag } = zlib.constants;
		const compress = (window: number) =>
			zlib.zstdCompressSync(Buffer.alloc(20 * MB), {
				params: { [windowLog]: window, [sizeFlag]: 0 },
			});
		expect((await read(compress(23), 'zstd')).length).toBe(20 * MB);
		expect(await getError(read(compress(24), 'zstd'))).toBeInstanceOf(BrokenCompressionError);
	});
});

describe('the budget of a body', () => {
	it.each(NAMES)('is that of its bytes after decompression: %s', async (name) => {
		const body = KINDS[name]!.compress(Buffer.alloc(100, 'x'));
		expect(await read(body, name, 100)).toHaveLength(100);
		expect(await getError(read(body, name, 99))).toBeInstanceOf(BodyTooLargeError);
	});

	it.each(PAIRS)(
		'is also that of the bytes between $inner and $outer',
		async ({ inner, outer }) => {
			const body = nothingCompressed(inner, outer, MB);
			expect(await read(body, `${inner}, ${outer}`, 2 * MB)).toBe('');
			expect(await getError(read(body, `${inner}, ${outer}`, MB / 2))).toBeInstanceOf(
				BodyTooLargeError,
			);
		},
	);

	it('is one budget for both', async () => {
		const inner = zlib.deflateSync(Buffer.alloc(1_000, 'x'));
		const body = zlib.gzipSync(inner);
		const size = inner.length + 1_000;
		expect(await read(body, 'deflate, gzip', size)).toHaveLength(1_000);
		expect(await getError(read(body, 'deflate, gzip', size - 1))).toBeInstanceOf(BodyTooLargeError);
	});
});

describe('the end of a request', () => {
	const waitForClose = async (source: Readable) =>
		await new Promise<void>((resolve) => source.once('close', () => resolve()));

	/** A body that never ends, and stands for nothing in its last layer. */
	const endless = (inner: string, outer: string) => {
		const part = nothingCompressed(inner, outer, MB);
		return Readable.from(
			(function* () {
				for (;;) yield part.subarray(0, -20);
			})(),
		);
	};

	it.each([
		...PAIRS.filter(({ outer }) => outer !== 'deflate' && outer !== 'br'),
		...NAMES.map((name) => ({ inner: name, outer: 'identity' })),
	])('stops all layers of $inner, $outer: by its signal', async ({ inner, outer }) => {
		const stop = new AbortController();
		const part = outer === 'identity' ? KINDS[inner]!.nothing : KINDS.gzip!.nothing;
		const source =
			outer === 'identity'
				? Readable.from(
						(function* () {
							yield KINDS[inner]!.frame?.[0] ?? part;
							for (;;) yield Buffer.alloc(64_000, part);
						})(),
					)
				: endless(inner, outer);
		const body = open(source, `${inner}, ${outer}`, stop.signal);
		const reading = getError(readBuffer(readChunks(body, Infinity)));
		await once(source, 'data');
		const closed = waitForClose(source);
		stop.abort(new Error('Stop'));
		await closed;
		expect(await reading).toMatchObject({ cause: { name: 'AbortError' } });
	});

	it('stops all layers although the body arrived completely', async () => {
		const stop = new AbortController();
		const source = Readable.from([nothingCompressed('gzip', 'gzip', 64 * MB)]);
		const body = open(source, 'gzip, gzip', stop.signal);
		const reading = getError(readBuffer(readChunks(body, Infinity)));
		await once(source, 'end');
		stop.abort(new Error('Stop'));
		expect(await reading).toMatchObject({ cause: { name: 'AbortError' } });
	});

	it('stops a body that was not read to its end', async () => {
		const source = endless('gzip', 'gzip');
		const body = open(source, 'gzip, gzip');
		const chunks = readChunks(body, Infinity)[Symbol.asyncIterator]();
		chunks.next().catch(() => {});
		await once(source, 'data');
		const closed = waitForClose(source);
		(body as { close(): void }).close();
		await closed;
		expect(source.destroyed).toBe(true);
	});
});
