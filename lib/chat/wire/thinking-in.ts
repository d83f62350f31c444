import { isRecord } from '../../values';

const MAX_DEPTH = 8;
const FIELDS = ['thinking', 'text', 'content', 'summary', 'reasoning'];

/**
 * Thinking in whatever form it is sent: as text, as a list of blocks (`thinking_blocks`), as an object with the text
 * inside (`reasoning: {"content": …}`), as OpenRouter's `reasoning_details` or as Mistral's parts, which hold lists.
 */
export function thinkingIn(value: unknown, depth = 0): string {
	if (typeof value === 'string') return value;
	if (depth > MAX_DEPTH) return '';
	if (Array.isArray(value)) return value.map((one) => thinkingIn(one, depth + 1)).join('');
	if (!isRecord(value)) return '';
	return FIELDS.map((field) => thinkingIn(value[field], depth + 1)).find((text) => text !== '') ?? '';
}
