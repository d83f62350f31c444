import { eachChunk, type Transform } from '../chunk';

/** The whole message with which some servers end a stream of deltas. Its text and its calls were there before. */
export function repeatedMessages(): Transform {
	let hasDeltas = false;
	let hasText = false;
	return eachChunk((chunk) => {
		const { text, reasoning, toolCalls, isMessage } = chunk;
		const repeatsText = hasText;
		hasText ||= Boolean(text || reasoning);
		if (isMessage !== true) {
			hasDeltas ||= Boolean(text || reasoning || toolCalls);
			return chunk;
		}
		if (!hasDeltas) return chunk;
		const content = repeatsText ? { text: '', reasoning: '' } : {};
		return { ...chunk, ...content, repeatsCalls: true };
	});
}
