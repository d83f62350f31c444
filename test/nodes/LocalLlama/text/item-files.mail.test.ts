/** Emails are read: their text for the model, their attachments by name. */
import type { INodeExecutionData } from 'n8n-workflow';

import { PostalMime } from '../../../../lib/vendor';
import { file, useLocalLlama } from '../run-node';

const { serve, getError, getContent, ...llama } = useLocalLlama();
const CHAT = {
	resource: 'text',
	operation: 'chat',
	prompt: 'Sum up',
	options: { binaryFields: 'data' },
};
const getHints = async (parameters: object, items: INodeExecutionData[]) =>
	await llama.getHints({ ...CHAT, ...parameters }, items);

const MAIL = [
	'From: Anna <anna@example.com>',
	'To: me@example.com',
	'Subject: =?utf-8?B?UmVjaG51bmcgNzEz?=',
	'Date: Mon, 02 Nov 2026 10:00:00 +0100',
	'MIME-Version: 1.0',
	'Content-Type: multipart/mixed; boundary="b"',
	'',
	'--b',
	'Content-Type: text/plain; charset=utf-8',
	'Content-Transfer-Encoding: base64',
	'',
	Buffer.from('Bitte zahlen Sie 119,00 €.').toString('base64'),
	'--b',
	'Content-Type: application/pdf; name="rechnung.pdf"',
	'Content-Disposition: attachment; filename="rechnung.pdf"',
	'Content-Transfer-Encoding: base64',
	'',
	'JVBERi0xLjc=',
	'--b--',
	'',
].join('\r\n');

describe('an email', () => {
	test('with a base64 body is read, and its attachment is named and omitted', async () => {
		await serve();
		const items = file(Buffer.from(MAIL), 'invoice.eml', 'application/octet-stream');
		expect(await getHints({}, items)).toEqual([
			expect.stringContaining(
				'attachments of the email "invoice.eml" were not included: rechnung.pdf',
			),
		]);
		const content = String(getContent());
		expect(content).toContain('Subject: Rechnung 713\nFrom: Anna <anna@example.com>\nDate: ');
		expect(content).toContain('Bitte zahlen Sie 119,00 €.');
		expect(content).toContain('Attachments (not included): rechnung.pdf');
		expect(content).not.toContain('JVBERi');
	});

	test('with only HTML is converted to text', async () => {
		await serve();
		const html = MAIL.slice(0, MAIL.indexOf('Content-Type: multipart'));
		const items = file(
			Buffer.from(`${html}Content-Type: text/html\r\n\r\n<style>p{}</style><p>Hi&nbsp;you</p>`),
			'a.eml',
			'message/rfc822',
		);
		expect(await getHints({}, items)).toEqual([]);
		expect(getContent()).toMatch(/\n\nHi you$/);
	});

	test('ends with its last part: text after it is not shown', async () => {
		await serve();
		const items = file(Buffer.from(`${MAIL}\r\nAfter the end\r\n`), 'a.eml', 'message/rfc822');
		await getHints({}, items);
		expect(getContent()).toContain('Bitte zahlen Sie');
		expect(getContent()).not.toContain('After the end');
	});

	test('with unclosed scripts is read immediately', async () => {
		await serve();
		const html = MAIL.slice(0, MAIL.indexOf('Content-Type: multipart'));
		const scripts = '<script '.repeat(250_000);
		const items = file(
			Buffer.from(`${html}Content-Type: text/html\r\n\r\n<p>Hi</p>${scripts}`),
			'a.eml',
			'message/rfc822',
		);
		await getHints({}, items);
		expect(getContent()).toMatch(/\n\nHi$/);
	});

	test('with a megabyte of empty lines is rejected', async () => {
		const sim = await serve();
		const items = file(Buffer.from(MAIL + '\r\n'.repeat(500_000)), 'a.eml', 'message/rfc822');
		expect((await getError(CHAT, { items })).message).toContain('"a.eml" is too long');
		expect(sim.requests).toEqual([]);
	});
});

const MEGABYTE = 1024 * 1024;
const fill = (pattern: string, length: number) =>
	pattern.repeat(Math.ceil(length / pattern.length));
const HEAD = 'To: me@b.c\r\nSubject: S\r\nDate: now\r\nFrom: Anna <a@b.c>\r\n';
const simple = (type: string, body: string, extraHeader = '') =>
	`${HEAD}Content-Type: ${type}\r\n${extraHeader}\r\n${body}`;
const multipart = (subtype: string, ...parts: string[]) =>
	`${HEAD}Content-Type: multipart/${subtype};\r\n boundary="b b"\r\n\r\nIntro\r\n${parts
		.map((part) => `--b b\r\n${part}\r\n`)
		.join('')}--b b--\r\n`;
const BASE64 = 'Content-Transfer-Encoding: base64\r\n';
const QUOTED = 'Content-Transfer-Encoding: quoted-printable\r\n';
const PDF = `Content-Type: application/pdf; name="big.pdf"\r\n${BASE64}\r\n`;

test.each<[string, string, string]>([
	[
		'3 MB of flowed text',
		simple('text/plain; format=flowed', fill(`${fill('word ', 70)}\r\n`, 3 * MEGABYTE)),
		'text: maximum 2 MB',
	],
	[
		'3 MB of HTML lines',
		simple('text/html', fill('<div>some words in a line of HTML</div>\r\n', 3 * MEGABYTE)),
		'text: maximum 2 MB',
	],
	[
		'parts of text',
		multipart('mixed', ...Array<string>(5).fill(`\r\n${fill('word ', 0.5 * MEGABYTE)}`)),
		'text: maximum 2 MB',
	],
	[
		'a field of 2 MB',
		HEAD.replace('Anna', fill('a:', 2 * MEGABYTE)) + '\r\nHi',
		'header: maximum 100 KB',
	],
	[
		'an unused field of 2 MB',
		simple('text/plain', 'Hi', `Received: ${fill('a:', 2 * MEGABYTE)}\r\n`),
		'header: maximum 100 KB',
	],
	[
		'a header without an end',
		HEAD + fill('X-Line: more\r\n', 2 * MEGABYTE),
		'header: maximum 100 KB',
	],
	[
		'headers of many parts',
		multipart('mixed', ...Array<string>(100).fill(`X-More: ${fill('a', 2000)}\r\n\r\nHi`)),
		'header: maximum 100 KB',
	],
	[
		'a field of 90 KB',
		HEAD.replace('Anna', fill('a:', 90_000)) + '\r\nHi',
		'header field: maximum 10 KB',
	],
	[
		'a folded field of 90 KB',
		HEAD.replace('Anna', fill('a:\r\n ', 90_000)) + '\r\nHi',
		'header field: maximum 10 KB',
	],
	['many lines', simple('text/plain', fill('\r\n', 130_000)), 'text: maximum 60000 lines'],
	[
		'many lines in base64',
		simple('text/plain', Buffer.from(fill('\n', MEGABYTE)).toString('base64'), BASE64),
		'text: maximum 60000 lines',
	],
	[
		'many lines in quoted-printable',
		simple('text/plain', fill('=0A', MEGABYTE), QUOTED),
		'text: maximum 60000 lines',
	],
	[
		'many ends of base64',
		simple('text/plain', fill('QQ==', MEGABYTE), BASE64),
		'text: maximum 60000 lines',
	],
	['many tags', simple('text/html', fill('<p>', MEGABYTE)), 'text: maximum 60000 tags'],
	[
		'many tags without an end',
		simple('text/html', fill('<p ', MEGABYTE)),
		'text: maximum 300000 tags',
	],
	[
		'an attachment of 26 MB',
		multipart('mixed', `${PDF}${fill('QUJD\r\n', 26 * MEGABYTE)}`),
		'maximum 25 MB',
	],
	['many parts', multipart('mixed', ...Array<string>(201).fill('\r\nHi')), 'maximum 200 parts'],
	[
		'deep nesting',
		HEAD +
			Array.from(
				{ length: 30 },
				(_one, at) => `Content-Type: multipart/mixed; boundary=x${at}\r\n\r\n--x${at}\r\n`,
			).join(''),
		'nesting: maximum 20',
	],
	[
		'lines like delimiters',
		multipart('mixed', `${PDF}${fill('--\r\n', 100_000)}`),
		'maximum 20000 lines that begin with --',
	],
])(
	'an email that would block n8n is rejected with its name and the limit, before the library starts: %s',
	async (_name, email, limit) => {
		const sim = await serve();
		const parse = jest.spyOn(PostalMime, 'parse');
		const items = file(Buffer.from(email), 'a.eml', 'message/rfc822');
		const { message } = await getError(CHAT, { items });
		expect(message).toContain(`"a.eml" is too long to open (${limit})`);
		expect(sim.requests).toEqual([]);
		const bodies = parse.mock.calls.map(([part]) => (part as Buffer).byteLength);
		expect(Math.max(0, ...bodies)).toBeLessThan(20_000);
		parse.mockRestore();
	},
);

describe('of an email is read', () => {
	test.each<[string, string, string[], string[]]>([
		[
			'the plain one of two forms',
			multipart(
				'alternative',
				'Content-Type: text/plain\r\n\r\nPlain',
				'Content-Type: text/html\r\n\r\n<p>Rich</p>',
			),
			['Plain'],
			['Rich', 'Intro'],
		],
		[
			'HTML where the plain form is blank',
			multipart(
				'alternative',
				'Content-Type: text/plain\r\n\r\n ',
				'Content-Type: text/html\r\n\r\n<p>Rich</p>',
			),
			['Rich'],
			[],
		],
		[
			'every part of a mixed one',
			multipart(
				'mixed',
				'Content-Type: text/plain\r\n\r\nOne',
				'Content-Type: text/html\r\n\r\n<p>Two</p>',
				'\r\nThree',
			),
			['One\nTwo\nThree'],
			[],
		],
		[
			'what is behind an attachment of 3 MB',
			multipart('mixed', `${PDF}${fill('QUJD\r\n', 3 * MEGABYTE)}`, '\r\nAfter'),
			['After', '(not included): big.pdf'],
			['QUJD'],
		],
		[
			'a forwarded mail that is shown',
			multipart(
				'mixed',
				'\r\nSee below',
				`Content-Type: message/rfc822\r\nContent-Disposition: inline\r\n\r\nFrom: Bob <bob@b.c>\r\nSubject: Old\r\n\r\nOld words`,
			),
			['See below', 'Subject: Old\nFrom: Bob <bob@b.c>', 'Old words'],
			[],
		],
		[
			'a forwarded mail by its name only',
			multipart(
				'mixed',
				'\r\nSee',
				`Content-Type: message/rfc822; name="old.eml"\r\n\r\nFrom: Bob <bob@b.c>\r\n\r\nOld words`,
			),
			['(not included): old.eml'],
			['Old words'],
		],
		[
			'quoted-printable',
			simple('text/plain; charset=utf-8', 'Gr=C3=BC=C3=9Fe =\r\n= 1 =3D 1\r\nEnd', QUOTED),
			['Grüße = 1 = 1\nEnd'],
			[],
		],
		[
			'base64 with an end in each line',
			simple('text/plain', 'SGVs\r\nbG8=\r\nIHlvdQ==\r\n', BASE64),
			['Hello you'],
			[],
		],
		[
			'flowed text',
			simple('text/plain; format=flowed', 'One \r\nline\r\n-- \r\nAnna'),
			['One line\n-- \nAnna'],
			[],
		],
		['Latin-1', simple('text/plain; charset=iso-8859-1', 'Gr\xfc\xdfe'), ['Grüße'], []],
		[
			'a line that only looks like a delimiter',
			multipart('mixed', '\r\nOne\r\n--b b c\r\n--b\r\nTwo'),
			['One\n--b b c\n--b\nTwo'],
			[],
		],
	])('the text of an email is read: %s', async (_name, email, visible, omitted) => {
		await serve();
		await getHints({}, file(Buffer.from(email, 'latin1'), 'a.eml', 'message/rfc822'));
		for (const text of visible) expect(getContent()).toContain(text);
		for (const text of omitted) expect(getContent()).not.toContain(text);
	});

	test('as much as the limits allow', async () => {
		await serve();
		const body = fill('Words of a long text in a line\r\n', 1.8 * MEGABYTE);
		// The simulator's context is smaller.
		await getError(CHAT, {
			items: file(Buffer.from(simple('text/plain', body)), 'a.eml', 'message/rfc822'),
		});
		expect(String(getContent())).toContain(body.trim().replaceAll('\r\n', '\n'));
	});
});
