import fc from 'fast-check';

import { SecretMask } from '../../../lib/errors/secret-mask';
import { certainKeysOf, mask, maskedStart, secretsOf } from '../../../lib/errors/secrets';
import { examples } from '../../support/properties';
import { cpuMilliseconds } from '../../support/time';

const CANARY = 'Zk3vQ9xT7mB2nL5pR8wYc4';
const bearer = (key: string) => secretsOf({ authorization: `Bearer ${key}` });
const inAnswers = (key: string) => certainKeysOf({ authorization: `Bearer ${key}` });

const each = (text: string, write: (code: number) => string) =>
	Array.from(text, (character) => write(character.charCodeAt(0))).join('');
const hexOf = (code: number, digits: number) => code.toString(16).padStart(digits, '0');

/** Every name that HTML has for a sign of ASCII, in the order of the signs (https://html.spec.whatwg.org/entities.json). */
const NAMES =
	'excl quot num dollar percnt amp apos lpar rpar ast plus comma - period sol colon semi lt equals gt quest commat lsqb bsol rsqb Hat lowbar grave lcub vert rcub';
const SIGNS = '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}';
const NAMED: Record<string, string> = Object.fromEntries(
	NAMES.split(' ').flatMap((name, at) => (name === '-' ? [] : [[SIGNS[at]!, `&${name};`]])),
);

/** Every way to write a text that a mask sees through. */
const ENCODERS: Record<string, (text: string) => string> = {
	plain: (text) => text,
	url: encodeURIComponent,
	'url, every character': (text) => each(text, (code) => `%${hexOf(code, 2).toUpperCase()}`),
	json: (text) => JSON.stringify(text).slice(1, -1),
	'json, every character': (text) => each(text, (code) => `\\u${hexOf(code, 4)}`),
	'percent with u': (text) => each(text, (code) => `%u${hexOf(code, 4).toUpperCase()}`),
	python: (text) => each(text, (code) => `\\x${hexOf(code, 2)}`),
	'python, eight digits': (text) => each(text, (code) => `\\U${hexOf(code, 8)}`),
	octal: (text) => each(text, (code) => `\\${code.toString(8).padStart(3, '0')}`),
	'javascript, in braces': (text) => each(text, (code) => `\\u{${code.toString(16)}}`),
	'perl, in braces': (text) => each(text, (code) => `\\x{${hexOf(code, 4)}}`),
	'perl, octal in braces': (text) => each(text, (code) => `\\o{${code.toString(8)}}`),
	'perl, by code point': (text) => each(text, (code) => `\\N{U+${code.toString(16)}}`),
	'UTF-16 read as UTF-8': (text) => each(text, (code) => `${String.fromCharCode(code)}\0`),
	'big-endian UTF-16 read as UTF-8': (text) =>
		each(text, (code) => `\0${String.fromCharCode(code)}`),
	'hex with blanks of a form': (text) => each(text, (code) => `${hexOf(code, 2)}+`),
	'html, by names': (text) => text.replace(/[^a-z0-9 ]/gi, (sign) => NAMED[sign] ?? sign),
	html: (text) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/"/g, '&quot;'),
	'html, decimal': (text) => each(text, (code) => `&#${code};`),
	'html, zeros': (text) => each(text, (code) => `&#x000000000${hexOf(code, 2)};`),
	hex: (text) => Buffer.from(text).toString('hex'),
	'hex with colons': (text) => each(text, (code) => `${hexOf(code, 2)}:`),
	'hex with spaces': (text) => each(text, (code) => `${hexOf(code, 2).toUpperCase()} `),
	'hex with full stops': (text) => each(text, (code) => `${hexOf(code, 2)}.`),
	'code points': (text) => each(text, (code) => `U+${hexOf(code, 4).toUpperCase()} `),
	'hex as bytes': (text) => each(text, (code) => `0x${hexOf(code, 2)}, `),
	base64: (text) => Buffer.from(text).toString('base64'),
	'base64 of a URL': (text) => Buffer.from(text).toString('base64url'),
	'base64 in lines': (text) =>
		Buffer.from(text)
			.toString('base64')
			.replace(/.{76}/g, (line) => `${line}\r\n`),
	'base64 in short lines': (text) =>
		Buffer.from(text)
			.toString('base64')
			.replace(/.{10}(?=.)/g, (line) => `${line}\n`),
	'base64 in indented lines': (text) =>
		Buffer.from(text)
			.toString('base64')
			.replace(/.{16}(?=.)/g, (line) => `${line}\n  `),
	'base64 in a folded header': (text) =>
		Buffer.from(text)
			.toString('base64')
			.replace(/.{40}(?=.)/g, (line) => `${line}\r\n\t`),
	'base64 of UTF-16': (text) => Buffer.from(text, 'utf16le').toString('base64'),
	'base64 of big-endian UTF-16': (text) => Buffer.from(text, 'utf16le').swap16().toString('base64'),
};

/** As keys are made: letters and digits at random, with signs between them. */
const randomKey = fc
	.array(
		fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=_-."&<\''),
		{ minLength: 20, maxLength: 60 },
	)
	.map((letters) => letters.join(''))
	.filter((key) => halvesOf(key).every(isRandom));

/** Every part that has the shortest length that is masked. */
function halvesOf(key: string): string[] {
	const length = Math.min(16, Math.ceil(key.length / 2));
	return Array.from({ length: key.length - length + 1 }, (_, at) => key.slice(at, at + length));
}

/** In at least three places a letter beside a digit. */
function isRandom(part: string): boolean {
	return (part.match(/[a-z](?=\d)|\d(?=[a-z])/gi) ?? []).length >= 3;
}

const UNSEEN_SIGN = /^(?![\t\n\r])(?:\p{Cc}|\p{Cf}|\p{Default_Ignorable_Code_Point})$/u;
const UNSEEN_SIGNS = Array.from({ length: 0x110000 }, (_, code) =>
	String.fromCodePoint(code),
).filter((sign) => UNSEEN_SIGN.test(sign));
const encoderNames = Object.keys(ENCODERS);
/** Those that write bytes: of UTF-8, or of UTF-16. */
const BYTE_ENCODERS = [
	'url',
	'json, every character',
	'html, decimal',
	'hex',
	'code points',
	'base64',
	'base64 of a URL',
	'base64 of UTF-16',
	'base64 of big-endian UTF-16',
];
/** Longer base64 is not read. */
const MAX_ENCODED = 4000;
const surroundings = fc.tuple(fc.string(), fc.string());

describe('a key, or half of it, is left in no form', () => {
	test.each(encoderNames)('%s, and each other way around it', (name) => {
		fc.assert(
			fc.property(
				randomKey,
				fc.constantFrom(...encoderNames),
				surroundings,
				surroundings,
				(key, outerName, [before, after], [wide, far]) => {
					const inner = ENCODERS[name]!(`${before} ${key} ${after}`);
					const echo = `${wide} ${ENCODERS[outerName]!(inner)} ${far}`;
					const secrets = bearer(key);
					const masked = mask(echo, secrets);
					expect(mask(echo, secrets)).toBe(masked);
					for (const half of halvesOf(key)) {
						const encoded = ENCODERS[outerName]!(ENCODERS[name]!(half));
						expect(masked).not.toContain(encoded);
					}
					expect(masked).toContain('***');
				},
			),
			examples(200),
		);
	});

	test('any three ways within one another, in JSON', () => {
		const encoder = fc.constantFrom(...encoderNames);
		fc.assert(
			fc.property(randomKey, fc.tuple(encoder, encoder, encoder), (key, names) => {
				const encode = (text: string) =>
					names.reduce((inner, name) => ENCODERS[name]!(inner), text);
				fc.pre(encode(key).length < MAX_ENCODED);
				const masked = mask(JSON.stringify({ echo: `(${encode(key)})` }), bearer(key));
				expect(JSON.parse(masked)).toEqual({ echo: expect.stringContaining('***') as string });
				for (const half of halvesOf(key))
					expect((JSON.parse(masked) as { echo: string }).echo).not.toContain(encode(half));
			}),
			examples(500),
		);
	});

	test.each(encoderNames)('%s, cut at both ends', (name) => {
		fc.assert(
			fc.property(randomKey, fc.nat(), fc.nat(), (key, start, length) => {
				const halves = halvesOf(key);
				const half = halves[start % halves.length]!;
				const from = key.indexOf(half);
				const part = key.slice(from, from + half.length + (length % key.length));
				const masked = mask(`(${ENCODERS[name]!(part)})`, bearer(key));
				expect(masked.replaceAll('\0', '')).toMatch(/^\(\*\*\*[ :,+]*\)$/);
			}),
			examples(200),
		);
	});

	test.each(encoderNames)('%s, each time that it is shown', (name) => {
		const secrets = bearer(CANARY);
		const echo = `id ${ENCODERS[name]!(CANARY)} end`;
		for (let times = 0; times < 3; times++) expect(mask(echo, secrets)).toContain('***');
	});

	test('with signs between its letters that nobody sees', () => {
		const unseen = fc.constantFrom(...UNSEEN_SIGNS);
		const common = fc.constantFrom(...'\0\u00ad\u061c\u200b\u200d\u202e\u2060\u2066\ufeff');
		fc.assert(
			fc.property(randomKey, fc.oneof(common, unseen), (key, sign) => {
				expect(mask(`<${Array.from(key).join(sign)}>`, bearer(key))).toBe('<***>');
			}),
			examples(200),
		);
	});

	test.each(BYTE_ENCODERS)('with such signs, in %s', (name) => {
		const signs = fc.constantFrom(...'\0\x1b\u00ad\u061c\u200b\u200d\u202e\u2060\ufeff');
		fc.assert(
			fc.property(randomKey, signs, (key, sign) => {
				const echo = `(${ENCODERS[name]!(Array.from(key).join(sign))})`;
				expect(mask(echo, bearer(key))).toMatch(/^\(.{0,12}\*\*\*.{0,12}\)$/);
			}),
			examples(100),
		);
	});

	test('with signs between them that a password may have', () => {
		const sign = fc.constantFrom(...SIGNS);
		fc.assert(
			fc.property(randomKey, fc.array(sign, { minLength: 10, maxLength: 10 }), (key, signs) => {
				const password = signs.map((each, at) => key.slice(at, at + 2) + each).join('');
				const secrets = secretsOf({ 'x-proxy-token': password });
				expect(mask(`(${ENCODERS['html, by names']!(password)})`, secrets)).toContain('***');
			}),
			examples(200),
		);
	});

	test('in capitals and in small letters', () => {
		fc.assert(
			fc.property(randomKey, (key) => {
				expect(mask(`<${key.toUpperCase()}> ${key.toLowerCase()}`, bearer(key))).toBe('<***> ***');
			}),
			examples(200),
		);
	});

	test('behind letters that look like its own encoding', () => {
		for (const glued of ['a', 'ab', 'abc', 'abcd', 'e5', '/'])
			for (const encoding of ['base64', 'hex'] as const) {
				const encoded = Buffer.from(CANARY).toString(encoding);
				expect(mask(glued + encoded, bearer(CANARY))).not.toContain(encoded.slice(4, 20));
			}
	});

	test('letters beyond ASCII', () => {
		const key = 'schlüssel-für-4711-größer';
		for (const encode of [encodeURIComponent, ENCODERS.base64!, ENCODERS.hex!, ENCODERS.json!])
			expect(mask(`(${encode(key)})`, bearer(key))).toMatch(/^\(\*\*\*=*\)$/);
	});

	test('at the place where a text is cut, of any length', () => {
		for (let length = 1; length < 120; length++) {
			const text = `${'x'.repeat(60)} ${CANARY} ${'y'.repeat(5_000)}`;
			const start = maskedStart(text, length, bearer(CANARY));
			for (const half of halvesOf(CANARY)) expect(start).not.toContain(half);
		}
	});

	test('in answers too', () => {
		const answer = JSON.stringify({
			data: [{ id: `x ${CANARY.slice(3, 14)}`, name: `"${CANARY}"` }],
			mode: 'chat',
		});
		expect(mask(answer, inAnswers(CANARY))).toBe(
			'{"data":[{"id":"x ***","name":"\\"***\\""}],"mode":"chat"}',
		);
	});
});

describe('what is no secret stays', () => {
	test('words and JSON beside any key', () => {
		fc.assert(
			fc.property(
				randomKey,
				fc.lorem({ mode: 'sentences', maxCount: 5 }),
				fc.json(),
				(key, words, json) => {
					expect(mask(words, bearer(key))).toBe(words);
					expect(mask(json, bearer(key))).toBe(json);
				},
			),
			examples(300),
		);
	});

	test.each([
		['our-llama-server-2024', 'our llama-server on gpu-server-01: workflow not found, 2024-11'],
		['our-llama-server-7f3aPq81Zx', 'our llama-server on gpu-server-01'],
		['app-Simworkflow0000000000000', 'workflow not found, 00000000-0000-4000-8000-000000000000'],
		['MyCompanySecretKey2024', 'MyCompany says: secretkey, my-company.example'],
		['iOSAppKeyOfTheWorkflow', 'iOSApp, workflow, iosappkey'],
		['correcthorsebatterystaple', 'correcthorse, batterystaple'],
		['our-knowledge-technique-key', 'knowledge-technique'],
		['GitHubOpenAIGateway-7f3aPq81', 'GitHubOpenAIGateway'],
	])('words of the key %s', (key, text) => {
		expect(mask(text, bearer(key))).toBe(text);
		expect(mask(`sent: ${key}`, bearer(key))).toBe('sent: ***');
	});

	test.each([
		'Qwen2VL7',
		'llama3.2',
		'gpt-oss:20b',
		'Phi4Mini',
		'mistral7b',
		'gemma3n:e4b',
		'qwen3-coder',
	])('in answers, %s as a short key: it is the name of a model', (key) => {
		expect(mask(`{"id":"${key}"}`, inAnswers(key))).toBe(`{"id":"${key}"}`);
	});

	test('a short secret is hidden where it stands alone, and so is most of it', () => {
		const secrets = secretsOf({ 'x-api-key': 'a1b2c3d4e5f6' });
		expect(mask('key a1b2c3d4e5f6, a1b2c3d4e5, c3d4e5f6', secrets)).toBe('key ***, ***, ***');
		expect(mask('model xa1b2c3d4e5f6', secrets)).toBe('model xa1b2c3d4e5f6');
	});

	test.each(['x7Kq9Lm2', 'a1b2c3d4', 'k-Zx7Qv9pL2w', 'Zk3vQ9xT7mB'])(
		'in answers, a name that holds the short key %s',
		(key) => {
			const answer = `{"id":"${key}","more":"Bearer ${key}"}`;
			expect(mask(answer, inAnswers(key))).not.toContain(key);
			expect(mask(`{"id":"a${key}b"}`, inAnswers(key))).toBe(`{"id":"a${key}b"}`);
		},
	);
});

describe('in a long text', () => {
	test('a key is found wherever it stands, and nothing else is changed', () => {
		fc.assert(
			fc.property(
				randomKey,
				fc.constantFrom('The fox\\n jumps. ', 'x', '{"a":1},', '\n'),
				fc.integer({ min: 0, max: 140_000 }),
				fc.integer({ min: 0, max: 80_000 }),
				(key, filler, before, after) => {
					const fill = (length: number) =>
						filler.repeat(Math.ceil(length / filler.length)).slice(0, length);
					const [head, tail] = [`${fill(before)} `, ` ${fill(after)}`];
					expect(mask(`${head}${key}${tail}`, bearer(key))).toBe(`${head}***${tail}`);
				},
			),
			examples(40),
		);
	});
});

describe('what is left behind', () => {
	test('JSON that was JSON stays it', () => {
		fc.assert(
			fc.property(randomKey, fc.string(), (key, around) => {
				const body = JSON.stringify({ error: { message: around + key + around, [key]: [key] } });
				expect(() => JSON.parse(mask(body, bearer(key))) as unknown).not.toThrow();
			}),
			examples(300),
		);
	});

	test.each([
		'x-forwarded-access-token',
		'x-forwarded-id-token',
		'trace-token',
		'content-pass',
		'accept-key',
		'x-tenant',
	])('the value of the header %s is a secret', (name) => {
		const secrets = secretsOf({ [name]: CANARY });
		expect(mask(`got ${CANARY}`, secrets)).toBe('got ***');
		expect(mask(`got ${CANARY}`, certainKeysOf({ [name]: CANARY }))).toBe('got ***');
	});

	test('the password of Basic, in answers too', () => {
		const headers = { authorization: `Basic ${btoa('anna:pr0xy-pass')}` };
		expect(mask('{"user":"anna:pr0xy-pass","pass":"pr0xy-pass"}', certainKeysOf(headers))).toBe(
			'{"user":"***","pass":"***"}',
		);
	});

	test('a key that was typed into the name of a header', () => {
		const secrets = secretsOf({
			'x-9f86d081884c7d659a2f': 'yes',
			'x-amz-content-sha256': 'whatever it is',
		});
		expect(mask('X-9F86D081884C7D659A2F: yes, x-amz-content-sha256', secrets)).toBe(
			'X-***: yes, x-amz-content-sha256',
		);
	});
});

describe('the time is that of the length of the text', () => {
	const LONG: Record<string, string> = {
		escapes: '{"error": "%20 \\u0020 &amp; something"} ',
		'nested escapes': '%2525252525252525',
		identifiers: '{"id":"chatcmpl-9f86D081884c7d659A2feaa0c55aD015a3bf4f1b2b0b822cd1"} ',
		'hexadecimal bytes': '5a 6b 33 76 51 39 78 54 37 6d 42 32 6e ',
		'beginnings of the key': `${CANARY.slice(0, 10)} `,
		'one letter': 'a',
		'short lines': 'Zm9vYmFy\n',
		backslashes: '\\\\',
	};

	test.each(Object.entries(LONG))('%s', (_name, piece) => {
		const timeOf = (length: number) => {
			const text = piece.repeat(Math.ceil(length / piece.length));
			return cpuMilliseconds(() => void new SecretMask([CANARY]).mask(text));
		};
		timeOf(50_000);
		expect(timeOf(400_000)).toBeLessThan(300 + 20 * timeOf(100_000));
	});
});
