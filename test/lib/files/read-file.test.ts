import fc from 'fast-check';
import type { ServerError } from '../../../lib/errors/server-error';
import { toContentPart, readFile, getJpegWarnings } from '../../../lib/files/read-file';
import { anyCodePoint } from '../../support/texts/code-points';

const base64 = (bytes: Uint8Array | string) => Buffer.from(bytes).toString('base64');
const latin1 = (text: string) => Buffer.from(text, 'latin1');
const toPart = ({ mime, data, name }: { mime: string; data: string; name?: string }) =>
	toContentPart({ name, mimeType: mime, bytes: Buffer.from(data, 'base64') });

const JPEG = base64(latin1('\xff\xd8\xff\xe0\0\x10JFIF'));
const HEIC = base64(latin1('\0\0\0\x18ftypheic\0\0\0\0'));
const SVG = base64('<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"></svg>');

it('a file type from outside cannot add text to the data URL', () => {
	const type = fc.oneof(
		fc.string({ unit: anyCodePoint }),
		fc.constantFrom('png;base64,AAAA#', 'png\r\nX-Evil: 1', '<script>', 'png', 'x-icon', '*'),
	);
	fc.assert(
		fc.property(type, (subtype) => {
			let part;
			try {
				part = toPart({ mime: `image/${subtype}`, data: 'AAAA' });
			} catch (error) {
				expect((error as ServerError).type).toBe('invalidInput');
				return;
			}
			expect(part).toMatchObject({
				type: 'image',
				url: expect.stringMatching(/^data:image\/[\w.+-]+;base64,AAAA$/) as string,
			});
		}),
	);
});

describe('files whose declared type no model server supports, by content', () => {
	it('a photo without a type is an image', () => {
		const file = { mime: 'application/octet-stream', data: JPEG, name: 'foto.jpg' };
		expect(toPart(file)).toEqual({ type: 'image', url: `data:image/jpeg;base64,${JPEG}` });
	});

	it('audio without a type is audio', () => {
		const data = base64(latin1('RIFF\0\0\0\0WAVEfmt '));
		expect(toPart({ mime: '', data })).toEqual({ type: 'audio', data, format: 'wav' });
	});

	it('a video without a type is detected by its container', () => {
		const data = base64(latin1('\0\0\0\x18ftypisom\0\0\x02\0'));
		expect(toPart({ mime: 'application/octet-stream', data })).toEqual({
			type: 'video',
			url: `data:video/mp4;base64,${data}`,
		});
	});

	it('a CSV file that Windows declares as Excel is text, in the encoding of Excel', () => {
		const data = base64(latin1('Stra\xdfe;Preis\r\nGr\xfcner Weg;5\r\n'));
		expect(toPart({ mime: 'application/vnd.ms-excel', data, name: 'liste.csv' })).toEqual({
			type: 'text',
			text: 'Straße;Preis\r\nGrüner Weg;5\r\n',
			origin: 'foreign',
		});
	});

	it('a real Excel file is rejected', () => {
		const data = base64(latin1('\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1'));
		expect(() => toPart({ mime: 'application/vnd.ms-excel', data, name: 'liste.xls' })).toThrow(
			'Model servers cannot read the file "liste.xls" (application/x-ole-storage by its content, 8 bytes)',
		);
	});

	it.each([
		['application/rtf', '{\\rtf1 Hello}', 'Extract From RTF'],
		['application/octet-stream', 'PK\x03\x04\x14\0word/document.xml', 'Save it as PDF first'],
	])('a document format is rejected with a suggestion: %s', (mime, content, remedy) => {
		expect(() => toPart({ mime, data: base64(content), name: 'a' })).toThrow(
			expect.objectContaining({ suggestion: expect.stringContaining(remedy) as string }),
		);
	});

	it.each([
		['text/html', '<svg></svg>', 'text'],
		['text/csv', 'ID3;Name', 'text'],
		['text/csv', 'PKW;Name', 'text'],
		['text/plain', 'a\0b', 'text'],
		['video/mp2t', 'export const a = 1;', 'text'],
		['text/plain', 'ID3\x03\0\0', 'audio'],
		['image/png', 'hello', 'image'],
		['audio/webm', '\x1aE\xdf\xa3', 'audio'],
		['audio/ogg', '\x89PNG\r\n', 'image'],
	])('declared as %s, with the content %j: %s', (mime, content, type) => {
		expect(toPart({ mime, data: base64(latin1(content)) }).type).toBe(type);
	});

	it('the text of an email is read', async () => {
		const mail = 'From: a@b\r\nDate: x\r\nSubject: Hi\r\n\r\nHello';
		const file = { name: 'a.eml', mimeType: 'text/plain', bytes: Buffer.from(mail) };
		const { part } = await readFile(file);
		expect(part).toEqual({
			type: 'text',
			text: 'Subject: Hi\nFrom: <a@b>\nDate: x\n\nHello',
			origin: 'foreign',
		});
	});
});

const PICTURE = latin1('\x89PNG\r\n\x1a\n\0\0\0\rIHDR');
const RANDOM = Buffer.from(Array.from({ length: 64 }, (_, at) => (at * 73 + 41) % 256));

/** Files whose bytes cannot be what they declare. */
const CONTRADICTING: ReadonlyArray<{ name: string; mimeType: string; content: string | Buffer }> = [
	{ name: 'photo.png', mimeType: 'image/png', content: '<!DOCTYPE html><title>Sign in</title>' },
	{ name: 'photo.jpg', mimeType: 'image/jpeg', content: '{"error":"expired"}' },
	{ name: 'photo.webp', mimeType: 'image/webp', content: 'Not Found' },
	{ name: 'photo.png', mimeType: 'image/png', content: PICTURE.toString('base64') },
	{
		name: 'photo.png',
		mimeType: 'image/png',
		content: `data:image/png;base64,${PICTURE.toString('base64')}`,
	},
	{ name: 'photo.png', mimeType: 'image/png', content: PICTURE.toString('hex') },
	{ name: 'photo.jxl', mimeType: 'image/jxl', content: 'Too many requests' },
	{ name: 'photo.png', mimeType: 'image/png', content: RANDOM },
	{ name: 'photo.jpg', mimeType: 'image/jpg', content: Buffer.alloc(64) },
	{ name: 'photo.gif', mimeType: 'image/gif', content: Buffer.from(PICTURE.toString('utf8')) },
	{ name: 'note.ogg', mimeType: 'audio/ogg', content: '<?xml version="1.0"?><Error/>' },
	{ name: 'call.mp3', mimeType: 'audio/mp3', content: 'Too many requests' },
	{ name: 'memo.m4a', mimeType: 'audio/x-m4a', content: '{"message":"Forbidden"}' },
	{ name: 'film.mp4', mimeType: 'video/mp4', content: 'Link expired' },
	{ name: 'film.webm', mimeType: 'video/webm; codecs=vp9', content: '<html></html>' },
	{
		name: 'offer.pdf',
		mimeType: 'application/pdf',
		content: '<!DOCTYPE html><title>Sign in</title>',
	},
	{ name: 'offer.pdf', mimeType: 'application/x-pdf', content: '{"error":"expired"}' },
];

describe.each(CONTRADICTING)(
	'$name ($mimeType) with other content',
	({ name, mimeType, content }) => {
		const bytes = Buffer.from(content as string);

		it('is rejected by name', async () => {
			const rejection = readFile({ name, mimeType, bytes });
			await expect(rejection).rejects.toMatchObject({
				message: expect.stringContaining(`cannot read the file "${name}"`) as string,
				suggestion: expect.stringContaining('the error of a download') as string,
			});
		});

		it('is rejected without a name', () => {
			expect(() => toContentPart({ mimeType, bytes })).toThrow(/cannot read a file of type \w/);
		});
	},
);

it.each([
	[
		'an icon, whose format has no signature here',
		'image/x-icon',
		'\0\0\x01\0\x01\0\x10\x10\0\0',
		'image',
	],
	['BigTIFF', 'image/tiff', 'II+\0\b\0\0\0\x10\0\0\0', 'image'],
	['BigTIFF of another processor', 'image/tiff', 'MM\0+\0\b\0\0', 'image'],
	['a bitmap of a scanner', 'image/bmp', 'BM\x46\0\0\0\x01\x02\x03\x04\x36\0', 'image'],
	['JPEG XL', 'image/jxl', '\xff\x0a\xfa\x7f\x01\x90\x08\x06\x01\0', 'image'],
	['a playlist', 'audio/x-mpegurl', '#EXTM3U\nhttp://a/b.mp3\n', 'text'],
	['an exported table', 'application/vnd.ms-excel', '<table><tr><td>1</td></tr></table>', 'text'],
	['audio without its beginning', 'audio/mpeg', '\0\x01\x02\x03\x04\x05\x06\x07', 'audio'],
	['TypeScript', 'video/mp2t', '{ "a": 1 } // a block of more than a few bytes', 'text'],
])('%s is read as before', (_, mimeType, content, type) => {
	expect(toContentPart({ mimeType, bytes: latin1(content) }).type).toBe(type);
});

it('names the bytes of a file without a name', () => {
	expect(() => toPart({ mime: 'image/jpeg', data: HEIC })).toThrow(
		'a file of type image/jpeg (image/heic by its content)',
	);
});

it.each([
	['a.docx', 'application/octet-stream', '{"error":"expired"}', true],
	['report.xls', 'application/vnd.ms-excel', '<table><tr><td>1</td></tr></table>', true],
	['talk.mp3', 'application/octet-stream', '<html>404</html>', true],
	['list.csv', 'application/vnd.ms-excel', 'name;city\nAnna;Köln', false],
	['page.html', 'text/html', '<html></html>', false],
	['notes', '', 'some notes', false],
])('a text under the name of another format is sent with a hint: %s', async (...row) => {
	const [name, mimeType, content, isTold] = row;
	const { part, warnings } = await readFile({ name, mimeType, bytes: Buffer.from(content) });
	expect(part).toEqual({ type: 'text', text: content, origin: 'foreign' });
	expect(warnings).toEqual(isTold ? [expect.stringContaining(`"${name}" is text/plain`)] : []);
});

it.each([
	['image/heic', HEIC, 'foto.heic', 'Convert it to JPEG or PNG first'],
	['image/jpeg', HEIC, 'foto.jpg', 'Convert it to JPEG or PNG first'],
	['application/octet-stream', HEIC, 'foto.heic', 'Convert it to JPEG or PNG first'],
	['image/svg+xml', SVG, 'logo.svg', 'convert the file to PNG first'],
	['application/octet-stream', SVG, 'logo.svg', 'convert the file to PNG first'],
])('image formats that no model server supports: %s, %s, %s', (mime, data, name, remedy) => {
	expect(() => toPart({ mime, data, name })).toThrow(
		expect.objectContaining({
			type: 'invalidInput',
			message: expect.stringContaining(`Model servers cannot read the file "${name}" (`) as string,
			suggestion: expect.stringContaining(remedy) as string,
		}),
	);
});

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
	])('the orientation of a photo: %s', (_name, bytes, orientation) => {
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
