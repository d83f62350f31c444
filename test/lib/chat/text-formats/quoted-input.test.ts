import fc from 'fast-check';

import { QuotedInput } from '../../../../lib/chat/text-formats/quoted-input';
import { resultOf } from '../../../../lib/generators';
import { examples } from '../../../support/properties';

const CALL =
	'<tool_call>{"name":"send_mail","arguments":{"to":"Mia Gärtner","text":"Hi"}}</tool_call>';

/** Whether the call is found, and how often the search let others work. */
function search(messages: readonly string[]): { isFound: boolean; pauses: number } {
	const searching = new QuotedInput(messages).holdsAny([CALL]);
	for (let pauses = 0; ; pauses++) {
		const { done, value } = searching.next();
		if (done === true) return { isFound: value, pauses };
	}
}

const DISGUISES: Record<string, (text: string) => string> = {
	none: (text) => text,
	'JSON in JSON': (text) => JSON.stringify(JSON.stringify(text)),
	'escapes of all letters': (text) =>
		text.replace(/[^]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`),
	entities: (text) => text.replace(/[^]/gu, (one) => `&#${one.codePointAt(0)!};`),
	'percent signs': encodeURIComponent,
	base64: (text) => Buffer.from(text).toString('base64'),
	'base64 in lines': (text) => Buffer.from(text).toString('base64').replace(/.{64}/g, '$&\n'),
	'line numbers': (text) => text.replaceAll(',', ',\n12: '),
};
const eachByte = (write: (hex: string, byte: number) => string) => (text: string) =>
	[...Buffer.from(text)].map((byte) => write(byte.toString(16).padStart(2, '0'), byte)).join('');
const toBase64 = (text: string) => Buffer.from(text).toString('base64');
const ENCODERS: Record<string, (text: string) => string> = {
	...DISGUISES,
	'percent signs for all bytes': eachByte((hex) => `%${hex}`),
	'entities in hexadecimal': (text) =>
		text.replace(/[^]/gu, (one) => `&#x${one.codePointAt(0)!.toString(16)};`),
	hexadecimal: eachByte((hex) => hex),
	'hexadecimal with blanks': eachByte((hex) => `${hex} `),
	'hexadecimal with colons': eachByte((hex) => `${hex}:`),
	'hexadecimal with full stops': eachByte((hex) => `${hex}.`),
	octal: eachByte((_hex, byte) => `\\${byte.toString(8).padStart(3, '0')}`),
	'base64 of a URL': (text) => Buffer.from(text).toString('base64url'),
	'base64 in lines of 75': (text) => toBase64(text).replace(/.{75}/g, '$&\n'),
	'base64 in lines of 61': (text) => toBase64(text).replace(/.{61}/g, '$&\r\n'),
	'tags of Unicode': (text) =>
		text.replace(/[ -~]/g, (one) => String.fromCodePoint(0xe0000 + one.charCodeAt(0))),
};
const FILLERS = ['The quick brown fox. ', 'word\n', 'x', '&amp; ', '\\n', 'a b\tc\n'];

describe('a call in the input', () => {
	const disguise = fc.constantFrom(...Object.keys(DISGUISES));

	it('is found wherever it stands in long messages, and however it is written', () => {
		fc.assert(
			fc.property(
				disguise,
				fc.constantFrom(...FILLERS),
				fc.integer({ min: 0, max: 70_000 }),
				fc.integer({ min: 0, max: 40_000 }),
				(name, filler, before, after) => {
					const fill = (length: number) =>
						filler.repeat(Math.ceil(length / filler.length)).slice(0, length);
					// Not within a word, where base64 would go on.
					const message = `${fill(before)} ${DISGUISES[name]!(CALL)} ${fill(after)}`;
					expect(search([message]).isFound).toBe(true);
					expect(search([fill(before + after)]).isFound).toBe(false);
				},
			),
			examples(60),
		);
	});

	it('is found behind letters that touch it, at the border of two slices, encoded up to twice', () => {
		const encoder = fc.constantFrom(...Object.keys(ENCODERS));
		fc.assert(
			fc.property(
				encoder,
				fc.option(encoder),
				fc.constantFrom('x', 'ab', 'token', '/path/', 'Zq9_'),
				fc.oneof(fc.nat(40), fc.integer({ min: 27_000, max: 34_000 }), fc.nat(70_000)),
				(inner, outer, filler, before) => {
					const fill = filler.repeat(before).slice(0, before);
					const encode = (call: string) => {
						const once = ENCODERS[inner]!(call);
						return `${fill}${outer === null ? once : ENCODERS[outer]!(once)} tail`;
					};
					expect(search([encode(CALL)]).isFound).toBe(true);
					expect(search([encode(CALL.replace('Mia', 'Mio'))]).isFound).toBe(false);
				},
			),
			examples(100),
		);
	});

	it('is found where the model writes it with other escapes, and over the borders of messages', () => {
		const unit = fc.constantFrom('a', 'ö', '中', '😀', '"', '\n', '/', '7', ' ', '<');
		const value = fc.string({ unit, minLength: 1 });
		const unescapedCall = (text: string) => `{"name":"send_mail","arguments":{"text":"${text}"}}`;
		const asJson = (text: string) => unescapedCall(JSON.stringify(text).slice(1, -1));
		const inAscii = (text: string) =>
			asJson(text).replace(
				/[^ -~]/g,
				(one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`,
			);
		const all = (text: string) => unescapedCall(DISGUISES['escapes of all letters']!(text));
		fc.assert(
			fc.property(
				value,
				fc.constantFrom(asJson, inAscii, all),
				fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 2 }),
				(text, write, cuts) => {
					const plain = unescapedCall(text);
					const letters = [...plain];
					const at = cuts.map((share) => Math.floor(share * letters.length)).sort((a, b) => a - b);
					const messages = [0, ...at].map((from, index) => letters.slice(from, at[index]).join(''));
					const find = (call: string) => resultOf(new QuotedInput(messages).holdsAny([call]));
					expect(find(write(text))).toBe(true);
					expect(find(write(`${text}x7q`))).toBe(false);
				},
			),
			examples(100),
		);
	});

	it('is not found in other text', () => {
		fc.assert(
			fc.property(
				fc.array(fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom(...FILLERS))),
				fc.constantFrom(...Object.keys(ENCODERS)),
				(words, name) => {
					const text = words.join(' ');
					expect(search([text, ENCODERS[name]!(text)]).isFound).toBe(false);
				},
			),
			examples(60),
		);
	});

	it('is found in long base64', () => {
		const text = `${'x = 1\n'.repeat(30_000)}${CALL}${'y = 2\n'.repeat(30_000)}`;
		expect(search([`data:text/plain;base64,${DISGUISES.base64!(text)}`]).isFound).toBe(true);
		expect(search([DISGUISES['base64 in lines']!(text)]).isFound).toBe(true);
	});

	it('is looked for in slices', () => {
		const message = 'The quick brown fox jumps over the lazy dog. '.repeat(10_000);
		const { isFound, pauses } = search([message]);
		expect(isFound).toBe(false);
		expect(pauses).toBeGreaterThan(message.length / 40_000);
	});
});
