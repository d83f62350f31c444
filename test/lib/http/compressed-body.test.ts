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

const COMPRESS: Readonly<Record<string, (bytes: Uint8Array) => Buffer>> = {
	gzip: zlib.gzipSync,
	'x-gzip': zlib.gzipSync,
	deflate: zlib.deflateSync,
	br: zlib.brotliCompressSync,
};

const NAMES = Object.keys(COMPRESS);

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

describe('a body', () => {
	it.each(NAMES)('that is compressed: %s', async (name) => {
		expect(await read(COMPRESS[name]!(Buffer.from('text')), name)).toBe('text');
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

	it.each(['gzip', 'x-gzip'])(
		'of parts that were compressed one by one, wherever its bytes are split: %s',
		async (name) => {
			const parts = ['Each part ', '', 'is a member', ' of its own.'];
			const body = Buffer.concat(parts.map((part) => COMPRESS[name]!(Buffer.from(part))));
			expect(await read(body, name)).toBe(parts.join(''));
			for (let at = 1; at < body.length; at++)
				expect(await read([body.subarray(0, at), body.subarray(at)], name)).toBe(parts.join(''));
		},
	);

	it('is the same wherever its bytes are split', async () => {
		await fc.assert(
			fc.asyncProperty(
				fc.constantFrom(...NAMES),
				fc.string(),
				fc.array(fc.nat(500), { maxLength: 5 }),
				async (name, text, cuts) => {
					const body = COMPRESS[name]!(Buffer.from(text));
					const ends = [...cuts.filter((cut) => cut < body.length), body.length].sort(
						(a, b) => a - b,
					);
					const parts = ends.map((end, index) => body.subarray(ends[index - 1] ?? 0, end));
					expect(await read(parts, name)).toBe(Buffer.from(text).toString());
				},
			),
		);
	});
});

describe('an error', () => {
	it.each([
		{ encoding: 'snappy', named: 'snappy' },
		{ encoding: 'zstd', named: 'zstd' },
		{ encoding: 'gzip, dcb', named: 'gzip, dcb' },
		{ encoding: 'constructor', named: 'constructor' },
		{ encoding: '__proto__', named: '__proto__' },
		{ encoding: 'gzip, gzip', named: 'gzip, gzip' },
		{ encoding: 'br, identity, deflate', named: 'br, deflate' },
		{ encoding: 'x'.repeat(5_000), named: 'x'.repeat(40) },
	])('names what is not read: $named', async ({ encoding, named }) => {
		const source = Readable.from([]);
		const error = await getError(readBuffer(readChunks(open(source, encoding), 10)));
		expect(error).toBeInstanceOf(UnknownCompressionError);
		expect((error as UnknownCompressionError).encoding).toBe(named);
		expect(source.readableFlowing).toBe(null);
	});

	it.each(
		NAMES.flatMap((name) => {
			const body = COMPRESS[name]!(Buffer.from('{"a":1}'.repeat(50)));
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
});

test.each(NAMES)(
	'the limit of a body is that of its bytes after decompression: %s',
	async (name) => {
		const body = COMPRESS[name]!(Buffer.alloc(100, 'x'));
		expect(await read(body, name, 100)).toHaveLength(100);
		expect(await getError(read(body, name, 99))).toBeInstanceOf(BodyTooLargeError);
	},
);

describe('the end of a request', () => {
	const waitForClose = async (source: Readable) =>
		await new Promise<void>((resolve) => source.once('close', () => resolve()));

	/** A body that never ends. */
	const endless = (name: string) => {
		const part = COMPRESS[name]!(Buffer.alloc(MB, 'x'));
		return Readable.from(
			(function* () {
				for (;;) yield part;
			})(),
		);
	};

	it.each(['gzip', 'x-gzip'])('stops %s by its signal', async (name) => {
		const stop = new AbortController();
		const source = endless(name);
		let length = 0;
		const reading = getError(
			(async () => {
				for await (const chunk of readChunks(open(source, name, stop.signal), Infinity))
					length += chunk.length;
			})(),
		);
		await once(source, 'data');
		const closed = waitForClose(source);
		stop.abort(new Error('Stop'));
		await closed;
		expect(await reading).toMatchObject({ cause: { name: 'AbortError' } });
	});

	it.each(NAMES)('stops %s although the body arrived completely', async (name) => {
		const stop = new AbortController();
		const source = Readable.from([COMPRESS[name]!(Buffer.alloc(64 * MB, 'x'))]);
		const chunks = readChunks(open(source, name, stop.signal), Infinity);
		await chunks.next();
		stop.abort(new Error('Stop'));
		const reading = getError(readBuffer(chunks));
		expect(await reading).toMatchObject({ cause: { name: 'AbortError' } });
	});

	it('stops a body that was not read to its end', async () => {
		const source = endless('gzip');
		const chunks = readChunks(open(source, 'gzip'), Infinity);
		await chunks.next();
		const closed = waitForClose(source);
		source.destroy();
		await closed;
		expect(await getError(readBuffer(chunks))).toMatchObject({
			cause: { code: 'ERR_STREAM_PREMATURE_CLOSE' },
		});
	});
});
