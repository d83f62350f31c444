/** About four characters of Latin text to a token; other scripts need about one token a character. */
export function estimateTokens(text: string): number {
	const latin = text.replace(/[\u0250-\uFFFF]/g, '').length;
	return Math.ceil(latin / 4 + (text.length - latin) * 0.9);
}
