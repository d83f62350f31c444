import * as fc from 'fast-check';
import { parseMimeType, sanitizeFileName } from '../../lib/file-name';
import { examples } from '../support/jest/properties';
import { anyCodePoint } from '../support/texts/code-points';

test.each([
	['report.pdf', 'report.pdf'],
	['Bericht Nr. 7 (新).tar.gz', 'Bericht Nr. 7 (新).tar.gz'],
	['../../x', 'x'],
	['/etc/cron.d/x', 'x'],
	['..\\..\\x.exe', 'x.exe'],
	['C:\\temp\\a.txt', 'a.txt'],
	['a\r\nX-Evil: 1.txt', 'aX-Evil: 1.txt'],
	['a\0.txt', 'a.txt'],
	['\u202Etxt.exe', 'txt.exe'],
	['.htaccess', 'htaccess'],
	['..', 'file'],
	['/', 'file'],
	['/folder/', 'folder'],
	['./folder/a.tar.gz', 'a.tar.gz'],
	['~/Größe.pdf', 'Größe.pdf'],
	['a b/../c d', 'c d'],
	['a/..', 'file'],
	// What may be a text keeps all words.
	['folder/a.tar.gz', 'folder-a.tar.gz'],
	['Ordner\\Größe.pdf', 'Ordner-Größe.pdf'],
	['entweder/oder.mp3', 'entweder-oder.mp3'],
	['AC/DC.mp3', 'AC-DC.mp3'],
	['S/4HANA.docx', 'S-4HANA.docx'],
	['Nr.1/Nr.2', 'Nr.1-Nr.2'],
	['Rock/Pop/', 'Rock-Pop-'],
	['Preis: 5/6 "Sonder"', 'Preis: 5-6 "Sonder"'],
	['Preis 5/6.pdf', 'Preis 5-6.pdf'],
	['5/6.mp3', '5-6.mp3'],
	['und/oder', 'und-oder'],
	['A\\B: 1/2/3', 'A-B: 1-2-3'],
	['24/7', '24-7'],
	['価格：5／6', '価格：5／6'],
	['https://a.example/b?c=1/2', 'https:-a.example-b?c=1-2'],
	['', 'file'],
])('%j is %j', (name, plain) => {
	expect(sanitizeFileName(name, 'file')).toBe(plain);
});

test('a name is never empty, a path, or more than one line', () => {
	const part = fc.oneof(
		fc.string({ unit: anyCodePoint }),
		fc.constantFrom('..', '/', '\\', '\r', '\n', '\0', ' ', '.'),
	);
	fc.assert(
		fc.property(fc.array(part), (parts) => {
			const plain = sanitizeFileName(parts.join(''), 'file');
			expect(plain).not.toBe('');
			expect(plain).not.toMatch(/[/\\\r\n\0]|^\.|\.$/);
			expect([...plain].length).toBeLessThanOrEqual(120);
			expect(sanitizeFileName(plain, 'file')).toBe(plain);
		}),
		examples(500),
	);
});

test('a long name keeps its extension', () => {
	expect(sanitizeFileName(`${'x'.repeat(500)}.pdf`, 'file')).toMatch(/^x{116}\.pdf$/);
});

test('an invalid MIME type is undefined', () => {
	const part = fc.constantFrom(
		'image',
		'/',
		'png',
		';',
		',',
		'\r\n',
		' ',
		':',
		'<',
		'"',
		'\0',
		'é',
		'=',
	);
	fc.assert(
		fc.property(fc.array(part), (parts) => {
			expect(parseMimeType(parts.join(''))).toMatch(/^(?:[a-z]+\/[a-z]+)?$/);
		}),
		examples(500),
	);
	expect(parseMimeType('Image/PNG; charset=x')).toBe('image/png');
	expect(parseMimeType()).toBe('');
});
