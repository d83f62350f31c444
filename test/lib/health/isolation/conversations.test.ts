import * as fc from 'fast-check';

import { newConversation, wordsHeld } from '../../../../lib/health/isolation/conversations';
import { textOf } from './support';

const group = Array.from({ length: 20 }, newConversation);
const codeWords = new Set(group.map(({ codeWord }) => codeWord));

test('each conversation has a word of its own, in both of its turns and in no other', () => {
	expect(codeWords.size).toBe(group.length);
	for (const { codeWord, turns } of group)
		for (const turn of turns)
			expect(wordsHeld(textOf(turn), codeWord, codeWords)).toEqual({ own: true, foreign: [] });
});

test('code words are found wherever and however they stand, and nothing else is one', () => {
	const some = fc.uniqueArray(fc.constantFrom(...codeWords), { minLength: 1, maxLength: 5 });
	fc.assert(
		fc.property(some, fc.array(fc.string()), fc.boolean(), ([own, ...others], texts, isUpper) => {
			const words = [own!, ...others].map((word) => (isUpper ? word.toUpperCase() : word));
			const answer = words.map((word, at) => (texts[at] ?? '') + word).join('');
			const held = wordsHeld(answer, own!, codeWords);
			expect(held.own).toBe(true);
			expect(new Set(held.foreign)).toEqual(new Set(others));
			expect(wordsHeld(texts.join(''), own!, codeWords)).toEqual({ own: false, foreign: [] });
		}),
	);
});
