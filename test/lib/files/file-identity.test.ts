import fc from 'fast-check';
import { identifyFile, readFirstChunk } from '../../../lib/files/file-identity';

const latin1 = (text: string) => Buffer.from(text, 'latin1');

const BYTES = {
	opus: latin1('OggS\0\x02\0\0\0\0\0\0\0\0OpusHead\x01\x01'),
	vorbis: latin1('OggS\0\x02\0\0\0\0\0\0\0\0\x01vorbis'),
	m4a: latin1('\0\0\0 ftypM4A \0\0\0\0'),
	mp4: latin1('\0\0\0 ftypisom\0\0\x02\0'),
	webm: latin1('\x1aE\xdf\xa3\x9fB\x86'),
	mp3: latin1('ID3\x04\0\0'),
	wav: latin1('RIFF1234WAVEfmt '),
	amr: latin1('#!AMR\n'),
	pdf: latin1('%PDF-1.7\n%\xe2\xe3\xcf\xd3'),
	png: latin1('\x89PNG\r\n\x1a\n'),
	jpeg: latin1('\xff\xd8\xff\xe0\0\x10JFIF'),
	docx: latin1('PK\x03\x04\x14\0....word/document.xml'),
	epub: latin1('PK\x03\x04\x14\0....mimetypeapplication/epub+zip'),
	zip: latin1('PK\x03\x04\x14\0....notes/a.txt'),
	ole: latin1('\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1'),
	gzip: latin1('\x1f\x8b\x08\0\0\0\0\0'),
	csv: Buffer.from('name;city\nAnna;Köln\n'),
	html: Buffer.from('<!DOCTYPE html><html><body>Please log in</body></html>'),
	unknown: latin1('\0\x01\x02\x03'),
	ods: latin1('PK\x03\x04\x14\0....mimetypeapplication/vnd.oasis.opendocument.spreadsheet'),
	odp: latin1('PK\x03\x04\x14\0....mimetypeapplication/vnd.oasis.opendocument.presentation'),
	avif: latin1('\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf'),
	avifs: latin1('\0\0\0\x20ftypmsf1\0\0\0\0msf1miafavis'),
	heic: latin1('\0\0\0\x18ftypmif1\0\0\0\0mif1heic'),
	raw: latin1('\0\0\0\x18ftypcrx \0\0\0\x01crx isom'),
	pdfAfterBlanks: latin1('\n\n\r\n%PDF-1.7\n1 0 obj\n'),
	pdfAfterMark: latin1('\xef\xbb\xbf%PDF-1.7\n1 0 obj\n'),
	pdfAfterHeaders: latin1(
		'Content-Type: application/pdf\r\n\r\n%PDF-1.4\r\n%\xe2\xe3\xcf\xd3\r\n\0',
	),
	notFound: latin1('Not Found'),
	nothing: latin1(''),
};

interface Row {
	/** What is uploaded. */
	title: string;
	bytes: keyof typeof BYTES;
	name: string;
	extension?: string;
	mimeType: string;
	/** As it is sent. */
	sent: { name: string; mimeType: string };
	/** Part of the only warning. */
	warning?: string;
}

const OCTETS = 'application/octet-stream';
const DOCX = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document';

/** Declarations that the bytes allow: nothing changes. */
const KEPT: readonly Row[] = [
	row('a book', 'epub', 'book.epub', 'application/epub+zip'),
	row('a document', 'docx', 'letter.docx', DOCX),
	row('a comic, which is a ZIP archive', 'zip', 'comic.cbz', 'application/zip'),
	row('an old workbook', 'ole', 'sheet.xls', 'application/vnd.ms-excel'),
	row('an email of Outlook', 'ole', 'mail.msg', 'application/vnd.ms-outlook'),
	row('Markdown', 'csv', 'notes.md', 'text/markdown'),
	row('a table', 'csv', 'table.csv', 'text/csv'),
	row('a program', 'csv', 'main.rs', 'text/plain'),
	row('audio in a WebM container', 'webm', 'note.webm', 'audio/webm'),
	row('audio in an MP4 container', 'mp4', 'note.mp4', 'audio/mp4'),
	row('a film in Matroska', 'webm', 'film.mkv', 'video/x-matroska'),
	row('a voice note', 'opus', 'PTT-1.opus', 'audio/opus'),
	row('a photo', 'jpeg', 'photo.JPEG', 'image/jpeg'),
	row('bytes of no known format', 'unknown', 'scene.blend', 'application/x-blender'),
	row('a picture of a phone', 'avif', 'photo.avif', 'image/avif'),
	row('an animation of a phone', 'avifs', 'photo.avif', 'image/avif'),
	row('a photo of a phone', 'heic', 'photo.heic', 'image/heic'),
	row('a raw photo', 'raw', 'IMG_1.CR3', 'image/x-canon-cr3'),
	row('a PDF after blanks', 'pdfAfterBlanks', 'offer.pdf', 'application/pdf'),
	row('a PDF after headers', 'pdfAfterHeaders', 'offer.pdf', 'application/pdf'),
	row('a name with a version', 'pdf', 'report v1.2.pdf', 'application/pdf'),
];

function row(title: string, bytes: keyof typeof BYTES, name: string, mimeType: string): Row {
	return { title, bytes, name, mimeType, sent: { name, mimeType } };
}

/** Names without an ending, and general types. */
const COMPLETED: readonly Row[] = [
	{
		title: 'a download whose ending n8n has apart',
		bytes: 'pdf',
		name: 'download',
		extension: 'pdf',
		mimeType: 'application/pdf',
		sent: { name: 'download.pdf', mimeType: 'application/pdf' },
	},
	{
		title: 'a download without any ending',
		bytes: 'pdf',
		name: 'download',
		mimeType: OCTETS,
		sent: { name: 'download.pdf', mimeType: 'application/pdf' },
	},
	{
		title: 'a table of LibreOffice',
		bytes: 'ods',
		name: 'sums',
		mimeType: OCTETS,
		sent: { name: 'sums.ods', mimeType: 'application/vnd.oasis.opendocument.spreadsheet' },
	},
	{
		title: 'slides of LibreOffice',
		bytes: 'odp',
		name: 'talk',
		mimeType: 'application/zip',
		sent: { name: 'talk.odp', mimeType: 'application/zip' },
	},
	{
		title: 'a PDF after a byte-order mark',
		bytes: 'pdfAfterMark',
		name: 'download',
		mimeType: OCTETS,
		sent: { name: 'download.pdf', mimeType: 'application/pdf' },
	},
	{
		title: 'a PDF after the headers of a response',
		bytes: 'pdfAfterHeaders',
		name: 'download',
		mimeType: OCTETS,
		sent: { name: 'download.pdf', mimeType: 'application/pdf' },
	},
	{
		title: 'a page that returns a file',
		bytes: 'png',
		name: 'image.php',
		mimeType: 'image/png',
		sent: { name: 'image.png', mimeType: 'image/png' },
	},
	{
		title: 'a table of an API',
		bytes: 'csv',
		name: 'export',
		mimeType: 'text/csv; charset=utf-8',
		sent: { name: 'export.csv', mimeType: 'text/csv' },
	},
	{
		title: 'a text without a type',
		bytes: 'csv',
		name: 'data',
		mimeType: '',
		sent: { name: 'data.txt', mimeType: 'text/plain' },
	},
	{
		title: 'a book whose response says ZIP',
		bytes: 'epub',
		name: 'book',
		mimeType: 'application/zip',
		sent: { name: 'book.epub', mimeType: 'application/zip' },
	},
	{
		title: 'a voice note of a messenger',
		bytes: 'opus',
		name: 'voice',
		mimeType: OCTETS,
		sent: { name: 'voice.ogg', mimeType: 'audio/ogg' },
	},
	{
		title: 'a name whose last part is a date',
		bytes: 'pdf',
		name: 'invoice 28.11.2026',
		mimeType: 'application/pdf',
		sent: { name: 'invoice 28.11.2026.pdf', mimeType: 'application/pdf' },
	},
	{
		title: 'a name that ends in a dot',
		bytes: 'pdf',
		name: 'report.',
		mimeType: OCTETS,
		sent: { name: 'report.pdf', mimeType: 'application/pdf' },
	},
	{
		title: 'a file that is not complete yet by its name',
		bytes: 'wav',
		name: 'call.wav.tmp',
		mimeType: OCTETS,
		sent: { name: 'call.wav', mimeType: 'audio/wav' },
	},
	{
		title: 'an ending that no format has',
		bytes: 'mp3',
		name: 'talk.episode',
		mimeType: OCTETS,
		sent: { name: 'talk.episode.mp3', mimeType: 'audio/mpeg' },
	},
	{
		title: 'unknown bytes with a known type',
		bytes: 'unknown',
		name: 'note',
		mimeType: 'audio/flac',
		sent: { name: 'note.flac', mimeType: 'audio/flac' },
	},
	{
		title: 'unknown bytes of an unknown type',
		bytes: 'unknown',
		name: 'thing',
		mimeType: OCTETS,
		sent: { name: 'thing.bin', mimeType: OCTETS },
	},
	{
		title: 'a file that cannot be read',
		bytes: 'nothing',
		name: 'talk.mp3',
		mimeType: '',
		sent: { name: 'talk.mp3', mimeType: 'audio/mpeg' },
	},
];

/** Declarations that the bytes contradict: replaced, and told. */
const CONTRADICTED: readonly Row[] = [
	{
		title: 'a recording of a phone under the name of another format',
		bytes: 'm4a',
		name: 'voice.ogg',
		mimeType: 'audio/ogg',
		sent: { name: 'voice.m4a', mimeType: 'audio/mp4' },
		warning: 'The file "voice.ogg" is audio/mp4 by its content, so it was sent as "voice.m4a".',
	},
	{
		title: 'a picture under two endings',
		bytes: 'png',
		name: 'photo.png.jpg',
		mimeType: 'image/jpeg',
		sent: { name: 'photo.png', mimeType: 'image/png' },
		warning: 'so it was sent as "photo.png"',
	},
	{
		title: 'a short text under the name of a picture',
		bytes: 'notFound',
		name: 'photo.png',
		mimeType: 'image/png',
		sent: { name: 'photo.png', mimeType: 'image/png' },
		warning: 'is text/plain by its content, which its name does not say',
	},
	{
		title: 'a short text under the ending of a picture',
		bytes: 'notFound',
		name: 'photo.webp',
		mimeType: OCTETS,
		sent: { name: 'photo.webp', mimeType: 'text/plain' },
		warning: 'is text/plain by its content, which its name does not say',
	},
	{
		title: 'WAV under the name of MP3',
		bytes: 'wav',
		name: 'call.mp3',
		mimeType: 'audio/mpeg',
		sent: { name: 'call.wav', mimeType: 'audio/wav' },
		warning: 'so it was sent as "call.wav"',
	},
	{
		title: 'a photo under the name of a picture',
		bytes: 'jpeg',
		name: 'scan.png',
		mimeType: 'image/png',
		sent: { name: 'scan.jpg', mimeType: 'image/jpeg' },
		warning: 'so it was sent as "scan.jpg"',
	},
	{
		title: 'a PDF under the name of a text',
		bytes: 'pdf',
		name: 'notes.md',
		mimeType: 'text/markdown',
		sent: { name: 'notes.pdf', mimeType: 'application/pdf' },
		warning: 'so it was sent as "notes.pdf"',
	},
	{
		title: 'a workbook under the name of a table',
		bytes: 'zip',
		name: 'list.csv',
		mimeType: 'text/csv',
		sent: { name: 'list.zip', mimeType: 'application/zip' },
		warning: 'so it was sent as "list.zip"',
	},
	{
		title: 'a compressed log under the name of a text',
		bytes: 'gzip',
		name: 'log.txt',
		mimeType: 'text/plain',
		sent: { name: 'log.gz', mimeType: 'application/gzip' },
		warning: 'so it was sent as "log.gz"',
	},
	{
		title: 'an old recording under the name of a new one',
		bytes: 'amr',
		name: 'memo.m4a',
		mimeType: 'audio/mp4',
		sent: { name: 'memo.amr', mimeType: 'audio/amr' },
		warning: 'so it was sent as "memo.amr"',
	},
	{
		title: 'a login page under the name of a PDF keeps it, since any bytes may look like text',
		bytes: 'html',
		name: 'invoice.pdf',
		mimeType: 'application/pdf',
		sent: { name: 'invoice.pdf', mimeType: 'application/pdf' },
		warning: 'The file "invoice.pdf" is text/plain by its content, which its name does not say',
	},
];

describe('the name and the type under which a file is sent', () => {
	it.each([...KEPT, ...COMPLETED])(
		'$title: $name becomes $sent.name',
		({ bytes, name, extension, mimeType, sent }) => {
			const identity = identifyFile({ name, extension, mimeType, head: BYTES[bytes] });
			expect(identity).toEqual({ ...sent, warnings: [] });
		},
	);

	it.each(CONTRADICTED)(
		'$title: $name becomes $sent.name, with a warning',
		({ bytes, name, mimeType, sent, warning }) => {
			const { warnings, ...identity } = identifyFile({ name, mimeType, head: BYTES[bytes] });
			expect(identity).toMatchObject(sent);
			expect(warnings).toEqual([expect.stringContaining(warning!)]);
		},
	);

	it('has an ending for any name, type and bytes, and keeps what stands before it', () => {
		const heads = fc.oneof(
			fc.constantFrom(...Object.values(BYTES)),
			fc.uint8Array({ maxLength: 40 }),
		);
		fc.assert(
			fc.property(fc.string({ maxLength: 30 }), fc.string(), heads, (name, mimeType, head) => {
				const sent = identifyFile({ name, mimeType, head });
				expect(sent.name).toMatch(/[^.]\.[A-Za-z\d]{1,10}$/);
				expect(sent.mimeType).toMatch(/^[\w.+-]+\/[\w.+-]+$/);
			}),
		);
	});

	it('is the same if a file is identified again under it', () => {
		const declared = fc.record({
			name: fc.constantFrom('a.ogg', 'b', 'c.php', 'd.csv', 'e.pdf', 'f.x1', 'g.tar.gz'),
			mimeType: fc.constantFrom('', OCTETS, 'audio/ogg', 'text/csv', 'application/pdf'),
			head: fc.constantFrom(...Object.values(BYTES)),
		});
		fc.assert(
			fc.property(declared, (file) => {
				const { name, mimeType } = identifyFile(file);
				expect(identifyFile({ ...file, name, mimeType })).toMatchObject({ name, mimeType });
			}),
		);
	});
});

describe('the first bytes of a file', () => {
	const broken: AsyncIterable<Uint8Array> = {
		[Symbol.asyncIterator]: () => ({
			next: async () => await Promise.reject(new Error('the disk is gone')),
		}),
	};

	it.each([
		['of its first chunk', [latin1('ab'), latin1('cd')], 'ab'],
		['of an empty file', [], ''],
	])('the first bytes %s', async (_title, chunks, expected) => {
		async function* content() {
			await Promise.resolve();
			yield* chunks;
		}
		expect(Buffer.from(await readFirstChunk(content())).toString()).toBe(expected);
	});

	it('are empty if it cannot be read, which its upload reports', async () => {
		expect(await readFirstChunk(broken)).toEqual(new Uint8Array());
	});
});

describe('bytes without the signature of a picture', () => {
	const bytes = Buffer.from(Array.from({ length: 64 }, (_, at) => (at * 73 + 41) % 256));

	test.each([
		{ name: 'photo.png', mimeType: 'image/png', isTold: true },
		{ name: 'photo.jpeg', mimeType: OCTETS, isTold: true },
		{ name: 'photo', mimeType: 'image/gif', isTold: true },
		{ name: 'IMG_1.heic', mimeType: 'image/heic', isTold: true },
		{ name: 'favicon.ico', mimeType: 'image/x-icon', isTold: false },
		{ name: 'photo.jxl', mimeType: 'image/jxl', isTold: false },
		{ name: 'call.mp3', mimeType: 'audio/mpeg', isTold: false },
		{ name: 'data.bin', mimeType: OCTETS, isTold: false },
	])('$name ($mimeType) is told: $isTold', ({ name, mimeType, isTold }) => {
		const { warnings } = identifyFile({ name, mimeType, head: bytes });
		expect(warnings).toEqual(isTold ? [expect.stringContaining('may be damaged')] : []);
	});
});
