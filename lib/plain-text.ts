/** Characters that are invalid in HTML, and those that change the direction of text. */
export const UNSEEN =
	/(?![\t\n\r])\p{Cc}|\p{Noncharacter_Code_Point}|[\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu;

/** Between the characters of a mark it makes plain text of it. */
export const ZERO_WIDTH_SPACE = '\u200B';

/**
 * A sentence that may quote a server, as text and nothing else. n8n's editor shows the description of an error and a
 * hint as HTML with links and pictures, and terminals read control characters.
 */
export function plainText(sentence: string): string {
	return sentence.replace(UNSEEN, '').replace(/<(?=[a-z/!?])/gi, `<${ZERO_WIDTH_SPACE}`);
}
