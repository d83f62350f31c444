import fc from 'fast-check';

import { toContentPart } from '../../../lib/chat/content-part';
import { detectFileType } from '../../../lib/files';

const base64 = (bytes: Uint8Array | string) => Buffer.from(bytes).toString('base64');
const latin1 = (text: string) => Buffer.from(text, 'latin1');

const JPEG = base64(latin1('\xff\xd8\xff\xe0\0\x10JFIF'));
const HEIC = base64(latin1('\0\0\0\x18ftypheic\0\0\0\0'));
const SVG = base64('<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"></svg>');

it('lets no type from outside write into the data URL', () => {
	const type = fc.oneof(
		fc.string({ unit: 'binary' }),
		fc.constantFrom('png;base64,AAAA#', 'png\r\nX-Evil: 1', '<script>', 'png', 'x-icon', '*'),
	);
	fc.assert(
		fc.property(type, (subtype) => {
			const part = toContentPart({ mime: `image/${subtype}`, data: JPEG });
			if (part.type !== 'image') throw new Error('no picture');
			expect(part.url).toMatch(/^data:image\/[\w.+-]+;base64,\/9j\//);
		}),
	);
});

describe('files by their content, where the type says nothing that a model server reads', () => {
	it('takes a photo without a type for a picture', () => {
		const file = { mime: 'application/octet-stream', data: JPEG, name: 'foto.jpg' };
		expect(toContentPart(file)).toEqual({ type: 'image', url: `data:image/jpeg;base64,${JPEG}` });
	});

	it('takes sound without a type for sound', () => {
		const data = base64(latin1('RIFF\0\0\0\0WAVEfmt '));
		expect(toContentPart({ mime: '', data })).toEqual({ type: 'audio', data, format: 'wav' });
	});

	it('takes a video without a type for a video, by its container', () => {
		const data = base64(latin1('\0\0\0\x18ftypisom\0\0\x02\0'));
		expect(toContentPart({ mime: 'application/octet-stream', data })).toEqual({
			type: 'video',
			url: `data:video/mp4;base64,${data}`,
		});
	});

	it('reads a CSV file that Windows calls an Excel file, in the encoding of Excel', () => {
		const data = base64(latin1('Stra\xdfe;Preis\r\nGr\xfcner Weg;5\r\n'));
		expect(toContentPart({ mime: 'application/vnd.ms-excel', data, name: 'liste.csv' })).toEqual({
			type: 'text',
			text: 'Straße;Preis\r\nGrüner Weg;5\r\n',
		});
	});

	it('refuses a real Excel file', () => {
		const data = base64(latin1('\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1'));
		expect(() =>
			toContentPart({ mime: 'application/vnd.ms-excel', data, name: 'liste.xls' }),
		).toThrow('Model servers cannot read the file "liste.xls" (application/vnd.ms-excel)');
	});

	it.each([
		['application/rtf', '{\\rtf1 Hello}', 'Extract From RTF'],
		['application/octet-stream', 'PK\x03\x04\x14\0word/document.xml', 'Save it as PDF first'],
	])('refuses what is text only in another form: %s', (mime, content, remedy) => {
		expect(() => toContentPart({ mime, data: base64(content), name: 'a' })).toThrow(
			expect.objectContaining({ suggestion: expect.stringContaining(remedy) as string }),
		);
	});

	it('keeps the declared type of text and sound', () => {
		expect(toContentPart({ mime: 'text/html', data: base64('<svg></svg>') }).type).toBe('text');
		expect(toContentPart({ mime: 'audio/ogg', data: JPEG }).type).toBe('audio');
	});
});

describe('pictures that no model server reads', () => {
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

describe('what a file is by its first bytes', () => {
	it('is text for every text without control characters', () => {
		const words = fc.string({ minLength: 1, unit: 'grapheme' }).map((one) => `a${one}`);
		fc.assert(
			fc.property(
				words.filter((one) => [...one].every((character) => character >= ' ')),
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
