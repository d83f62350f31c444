import * as fc from 'fast-check';

import { joinWaves } from '../../lib/wav';
import { examples } from '../support/properties';

const FORMAT = [1, 0, 1, 0, 0x40, 0x1f, 0, 0, 0x80, 0x3e, 0, 0, 2, 0, 16, 0];

/** @param size what the header says; default the truth */
function wave(samples: Uint8Array, size = samples.length, format = FORMAT): Buffer {
	const header = Buffer.alloc(8);
	header.write('data');
	header.writeUInt32LE(size, 4);
	const content = Buffer.concat([
		Buffer.from('fmt '),
		Buffer.from([16, 0, 0, 0]),
		Buffer.from(format),
		header,
		samples,
	]);
	const riff = Buffer.alloc(8);
	riff.write('RIFF');
	riff.writeUInt32LE(content.length + 4, 4);
	return Buffer.concat([riff, Buffer.from('WAVE'), content]);
}

const samples = fc
	.uint8Array({ minLength: 2, maxLength: 40 })
	.map((bytes) => bytes.map((byte) => byte | 1));

test('sentences that were spoken one by one are one sound', () => {
	fc.assert(
		fc.property(
			fc.array(samples, { minLength: 2, maxLength: 5 }),
			fc.constantFrom<'true' | number>('true', 0, 0xffffffff),
			(all, size) => {
				const parts = all.map((part) => wave(part, size === 'true' ? part.length : size));
				const whole = Buffer.concat(all);
				const expected = wave(whole);
				const joined = joinWaves(Buffer.concat(parts));
				expect(joined.subarray(0, 44 + whole.length).subarray(8)).toEqual(expected.subarray(8));
				expect(joined.length % 2).toBe(0);
			},
		),
		examples(200),
	);
});

test('one sound, two formats, and what is no WAV stay as they are', () => {
	const two = Buffer.concat([
		wave(Buffer.from('ab')),
		wave(Buffer.from('cd'), 2, [...FORMAT.slice(0, 2), 2, ...FORMAT.slice(3)]),
	]);
	for (const sound of [
		wave(Buffer.from('abc')),
		two,
		Buffer.from('ID3 mp3'),
		Buffer.alloc(0),
		Buffer.from('RIFFxxxxWAVE'),
	])
		expect(joinWaves(sound)).toBe(sound);
	fc.assert(
		fc.property(fc.uint8Array({ maxLength: 80 }), (rest) => {
			joinWaves(Buffer.concat([wave(Buffer.from('ab')), Buffer.from('RIFF'), rest]));
			joinWaves(Buffer.concat([Buffer.from('RIFF0000WAVEfmt '), rest]));
		}),
		examples(300),
	);
});
