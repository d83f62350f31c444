import fc from 'fast-check';
import { getJpegWarnings } from '../../../lib/files/read-file';

const latin1 = (text: string) => Buffer.from(text, 'latin1');
const PNG = Buffer.from(
	'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
	'base64',
);

const getOrientation = (bytes: Buffer) =>
	/EXIF orientation (\d)/.exec(getJpegWarnings({ name: 'a.jpg', bytes }).join('\n'))?.[1];

describe('the orientation of a photo', () => {
	const exif = (order: 'II' | 'MM') => {
		const tiff = Buffer.alloc(26);
		tiff.write(order, 'latin1');
		const short = (value: number, at: number) =>
			order === 'II' ? tiff.writeUInt16LE(value, at) : tiff.writeUInt16BE(value, at);
		short(42, 2);
		short(8, order === 'II' ? 4 : 6);
		short(1, 8);
		short(0x0112, 10);
		short(3, 12);
		short(1, order === 'II' ? 14 : 16);
		short(6, 18);
		const head = Buffer.from('ffd8ffe10000', 'hex');
		head.writeUInt16BE(2 + 6 + tiff.length, 4);
		return Buffer.concat([head, latin1('Exif\0\0'), tiff]);
	};

	test.each<[string, Buffer, string | undefined]>([
		['JPEG of a phone', exif('MM'), '6'],
		['JPEG of a camera', exif('II'), '6'],
		['JPEG without EXIF', Buffer.from('ffd8ffe000040000ffc0', 'hex'), undefined],
		['PNG', PNG, undefined],
	])('%s', (_name, bytes, orientation) => {
		expect(getOrientation(bytes)).toBe(orientation);
	});

	test('never throws for truncated data', () => {
		fc.assert(
			fc.property(fc.constantFrom('II*\0', 'MM\0*'), fc.uint8Array(), (start, bytes) => {
				const image = Buffer.concat([latin1(`\xff\xd8\xff\xe1\0\x20Exif\0\0${start}`), bytes]);
				expect(() => getJpegWarnings({ name: 'a.jpg', bytes: image })).not.toThrow();
			}),
		);
	});
});

describe('the end of a photo', () => {
	const bytes = (...hex: string[]) => Buffer.from(hex.join(''), 'hex');

	test('reads at most 1,000 segments', () => {
		const image = bytes('ffd8', 'ffe00002'.repeat(100_000), 'ffda', 'ffd9');
		const read = jest.spyOn(image, 'readUInt16BE');
		expect(getJpegWarnings({ name: 'a.jpg', bytes: image })).toEqual([]);
		expect(read).toHaveBeenCalledTimes(1_000);
	});

	test('searches the end marker only in the last megabyte', () => {
		const image = Buffer.concat([bytes('ffd8', 'ffda', 'ffd9'), Buffer.alloc(5 * 1024 * 1024)]);
		const search = jest.spyOn(image, 'indexOf');
		getJpegWarnings({ name: 'a.jpg', bytes: image });
		const [[, from]] = search.mock.calls as unknown as [[unknown, number]];
		expect(from).toBe(image.length - 1024 * 1024);
	});
});
