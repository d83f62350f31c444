import type { WireChunk } from '../../types';
import { eachChunk } from '../chunk';

/** Shows each chunk to an observer. */
export const observed = (observe: (chunk: WireChunk) => void) =>
	eachChunk((chunk) => {
		observe(chunk);
		return chunk;
	});
