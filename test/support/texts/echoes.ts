/** Keys as servers echo them: eight escapes, and a decoder of its own that looks for what is left of a key. */
import { Buffer } from 'node:buffer';

/** Keys with what escapes change, and random ones. */
export const ECHOED_KEYS: readonly string[] = [
	'sk-9f8e/7d6c+5b4a=3210',
	'sk/live/9f8e7d6c5b4a3210',
	'dGhpcyBpcyBhIGtleQ9f8e==',
	'a+b+c+9f8e7d6c5b4a3210+d',
	'say "9f8e7d6c" or "5b4a3210"',
	String.raw`back\9f8e7d6c\5b4a3210\u0041x`,
	'<9f8e7d6c>&5b4a3210&amp;x',
	'schl\u00fcssel-9f8e7d6c-5b4a3210',
	'100%2F9f8e7d6c5b4a3210%41',
	'sk-lm-J9Fa6fbC:Rr7uYsH2mQ0pVxZ1',
	...createRandomKeys(40),
];

/** The special keys, and some of the random ones: the pairs of escapes together have all of them. */
export function getKeysFor(index: number): string[] {
	return ECHOED_KEYS.filter((_key, at) => at < 10 || at % 10 === index % 10);
}

/** The same keys in every run. */
function createRandomKeys(count: number) {
	const alphabets = [
		'0123456789abcdef',
		'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789',
		'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/',
		'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&*+/=?@^_~"\\\'<>',
	];
	let state = 20_261_128;
	const next = (limit: number) => {
		state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
		return Math.floor((state / 2 ** 32) * limit);
	};
	return Array.from({ length: count }, (_one, index) => {
		const alphabet = alphabets[index % alphabets.length]!;
		const length = 16 + next(40);
		const random = Array.from({ length }, () => alphabet[next(alphabet.length)]).join('');
		return `${index % 3 === 0 ? 'sk-' : ''}4a${random}`;
	});
}

const toHex = (character: string) => character.charCodeAt(0).toString(16);
const PUNCTUATION = /[^A-Za-z0-9 ]/g;

type Escape = (text: string) => string;

const toJson: Escape = (text) => JSON.stringify(text).slice(1, -1);

/** As servers write them. */
export const ESCAPES: Readonly<Record<string, Escape>> = {
	plain: (text) => text,
	'JSON with \\/': (text) => toJson(text).replaceAll('/', String.raw`\/`),
	'JSON with \\u002B': (text) =>
		toJson(text).replace(/[^\w\\ "]/g, (c) => `\\u${toHex(c).toUpperCase().padStart(4, '0')}`),
	'JSON with \\u002b': (text) => text.replace(/[^\w ]/g, (c) => `\\u${toHex(c).padStart(4, '0')}`),
	URL: (text) => encodeURIComponent(text),
	'URL in lower case': (text) =>
		encodeURIComponent(text).replace(/%../g, (escape) => escape.toLowerCase()),
	base64: (text) => Buffer.from(text).toString('base64'),
	HTML: (text) => text.replace(PUNCTUATION, (c) => `&#x${toHex(c).toUpperCase()};`),
	'HTML with names': (text) =>
		text
			.replaceAll('&', '&amp;')
			.replaceAll('<', '&lt;')
			.replaceAll('"', '&quot;')
			.replaceAll('/', '&#47;'),
	'quoted-printable': (text) =>
		[...Buffer.from(text)]
			.map((byte) =>
				byte > 126 || byte === 0x3d || byte === 0x2f
					? `=${byte.toString(16).toUpperCase().padStart(2, '0')}`
					: String.fromCharCode(byte),
			)
			.join(''),
};

/** Two escapes, one in the other. */
export const DOUBLE_ESCAPES: ReadonlyArray<[name: string, escape: Escape]> = Object.entries(
	ESCAPES,
).flatMap(([outer, escapeOuter]) =>
	Object.entries(ESCAPES).map(([inner, escapeInner]): [string, Escape] => [
		`${inner} in ${outer}`,
		(text) => escapeOuter(escapeInner(text)),
	]),
);

/** Independent of the package: each reverses one escape as far as it can. */
const DECODERS: readonly Escape[] = [
	(text) =>
		text.replace(/\\(?:u([0-9a-f]{4})|(["\\/]))/gi, (_all, code: string | undefined, c: string) =>
			code === undefined ? c : String.fromCharCode(Number.parseInt(code, 16)),
		),
	(text) =>
		text.replace(/(?:%[0-9a-f]{2})+/gi, (run) =>
			Buffer.from(run.replaceAll('%', ''), 'hex').toString(),
		),
	(text) =>
		text.replace(/(?:=[0-9A-F]{2})+/g, (run) =>
			Buffer.from(run.replaceAll('=', ''), 'hex').toString(),
		),
	(text) =>
		text
			.replace(/&#x([0-9a-f]+);/gi, (_all, code: string) =>
				String.fromCharCode(Number.parseInt(code, 16)),
			)
			.replace(/&#(\d+);/g, (_all, code: string) => String.fromCharCode(Number(code)))
			.replaceAll('&lt;', '<')
			.replaceAll('&quot;', '"')
			.replaceAll('&amp;', '&'),
	(text) => Buffer.from(text, 'base64').toString(),
	(text) => Buffer.from(text.slice(1), 'base64').toString(),
	(text) => Buffer.from(text.slice(2), 'base64').toString(),
	(text) => Buffer.from(text.slice(3), 'base64').toString(),
];

const READABLE = /[\x20-\x7e\xa0-\xff]{8}/;

/** The longest stretch of a key in a text, or in what two decoders make of its parts. */
export function findLeak(text: string, key: string, minLength = 8): string | undefined {
	let layer = new Set(text.split('***'));
	for (let depth = 0; depth <= 2; depth++) {
		for (const part of layer) {
			const leak = findStretch(part, key, minLength);
			if (leak !== undefined) return leak;
		}
		layer = new Set(
			[...layer]
				.flatMap((part) => [part, ...part.split(/[^\w+/=-]+/)])
				.flatMap((part) => DECODERS.map((decode) => decode(part)))
				.filter((part) => part.length >= minLength && READABLE.test(part)),
		);
	}
	return undefined;
}

/** A stretch that is more than a word. */
function findStretch(text: string, key: string, minLength: number) {
	for (let at = 0; at + minLength <= key.length; at++) {
		const stretch = key.slice(at, at + minLength);
		if (text.includes(stretch) && /\d/.test(stretch) && /[a-z]/i.test(stretch)) return stretch;
	}
	return undefined;
}
