import fc from 'fast-check';
import { detectFileType, decodeText } from '../../../lib/files/file-types';

const latin1 = (text: string) => Buffer.from(text, 'latin1');
const PNG = Buffer.from(
	'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
	'base64',
);

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
])('detectFileType detects types by content: %s', (_name, bytes, mimeType) => {
	expect(detectFileType(bytes)?.mimeType).toBe(mimeType);
});

describe('file types by the first bytes', () => {
	it('any text without control characters is text, mail or a document', () => {
		const texts = fc.string({ minLength: 1, unit: 'grapheme' }).map((one) => `a${one}`);
		fc.assert(
			fc.property(
				texts.filter((one) => [...one].every((character) => character >= ' ')),
				(text) => {
					expect(detectFileType(Buffer.from(text))?.category).toMatch(/^(?:text|email|document)$/);
				},
			),
		);
	});

	it('never fails', () => {
		fc.assert(
			fc.property(fc.uint8Array(), (bytes) => {
				expect(['string', 'undefined']).toContain(typeof detectFileType(bytes)?.mimeType);
			}),
		);
	});
});

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
])('decodeText detects the encoding: %s', (_name, bytes, text) => {
	expect(decodeText(bytes)).toBe(text);
});
