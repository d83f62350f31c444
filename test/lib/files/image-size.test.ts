import { getImageSize } from '../../../lib/files/image-size';

const bytes = (...parts: Array<string | number[]>) =>
	Buffer.concat(
		parts.map((part) =>
			typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from(part),
		),
	);

const PNG = bytes('\x89PNG\r\n\x1a\n\0\0\0\rIHDR', [0, 0, 2, 0, 0, 0, 3, 0], [8, 6, 0, 0, 0]);
const FRAME = [0x00, 0x11, 0x08, 0x01, 0x80, 0x02, 0x00, 0x03];
const JFIF = [0xff, 0xe0, 0x00, 0x10, ...Array.from({ length: 14 }, () => 0)];
const PADDING = Array.from({ length: 12 }, () => 0);

test.each<[string, Buffer, number, number]>([
	['PNG', PNG, 512, 768],
	['JPEG', bytes([0xff, 0xd8], JFIF, [0xff, 0xc0], FRAME, PADDING), 512, 384],
	['progressive JPEG', bytes([0xff, 0xd8], JFIF, [0xff, 0xc2], FRAME, PADDING), 512, 384],
	[
		'JPEG with a table of Huffman codes first, and fill bytes',
		bytes([0xff, 0xd8, 0xff, 0xc4, 0x00, 0x04, 1, 2, 0xff, 0xff], [0xff, 0xc0], FRAME, PADDING),
		512,
		384,
	],
	[
		'WebP, lossy',
		bytes(
			'RIFF\0\0\0\0WEBPVP8 \0\0\0\0',
			[0, 0, 0, 0x9d, 1, 0x2a, 0x00, 0x02, 0x80, 0x01],
			PADDING,
		),
		512,
		384,
	],
	[
		'WebP, lossless',
		bytes('RIFF\0\0\0\0WEBPVP8L\0\0\0\0', [0x2f, 0xff, 0xc1, 0x5f, 0x00], PADDING),
		512,
		384,
	],
	[
		'WebP, extended',
		bytes('RIFF\0\0\0\0WEBPVP8X\0\0\0\0', [0, 0, 0, 0, 0xff, 1, 0, 0x7f, 1, 0], PADDING),
		512,
		384,
	],
])('the size of a %s', (_name, image, width, height) => {
	expect(getImageSize(image)).toEqual({ width, height });
});

test.each<[string, Buffer]>([
	['nothing', Buffer.alloc(0)],
	['a PNG that is cut off', PNG.subarray(0, 20)],
	['a JPEG without a frame', bytes([0xff, 0xd8], JFIF)],
	['a JPEG whose segment has no end', bytes([0xff, 0xd8, 0xff, 0xe0, 0xff, 0xff], PADDING)],
	['a JPEG of other bytes', bytes([0xff, 0xd8], 'no segments here at all')],
	['a WebP that is cut off', bytes('RIFF\0\0\0\0WEBPVP8 ')],
	['a WebP of another kind', bytes('RIFF\0\0\0\0WEBPALPH\0\0\0\0', PADDING, PADDING)],
	['GIF', bytes('GIF89a', PADDING, PADDING)],
])('no size: %s', (_name, image) => {
	expect(getImageSize(image)).toBeUndefined();
});

test('a header is enough, and not one byte less', () => {
	const enough: ReadonlyArray<[string, Buffer, number]> = [
		['PNG', PNG, 25],
		['JPEG', bytes([0xff, 0xd8], [0xff, 0xc0], FRAME, PADDING), 11],
		[
			'WebP',
			bytes('RIFF\0\0\0\0WEBPVP8X\0\0\0\0', [0, 0, 0, 0, 0xff, 1, 0, 0x7f, 1, 0], PADDING),
			30,
		],
	];
	const hasSize = (image: Buffer, length: number) =>
		getImageSize(image.subarray(0, length)) !== undefined;
	expect(
		enough.map(([name, image, length]) => [
			name,
			hasSize(image, length - 1),
			hasSize(image, length),
		]),
	).toEqual(enough.map(([name]) => [name, false, true]));
});

test('a JPEG of many segments ends at a limit, whatever its bytes are', () => {
	const withSegments = (count: number) =>
		bytes(
			[0xff, 0xd8],
			...Array<number[]>(count).fill([0xff, 0xe0, 0, 2]),
			[0xff, 0xc0],
			FRAME,
			PADDING,
		);
	expect(getImageSize(withSegments(999))).toEqual({ width: 512, height: 384 });
	expect(getImageSize(withSegments(1_000))).toBeUndefined();
});

test.each([0xc1, 0xc3, 0xc5, 0xc9, 0xcf])('frame header %d of a JPEG', (marker) => {
	expect(getImageSize(bytes([0xff, 0xd8, 0xff, marker], FRAME, PADDING))).toEqual({
		width: 512,
		height: 384,
	});
});
