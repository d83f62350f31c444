/** Estimates the tokens of LangChain's content. */
import { isRecord } from '../values/records';
import { estimateTokens } from '../values/tokens';
import { NON_CONTENT_TYPES } from '../chat/content';

/**
 * Tokens of an image for most vision models. Counting its base64 would give hundreds of thousands, and make the agent
 * drop its memory.
 */
const FILE_TOKENS = 1000;

/** Tokens of the blocks of a content; an estimate from their texts. */
export function estimateContentTokens(blocks: unknown[]): number {
	return blocks.reduce((sum: number, block) => sum + estimateBlockTokens(block), 0);
}

function estimateBlockTokens(block: unknown) {
	if (typeof block === 'string') return estimateTokens(block);
	if (!isRecord(block)) return 0;
	if (typeof block.text === 'string') return estimateTokens(block.text);
	if (NON_CONTENT_TYPES.has(String(block.type))) return estimateTokens(JSON.stringify(block));
	return FILE_TOKENS;
}
