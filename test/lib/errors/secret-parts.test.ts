import fc from 'fast-check';

import { SecretParts } from '../../../lib/errors/secret-parts';
import { certainKeysOf, maskKeys, mask, maskedStart, secretsOf } from '../../../lib/errors/secrets';
import { examples } from '../../support/properties';
import { cpuMilliseconds } from '../../support/time';

const CANARY = 'Zk3vQ9xT7mB2nL5pR8wYc4';
const bearer = (key: string) => secretsOf({ authorization: `Bearer ${key}` });

/** Every eight letters of a text. */
const partsOf = (text: string) =>
	Array.from({ length: Math.max(0, text.length - 7) }, (_, at) =>
		text.slice(at, at + 8).toLowerCase(),
	);

/** The text, and what it says after its escapes are undone. */
function readings(text: string): string[] {
	const undone = text
		.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
		.replace(/\\u([0-9a-f]{4})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
		.replace(/\\([^a-z0-9])/gi, '$1')
		.replace(/&#x([0-9a-f]+);/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
		.replace(/&quot;/g, '"')
		.replace(/&lt;/g, '<')
		.replace(/&amp;/g, '&');
	return undone === text ? [text] : [text, ...readings(undone)];
}

const html = (text: string) =>
	text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/"/g, '&quot;').replace(/'/g, '&#x27;');
const inJson = (text: string) => JSON.stringify(text).slice(1, -1);
const ENCODINGS: Record<string, (text: string) => string> = {
	plain: (text) => text,
	upper: (text) => text.toUpperCase(),
	lower: (text) => text.toLowerCase(),
	url: encodeURIComponent,
	'url in small letters': (text) =>
		encodeURIComponent(text).replace(/%../g, (hex) => hex.toLowerCase()),
	json: inJson,
	'json in json': (text) => inJson(inJson(text)),
	'unicode escapes': (text) =>
		text.replace(/[^a-z0-9]/gi, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`),
	html,
	'json in html': (text) => html(inJson(text)),
	'url in json': (text) => inJson(`/x?key=${encodeURIComponent(text)}`),
};

/** As keys are made: letters and digits at random, with signs between them. */
const randomKey = fc
	.array(
		fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=_-."&<\''),
		{
			minLength: 20,
			maxLength: 60,
		},
	)
	.map((letters) => letters.join(''))
	.filter((key) =>
		key
			.split(/[^a-z\d]+/i)
			.every((piece) => piece.length < 3 || /[a-z]\d|\d[a-z]|[a-z][A-Z]{2}/.test(piece)),
	)
	.filter(
		(key) =>
			/\d/.test(key) && /[a-z]/i.test(key) && partsOf(key).every((part) => new Set(part).size > 2),
	);

describe('no part of eight letters of a key is left', () => {
	test.each(Object.entries(ENCODINGS))(
		'%s, cut anywhere, several times in a text',
		(_name, encode) => {
			fc.assert(
				fc.property(
					randomKey,
					fc.array(fc.string(), { minLength: 2, maxLength: 4 }),
					fc.nat(20),
					fc.nat(20),
					(key, around, fromStart, fromEnd) => {
						const cut = encode(key).slice(fromStart, encode(key).length - fromEnd);
						const masked = mask(around.join(cut), bearer(key));
						const parts = new Set(partsOf(key));
						const own = new Set(around.flatMap((text) => readings(text).flatMap(partsOf)));
						const left = readings(masked).flatMap(partsOf);
						expect(left.filter((part) => parts.has(part) && !own.has(part))).toEqual([]);
					},
				),
				examples(300),
			);
		},
	);

	test.each([
		['base64', 'base64', 12],
		['base64 of a URL', 'base64url', 12],
		['hexadecimal', 'hex', 16],
	] as const)('%s, whatever stands around it', (_name, encoding, length) => {
		fc.assert(
			fc.property(randomKey, fc.string(), fc.string(), (key, before, after) => {
				const masked = mask(Buffer.from(before + key + after).toString(encoding), bearer(key));
				const inside = Buffer.from(`${' '.repeat(Buffer.byteLength(before) % 3)}${key}`).toString(
					encoding,
				);
				const left: string[] = [];
				for (let at = 4; at + length < inside.length - 4; at++) {
					const part = inside.slice(at, at + length);
					if (masked.includes(part)) left.push(part);
				}
				expect(left).toEqual([]);
			}),
			examples(300),
		);
	});

	test('at the place where a text is cut, of any length', () => {
		for (let length = 1; length < 120; length++)
			for (const part of partsOf(
				maskedStart(`${'x'.repeat(60)} ${CANARY} ${'y'.repeat(5_000)}`, length, bearer(CANARY)),
			))
				expect(partsOf(CANARY)).not.toContain(part);
	});

	test('in answers too, where letters and digits show that it is one', () => {
		const keys = certainKeysOf({ authorization: `Bearer ${CANARY}` });
		const answer = JSON.stringify({
			data: [{ id: `x ${CANARY.slice(3, 14)}`, name: `"${CANARY}"` }],
			mode: 'chat',
		});
		expect(maskKeys(answer, keys)).toBe(
			'{"data":[{"id":"x ***","name":"\\"***\\""}],"mode":"chat"}',
		);
	});
});

describe('in answers', () => {
	test.each(['base64', 'base64url', 'hex'] as const)(
		'an encoding without digits, or of digits alone: %s',
		(encoding) => {
			// Its base64 behind a name of 13 letters is MycjFwNWgyYTJmOHAydT, and its hexadecimal begins with 6332723170356832.
			const word = 'c2r1p5h2a2f8p2u4';
			const keys = certainKeysOf({ [`x-tenant-${word}`]: 'yes' });
			for (const before of ['', 'x-tenant-', 'key=x-tenant-', ':x-tenant-']) {
				const encoded = Buffer.from(before + word).toString(encoding);
				const masked = maskKeys(`is ${encoded} known`, keys);
				expect(masked).toMatch(/^is \S*\*\*\*\S* known$/);
				const inside = encoded.slice(encoded.length - (encoding === 'hex' ? 30 : 20), -2);
				for (let at = 0; at + 12 <= inside.length; at++)
					expect(masked).not.toContain(inside.slice(at, at + 12));
			}
		},
	);

	const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
	const draw = (count: number, from: string) =>
		fc.sample(fc.constantFrom(...from), { numRuns: count, seed: 7 }).join('');

	test('most parts of a random key are found, also those without a digit', () => {
		const key = draw(4_000, `${letters}0123456789`);
		const keys = certainKeysOf({ authorization: `Bearer ${key}` });
		const shown = (length: number) => {
			let left = 0;
			const cuts = Math.floor(key.length / length);
			for (let at = 0; at < cuts; at++) {
				const part = key.slice(at * length, (at + 1) * length);
				if (maskKeys(`it has ${part} in it`, keys).includes(part)) left++;
			}
			return left / cuts;
		};
		expect(shown(8)).toBeLessThan(0.2);
		expect(shown(12)).toBeLessThan(0.06);
		expect(shown(16)).toBeLessThan(0.03);
	});

	test.each(['x7Kq9Lm2', 'a1b2c3d4', 'k-Zx7Qv9pL2w', 'Zk3vQ9xT7mB'])(
		'the short key %s is masked as a whole',
		(key) => {
			const keys = certainKeysOf({ authorization: `Bearer ${key}` });
			expect(maskKeys(`{"id":"${key}","more":"Bearer ${key}"}`, keys)).not.toContain(key);
			expect(maskKeys(`{"id":"a${key}b"}`, keys)).toBe(`{"id":"a${key}b"}`);
		},
	);

	test.each([
		'Qwen2VL7',
		'llama3.2',
		'gpt-oss:20b',
		'Phi4Mini',
		'mistral7b',
		'gemma3n:e4b',
		'qwen3-coder',
	])('%s as a short key is not: it is the name of a model', (key) => {
		expect(maskKeys(`{"id":"${key}"}`, certainKeysOf({ authorization: `Bearer ${key}` }))).toBe(
			`{"id":"${key}"}`,
		);
	});

	test.each([
		['MyCompanySecretKey2024', 'MyCompany says: secretkey, my-company.example'],
		['iOSAppKeyOfTheWorkflow', 'iOSApp, workflow, iosappkey'],
		['correcthorsebatterystaple', 'correcthorse, batterystaple'],
		['our-knowledge-technique-key', 'knowledge-technique'],
		['GitHubOpenAIGateway-7f3aPq81', 'GitHubOpenAIGateway'],
	])('words of the key %s stay', (key, said) => {
		expect(maskKeys(said, certainKeysOf({ authorization: `Bearer ${key}` }))).toBe(said);
	});

	test('words stay beside a random key', () => {
		fc.assert(
			fc.property(randomKey, fc.lorem({ mode: 'sentences', maxCount: 5 }), (key, words) => {
				expect(maskKeys(words, certainKeysOf({ authorization: `Bearer ${key}` }))).toBe(words);
			}),
			examples(300),
		);
	});
});

describe('what is no secret stays', () => {
	test('texts of any kind, beside any key', () => {
		fc.assert(
			fc.property(
				randomKey,
				fc.lorem({ mode: 'sentences', maxCount: 5 }),
				fc.json(),
				(key, words, json) => {
					expect(mask(words, bearer(key))).toBe(words);
					expect(mask(json, bearer(key)).length).toBeGreaterThan(0);
				},
			),
			examples(300),
		);
	});

	test('words that a key consists of', () => {
		const said = 'our llama-server on gpu-server-01 says: workflow not found, 2024-11';
		for (const key of [
			'our-llama-server-2024',
			'app-Simworkflow0000000000000',
			'GpuServerWorkflowKey',
		])
			expect(mask(said, bearer(key))).toBe(said);
		expect(mask(said, bearer('our-llama-server-7f3aPq81Zx'))).toBe(said);
		expect(mask('sent: our-llama-server-7f3aPq81Zx', bearer('our-llama-server-7f3aPq81Zx'))).toBe(
			'sent: ***',
		);
	});

	test('IDs and names of models in answers, beside a key of words', () => {
		const answer = '{"id":"00000000-0000-4000-8000-000000000000","mode":"advanced-chat"}';
		expect(
			maskKeys(answer, certainKeysOf({ authorization: 'Bearer app-Simadvancedchat000000000' })),
		).toBe(answer);
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

	test('a short secret is hidden where it stands alone, and so is most of it', () => {
		const secrets = secretsOf({ 'x-api-key': 'a1b2c3d4e5f6' });
		expect(mask('key a1b2c3d4e5f6, a1b2c3d4e5, c3d4e5f6', secrets)).toBe('key ***, ***, ***');
		expect(mask('model xa1b2c3d4e5f6', secrets)).toBe('model xa1b2c3d4e5f6');
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

	test('nothing is made of a megabyte without a secret, quickly', () => {
		const text = '{"error": "%20 \\u0020 &amp; something"} '.repeat(25_000);
		const taken = cpuMilliseconds(() => expect(new SecretParts([CANARY]).mask(text)).toBe(text));
		expect(taken).toBeLessThan(5_000);
	});
});

describe('the quick look before the search', () => {
	const lengths = Array.from({ length: CANARY.length }, (_none, index) => index + 1);

	test.each(lengths)(
		'overlooks no secret of %i characters, wherever it stands and in either case',
		(length) => {
			const parts = new SecretParts([CANARY.slice(0, length)]);
			for (let before = 0; before < 9; before++)
				for (const written of [CANARY, CANARY.toUpperCase(), CANARY.toLowerCase()]) {
					const text = `${'.'.repeat(before)}${written.slice(0, length)}.`;
					expect(parts.mask(text)).toBe(`${'.'.repeat(before)}***.`);
				}
		},
	);

	test('nor one behind escapes', () => {
		const parts = new SecretParts([CANARY]);
		expect(parts.mask(`a\\n${encodeURIComponent(CANARY).replace('Z', '%5A')}`)).toBe('a\\n***');
	});
});
