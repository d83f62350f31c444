/** Pictures, flags, shades of skin, and what joins them. Digits and signs that are emoji only with a frame stay. */
const EMOJI = /\p{Extended_Pictographic}|\p{Regional_Indicator}|\p{Emoji_Modifier}|\u200D|\uFE0F|\u20E3/gu;

/** A text as it is spoken: without emoji and without the signs of Markdown, which many servers read aloud. */
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

/** Where a sentence ends: behind its stop and what closes it, and at the end of a line. */
const SENTENCE = /[^\n]*?(?:[.!?…]{1,20}["')\]”’»]{0,9}(?=\s)|[。！？]{1,20}[」』”）]{0,9}|(?=\n)|$)\s*/gu;
const CLAUSE = /.*?(?:[,;:—–、，；：]+\s*|\s+|$)/gsu;

/** A text in parts of at most so many characters, cut where sentences end as far as that goes. */
export function splitAtSentences(text: string, most: number): string[] {
	return packed(text.match(SENTENCE) ?? [], most)
		.map((part) => part.trim())
		.filter((part) => part !== '');
}

function packed(pieces: readonly string[], most: number): string[] {
	const parts: string[] = [];
	let current = '';
	for (const piece of pieces) {
		if (current !== '' && current.length + piece.trimEnd().length > most) {
			parts.push(current);
			current = '';
		}
		if (piece.trimEnd().length <= most) {
			current += piece;
			continue;
		}
		const smaller = piece.match(CLAUSE)?.filter((one) => one !== '') ?? [];
		const cut = smaller.length > 1 ? packed(smaller, most) : hardCut(piece, most);
		parts.push(...cut.slice(0, -1));
		current = cut.at(-1) ?? '';
	}
	return current === '' ? parts : [...parts, current];
}

/** Never within a character. */
function hardCut(text: string, most: number): string[] {
	const parts: string[] = [];
	for (let at = 0; at < text.length; ) {
		let end = Math.min(text.length, at + most);
		if (end < text.length && /[\uD800-\uDBFF]/.test(text[end - 1]!) && end - at > 1) end--;
		parts.push(text.slice(at, end));
		at = end;
	}
	return parts;
}
