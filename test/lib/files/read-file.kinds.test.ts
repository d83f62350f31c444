/** Files of many contents under many types and names: what is sent of each, what is warned of, or why it cannot be read. */
import path from 'node:path';
import { asServerErrorOrThrow } from '../../../lib/errors/server-error';
import { identifyFile } from '../../../lib/files/file-identity';
import { readFile } from '../../../lib/files/read-file';
import { parseDispositionFileName, parseMimeType, sanitizeFileName } from '../../../lib/file-name';
import { decodeInlineData } from '../../../lib/files/inline-data';
import { omitUndefined } from '../../../lib/values/records';
import { applyToTexts, expectApproved, joinPlaces } from '../../support/approved/approved-table';
import { markWords } from '../../support/approved/outcome';

const latin1 = (text: string) => Buffer.from(text, 'latin1');

const mail = (head: string, body: string) =>
	latin1(`From: a@b.c\r\nSubject: Hi\r\n${head}\r\n\r\n${body}`);

const CONTENTS: Readonly<Record<string, Buffer>> = {
	JPEG: latin1('\xff\xd8\xff\xe0\0\x10JFIF'),
	'JPEG with an end': latin1('\xff\xd8\xff\xd9'),
	'JPEG on its side': latin1('\xff\xd8\xff\xe1Exif\0\0\x01\x12\0\x03\0\0\0\x01\0\x06\xff\xd9'),
	PNG: latin1('\x89PNG\r\n\x1a\n'),
	GIF: latin1('GIF89a'),
	WebP: latin1('RIFF\0\0\0\0WEBPVP8 '),
	SVG: latin1('<svg xmlns="http://www.w3.org/2000/svg"></svg>'),
	HEIC: latin1('\0\0\0\x18ftypheic\0\0\0\0'),
	WAV: latin1('RIFF\0\0\0\0WAVEfmt '),
	MP3: latin1('ID3\x03\0\0'),
	FLAC: latin1('fLaC'),
	OGG: latin1('OggS\0\x02'),
	MP4: latin1('\0\0\0\x18ftypisom\0\0\x02\0'),
	M4A: latin1('\0\0\0\x18ftypM4A \0\0\x02\0'),
	WebM: latin1('\x1aE\xdf\xa3'),
	PDF: latin1('%PDF-1.7\n'),
	ZIP: latin1('PK\x03\x04\x14\0other'),
	DOCX: latin1('PK\x03\x04\x14\0word/document.xml'),
	Excel: latin1('\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1'),
	RTF: latin1('{\\rtf1 Hello}'),
	text: latin1('Hello, world'),
	'text in Latin 1': latin1('Stra\xdfe'),
	'text in UTF-16': Buffer.from('\uFEFFHello', 'utf16le'),
	JSON: latin1('{"a":1}'),
	HTML: latin1('<html><title>x</title></html>'),
	zeros: latin1('a\0b'),
	base64: latin1('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk'),
	nothing: latin1(''),
	'a mail': mail('Content-Type: text/plain', 'Hello'),
	'a mail with HTML': mail('Content-Type: text/html', '<p>Hello <b>you</b></p>'),
	'a mail with two parts': mail(
		'Content-Type: multipart/mixed; boundary=x',
		'--x\r\nContent-Type: text/plain\r\n\r\nHello\r\n--x\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename="a.pdf"\r\n\r\nJVBERi0=\r\n--x--\r\n',
	),
	'a mail in a mail': mail(
		'Content-Type: multipart/mixed; boundary=x',
		'--x\r\nContent-Type: message/rfc822\r\n\r\nFrom: d@e.f\r\nSubject: Inner\r\n\r\nInside\r\n--x--\r\n',
	),
};

/** Declared types, each with a name. */
const DECLARED: ReadonlyArray<readonly [type: string, name: string]> = [
	['', 'a'],
	['application/octet-stream', 'a.bin'],
	['image/png', 'a.png'],
	['image/jpeg; charset=x', 'a.jpg'],
	['audio/mpeg', 'a.mp3'],
	['video/mp4', 'a.mp4'],
	['text/plain', 'a.txt'],
	['text/csv', 'a.csv'],
	['application/json', 'a.json'],
	['application/pdf', 'a.pdf'],
	['application/zip', 'a.zip'],
	['message/rfc822', 'a.eml'],
];

const toShort = (text: string) => text.replace(/base64,(.{24}).*/, 'base64,$1');

const describe = async (bytes: Buffer, mimeType: string, name: string): Promise<unknown> => {
	const { warnings: _warnings, ...identity } = identifyFile({ name, mimeType, head: bytes });
	const known = Object.values(omitUndefined(identity)).join(' ');
	try {
		const { part, warnings } = await readFile({ name: 'FILE', mimeType, bytes });
		const sent =
			part.type === 'text' ? `text ${part.text}` : toShort(Object.values(part).join(' '));
		return [known, sent, ...warnings].join(' | ');
	} catch (error) {
		const { message, suggestion } = asServerErrorOrThrow(error);
		const title = mimeType === '' ? message : message.replaceAll(`(${mimeType}`, '(TYPE');
		return [known, `rejected${markWords([title, suggestion])}`].join(' | ');
	}
};

test('each file is sent as what its content says, or not at all', async () => {
	const outcomes = [];
	for (const [subject, bytes] of Object.entries(CONTENTS))
		for (const [type, name] of DECLARED) {
			const outcome = await describe(bytes, type, name);
			outcomes.push({ subject, place: type || 'no type', outcome });
		}
	expectApproved(
		path.join(__dirname, 'read-file.kinds.approved.txt'),
		joinPlaces(outcomes),
		'A file is sent as what its content is, or refused by name',
	);
});

const NAMES = [
	'a.txt',
	'a b.txt',
	' a.txt ',
	'../a.txt',
	'C:\\x\\a.txt',
	'/etc/passwd',
	'a/b/c.txt',
	'a\u0000b.txt',
	'a\u202Etxt.exe',
	'.hidden',
	'..',
	'.',
	'',
	'CON',
	'a:b?.txt',
	'a'.repeat(300) + '.txt',
	'ä.txt',
	'a.TXT',
	'a.',
	'a\r\nb.txt',
];
const TYPES = [
	'text/plain',
	'Text/Plain; charset=utf-8',
	' image/png ',
	'png',
	'image/',
	'',
	'a/b/c',
	'text/html,text/plain',
];
const DISPOSITIONS = [
	'attachment; filename="a.txt"',
	'attachment; filename=a.txt',
	"attachment; filename*=UTF-8''%c3%a4.txt",
	'attachment; filename="b.txt"; filename*=UTF-8\'\'a.txt',
	'attachment; filename="a\\"b.txt"',
	'inline',
	'attachment; filename=""',
	"attachment; filename*=UTF-8''%ZZ",
	'attachment; filename="../a.txt"',
	'attachment;filename=a b.txt',
];
const DATA = [
	'data:image/png;base64,iVBO',
	'data:;base64,iVBO',
	'data:text/plain,Hi',
	'data:image/png;base64,iV BO\n',
	'iVBO',
	'iV',
	'not base64!',
	'data:image/png;charset=x;base64,iVBO',
	'DATA:image/PNG;BASE64,iVBO',
	'',
	'data:image/png;base64,',
	'aGk_-w',
];

test('each name, type and data URL is read', () => {
	const toText = (text: string) => {
		const inline = decodeInlineData(text);
		return inline && `${inline.mimeType} ${inline.bytes.toString('hex')}`;
	};
	const rows = [
		...applyToTexts({ sanitizeFileName: (name) => sanitizeFileName(name, 'fallback') }, NAMES),
		...applyToTexts({ parseMimeType }, TYPES),
		...applyToTexts({ parseDispositionFileName }, DISPOSITIONS),
		...applyToTexts({ decodeInlineData: toText }, DATA),
	];
	expectApproved(
		path.join(__dirname, 'read-file.names.approved.txt'),
		rows,
		'A name of a file is one name, without folders',
	);
});
