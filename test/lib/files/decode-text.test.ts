import { decodeText } from '../../../lib/files/file-types';

const latin1 = (text: string) => Buffer.from(text, 'latin1');

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
