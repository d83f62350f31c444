/** Texts that are safe to show in n8n's editor. */
import { truncateMiddle } from './text';

declare const IS_PLAIN: unique symbol;

/**
 * A text that is safe to show. Only this file makes one, so a field or result of this type never contains a name or sentence
 * of a server as it came.
 */
export type PlainText = string & { readonly [IS_PLAIN]: true };

/** Characters that are invalid in HTML, and those that change the direction of text. */
export const UNSAFE_CHARACTERS =
	/(?![\t\n\r])\p{Cc}|\p{Noncharacter_Code_Point}|[\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu;

/** Placed inside a tag, it turns the tag into plain text. It is invisible, and tokenizers do not join the text around it. */
export const ZERO_WIDTH_SPACE = '\u200B';

/**
 * Makes a sentence that may quote a server safe to show: n8n's editor renders error descriptions and hints as HTML with
 * links and images, and terminals interpret control characters.
 */
export function toPlainText(sentence: string): PlainText {
	return sentence
		.replace(UNSAFE_CHARACTERS, '')
		.replace(/<(?=[a-z/!?])/gi, `<${ZERO_WIDTH_SPACE}`) as PlainText;
}

/** Characters of a sentence, whatever it quotes. */
const MAX_SENTENCE = 2_000;

/** The same for a sentence that quotes texts of any length: what is too long is cut in the middle. */
export function composeText(sentence: string): PlainText {
	return toPlainText(truncateMiddle(sentence, MAX_SENTENCE));
}
