import { isRecord, recordOf, text } from '../../values';
import type { Piece, Tokenized } from './kind';

export function numbers(list: unknown): number[] | undefined {
	return Array.isArray(list) && list.every((one) => typeof one === 'number') ? list : undefined;
}

/**
 * Reads the tokens of an answer: `[1, 2]`, or `[{id, piece}]`, where a part of a character is a list of bytes
 * (llama-server); `token_strs` besides the tokens (vLLM); `token_ids` besides texts (LiteLLM). Undefined for another
 * shape.
 */
export function tokensIn(json: unknown, withPieces: boolean): Tokenized | undefined {
	const {
		token_ids: ids,
		tokens: list,
		token_strs: strings = ids === undefined ? [] : list,
	} = recordOf(json);
	const plain = numbers(ids ?? list);
	if (plain !== undefined) {
		const texts = Array.isArray(strings) ? (strings as unknown[]) : [];
		const pieces = plain.map((id, at) => ({ id, piece: text(texts[at]) ?? '' }));
		return { tokens: plain, ...(withPieces && texts.length === plain.length ? { pieces } : {}) };
	}
	if (!Array.isArray(list)) return undefined;
	const pieces: Piece[] = [];
	for (const entry of list as unknown[]) {
		if (!isRecord(entry) || typeof entry.id !== 'number') return undefined;
		const bytes = numbers(entry.piece);
		if (bytes !== undefined)
			pieces.push({ id: entry.id, bytes: Buffer.from(bytes).toString('hex') });
		else pieces.push({ id: entry.id, piece: text(entry.piece) ?? '' });
	}
	return { tokens: pieces.map(({ id }) => id), pieces };
}
