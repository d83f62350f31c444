/** Estimates of tokens. */

const CHARACTERS_PER_TOKEN = 4;

/** The first Chinese, Japanese or Korean character. Characters above, such as emoji, have as many tokens. */
const FIRST_IDEOGRAM = 0x2e80;

/** Estimates tokens: about four characters of prose, or one character of Chinese, Japanese or Korean, are one token. */
export function estimateTokens(text: string): number {
	// One byte for each character: the bytes are counted natively.
	if (Buffer.byteLength(text) === text.length) return Math.ceil(text.length / CHARACTERS_PER_TOKEN);
	let ideograms = 0;
	for (let index = 0; index < text.length; index++)
		if (text.charCodeAt(index) >= FIRST_IDEOGRAM) ideograms++;
	return ideograms + Math.ceil((text.length - ideograms) / CHARACTERS_PER_TOKEN);
}
