import fc from 'fast-check';

import { toContentPart } from '../../../lib/chat/to-content-part';
import { detectFileType } from '../../../lib/files';

const base64 = (bytes: Uint8Array | string) => Buffer.from(bytes).toString('base64');
const latin1 = (text: string) => Buffer.from(text, 'latin1');

const JPEG = base64(latin1('\xff\xd8\xff\xe0\0\x10JFIF'));
const HEIC = base64(latin1('\0\0\0\x18ftypheic\0\0\0\0'));
const SVG = base64('<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"></svg>');

it('a file type from outside cannot add text to the data URL', () => {
	const type = fc.oneof(
		fc.string({ unit: 'binary' }),
		fc.constantFrom('png;base64,AAAA#', 'png\r\nX-Evil: 1', '<script>', 'png', 'x-icon', '*'),
	);
	fc.assert(
		fc.property(type, (subtype) => {
			const part = toContentPart({ mime: `image/${subtype}`, data: JPEG });
			if (part.type !== 'image') throw new Error('not an image');
			expect(part.url).toMatch(/^data:image\/[\w.+-]+;base64,\/9j\//);
		}),
	);
});

describe('files whose declared type no model server supports, by content', () => {
	it('a photo without a type is an image', () => {
		const file = { mime: 'application/octet-stream', data: JPEG, name: 'foto.jpg' };
		expect(toContentPart(file)).toEqual({ type: 'image', url: `data:image/jpeg;base64,${JPEG}` });
	});

	it('audio without a type is audio', () => {
		const data = base64(latin1('RIFF\0\0\0\0WAVEfmt '));
		expect(toContentPart({ mime: '', data })).toEqual({ type: 'audio', data, format: 'wav' });
	});

	it('a video without a type is detected by its container', () => {
		const data = base64(latin1('\0\0\0\x18ftypisom\0\0\x02\0'));
		expect(toContentPart({ mime: 'application/octet-stream', data })).toEqual({
			type: 'video',
			url: `data:video/mp4;base64,${data}`,
		});
	});

	it('a CSV file that Windows declares as Excel is text, in the encoding of Excel', () => {
		const data = base64(latin1('Stra\xdfe;Preis\r\nGr\xfcner Weg;5\r\n'));
		expect(toContentPart({ mime: 'application/vnd.ms-excel', data, name: 'liste.csv' })).toEqual({
			type: 'text',
			text: 'Straße;Preis\r\nGrüner Weg;5\r\n',
		});
	});

	it('a real Excel file is rejected', () => {
		const data = base64(latin1('\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1'));
		expect(() =>
			toContentPart({ mime: 'application/vnd.ms-excel', data, name: 'liste.xls' }),
		).toThrow('Model servers cannot read the file "liste.xls" (application/vnd.ms-excel)');
	});

	it.each([
		['application/rtf', '{\\rtf1 Hello}', 'Extract From RTF'],
		['application/octet-stream', 'PK\x03\x04\x14\0word/document.xml', 'Save it as PDF first'],
	])('a document format is rejected with a suggestion: %s', (mime, content, remedy) => {
		expect(() => toContentPart({ mime, data: base64(content), name: 'a' })).toThrow(
			expect.objectContaining({ suggestion: expect.stringContaining(remedy) as string }),
		);
	});

	it('the declared type of text and audio is kept', () => {
		expect(toContentPart({ mime: 'text/html', data: base64('<svg></svg>') }).type).toBe('text');
		expect(toContentPart({ mime: 'audio/ogg', data: JPEG }).type).toBe('audio');
	});
});

describe('image formats that no model server supports', () => {
	it.each([
		['image/heic', HEIC, 'foto.heic', 'Convert it to JPEG or PNG first'],
		['image/jpeg', HEIC, 'foto.jpg', 'Convert it to JPEG or PNG first'],
		['application/octet-stream', HEIC, 'foto.heic', 'Convert it to JPEG or PNG first'],
		['image/svg+xml', SVG, 'logo.svg', 'convert the file to PNG first'],
		['application/octet-stream', SVG, 'logo.svg', 'convert the file to PNG first'],
	])('%s, %s, %s', (mime, data, name, remedy) => {
		expect(() => toContentPart({ mime, data, name })).toThrow(
			expect.objectContaining({
				type: 'invalidInput',
				message: `Model servers cannot read the file "${name}" (${mime})`,
				suggestion: expect.stringContaining(remedy) as string,
			}),
		);
	});
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
