import fc from 'fast-check';

import { detectFileType, isTruncatedJpeg, readOrientation, decodeText } from '../../lib/files';

const latin1 = (text: string) => Buffer.from(text, 'latin1');
const PNG = Buffer.from(
	'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
	'base64',
);

describe('detectFileType detects types by content', () => {
	test.each<[string, Buffer, string | undefined]>([
		['PNG', PNG, 'image/png'],
		['JPEG', latin1('\xff\xd8\xff\xe0'), 'image/jpeg'],
		['GIF', latin1('GIF89a'), 'image/gif'],
		['BMP', latin1('BM1234\0\0\0\0'), 'image/bmp'],
		['WebP', latin1('RIFF1234WEBPVP8 '), 'image/webp'],
		['TIFF, both ways round', latin1('MM\0*'), 'image/tiff'],
		['HEIC of an iPhone', latin1('\0\0\0 ftypheic'), 'image/heic'],
		['AVIF', latin1('\0\0\0 ftypavif'), 'image/avif'],
		['SVG', latin1('<?xml version="1.0"?>\n<svg width="1">'), 'image/svg+xml'],
		['wav', latin1('RIFF1234WAVEfmt '), 'audio/wav'],
		['mp3', latin1('ID3\x03'), 'audio/mpeg'],
		['aac', latin1('\xff\xf1P'), 'audio/aac'],
		['a voice memo', latin1('\0\0\0 ftypM4A '), 'audio/mp4'],
		['mp4', latin1('\0\0\0 ftypisom'), 'video/mp4'],
		['webm', latin1('\x1aE\xdf\xa3'), 'video/webm'],
		['PDF', latin1('%PDF-1.7'), 'application/pdf'],
		['RTF', latin1('{\\rtf1\\ansi'), 'application/rtf'],
		[
			'a workbook',
			latin1('PK\x03\x04....xl/workbook.xml'),
			'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
		],
		['old Word', latin1('\xd0\xcf\x11\xe0\xa1\xb1'), 'application/x-ole-storage'],
		[
			'a mail',
			latin1('Received: by x\r\n\tfor y\r\nFrom: a@b\r\nSubject: Hi\r\n\r\nText'),
			'message/rfc822',
		],
		[
			'a page that Chrome saved',
			latin1(
				'From: <Saved by Blink>\r\nSnapshot-Content-Location: http://x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related;\r\n\r\n',
			),
			'multipart/related',
		],
		['text', latin1('a;b\r\n1;2'), 'text/plain'],
		['text like a header', latin1('Note: this is text\nwith lines\n'), 'text/plain'],
		['UTF-16', Buffer.from('\uFEFFName;Ort', 'utf16le'), 'text/plain'],
		['a log in colours', latin1('\x1b[32mok\x1b[0m'), 'text/plain'],
		['anything else', latin1('\0\x01\x02'), undefined],
		['nothing', latin1(''), undefined],
	])('%s', (_name, bytes, mimeType) => {
		expect(detectFileType(bytes)?.mimeType).toBe(mimeType);
	});
});

describe('decodeText detects the encoding', () => {
	test.each<[string, Buffer, string]>([
		['UTF-8', Buffer.from('Größe, 你好'), 'Größe, 你好'],
		['UTF-8 with a byte order mark', Buffer.from('\uFEFFGröße'), 'Größe'],
		[
			'UTF-16 as Excel and PowerShell write it',
			Buffer.from('\uFEFFName;Größe', 'utf16le'),
			'Name;Größe',
		],
		['UTF-16, big-endian', Buffer.from('\uFEFFName;Größe', 'utf16le').swap16(), 'Name;Größe'],
		['Windows-1252 of Excel', latin1('Gr\xf6\xdfe;\x80 5;M\xfcller'), 'Größe;€ 5;Müller'],
		['GB18030 without ASCII characters', Buffer.from('c4e3bac3a3accac0bde7', 'hex'), '你好，世界'],
		[
			'a Chinese table',
			Buffer.from('d0d5c3fb2cb3c7cad00ad5c5c8fd2cb1b1bea9', 'hex'),
			'姓名,城市\n张三,北京',
		],
	])('%s', (_name, bytes, text) => {
		expect(decodeText(bytes)).toBe(text);
	});
});

describe('readOrientation', () => {
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

	test.each<[string, Buffer, number | undefined]>([
		['JPEG of a phone', exif('MM'), 6],
		['JPEG of a camera', exif('II'), 6],
		['JPEG without EXIF', Buffer.from('ffd8ffe000040000ffc0', 'hex'), undefined],
		['PNG', PNG, undefined],
	])('%s', (_name, bytes, orientation) => {
		expect(readOrientation(bytes)).toBe(orientation);
	});

	test('never throws for truncated data', () => {
		fc.assert(
			fc.property(fc.constantFrom('II*\0', 'MM\0*'), fc.uint8Array(), (start, bytes) => {
				const image = Buffer.concat([latin1(`\xff\xd8\xff\xe1\0\x20Exif\0\0${start}`), bytes]);
				expect(() => readOrientation(image)).not.toThrow();
			}),
		);
	});
});

describe('isTruncatedJpeg', () => {
	const bytes = (...hex: string[]) => Buffer.from(hex.join(''), 'hex');

	test('reads at most 1,000 segments', () => {
		const image = bytes('ffd8', 'ffe00002'.repeat(100_000), 'ffda', 'ffd9');
		const read = jest.spyOn(image, 'readUInt16BE');
		expect(isTruncatedJpeg(image)).toBe(false);
		expect(read).toHaveBeenCalledTimes(1_000);
	});

	test('searches the end marker only in the last megabyte', () => {
		const image = Buffer.concat([bytes('ffd8', 'ffda', 'ffd9'), Buffer.alloc(5 * 1024 * 1024)]);
		const search = jest.spyOn(image, 'indexOf');
		isTruncatedJpeg(image);
		const [[, from]] = search.mock.calls as unknown as [[unknown, number]];
		expect(from).toBe(image.length - 1024 * 1024);
	});
});
