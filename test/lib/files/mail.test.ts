/** Emails of many forms: the text that a model gets of each, what is warned of, or why it cannot be opened. */
import path from 'node:path';
import { readMail } from '../../../lib/files/mail';
import { expectApproved } from '../../support/approved/approved-table';
import { describeError } from '../../support/approved/outcome';

const HEAD = 'From: Ann <ann@example.com>\nSubject: Offer\nDate: Mon, 1 Jun 2026 10:00:00 +0200\n';

const part = (type: string, body: string, more = '') => `Content-Type: ${type}\n${more}\n${body}\n`;

const multipart = (subtype: string, ...parts: readonly string[]) =>
	`Content-Type: multipart/${subtype}; boundary="b-${subtype}"\n\nPreamble\n${parts
		.map((content) => `--b-${subtype}\n${content}`)
		.join('')}--b-${subtype}--\n`;

const base64 = (text: string) => Buffer.from(text).toString('base64');

const PLAIN = part('text/plain', 'Plain text');
const HTML = part('text/html', '<p>HTML <b>text</b></p>');
const PDF = part(
	'application/pdf',
	base64('%PDF-1.7'),
	'Content-Disposition: attachment; filename="offer.pdf"\nContent-Transfer-Encoding: base64\n',
);
const UNNAMED = part('application/zip', 'x', 'Content-Disposition: attachment\n');
const INNER = `From: Bob <bob@example.com>\nSubject: Inner\nDate: Tue, 2 Jun 2026 10:00:00 +0200\n${PLAIN}`;

const lines = (count: number, line = 'x') => `${line}\n`.repeat(count);

const withHead = (rest: string) => HEAD + rest;

/** By what they are. */
const MAILS: Readonly<Record<string, string>> = {
	nothing: '',
	'without a body': HEAD,
	'without a head': '\nOnly text',
	'plain text': withHead(`${PLAIN}More text`),
	'text without a type': withHead('\nJust text'),
	'HTML alone': withHead(HTML),
	'HTML with rows, blanks, a script and a style': withHead(
		part(
			'text/html',
			'<style>p{}</style><script>x()</script><h1>A</h1><p>B<br>C</p>  <div>D&nbsp;E</div><tr>F</tr>G   H &lt;I&gt;',
		),
	),
	'HTML with entities': withHead(
		part(
			'text/html',
			'<p>&lt;b&gt; Tom &amp;amp; Ann &quot;&#39;&#x20AC;&QUOT; &uuml; &unknown; & &#99999999;</p>',
		),
	),
	'both forms': withHead(multipart('alternative', PLAIN, HTML)),
	'both forms, HTML first': withHead(multipart('alternative', HTML, PLAIN)),
	'both forms, an empty text': withHead(multipart('alternative', part('text/plain', ' '), HTML)),
	'two parts that are no forms': withHead(multipart('mixed', PLAIN, HTML)),
	'related parts within forms': withHead(
		multipart('alternative', PLAIN, multipart('related', HTML, PDF)),
	),
	'forms, then a text': withHead(
		multipart('mixed', multipart('alternative', PLAIN, HTML), part('text/html', '<i>Footer</i>')),
	),
	'an attachment': withHead(multipart('mixed', PLAIN, PDF)),
	'an attachment without a name': withHead(multipart('mixed', PLAIN, UNNAMED)),
	'two attachments': withHead(multipart('mixed', PDF, PLAIN, UNNAMED)),
	'a forwarded email': withHead(
		multipart('mixed', PLAIN, part('message/rfc822', INNER, 'Content-Disposition: inline\n')),
	),
	'a forwarded email as attachment': withHead(
		multipart(
			'mixed',
			PLAIN,
			part('message/rfc822', INNER, 'Content-Disposition: attachment; filename="a.eml"\n'),
		),
	),
	'a forwarded email that says nothing of its place': withHead(
		multipart('mixed', PLAIN, part('message/rfc822', INNER)),
	),
	'a boundary that does not occur': withHead(
		'Content-Type: multipart/mixed; boundary=other\n\n--b\nText\n',
	),
	'a boundary without quotation marks, and blanks behind it': withHead(
		`Content-Type: multipart/mixed; boundary=b\n\n--b  \n${PLAIN}--b--  \n`,
	),
	'a boundary in a second line': withHead(
		`Content-Type: multipart/mixed;\n boundary="b"\n\n--b\n${PLAIN}--b--\n`,
	),
	'no closing line': withHead(`Content-Type: multipart/mixed; boundary=b\n\n--b\n${PLAIN}`),
	'a text behind the closing line': withHead(
		`Content-Type: multipart/mixed; boundary=b\n\n--b\n${PLAIN}--b--\nBehind\n`,
	),
	'the line of another boundary': withHead(multipart('mixed', part('text/plain', 'a\n--b\nc'))),
	base64: withHead(
		part('text/plain; charset=utf-8', base64('Grüße'), 'Content-Transfer-Encoding: base64\n'),
	),
	'base64 with padding in each line': withHead(
		part(
			'text/plain; charset=utf-8',
			`${base64('Gruß')}\n${base64('Ende')}`,
			'Content-Transfer-Encoding: BASE64\n',
		),
	),
	'quoted-printable': withHead(
		part(
			'text/plain; charset=utf-8',
			'Gr=C3=BC=C3=9Fe, this line goes= \n on =3D here=zz',
			'Content-Transfer-Encoding: quoted-printable\n',
		),
	),
	'Latin 1': withHead(part('text/plain; charset=iso-8859-1', 'Gr\xfc\xdfe')),
	'a base64 HTML': withHead(
		part('text/html', base64('<p>Hidden</p>'), 'Content-Transfer-Encoding: base64\n'),
	),
	'an encoded subject': 'Subject: =?utf-8?B?R3LDvMOfZQ==?=\nFrom: a@b.c\n\nText',
	'a sender without an address': 'Subject: S\nFrom: Ann\n\nText',
	'a subject in two lines': 'Subject: One\n two\n\nText',
	'fields that are not used': withHead(`X-Spam: yes\nTo: d@e.f\n${PLAIN}`),
	'Windows lines': withHead(multipart('mixed', PLAIN, HTML)).replaceAll('\n', '\r\n'),
};

const LIMITS: Readonly<Record<string, string>> = {
	'a header of 100 KB, with the blank line': withHead(
		`X-A: ${'x'.repeat(102_399 - HEAD.length - 5)}\n\nText`,
	),
	'a longer header': withHead(`X-A: ${'x'.repeat(102_400 - HEAD.length - 5)}\n\nText`),
	'a field of 10 KB': `Subject: ${'x'.repeat(10_231)}\n\nText`,
	'a longer field': `Subject: ${'x'.repeat(10_232)}\n\nText`,
	'200 parts': withHead(multipart('mixed', ...Array.from({ length: 199 }, () => PLAIN))),
	'201 parts': withHead(multipart('mixed', ...Array.from({ length: 200 }, () => PLAIN))),
	'60,000 lines': withHead(`\n${lines(60_000)}`),
	'60,001 lines': withHead(`\n${lines(60_001)}`),
	'60,000 tags': withHead(part('text/html', '<b>'.repeat(60_000))),
	'60,001 tags': withHead(part('text/html', '<b>'.repeat(60_001))),
	'60,001 signs in a text that is no HTML': withHead(part('text/plain', '<b>'.repeat(60_001))),
	'300,001 opened tags': withHead(part('text/html', '<'.repeat(300_001))),
	'20,000 lines with hyphens': withHead(`\n${lines(20_000, '--')}`),
	'20,001 lines with hyphens': withHead(`\n${lines(20_001, '--')}`),
	'2 MB': withHead(`\n${'x'.repeat(2 * 1024 * 1024)}`),
	'more than 2 MB': withHead(`\n${'x'.repeat(2 * 1024 * 1024 + 1)}`),
	'more than 2 MB behind the end': withHead(
		`Content-Type: multipart/mixed; boundary=b\n\n--b\n${PLAIN}--b--\n${'x'.repeat(2 * 1024 * 1024)}`,
	),
	'60,001 paddings': withHead(
		part('text/plain', 'YQ=='.repeat(30_001), 'Content-Transfer-Encoding: base64\n'),
	),
	'60,001 lines behind the end': withHead(
		`Content-Type: multipart/mixed; boundary=b\n\n--b\n${PLAIN}--b--\n${lines(60_001)}`,
	),
	'more than 25 MB': 'x'.repeat(25 * 1024 * 1024 + 1),
	'21 levels': withHead(
		Array.from({ length: 21 }).reduce<string>(
			(inner, _level, index) =>
				`Content-Type: multipart/mixed; boundary=b${index}\n\n--b${index}\n${inner}--b${index}--\n`,
			PLAIN,
		),
	),
	'20 levels': withHead(
		Array.from({ length: 20 }).reduce<string>(
			(inner, _level, index) =>
				`Content-Type: multipart/mixed; boundary=b${index}\n\n--b${index}\n${inner}--b${index}--\n`,
			PLAIN,
		),
	),
};

const read = async (mail: string) => {
	try {
		const { text, warnings } = await readMail('note.eml', Buffer.from(mail, 'latin1'));
		return { text, ...(warnings.length > 0 && { warnings }) };
	} catch (error) {
		return { error: describeError(error) };
	}
};

test('each email has its text', async () => {
	const rows = await Promise.all(
		Object.entries(MAILS).map(async ([input, mail]) => ({ input, outcome: await read(mail) })),
	);
	expectApproved(
		path.join(__dirname, 'mail.approved.txt'),
		rows,
		'The text of an email reaches the model once, and what is left out is told',
	);
});

test('each limit of an email is as large as it says', async () => {
	const rows = await Promise.all(
		Object.entries(LIMITS).map(async ([input, mail]) => {
			const { text, error } = (await read(mail)) as { text?: string; error?: string };
			return { input, outcome: error ?? `${text?.length} characters` };
		}),
	);
	expectApproved(
		path.join(__dirname, 'mail.limits.approved.txt'),
		rows,
		'An email is refused beyond its limits, and not before',
	);
});
