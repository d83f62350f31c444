import { getFileType } from '../../../lib/files/file-types';
import { readMail } from '../../../lib/files/mail';
import { testLimit } from '../../support/jest/limits';

const read = async (mail: string | Buffer) =>
	await readMail('a.eml', Buffer.from(mail)).then(
		() => 'read',
		() => 'too long',
	);
const LIMITS = { within: 'read', beyond: 'too long' };
const HEAD = 'From: a@b.c\r\nTo: d@e.f\r\nSubject: s\r\n';
const multipart = (parts: number) =>
	`${HEAD}Content-Type: multipart/mixed; boundary=x\r\n\r\n${'--x\r\nContent-Type: text/plain\r\n\r\nhi\r\n'.repeat(parts)}--x--\r\n`;

testLimit('lib/files/mail.ts#MAX_BYTES', {
	limit: 26_214_400,
	outcome: async (bytes) => {
		const head = `${HEAD}Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: image/png\r\nContent-Disposition: attachment; filename=a.png\r\n\r\n`;
		const mail = Buffer.alloc(bytes, 'A');
		mail.write(head);
		return await read(mail);
	},
	...LIMITS,
});
testLimit('lib/files/mail.ts#MAX_HEADER_BYTES', {
	limit: 102_400,
	of: 'bytes to the end of the blank line, less one',
	outcome: async (bytes) => await read(`${`${HEAD}X-Other: `.padEnd(bytes - 3, 'a')}\r\n\r\nhi`),
	...LIMITS,
});
testLimit('lib/files/mail.ts#MAX_FIELD_BYTES', {
	limit: 10_240,
	of: 'bytes of wide characters',
	outcome: async (bytes) => {
		const field = 'Subject: ';
		const text = '界'.repeat(Math.floor((bytes - field.length) / 3));
		const rest = 'a'.repeat(bytes - field.length - Buffer.byteLength(text));
		return await read(`${field}${text}${rest}\r\nFrom: a@b.c\r\nTo: d@e.f\r\n\r\nhi`);
	},
	...LIMITS,
});
testLimit('lib/files/mail.ts#MAX_TEXT_BYTES', {
	limit: 2_097_152,
	of: 'bytes of wide characters',
	outcome: async (bytes) => {
		const text = '界'.repeat(Math.floor(bytes / 3));
		return await read(
			`${HEAD}Content-Type: text/plain; charset=utf-8\r\n\r\n${text}${'a'.repeat(bytes - Buffer.byteLength(text))}`,
		);
	},
	...LIMITS,
});
testLimit('lib/files/mail.ts#MAX_LINES', {
	limit: 60_000,
	outcome: async (count) => await read(`${HEAD}\r\n${'a\n'.repeat(count)}`),
	...LIMITS,
});
testLimit('lib/files/mail.ts#MAX_OPENED', {
	limit: 300_000,
	outcome: async (count) =>
		await read(`${HEAD}Content-Type: text/html\r\n\r\n${'<'.repeat(count)}`),
	...LIMITS,
});
testLimit('lib/files/mail.ts#MAX_PARTS', {
	limit: 200,
	// The multipart is one of them.
	outcome: async (count) => await read(multipart(count - 1)),
	...LIMITS,
});
testLimit('lib/files/mail.ts#MAX_DEPTH', {
	limit: 20,
	outcome: async (depth) => {
		let mail = '';
		for (let level = 0; level < depth; level++)
			mail += `${level === 0 ? HEAD : `--x${level - 1}\r\n`}Content-Type: multipart/mixed; boundary=x${level}\r\n\r\n`;
		return await read(`${mail}--x${depth - 1}\r\n\r\nhi\r\n`);
	},
	...LIMITS,
});
testLimit('lib/files/mail.ts#MAX_DASHED_LINES', {
	limit: 20_000,
	outcome: async (count) => await read(`${HEAD}\r\n${'--a\n'.repeat(count)}`),
	...LIMITS,
});
testLimit('lib/files/file-types.ts#MIN_MAIL_HEADERS', {
	limit: 2,
	of: 'header fields, one less than make a mail',
	outcome: (count): string => {
		const fields = ['From: a@b.c', 'To: d@e.f', 'Subject: s'].slice(0, count);
		return getFileType(Buffer.from(`${fields.join('\r\n')}\r\n\r\nhi`), '').category;
	},
	within: 'text',
	beyond: 'email',
});
