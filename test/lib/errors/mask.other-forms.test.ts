/** Forms of a key that are no escapes: bytes as numbers, and other letter case. */
import { collectSecrets, mask, maskBody, maskDeep } from '../../../lib/errors/mask';
import { MaskedStream } from '../../../lib/errors/masked-stream';
import { cpuMilliseconds, LINEAR_CPU_MS } from '../../support/measures/cpu-time';
import { ECHOED_KEYS, ESCAPES } from '../../support/texts/echoes';
import { Buffer } from 'node:buffer';

interface Form {
	name: string;
	write(key: string): string;
}

const bytesOf = (key: string) => [...Buffer.from(key)];
const hexOf = (byte: number) => byte.toString(16).padStart(2, '0');
const escapeAs = (write: (byte: number) => string) => (key: string) =>
	bytesOf(key)
		.map((byte) =>
			/[\w-]/.test(String.fromCharCode(byte)) ? String.fromCharCode(byte) : write(byte),
		)
		.join('');

const BYTE_FORMS: readonly Form[] = [
	{ name: 'hexadecimal', write: (key) => Buffer.from(key).toString('hex') },
	{
		name: 'hexadecimal in capitals',
		write: (key) => Buffer.from(key).toString('hex').toUpperCase(),
	},
	{ name: 'behind another digit', write: (key) => `e${Buffer.from(key).toString('hex')}` },
	{ name: 'a Buffer of Node.js', write: (key) => `<Buffer ${bytesOf(key).map(hexOf).join(' ')}>` },
	{ name: 'pairs with colons', write: (key) => bytesOf(key).map(hexOf).join(':') },
	{
		name: 'a dump of four digits',
		write: (key) => Buffer.from(key).toString('hex').replace(/.{4}/g, '$& '),
	},
	{
		name: 'lines of a dump',
		write: (key) => Buffer.from(key).toString('hex').replace(/.{32}/g, '$&\n'),
	},
	{
		name: 'a list of C',
		write: (key) =>
			`{ ${bytesOf(key)
				.map((byte) => `0x${hexOf(byte)}`)
				.join(', ')} }`,
	},
	{ name: 'a list of JSON', write: (key) => JSON.stringify(bytesOf(key)) },
	{ name: 'a list on many lines', write: (key) => JSON.stringify(bytesOf(key), null, 4) },
	{ name: 'a list of Python and Rust', write: (key) => `[${bytesOf(key).join(', ')}]` },
	{ name: 'a list of Go', write: (key) => `[${bytesOf(key).join(' ')}]` },
	{ name: 'a list with semicolons', write: (key) => bytesOf(key).join(';') },
];

const TEXT_FORMS: readonly Form[] = [
	{ name: 'octal', write: escapeAs((byte) => `\\${byte.toString(8).padStart(3, '0')}`) },
	{ name: 'capitals', write: (key) => key.toUpperCase() },
	{ name: 'small letters', write: (key) => key.toLowerCase() },
	{ name: 'a URL in small letters', write: (key) => encodeURIComponent(key).toLowerCase() },
];

/** What is left of the bytes of a key: independent of the package. */
function findLeft(text: string, key: string): string | undefined {
	const bytes = Buffer.from(key).toString('latin1');
	const texts = text.split('***').flatMap((part) => {
		const digits = part.replace(/0x|[\s,:;]/g, '');
		const decimals = (part.match(/\d+/g) ?? []).map(Number);
		return [
			part.toLowerCase(),
			...[digits, digits.slice(1)].map((hex) => Buffer.from(hex, 'hex').toString('latin1')),
			String.fromCharCode(...decimals),
		].map((decoded) => decoded.toLowerCase());
	});
	for (let at = 0; at + 8 <= bytes.length; at++) {
		const stretch = bytes.slice(at, at + 8).toLowerCase();
		if (/\d/.test(stretch) && texts.some((one) => one.includes(stretch))) return stretch;
	}
	return undefined;
}

function streamed(text: string, size: number, secrets: string[]): string {
	const stream = new MaskedStream(secrets);
	let shown = '';
	for (let at = 0; at < text.length; at += size) shown += stream.push(text.slice(at, at + size));
	return shown + stream.end();
}

const OUTER = ['plain', 'JSON with \\u002B', 'HTML', 'URL'];

describe.each([...BYTE_FORMS, ...TEXT_FORMS])('a key as $name', ({ write }) => {
	test.each(OUTER)('in %s is masked in texts, bodies, values and streams', (outer) => {
		for (const key of ECHOED_KEYS) {
			const secrets = collectSecrets({ authorization: `Bearer ${key}` });
			const echo = ESCAPES[outer]!(`Sent: ${write(key)} is wrong.`);
			const shown = [
				mask(echo, secrets),
				maskBody(JSON.stringify({ error: echo }), secrets),
				JSON.stringify(maskDeep({ a: [echo] }, secrets)),
				...(outer === 'plain' ? [2, 5, 64].map((size) => streamed(echo, size, secrets)) : []),
			];
			const left = shown.map((text) => ({ text, left: findLeft(text, key) }));
			expect([
				key,
				left.find((one) => one.left !== undefined || !one.text.includes('***')),
			]).toEqual([key, undefined]);
		}
	});
});

test.each(ECHOED_KEYS)('the numbers of %j in a list are masked, and the others stay', (key) => {
	const secrets = collectSecrets({ authorization: `Bearer ${key}` });
	const bytes = bytesOf(key);
	const list = (bytesIn: readonly unknown[]) => ({
		type: 'Buffer',
		data: [1, 2, ...bytesIn, 255],
		others: [104, 101, 108, 108, 111, 32, 119, 111, 114, 108, 100],
	});
	const expected = list(bytes.map(() => '***'));
	expect(maskDeep(list(bytes), secrets)).toEqual(expected);
	expect(JSON.parse(maskBody(JSON.stringify(list(bytes)), secrets))).toEqual(expected);
	expect(JSON.parse(maskBody(JSON.stringify(list(bytes), null, 2), secrets))).toEqual(expected);
});

test.each([
	{
		name: 'short octal',
		text: String.raw`key sk\5519f8e\577d6c\5315b4a\753210`,
		key: 'sk-19f8e/7d6c+15b4a=3210',
	},
	{
		name: 'octal with a third digit that is the key’s',
		text: String.raw`sk\579f8e7d6c\538a`,
		key: 'sk/9f8e7d6c+8a',
	},
	{ name: 'octal of a newer byte', text: String.raw`sk\0539f8e7d6c5b`, key: 'sk+9f8e7d6c5b' },
	{ name: 'one octal digit', text: String.raw`sk\79f8e7d6c5b`, key: 'sk\u00079f8e7d6c5b' },
])('$name is masked', ({ text, key }) => {
	expect(mask(text, [key])).toMatch(/^(?:key )?\*\*\*$/);
});

const KEY = 'sk-Ab9/xY+7zQ=w#K2-p_L.mN/4t+Rr8==';

test.each([
	'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
	'2026-11-28 15:10:36, 192.168.100.200:8080',
	'[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]',
	'[115, 107, 45, 65, 98, 57, 46, 120]',
	'736b2d416239',
	'<Buffer 48 65 6c 6c 6f 2c 20 77 6f 72 6c 64>',
	'decade facade 0xdeadbeef 0x00 : 12:34:56:78:9a:bc:de:f0',
	String.raw`the pattern (a)(b)\1\2, the path C:\53\7z, \textbf{5}`,
	'SK-OTHER/XY+7ZQ',
])('a text without the key stays: %s', (text) => {
	const secrets = collectSecrets({ authorization: `Bearer ${KEY}` });
	expect(mask(text, secrets)).toBe(text);
	expect(streamed(text, 3, secrets)).toBe(text);
});

test('the words of a header stay in other letter case, and a key with a digit does not', () => {
	const secrets = collectSecrets({
		'x-team': 'Example Company Limited',
		'x-key': 'Team-4-Key-Of-Mine',
	});
	const text =
		'example company limited, EXAMPLE COMPANY LIMITED, team-4-key-of-mine, TEAM-4-KEY-OF-MINE';
	expect(mask(text, secrets)).toBe('example company limited, EXAMPLE COMPANY LIMITED, ***, ***');
});

test('a long list of bytes with many keys is masked in time that grows with its length', () => {
	const secrets = collectSecrets({ authorization: `Bearer ${KEY}` });
	const list = Array.from({ length: 20_000 }, () => [...bytesOf(KEY), 300 % 256]).flat();
	let masked: unknown[] = [];
	expect(cpuMilliseconds(() => (masked = maskDeep<unknown[]>(list, secrets)))).toBeLessThan(
		LINEAR_CPU_MS,
	);
	expect([...new Set(masked)]).toEqual(['***', 44]);
});
