import { isRecord } from '../../values';

const MAX_DEPTH = 8;
const FIELDS = ['thinking', 'text', 'content', 'summary', 'reasoning'];

/**
 * Reads thinking in any form: text, a list of blocks (`thinking_blocks`), an object with the text inside (`reasoning:
 * {"content": …}`), OpenRouter's `reasoning_details`, or Mistral's parts, which contain lists. Empty if there is none.
 */
export function thinkingIn(value: unknown, depth = 0): string {
	if (typeof value === 'string') return value;
	if (depth > MAX_DEPTH) return '';
	if (Array.isArray(value)) return value.map((one) => thinkingIn(one, depth + 1)).join('');
	if (!isRecord(value)) return '';
	return (
		FIELDS.map((field) => thinkingIn(value[field], depth + 1)).find((text) => text !== '') ?? ''
	);
}
