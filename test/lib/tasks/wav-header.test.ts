/** WAV files of servers that stream: their lengths are placeholders, after any chunks. */
import * as fc from 'fast-check';
import { hasUnknownWavLength, withWavLength } from '../../../lib/tasks/wav-header';

interface Chunk {
	id: string;
	content: Uint8Array;
}

/** A chunk as RIFF writes it: a byte of padding follows an odd length. */
function toBytes({ id, content }: Chunk, length = content.byteLength) {
	const head = Buffer.alloc(8);
	head.write(id, 'latin1');
	head.writeUInt32LE(length, 4);
	return Buffer.concat([head, content, Buffer.alloc(content.byteLength % 2)]);
}

/** A WAV file with these chunks before its samples. */
function createWav(chunks: readonly Chunk[], samples: Uint8Array, placeholder?: number): Buffer {
	const before = chunks.map((chunk) => toBytes(chunk));
	const data = toBytes({ id: 'data', content: samples }, placeholder);
	const body = Buffer.concat([Buffer.from('WAVE'), ...before, data.subarray(0, 8), samples]);
	const head = Buffer.from('RIFF\0\0\0\0', 'latin1');
	head.writeUInt32LE(placeholder ?? body.byteLength, 4);
	return Buffer.concat([head, body]);
}

const bytes = (maxLength: number) => fc.uint8Array({ maxLength });
const chunks = fc.array(
	fc.record({ id: fc.constantFrom('fmt ', 'LIST', 'fact', 'bext'), content: bytes(40) }),
	{ maxLength: 4 },
);

test('any chunks, of odd and even length, may stand before the samples', () => {
	fc.assert(
		fc.property(
			chunks,
			fc.uint8Array({ minLength: 1, maxLength: 60 }),
			fc.constantFrom(0, 0x7000_0000, 0x7fff_ffff, 0xffff_ffff),
			(before, samples, placeholder) => {
				const streamed = createWav(before, samples, placeholder);
				const right = createWav(before, samples);
				expect(hasUnknownWavLength(streamed)).toBe(true);
				expect(withWavLength(streamed).toString('latin1')).toBe(right.toString('latin1'));
				expect(hasUnknownWavLength(right)).toBe(false);
			},
		),
	);
});
