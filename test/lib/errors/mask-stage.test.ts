/** A text in parts is masked as if it had arrived at once, and what is held back does not depend on the secret. */
import * as fc from 'fast-check';
import { mask } from '../../../lib/errors/mask';
import { createMaskStage } from '../../../lib/errors/mask-stage';
import type { RunningStage } from '../../support/texts/run-stage';
import { runStage } from '../../support/texts/run-stage';
import { ECHO_FORMS, ECHOED_KEYS } from '../../support/texts/echoes';

const KEY = ['sk', '9f8e7d6c5b4a3210x'].join('-');
const OTHER = ['zz', '0123456789abcdef0'].join('-');
/** Each part as it is shown, and what is shown at the end. */
const show = (stream: RunningStage<string, string>, texts: readonly string[]) => [
	...texts.map((text) => stream.push(text)),
	stream.end(),
];

/** Parts of a text of the same length. */
function split(text: string, length: number): string[] {
	return Array.from({ length: Math.ceil(text.length / length) }, (_one, index) =>
		text.slice(index * length, (index + 1) * length),
	);
}

test.each(Object.entries(ECHO_FORMS))('a key is masked in any parts: %s', (name, escape) => {
	for (const key of ECHOED_KEYS)
		for (const length of [1, 2, 5, 1_000]) {
			// While it is shown, one layer of escapes is expected.
			if (name === 'JSON in JSON' && key.includes('"')) continue;
			const text = `Du hast 文 ${escape(key)}文 ${escape(key)} gesagt`;
			const shown = show(runStage(createMaskStage([key])), split(text, length)).join('');
			expect([key, length, shown]).toEqual([key, length, mask(text, [key])]);
		}
});

test('any secret of any script is masked in any parts, in each form', () => {
	const secret = fc
		.array(fc.constantFrom('a', 'Z', '9', '-', '文', 'ß', 'é', '😀'), {
			minLength: 20,
			maxLength: 24,
		})
		.map((characters) => characters.join(''));
	const form = fc.constantFrom(...Object.values(ECHO_FORMS));
	fc.assert(
		fc.property(secret, form, fc.integer({ min: 1, max: 7 }), (key, escape, length) => {
			const text = `Du hast 文 ${escape(key)}文 gesagt`;
			const shown = show(runStage(createMaskStage([key])), split(text, length)).join('');
			expect(shown).toBe(mask(text, [key]));
		}),
		{ numRuns: 300 },
	);
});

test.each(['文', 'ß', '😀', 'a'])(
	'a secret of %s alone is masked in each form, character by character',
	(character) => {
		const secret = character.repeat(24);
		for (const [name, escape] of Object.entries(ECHO_FORMS)) {
			const text = `Du hast ${escape(secret)} gesagt`;
			const shown = show(runStage(createMaskStage([secret])), split(text, 1)).join('');
			expect([name, shown]).toEqual([name, mask(text, [secret])]);
		}
	},
);

test('of several secrets, one of another script is masked beside one of ASCII', () => {
	const wide = '文'.repeat(24);
	for (const secrets of [
		[KEY, wide],
		[wide, KEY],
	])
		for (const secret of secrets) {
			const shown = show(runStage(createMaskStage(secrets)), split(`Du hast ${secret} gesagt`, 5));
			expect(shown.join('')).toBe('Du hast *** gesagt');
		}
});

test('any text arrives completely, and in the same parts whatever the secret is', () => {
	const deltas = fc.array(
		fc.oneof(
			fc.string({ unit: 'grapheme' }),
			fc.constantFrom('sk-', KEY.slice(0, 9), KEY.slice(0, -1), KEY.slice(3)),
		),
	);
	fc.assert(
		fc.property(deltas, (texts) => {
			fc.pre(!texts.join('').includes(KEY));
			const shown = show(runStage(createMaskStage([KEY])), texts);
			expect(shown.join('')).toBe(texts.join(''));
			expect(show(runStage(createMaskStage([OTHER])), texts)).toEqual(shown);
		}),
	);
});

test('the last word of ASCII is held back, up to the length of a secret, and nothing else', () => {
	const stream = runStage(createMaskStage([KEY]));
	expect(stream.push('The quick brown')).toBe('The quick ');
	expect(stream.push(' fox')).toBe('brown ');
	expect(stream.push('es. ')).toBe('foxes. ');
	expect(stream.push('你好')).toBe('你好');
	expect(stream.push('a'.repeat(1_000)).length).toBeGreaterThan(800);
});

test('a short secret holds nothing back, because it is not masked in what a model wrote', () => {
	const stream = runStage(createMaskStage([KEY.slice(0, 19)]));
	expect(stream.push(`${KEY} sk-9`)).toBe(`${KEY} sk-9`);
});
