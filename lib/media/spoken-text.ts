/** Emoji, flags, skin tones and joiners. Digits and signs that are emoji only as keycaps stay. */
const EMOJI =
	/\p{Extended_Pictographic}|\p{Regional_Indicator}|\p{Emoji_Modifier}|\u200D|\uFE0F|\u20E3/gu;

/** A text without emoji and Markdown, which many servers would read aloud. */
export function plainText(text: string): string {
	return text
		.replace(/```(?:[^\n`]*\n)?([\s\S]*?)```/g, '$1')
		.replace(/!\[([^[\]]*)\]\([^()]*\)/g, '$1')
		.replace(/\[([^[\]]+)\]\([^()]*\)/g, '$1')
		.replace(/^[ \t]*(?:#{1,6}|>|[-*+])[ \t]+/gm, '')
		.replace(/^[ \t]*(?:[-*_][ \t]*){3,}$/gm, '')
		.replace(/(\*\*\*|\*\*|\*|~~)(?=\S)([\s\S]*?\S)\1/g, '$2')
		.replace(/(?<![\p{L}\p{N}_])(__|_)(?=\S)([^_]*[^_\s])\1(?![\p{L}\p{N}_])/gu, '$2')
		.replace(/`([^`]*)`/g, '$1')
		.replace(EMOJI, '')
		.replace(/[ \t]{2,}/g, ' ')
		.replace(/[ \t]$/gm, '')
		.trim();
}
