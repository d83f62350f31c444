/** Conversations with a code word each, and what their answers hold. Pure but for the random words. */
import { randomInt } from 'node:crypto';

import type { SourceMessage } from '../../chat/types';

const LETTERS = 'bcdfghjklmnpqrstvwxz';
/** No two conversations get the same word, and no model writes one by chance. */
const WORD_LENGTH = 12;
/** Enough that a slot has something to lose, and small models repeat the word. */
const REPETITIONS = 6;

export interface Conversation {
	codeWord: string;
	/** The messages of its two turns. The second one repeats the first, so that it is looked for in the prompt cache. */
	turns: readonly [SourceMessage[], SourceMessage[]];
}

/** What an answer holds. */
interface HeldWords {
	own: boolean;
	/** Code words of other conversations. */
	foreign: string[];
}

export function newConversation(): Conversation {
	const codeWord = Array.from(
		{ length: WORD_LENGTH },
		() => LETTERS[randomInt(LETTERS.length)],
	).join('');
	const sentence = `The code word of this conversation is ${codeWord}.`;
	const first: SourceMessage = {
		type: 'human',
		content: `${Array(REPETITIONS).fill(sentence).join('\n')}\nWhat is the code word? Answer with the code word only.`,
	};
	const noted: SourceMessage = { type: 'ai', content: codeWord };
	const second: SourceMessage = { type: 'human', content: 'Repeat the code word once more.' };
	return { codeWord, turns: [[first], [first, noted, second]] };
}

/** Which code words an answer holds. */
export function wordsHeld(answer: string, own: string, codeWords: ReadonlySet<string>): HeldWords {
	const plain = answer.toLowerCase();
	const words = new Set<string>();
	for (let at = 0; at + WORD_LENGTH <= plain.length; at++) {
		const part = plain.slice(at, at + WORD_LENGTH);
		if (codeWords.has(part)) words.add(part);
	}
	return { own: words.delete(own), foreign: [...words] };
}
