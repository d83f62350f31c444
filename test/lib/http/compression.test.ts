import fc from 'fast-check';

import { decompressed } from '../../../lib/http/compression';
import { zlib } from '../../support/node';
import { examples } from '../../support/properties';
import { anySplit, asStream } from '../../support/streams';

const read = async (
	pieces: Iterable<Uint8Array>,
	encoding?: string,
): Promise<string | undefined> => {
	const plain = decompressed(asStream(pieces), encoding);
	if (plain === undefined) return undefined;
	const all: Uint8Array[] = [];
	for await (const piece of plain) all.push(piece);
	return Buffer.concat(all).toString();
};

const COMPRESSORS: Record<string, (text: Buffer) => Buffer> = {
	gzip: zlib.gzipSync,
	'x-gzip': zlib.gzipSync,
	' GZip ': zlib.gzipSync,
	deflate: zlib.deflateSync,
	br: zlib.brotliCompressSync,
	'deflate, gzip': (text) => zlib.gzipSync(zlib.deflateSync(text)),
	'gzip,none': zlib.gzipSync,
};

/** What answers begin with. */
const answer = fc
	.tuple(fc.constantFrom('data: ', '{"a":"', '<html>', ': ping'), fc.string({ unit: 'grapheme' }))
	.map(([beginning, rest]) => beginning + rest);

test('any compressed data are decompressed correctly, however they are cut', async () => {
	const cases = fc
		.tuple(answer, fc.constantFrom(...Object.keys(COMPRESSORS)))
		.chain(([text, encoding]) => {
			const bytes = COMPRESSORS[encoding]!(Buffer.from(text));
			return fc.tuple(fc.constant(text), fc.constant(encoding), anySplit(bytes));
		});
	await fc.assert(
		fc.asyncProperty(cases, async ([text, encoding, pieces]) =>
			expect(await read(pieces, encoding)).toBe(text),
		),
		examples(100),
	);
});

test('an answer that is not compressed stays as it is, whatever its label', async () => {
	const labels = fc.constantFrom(
		undefined,
		'',
		'none',
		'identity',
		'utf-8',
		'UTF8',
		'binary',
		'gzip',
		'deflate',
		'x',
	);
	const cases = fc.tuple(answer, labels).chain(([text, label]) => {
		return fc.tuple(fc.constant(text), fc.constant(label), anySplit(Buffer.from(text)));
	});
	await fc.assert(
		fc.asyncProperty(cases, async ([text, label, pieces]) =>
			expect(await read(pieces, label)).toBe(text),
		),
		examples(100),
	);
});

test.each(['zstd', 'compress', 'gzip, zstd', 'dcb'])('%s cannot be read', async (encoding) => {
	expect(await read([Buffer.from('(µ/ý')], encoding)).toBeUndefined();
});

test.each(['gzip', 'deflate', 'br'])(
	'an empty body that is labelled %s is empty',
	async (encoding) => {
		expect(await read([], encoding)).toBe('');
	},
);

test('three layers of compression are undone, more are refused', async () => {
	const layers = fc.array(fc.constantFrom<string>('gzip', 'deflate', 'x-gzip'), {
		minLength: 1,
		maxLength: 8,
	});
	await fc.assert(
		fc.asyncProperty(answer, layers, async (text, names) => {
			const bytes = names.reduce<Buffer>(
				(inner, name) => COMPRESSORS[name]!(inner),
				Buffer.from(text),
			);
			const plain = await read([bytes], names.join(', '));
			expect(plain).toBe(names.length <= 3 ? text : undefined);
		}),
		examples(60),
	);
	expect(await read([], new Array(1_000).fill('gzip').join(','))).toBeUndefined();
});
