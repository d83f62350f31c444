import * as fc from 'fast-check';

import { mask, maskDeep, maskedExcerpt, collectSecrets } from '../../../lib/errors/mask';
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
