import { asList, isRecord, recordOf, text } from '../../values';
import type { Piece, Tokenized } from './model-abilities';

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
	if (plain !== undefined) return withTexts(plain, strings, withPieces);
	if (!Array.isArray(list)) return undefined;
	const pieces = (list as unknown[]).map(pieceIn);
	if (!pieces.every((piece) => piece !== undefined)) return undefined;
	return { tokens: pieces.map(({ id }) => id), pieces };
}

function withTexts(tokens: number[], strings: unknown, withPieces: boolean): Tokenized {
	const texts = asList(strings);
	if (!withPieces || texts.length !== tokens.length) return { tokens };
	return { tokens, pieces: tokens.map((id, at) => ({ id, piece: text(texts[at]) ?? '' })) };
}

function pieceIn(entry: unknown): Piece | undefined {
	if (!isRecord(entry) || typeof entry.id !== 'number') return undefined;
	const { id } = entry;
	const bytes = numbers(entry.piece);
	if (bytes === undefined) return { id, piece: text(entry.piece) ?? '' };
	return { id, bytes: Buffer.from(bytes).toString('hex') };
}
