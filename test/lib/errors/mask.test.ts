import * as fc from 'fast-check';

import { mask, maskBody, maskDeep, maskedExcerpt, collectSecrets } from '../../../lib/errors/mask';
import { MaskedStream } from '../../../lib/errors/masked-stream';
import { DOUBLE_ESCAPES, ECHOED_KEYS, findLeak, getKeysFor } from '../../support/texts/echoes';
import * as buffer from 'node:buffer';

const { Buffer } = buffer;
const KEY = ['sk', '9f8e/7d6c+5b4a=3210'].join('-');

test.each<[string, Record<string, string>, string[]]>([
	['a bearer key', { authorization: `Bearer ${KEY}` }, [`Bearer ${KEY}`, KEY]],
	['a key in a custom header', { 'x-api-key': KEY }, [KEY]],
	[
		'user and password of Basic',
		{ authorization: `Basic ${btoa('anna:correct4horse')}` },
		['anna:correct4horse', 'correct4horse'],
	],
	['a cookie', { cookie: 'session=abcdef1234567890; theme=dark' }, ['abcdef1234567890']],
])('the secrets of %s', (_name, headers, expected) => {
	expect(collectSecrets(headers)).toEqual(expect.arrayContaining(expected));
});

test.each<[string, Record<string, string>]>([
	['placeholders', { authorization: 'Bearer no-key', 'x-api-key': 'ollama' }],
	['short words', { 'x-api-key': 'secret' }],
	[
		'headers that describe a request',
		{ 'user-agent': 'n8n-2.41.3-build-1234', 'x-forwarded-for': '192.168.100.200' },
	],
])('%s are not secrets, because masking them would garble texts', (_name, headers) => {
	const all = collectSecrets(headers).filter((secret) => !secret.startsWith('Bearer '));
	expect(all).toEqual([]);
});

test('a secret is masked in plain text, in a URL, and in base64 at any offset', () => {
	const key = fc
		.stringMatching(/^[\w+/=:-]{16,40}$/)
		.filter((one) => /\d/.test(one) && /[a-z]/i.test(one));
	const text = fc.string({ unit: 'grapheme-ascii' });
	fc.assert(
		fc.property(key, text, text, (secret, before, behind) => {
			const secrets = [secret];
			for (const encode of [
				(plain: string) => plain,
				encodeURIComponent,
				(plain: string) => Buffer.from(plain).toString('base64'),
			]) {
				const masked = mask(encode(before + secret + behind), secrets);
				expect(masked).toContain('***');
				expect(masked).not.toContain(secret);
				expect(Buffer.from(masked.replaceAll('***', ''), 'base64').toString()).not.toContain(
					secret,
				);
			}
		}),
	);
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

test('an excerpt never contains a partial key', () => {
	expect(maskedExcerpt(`key ${KEY} refused`, 10, [KEY])).toBe('key *** re');
});

const PAIRS = DOUBLE_ESCAPES.map(([name, escape], index) => ({
	name,
	escape,
	keys: name.startsWith('plain in') ? ECHOED_KEYS : getKeysFor(index),
}));

describe.each(PAIRS)('a key that is echoed as $name', ({ name, escape, keys }) => {
	test('no stretch of a key is left of an echo', () => {
		for (const key of keys) {
			const secrets = collectSecrets({ authorization: `Bearer ${key}` });
			const echo = escape(`You sent ${key} as the key.`);
			expect(findLeak(echo, key)).toBeDefined();
			for (const masked of [
				mask(echo, secrets),
				JSON.parse(maskBody(JSON.stringify({ error: echo, [echo]: [1] }), secrets)) as object,
				maskDeep({ a: [echo] }, secrets),
			]) {
				const text = typeof masked === 'string' ? masked : JSON.stringify(masked);
				expect(text).toContain('***');
				expect([key, text, findLeak(text, key)]).toEqual([key, text, undefined]);
			}
		}
	});

	test('no stretch of a key is left of an echo that arrives in parts', () => {
		for (const key of keys) {
			const secrets = collectSecrets({ authorization: `Bearer ${key}` });
			const echo = escape(`You sent ${key} as the key.`);
			// Base64 of an escaped key is recognized only as a whole.
			if (name.endsWith('base64') && !name.startsWith('plain in')) continue;
			for (const size of [2, 5]) {
				const stream = new MaskedStream(secrets);
				let shown = '';
				for (let at = 0; at < echo.length; at += size)
					shown += stream.push(echo.slice(at, at + size));
				shown += stream.end();
				expect([key, size, shown, findLeak(shown, key)]).toEqual([key, size, shown, undefined]);
			}
		}
	});
});

describe('a part of a key', () => {
	test.each([
		[
			'Malformed LM Studio API token provided: sk-lm-J9Fa6fbC...',
			'sk-lm-J9Fa6fbC:Rr7uYsH2mQ0pVxZ1',
		],
		['Incorrect API key provided: sk-proj-****************3a9b.', 'sk-proj-77af21bb90cc3a9b'],
		['key …5b4a3210 is unknown', 'only-letters-before-5b4a3210'],
		['a password such as correcthorse... is weak', 'correcthorsebatterystaple'],
		['sk-lm-J9Fa6fbC\u2026', 'sk-lm-J9Fa6fbC:Rr7uYsH2mQ0pVxZ1'],
		['middle 6fbC:Rr7 here', 'sk-lm-J9Fa6fbC:Rr7uYsH2mQ0pVxZ1'],
		['a key of letters: wXdqIwRedlzomrSHGZDrPMA', 'wXdqIwRedlzomrSHGZDrPMA7'],
		['its end: dlzomrSHGZDrPMA7', 'wXdqIwRedlzomrSHGZDrPMA7'],
		['letters behind a prefix: sk-proj-AbCdEfGhIjKlMnO', 'sk-proj-AbCdEfGhIjKlMnOp'],
		['around a sign: +9f8e7d=6c5b4a/', 'sk/live+9f8e7d=6c5b4a/3210Zz'],
	])('a part of a key is masked: %s', (text, key) => {
		const masked = mask(text, collectSecrets({ authorization: `Bearer ${key}` }));
		expect(masked).toContain('***');
		expect(findLeak(masked, key)).toBeUndefined();
	});

	test.each([
		['the model llama-3.1-8b-instruct', 'llama-3.1-8b-key-of-mine'],
		['Your password is wrong', 'my-password-for-this-server'],
		['Bearer tokens are required', 'sk-9f8e7d6c5b4a3210'],
		['sk-9f8e', 'sk-9f8e7d6c5b4a3210'],
		['ollama', 'ollama'],
		['secret', 'secret'],
	])('that is a word stays: %s', (text, key) => {
		expect(mask(text, collectSecrets({ authorization: `Bearer ${key}` }))).toBe(text);
	});
});

test('the rest of JSON stays to the letter, and JSON stays JSON', () => {
	const body = `{"n": 12345678901234567890.10, "a":"x\\n${KEY.slice(1)}", "b" : "${KEY}\\/" , "c":"\\u00e9"}`;
	expect(maskBody(body, [KEY])).toContain('"n": 12345678901234567890.10,');
	expect(maskBody(body, [KEY])).toContain('"c":"\\u00e9"}');
	expect(maskBody(body, [KEY])).toContain('"b" : "***/"');
	expect(maskBody('{"key":1234567890123456}', ['1234567890123456'])).toBe('{"key":"***"}');
	fc.assert(
		fc.property(fc.jsonValue(), fc.string(), (value, before) => {
			const json = JSON.stringify([value, before + KEY]);
			// JSON has no -0.
			const [parsed] = JSON.parse(json) as unknown[];
			expect(JSON.parse(maskBody(json, [KEY]))).toEqual([parsed, `${before}***`]);
		}),
	);
});

test('a stream holds back only what may be the beginning of a secret', () => {
	fc.assert(
		fc.property(fc.array(fc.string({ unit: 'grapheme' })), (deltas) => {
			const stream = new MaskedStream([KEY]);
			const shown = deltas.map((delta) => stream.push(delta));
			expect(shown.join('') + stream.end()).toBe(deltas.join(''));
		}),
	);
	const stream = new MaskedStream([KEY]);
	expect(stream.push('The quick brown fox')).toBe('The quick brown fox');
	expect(stream.push(' has sk-9')).toBe(' has ');
	expect(stream.push('000 coins.')).toBe('sk-9000 coins.');
	expect(stream.push(` and ${KEY.slice(0, 12)}`)).toBe(' and ');
	expect(stream.push(`${KEY.slice(12)}!`)).toBe('***!');
});
