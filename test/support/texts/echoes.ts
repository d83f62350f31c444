/** Keys as servers echo them, in the forms in which they are masked. */
import { Buffer } from 'node:buffer';

/** Keys with what escapes change, and those of known programs. */
export const ECHOED_KEYS: readonly string[] = [
	'gpustack_4f0c9a7be3d25168_9b1e5d20c7f3846a0e92d7b4c5f81a36',
	'app-Zx81KqPw37LmTr52VbNc96Hy',
	'sk-lm-J9Fa6fbC:Rr7uYsH2mQ0pVxZ1',
	'sk-9f8e/7d6c+5b4a=3210',
	'dGhpcyBpcyBhIGtleQ9f8e==',
	'say "9f8e7d6c" or "5b4a3210"',
	String.raw`back\9f8e7d6c\5b4a3210\u0041x`,
	'<9f8e7d6c>&5b4a3210&amp;x',
	'schl\u00fcssel-9f8e7d6c-5b4a3210',
	'100%2F9f8e7d6c5b4a3210%41',
	'12345678901234567890',
];

type Escape = (text: string) => string;

const toHex = (character: string, length: number) =>
	character.charCodeAt(0).toString(16).padStart(length, '0');

const toJson: Escape = (text) => JSON.stringify(text).slice(1, -1);

const toUrl: Escape = (text) => encodeURIComponent(text);

/** Whole keys are masked in these. */
export const ECHO_FORMS: Readonly<Record<string, Escape>> = {
	'as it is': (text) => text,
	JSON: toJson,
	'JSON with \\/': (text) => toJson(text).replaceAll('/', String.raw`\/`),
	'JSON of ASCII': (text) =>
		toJson(text).replace(/[^ -~]|[<>&+'=]/g, (one) => `\\u${toHex(one, 4)}`),
	'JSON with an escape for each character': (text) =>
		text.replace(/[^]/g, (one) => `\\u${toHex(one, 4).toUpperCase()}`),
	'JSON in JSON': (text) => toJson(toJson(text)),
	URL: toUrl,
	'URL in small letters': (text) => toUrl(text).replace(/%../g, (one) => one.toLowerCase()),
	'URL with a plus for a space': (text) => toUrl(text).replaceAll('%20', '+'),
	'URL with an escape for each byte': (text) =>
		[...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''),
};
