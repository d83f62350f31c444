/** Every part of eight and more characters of a key is masked, however a server writes it, and all other text stays. */
import * as fc from 'fast-check';
import { collectSecrets, mask, maskBody } from '../../../lib/errors/mask';
import { MaskedStream } from '../../../lib/errors/masked-stream';
import { examples } from '../../support/jest/properties';

const WINDOW = 8;

/** Characters of random keys, by the kind of key. */
const ALPHABETS: Readonly<Record<string, string>> = {
	digits: '0123456789',
	hexadecimal: '0123456789abcdef',
	'capitals and digits': 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789',
	'small letters and digits': 'abcdefghijklmnopqrstuvwxyz0123456789',
	base64: 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/',
	base64url: 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_',
	signs: 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&*+-./:;<=>?@^_~,|()',
};

/** Lengths of the groups of a key, and what joins them. */
const GROUPS: ReadonlyArray<[name: string, lengths: (length: number) => number[], sign: string]> = [
	['one group', (length) => [length], ''],
	['a UUID', () => [8, 4, 4, 4, 12], '-'],
	['groups of four', (length) => Array<number>(Math.ceil(length / 4)).fill(4), '-'],
	['groups of three with dots', (length) => Array<number>(Math.ceil(length / 3)).fill(3), '.'],
	['groups of six with underscores', (length) => Array<number>(Math.ceil(length / 6)).fill(6), '_'],
	['groups of two with colons', (length) => Array<number>(Math.ceil(length / 2)).fill(2), ':'],
	['groups of five with slashes', (length) => Array<number>(Math.ceil(length / 5)).fill(5), '/'],
];

const key = fc
	.record({
		alphabet: fc.constantFrom(...Object.values(ALPHABETS)),
		group: fc.constantFrom(...GROUPS),
		length: fc.oneof(fc.integer({ min: 8, max: 40 }), fc.integer({ min: 8, max: 200 })),
		prefix: fc.constantFrom('', '', 'sk-', 'app-', 'sk-proj.'),
		// A start of 32 bits, from which all characters follow, is reported shortly.
		seed: fc.nat(),
	})
	.map(({ alphabet, group: [, toLengths, sign], length, prefix, seed }) => {
		let state = seed;
		const next = (limit: number) => {
			state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
			return Math.floor((state / 2 ** 32) * limit);
		};
		const toGroup = (count: number) =>
			Array.from({ length: count }, () => alphabet[next(alphabet.length)]).join('');
		return prefix + toLengths(length).map(toGroup).join(sign);
	})
	.filter((one) => one.length >= 8 && /\d/.test(one) && (one.length >= 16 || /[a-z]/i.test(one)));

const NAMED_KEYS = [
	'ABCD-EF12-IJ34-MN56-QR78',
	'8412-9931-0057-2216',
	'P@ssw0rd!#2024$secure',
	'sk-proj.abcd.EFGH.1234.ijkl',
	'Zq7/Xw+9=kLmN2pRsT4vB6',
	'AAAA-1111-BBBB-2222',
	'key_2024.prod/eu;west,1',
	'9f8e7d6c-5b4a-4210-8fed-cba987654321',
	'ENaj__-Bwf-T0123XEqq/Efl',
	'0123456789012345',
	'abc.def.ghi.jkl.mno.pqr',
	'my-local-server-key-of-2024',
	'PQRSTUVW-ABCDEFGH-1234',
	'app-wXdqIwRedlzomrSHGZDrPMA7',
];

/** Letters only, or one character only: it may be a word, or a line. */
const isOrdinary = (text: string) =>
	/^[A-Za-z]*$/.test(text) || /^.?(.)\1*.?$/.test(text) || text.includes('://');

function findLeak(text: string, secret: string): string | undefined {
	for (let at = 0; at + WINDOW <= secret.length; at++) {
		const stretch = secret.slice(at, at + WINDOW);
		if (!isOrdinary(stretch) && text.includes(stretch)) return stretch;
	}
	return undefined;
}

const toHex = (character: string, length: number) =>
	character.charCodeAt(0).toString(16).padStart(length, '0');
const everySign = (escape: (sign: string) => string) => (text: string) =>
	text.replace(/[^A-Za-z0-9]/g, escape);
const everyCharacter = (escape: (character: string) => string) => (text: string) =>
	text.replace(/[^]/g, escape);

/** How servers write a key, and back. */
const ESCAPES: Readonly<Record<string, (text: string) => string>> = {
	plain: (text) => text,
	'\\/': (text) =>
		JSON.stringify(text)
			.slice(1, -1)
			.replaceAll('/', String.raw`\/`),
	'\\u002B': everySign((sign) => `\\u${toHex(sign, 4).toUpperCase()}`),
	'\\u002b': everySign((sign) => `\\u${toHex(sign, 4)}`),
	'\\u{2b}': everySign((sign) => `\\u{${toHex(sign, 1)}}`),
	'\\U0000002b': everySign((sign) => `\\U${toHex(sign, 8)}`),
	'\\x41 of each character': everyCharacter((character) => `\\x${toHex(character, 2)}`),
	'\\101 of each character': everyCharacter(
		(character) => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`,
	),
	'%2F': everySign((sign) => `%${toHex(sign, 2).toUpperCase()}`),
	'%2f': everySign((sign) => `%${toHex(sign, 2)}`),
	'%41 of each character': everyCharacter((character) => `%${toHex(character, 2)}`),
	'%u002B': everySign((sign) => `%u${toHex(sign, 4)}`),
	'&#43;': everySign((sign) => `&#${sign.charCodeAt(0)};`),
	'&#x2B;': everySign((sign) => `&#x${toHex(sign, 1)};`),
	'&amp;': (text) =>
		text
			.replaceAll('&', '&amp;')
			.replaceAll('<', '&lt;')
			.replaceAll('/', '&sol;')
			.replaceAll('.', '&period;'),
	'=2B': everySign((sign) => `=${toHex(sign, 2).toUpperCase()}`),
	'JSON in JSON': (text) => JSON.stringify(JSON.stringify(text)),
	'JSON with \\/ in JSON': (text) =>
		JSON.stringify(JSON.stringify(text).replaceAll('/', String.raw`\/`)),
	'%2f in JSON with \\u0025': (text) =>
		encodeURIComponent(text).replaceAll('%', String.raw`\u0025`),
};

/** Independent of the package: the text with all that an escape of the table stands for, once. */
const decode = (text: string) =>
	text.replace(
		/\\u\{([0-9a-f]+)\}|\\U0000([0-9a-f]{4})|(?:\\u|%u)([0-9a-f]{4})|(?:\\x|%|=)([0-9a-f]{2})|&#x([0-9a-f]+);|&#(\d+);|\\([0-7]{3})|\\(["\\/])|&(amp|lt|sol|period);/gi,
		(...groups: Array<string | undefined>) => {
			const [, a, b, c, d, e, decimal, octal, sign, name] = groups;
			if (sign !== undefined) return sign;
			if (name !== undefined) return { amp: '&', lt: '<', sol: '/', period: '.' }[name]!;
			const code = [a, b, c, d, e].find((one) => one !== undefined);
			if (code !== undefined) return String.fromCharCode(Number.parseInt(code, 16));
			return String.fromCharCode(octal === undefined ? Number(decimal) : Number.parseInt(octal, 8));
		},
	);

function expectMasked(shown: string, secret: string, part: string) {
	let layer = shown;
	for (let depth = 0; depth <= 3; depth++) {
		expect([secret, part, shown, findLeak(layer, secret)]).toEqual([
			secret,
			part,
			shown,
			undefined,
		]);
		layer = decode(layer);
	}
}

const getSecrets = (secret: string) => collectSecrets({ authorization: `Bearer ${secret}` });

/** All parts of a key that are not ordinary text. */
function collectParts(secret: string) {
	const parts: string[] = [];
	for (let at = 0; at + WINDOW <= secret.length; at++)
		if (!isOrdinary(secret.slice(at, at + WINDOW))) parts.push(secret.slice(at, at + WINDOW));
	return [...parts, secret.slice(1), secret.slice(0, -1), secret.slice(0, 12)].filter(
		(part) => part.length >= WINDOW && !isOrdinary(part),
	);
}

function checkEveryWindow(secret: string) {
	const secrets = getSecrets(secret);
	for (const part of collectParts(secret))
		expect([secret, part, findLeak(mask(`a ${part} b`, secrets), secret)]).toEqual([
			secret,
			part,
			undefined,
		]);
}

test.each(NAMED_KEYS)('each part of %s', (secret) => {
	checkEveryWindow(secret);
	for (const escape of Object.values(ESCAPES))
		for (const part of collectParts(secret)) {
			const echo = escape(part);
			expectMasked(mask(`a ${echo} b`, getSecrets(secret)), secret, echo);
			const body = maskBody(JSON.stringify({ error: `a ${echo} b` }), getSecrets(secret));
			expectMasked(String((JSON.parse(body) as { error: unknown }).error), secret, echo);
		}
});

test('each part of random keys in many forms', () => {
	fc.assert(fc.property(key, checkEveryWindow));
});

describe.each(Object.entries(ESCAPES))('a part of a random key as %s', (_name, escape) => {
	const parts = fc.tuple(key, fc.nat(), fc.integer({ min: WINDOW, max: 60 }));

	test('in a whole text', () => {
		fc.assert(
			fc.property(parts, ([secret, start, length]) => {
				const at = start % (secret.length - WINDOW + 1);
				const echo = `You sent ${escape(secret.slice(at, at + length))} here`;
				expectMasked(mask(echo, getSecrets(secret)), secret, echo);
				const body = maskBody(JSON.stringify({ [echo]: [echo] }), getSecrets(secret));
				expectMasked(Object.keys(JSON.parse(body) as object)[0]!, secret, echo);
			}),
			examples(40),
		);
	});

	test('in a stream that is cut anywhere', () => {
		fc.assert(
			fc.property(parts, fc.array(fc.integer({ min: 1, max: 9 })), (part, sizes) => {
				const [secret, start, length] = part;
				const at = start % (secret.length - WINDOW + 1);
				const echo = `You sent ${escape(secret.slice(at, at + length))} here`;
				const stream = new MaskedStream(getSecrets(secret));
				let shown = '';
				let end = 0;
				for (const size of [...sizes, echo.length]) {
					shown += stream.push(echo.slice(end, end + size));
					end += size;
				}
				expectMasked(shown + stream.end(), secret, echo);
			}),
			examples(60),
		);
	});
});

describe('other text stays', () => {
	const TEXTS = [
		'The server did not answer: set the API key of your local server, and try it once more.',
		'Call `llama-server --api-key` on http://localhost:8080/v1, or https://example.com/v1/models.',
		'const total = values.reduce((sum, value) => sum + value, 0); // 1234-5678-9012',
		'{"id":"chatcmpl-7f3b","object":"chat.completion","created":1732723200,"choices":[]}',
		'0a1b2c3d-0000-4000-8000-000000000000 and ----------------, ================, ********',
		'Authorization, authentication and configuration of passwords: Passwort, herzlich, Schlüssel.',
		'llama-3.1-8b-instruct, Qwen2.5-7B-Instruct, gpt-oss-20b, lm-studio, text-embeddings-inference',
		'| a | b |\n|---|---|\n| 1 | 2 |\n\n\\frac{a}{b} &amp; %20 \\u00e9 =3D &lt;b&gt;',
	];

	test.each([
		...NAMED_KEYS,
		'sk-llama-server-9f8e7d6c',
		'https://example.org/9f8e7d6c5b4a',
		'my-password-9f8e7d6c5b4a',
		'authentication-authorization-77',
		'local-llama-3.1-8b-key',
		'xxxxxxxx-0000000000000000-1',
		'internal.configuration.5b4a',
	])('with the key %s', (secret) => {
		for (const text of TEXTS) {
			expect(mask(text, getSecrets(secret))).toBe(text);
			expect(maskBody(JSON.stringify({ text }), getSecrets(secret))).toBe(JSON.stringify({ text }));
			const stream = new MaskedStream(getSecrets(secret));
			const shown = text.split(/(?<=.{3})/s).map((delta) => stream.push(delta));
			expect(shown.join('') + stream.end()).toBe(text);
		}
	});

	test('texts without a part of the key, of any characters', () => {
		const text = fc.oneof(
			fc.string(),
			fc.string({ unit: fc.constantFrom(...'0123456789-') }),
			fc.string({ unit: fc.constantFrom(...'abcdefABCDEF0123456789+/=\\%&#;xu') }),
		);
		fc.assert(
			fc.property(key, text, (secret, other) => {
				const grams = Array.from({ length: Math.max(0, secret.length - 3) }, (_one, at) =>
					secret.slice(at, at + 4),
				);
				let layer = other;
				for (let depth = 0; depth < 3; depth++) {
					if (grams.some((gram) => layer.includes(gram))) return;
					layer = decode(layer);
				}
				expect(mask(other, getSecrets(secret))).toBe(other);
			}),
		);
	});
});
