import type { Chunk, Transform } from '../chunk';

/**
 * Choices other than number 0, the only one requested. Some home-made servers count from 1, so chunks of another choice
 * are kept, and used if choice 0 never comes.
 */
export function otherChoices(): Transform {
	let kept: Chunk[] = [];
	let hasFirst = false;
	const asFirst = () => kept.splice(0).map((chunk): Chunk => ({ ...chunk, choice: undefined }));
	return {
		push(chunk) {
			if (chunk.choice === undefined) {
				hasFirst ||= hasContent(chunk);
				if (hasFirst) kept = [];
				return chunk.done ? [...asFirst(), chunk] : [chunk];
			}
			const isSame = kept.length === 0 || kept[0]?.choice === chunk.choice;
			if (!hasFirst && isSame) kept.push(chunk);
			return [];
		},
		end: asFirst,
	};
}

function hasContent({ text, reasoning, toolCalls, finishReason }: Chunk): boolean {
	return Boolean(text || reasoning || toolCalls?.length || finishReason);
}
