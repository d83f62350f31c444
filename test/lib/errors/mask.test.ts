import * as fc from 'fast-check';
import { Buffer } from 'node:buffer';
import { mask, maskBody, maskDeep } from '../../../lib/errors/mask';
import { ECHO_FORMS, ECHOED_KEYS } from '../../support/texts/echoes';

const KEY = ['sk', '9f8e/7d6c+5b4a=3210'].join('-');

describe.each(Object.entries(ECHO_FORMS))('a key that is echoed as %s', (_name, escape) => {
	test.each(ECHOED_KEYS)('is masked in texts, values and bodies: %s', (key) => {
		const echo = `You sent ${escape(key)} here.`;
		expect(mask(echo, [key])).toMatch(/^You sent \\*\*\*\* here\.$/);
		expect(JSON.stringify(maskDeep({ [echo]: [echo] }, [key]))).not.toContain(escape(key));
		const body = JSON.stringify({ error: echo, [echo]: [1, { text: `${echo} ${echo}` }] });
		const masked = JSON.parse(maskBody(body, [key])) as Record<string, unknown>;
		expect(masked.error).toMatch(/^You sent \\*\*\*\* here\.$/);
		expect(Object.keys(masked)).toHaveLength(2);
		expect(JSON.stringify(masked)).not.toContain(JSON.stringify(escape(key)).slice(1, -1));
	});

	test.each(ECHOED_KEYS)('stays if a part of it is missing: %s', (key) => {
		for (const part of [key.slice(0, -1), key.slice(1), key.slice(0, 12), key.slice(-12)]) {
			const echo = `You sent ${escape(part)} here.`;
			expect(mask(echo, [key])).toBe(echo);
			const body = JSON.stringify({ error: echo, [echo]: [1] });
			expect(maskBody(body, [key])).toBe(body);
		}
	});
});

test('a text without an escape is masked as one with an escape elsewhere', () => {
	const signs = fc.constantFrom('a', 'b', ' ', '+', 'é', '\u{1F600}', '"');
	const texts = fc.string({ unit: signs, maxLength: 12 });
	const secrets = fc.array(fc.string({ unit: signs, minLength: 1, maxLength: 3 }), {
		minLength: 1,
		maxLength: 3,
	});
	fc.assert(
		fc.property(texts, secrets, (text, keys) => {
			expect(`${mask(text, keys)}%`).toBe(mask(`${text}%`, keys));
		}),
	);
});

test('any key is masked in any form, and what is around it stays', () => {
	const key = fc.string({ minLength: 16, maxLength: 40 }).filter((one) => !/[\\%]/.test(one));
	const text = fc.string({ unit: 'grapheme' }).filter((one) => !/[\\%]/.test(one));
	const forms = fc.constantFrom(...Object.values(ECHO_FORMS));
	fc.assert(
		fc.property(key, text, text, forms, (secret, before, after, escape) => {
			fc.pre(!before.includes(secret.slice(0, 1)) && !after.includes(secret.slice(0, 1)));
			expect(mask(before + escape(secret) + after, [secret])).toBe(`${before}***${after}`);
		}),
	);
});

/** A character in each form that may stand in a text of JSON or in an address. */
const JSON_FORMS: ReadonlyArray<(character: string) => string> = [
	(character) => JSON.stringify(character).slice(1, -1),
	(character) => toUnicodeEscapes(character, '\\u'),
	(character) => toUnicodeEscapes(character, '\\\\\\u').toUpperCase().replaceAll('U', 'u'),
];
const URL_FORMS: ReadonlyArray<(character: string) => string> = [
	(character) => (/[!-$&-~]/.test(character) ? character : encodeURIComponent(character)),
	(character) => [...Buffer.from(character)].map((byte) => `%${toHex(byte, 2)}`).join(''),
	(character) => (character === ' ' ? '+' : encodeURIComponent(character)),
];
const toHex = (code: number, digits: number) => code.toString(16).padStart(digits, '0');
const toUnicodeEscapes = (character: string, start: string) =>
	Array.from(
		{ length: character.length },
		(_none, at) => start + toHex(character.charCodeAt(at), 4),
	).join('');

test.each([
	{ name: 'of JSON', forms: JSON_FORMS },
	{ name: 'of an address', forms: URL_FORMS },
])('each character of a key may have another form $name', ({ forms }) => {
	const signs = fc.constantFrom('s', 'k', '-', '/', '"', '%', '+', ' ', '\n', 'é', '漢', '😀');
	const characters = fc.array(fc.tuple(signs, fc.constantFrom(...forms)), { minLength: 8 });
	fc.assert(
		fc.property(characters, (parts) => {
			const key = parts.map(([character]) => character).join('');
			const echo = parts.map(([character, escape]) => escape(character)).join('');
			fc.pre(!key.startsWith(' '));
			expect(mask(`You sent ${echo}.`, [key])).toBe('You sent ***.');
		}),
	);
});

test('a pair of Basic is masked in base64', () => {
	const pair = 'anna:correct4horse';
	const base64 = Buffer.from(pair).toString('base64');
	expect(mask(`Basic ${base64}`, [base64])).toBe('Basic ***');
});

test('other texts are unchanged', () => {
	expect(mask('nothing secret', [KEY])).toBe('nothing secret');
	expect(mask('no secrets at all')).toBe('no secrets at all');
});

test('keys and values of data are masked at any depth', () => {
	expect(maskDeep({ a: [{ [KEY]: `is ${KEY}` }], n: 1 }, [KEY])).toEqual({
		a: [{ '***': 'is ***' }],
		n: 1,
	});
});

test('the longest of several secrets is masked', () => {
	expect(mask(`anna:${KEY}, ${KEY}`, [KEY, `anna:${KEY}`])).toBe('***, ***');
});

test('the rest of JSON stays to the letter, and JSON stays JSON', () => {
	const body = `{"n": 12345678901234567890.10, "a":"x\\n${KEY.slice(1)}", "b" : "${KEY}\\/" , "c":"\\u00e9"}`;
	expect(maskBody(body, [KEY])).toBe(body.replace(`"${KEY}\\/"`, '"***/"'));
	expect(maskBody('{"key":1234567890123456, "n":1}', ['1234567890123456'])).toBe(
		'{"key":"***", "n":1}',
	);
	// A line end before "8n", and not the letter of a key.
	expect(maskBody(String.raw`{"a":"\n8n-key-4711-open"}`, ['n8n-key-4711-open'])).toBe(
		String.raw`{"a":"\n8n-key-4711-open"}`,
	);
	fc.assert(
		fc.property(fc.jsonValue(), fc.string(), (value, before) => {
			const json = JSON.stringify([value, before + KEY]);
			// JSON has no -0.
			const [parsed] = JSON.parse(json) as unknown[];
			expect(JSON.parse(maskBody(json, [KEY]))).toEqual([parsed, `${before}***`]);
		}),
	);
});

test('a body that is no JSON is masked as a text', () => {
	expect(maskBody(`{"a": ${KEY}`, [KEY])).toBe('{"a": ***');
	expect(maskBody(`<p>${KEY}</p>`, [KEY])).toBe('<p>***</p>');
});

test.each([
	['one string', JSON.stringify({ image: 'a'.repeat(12_000_000), key: KEY }), 1],
	['keys in one string', JSON.stringify({ text: `${KEY} `.repeat(500_000) }), 500_000],
	['keys in many strings', JSON.stringify(Array.from({ length: 300_000 }, () => KEY)), 300_000],
	['keys in a text', `${KEY}\n`.repeat(500_000), 500_000],
])('a body of 10 MB is masked: %s', (_name, body, count) => {
	const masked = maskBody(body, [KEY]);
	expect(masked.split('***').length - 1).toBe(count);
	expect(masked.includes(KEY)).toBe(false);
});
