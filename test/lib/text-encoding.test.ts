import { textOfBytes } from '../../lib/files';

const TEXT = 'Größe; Preis €5\nüber';
const bigEndian = (text: string) => Buffer.from(text, 'utf16le').swap16();
const latin = (text: string) => Buffer.from(text, 'latin1');

describe('the text of a file', () => {
	it.each<[string, Buffer]>([
		['UTF-8', Buffer.from(TEXT)],
		['UTF-8 with its mark', Buffer.from(`\uFEFF${TEXT}`)],
		['UTF-16 as Excel and PowerShell write it', Buffer.from(`\uFEFF${TEXT}`, 'utf16le')],
		['UTF-16, the other way round', bigEndian(`\uFEFF${TEXT}`)],
		['UTF-16 without a mark', Buffer.from(TEXT, 'utf16le')],
		['UTF-16 without a mark, the other way round', bigEndian(TEXT)],
		['Windows-1252', Buffer.from([...latin(TEXT.replace('€', '\x80'))])],
	])('%s', (_encoding, bytes) => {
		expect(textOfBytes(bytes)).toBe(TEXT);
	});

	it.each([
		['iso-8859-1', 'über'],
		['ISO-8859-15', 'über'],
		['windows-1251', 'ьber'],
	])('declared as %s', (charset, text) => expect(textOfBytes(latin('über'), charset)).toBe(text));

	it('what is declared wrongly, or is unknown, is left to the bytes', () => {
		expect(textOfBytes(Buffer.from('über'), 'no-such-charset')).toBe('über');
		expect(textOfBytes(Buffer.from('über'), '')).toBe('über');
		expect(textOfBytes(latin('über'), 'utf-8')).toBe('über');
		expect(textOfBytes(Buffer.from(''), 'utf-8')).toBe('');
	});

	it.each([
		'<?xml version="1.0" encoding="windows-1251"?><a>\xfc</a>',
		'<html><meta charset=windows-1251><p>\xfc',
		'<META http-equiv="Content-Type" content="text/html; charset=windows-1251">\xfc',
		'@charset "windows-1251"; /* \xfc */',
	])('declared in the text itself: %s', (text) => expect(textOfBytes(latin(text))).toContain('ь'));

	it('Chinese in GBK, where it is declared', () => {
		expect(textOfBytes(Buffer.from([0xc4, 0xe3, 0xba, 0xc3]), 'gbk')).toBe('你好');
		expect(textOfBytes(Buffer.from('你好'))).toBe('你好');
		expect(textOfBytes(Buffer.from('\uFEFF你好', 'utf16le'))).toBe('你好');
	});
});
