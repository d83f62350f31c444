import { append } from '../values';

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

/** A sentence, up to its end mark and closing quotes or brackets, or to the end of the line. */
const SENTENCE =
	/[^\n]*?(?:[.!?…]{1,20}["')\]”’»]{0,9}(?=\s)|[。！？]{1,20}[」』”）]{0,9}|(?=\n)|$)\s*/gu;
const CLAUSE = /.*?(?:[,;:—–、，；：]+\s*|\s+|$)/gsu;

/** Splits a text into parts of at most `most` characters: at sentences, else at clauses or words. */
export function splitAtSentences(text: string, most: number): string[] {
	return packed(text.match(SENTENCE) ?? [], most)
		.map((part) => part.trim())
		.filter((part) => part !== '');
}

function packed(pieces: readonly string[], most: number): string[] {
	const parts: string[] = [];
	let current = '';
	for (const piece of pieces) {
		const length = piece.trimEnd().length;
		if (current !== '' && current.length + length > most) {
			parts.push(current);
			current = '';
		}
		if (length <= most) {
			current += piece;
			continue;
		}
		const cutPieces = cutPiece(piece, most);
		append(parts, cutPieces.slice(0, -1));
		current = cutPieces.at(-1) ?? '';
	}
	return current === '' ? parts : [...parts, current];
}

/** A piece that is too long, cut at clauses or words, else anywhere. */
function cutPiece(piece: string, most: number): string[] {
	const smaller = (piece.match(CLAUSE) ?? []).filter((one) => one !== '');
	return smaller.length > 1 ? packed(smaller, most) : hardCut(piece, most);
}

/** Never splits a surrogate pair. */
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
