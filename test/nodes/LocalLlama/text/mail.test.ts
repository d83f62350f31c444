/** Mails are opened: their text for the model, their attachments by name. */
import type { INodeExecutionData } from 'n8n-workflow';

import { useLocalLlama } from '../run-node';

const { serve, prepare, executeIn, failure, sent } = useLocalLlama();
const CHAT = { resource: 'text', operation: 'chat', prompt: 'Sum up', binaryFields: 'data' };
const file = (bytes: Buffer, fileName: string, mimeType: string): INodeExecutionData[] => [
	{ json: {}, binary: { data: { data: bytes.toString('base64'), fileName, mimeType } } },
];
const contentOf = () =>
	(sent('/chat/completions') as Array<{ messages: Array<{ content: unknown }> }>)
		.at(-1)!
		.messages.at(-1)!.content;
const hintsOf = async (parameters: object, items: INodeExecutionData[]) => {
	const fake = prepare({ parameters: { ...CHAT, ...parameters }, items });
	await executeIn(fake);
	return fake.hints.map(({ message }) => message);
};

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

describe('a mail', () => {
	test('with a base64 body is opened, and its attachment is named and left out', async () => {
		await serve();
		const items = file(Buffer.from(MAIL), 'invoice.eml', 'application/octet-stream');
		expect(await hintsOf({}, items)).toEqual([
			expect.stringContaining('attachments of the mail "invoice.eml" were left out: rechnung.pdf'),
		]);
		const content = String(contentOf());
		expect(content).toContain('Subject: Rechnung 713\nFrom: Anna <anna@example.com>\nDate: ');
		expect(content).toContain('Bitte zahlen Sie 119,00 €.');
		expect(content).toContain('Attachments, which are left out: rechnung.pdf');
		expect(content).not.toContain('JVBERi');
	});

	test('of HTML alone is its text', async () => {
		await serve();
		const html = MAIL.slice(0, MAIL.indexOf('Content-Type: multipart'));
		const items = file(
			Buffer.from(`${html}Content-Type: text/html\r\n\r\n<style>p{}</style><p>Hi&nbsp;you</p>`),
			'a.eml',
			'message/rfc822',
		);
		expect(await hintsOf({}, items)).toEqual([]);
		expect(contentOf()).toMatch(/\n\nHi you$/);
	});

	test('of scripts that never end is read at once', async () => {
		await serve();
		const html = MAIL.slice(0, MAIL.indexOf('Content-Type: multipart'));
		const scripts = '<script '.repeat(250_000);
		const items = file(
			Buffer.from(`${html}Content-Type: text/html\r\n\r\n<p>Hi</p>${scripts}`),
			'a.eml',
			'message/rfc822',
		);
		const begin = performance.now();
		await hintsOf({}, items);
		expect(contentOf()).toMatch(/\n\nHi$/);
		expect(performance.now() - begin).toBeLessThan(10_000);
	});

	test('of a megabyte of empty lines is refused', async () => {
		const sim = await serve();
		const items = file(Buffer.from(MAIL + '\r\n'.repeat(500_000)), 'a.eml', 'message/rfc822');
		expect((await failure(CHAT, { items })).message).toContain('"a.eml" is too long');
		expect(sim.requests).toEqual([]);
	});
});
