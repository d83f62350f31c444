/** Texts that are safe to show in n8n's editor. */

/** Characters that are invalid in HTML, and those that change the direction of text. */
export const UNSAFE_CHARACTERS =
	/(?![\t\n\r])\p{Cc}|\p{Noncharacter_Code_Point}|[\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu;

/** Placed inside a tag, it turns the tag into plain text. It is invisible, and tokenizers do not join the text around it. */
export const ZERO_WIDTH_SPACE = '\u200B';

/**
 * Makes a sentence that may quote a server safe to show: n8n's editor renders error descriptions and hints as HTML with
 * links and images, and terminals interpret control characters.
 */
export function toPlainText(sentence: string): string {
	return sentence.replace(UNSAFE_CHARACTERS, '').replace(/<(?=[a-z/!?])/gi, `<${ZERO_WIDTH_SPACE}`);
}
