import type { Chunk, Transform } from '../chunk';

/** Characters that the later transforms read in a few milliseconds. */
export const MAX_SLICE = 64 * 1024;

/**
 * Divides long texts, so that n8n can answer others between two slices. The last slice has all other fields: nothing
 * that the chunk says about the end of the answer comes too early.
 */
export function slices(): Transform {
	return {
		push(chunk) {
			const { text = '', reasoning = '' } = chunk;
			if (text.length <= MAX_SLICE && reasoning.length <= MAX_SLICE) return [chunk];
			const thoughts = slicesOf(reasoning).map((slice): Chunk => ({ reasoning: slice }));
			const texts = slicesOf(text).map((slice): Chunk => ({ text: slice }));
			const all = [...thoughts, ...texts];
			return [...all.slice(0, -1), { ...chunk, text: '', reasoning: '', ...all.at(-1) }];
		},
		end: () => [],
	};
}

function slicesOf(text: string): string[] {
	const count = Math.ceil(text.length / MAX_SLICE);
	return Array.from({ length: count }, (_, at) => text.slice(at * MAX_SLICE, (at + 1) * MAX_SLICE));
}
