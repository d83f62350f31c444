/** The last word, which is held back because it may be of a key, is shown in its place: thinking before the text that follows it. */
import * as fc from 'fast-check';
import { maskSecrets } from '../../../../lib/chat/read/text-stages';
import { runStage } from '../../../support/texts/run-stage';

const KEY = ['sk', '9f8e7d6c5b4a3210x'].join('-');

/** What is shown of the deltas, in order: the name of each part, and its text. */
function show(deltas: ReadonlyArray<{ reasoning?: string; text?: string }>) {
	const output = runStage(maskSecrets([KEY]));
	const shown = deltas.map(({ reasoning = '', text = '' }) => output.push({ reasoning, text }));
	shown.push(output.end());
	const parts: Array<[string, string]> = [];
	for (const { reasoning, text } of shown)
		for (const [name, value] of [
			['thinking', reasoning],
			['text', text],
		] as const) {
			const last = parts.at(-1);
			if (value === '') continue;
			if (last?.[0] === name) last[1] += value;
			else parts.push([name, value]);
		}
	return parts;
}

const pieces = fc.array(fc.constantFrom('s', 'sk', 'k ', ' a', '文', 'so '));

test('in any parts, thinking and text are complete, and the thinking comes first', () => {
	fc.assert(
		fc.property(pieces, pieces, (thinking, texts) => {
			const deltas = [
				...thinking.map((reasoning) => ({ reasoning })),
				...texts.map((text) => ({ text })),
			];
			const parts = [
				['thinking', thinking.join('')],
				['text', texts.join('')],
			].filter(([, text]) => text !== '');
			expect(show(deltas)).toEqual(parts);
		}),
	);
});

test('what is held back to the end is shown then, in the text and in the thinking', () => {
	expect(show([{ reasoning: 'Who asks' }])).toEqual([['thinking', 'Who asks']]);
	expect(show([{ text: 'Who asks' }, { reasoning: 'He asks' }])).toEqual([
		['text', 'Who '],
		['thinking', 'He asks'],
		['text', 'asks'],
	]);
});

test('thinking and text that arrive in one event, or take turns, keep their order', () => {
	const deltas = [
		{ reasoning: 'I ask s', text: 'Ask s' },
		{ reasoning: 'More s' },
		{ text: ' and on' },
	];
	const parts = show(deltas);
	const join = (name: string) =>
		parts.map(([part, value]) => (part === name ? value : '')).join('');
	expect([join('thinking'), join('text')]).toEqual(['I ask sMore s', 'Ask s and on']);
	expect(parts[0]).toEqual(['thinking', 'I ask s']);
	expect(parts.at(-1)![0]).toBe('text');
});

test.each([1, 3, KEY.length - 1])('a key in parts of %d characters is masked in both', (length) => {
	const parts = KEY.match(new RegExp(`.{1,${length}}`, 'g'))!;
	const deltas = [...parts.map((reasoning) => ({ reasoning })), ...parts.map((text) => ({ text }))];
	expect(show(deltas)).toEqual([
		['thinking', '***'],
		['text', '***'],
	]);
});
