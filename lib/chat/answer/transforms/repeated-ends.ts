import { eachChunk, type Transform } from '../chunk';

const MIN_REPETITION = 20;

/** The whole text once more in the last delta. After a single piece, equal text proves nothing. */
export function repeatedEnds(): Transform {
	let text = '';
	let pieces = 0;
	return eachChunk((chunk) => {
		const { text: piece = '', finishReason } = chunk;
		if (piece === '') return chunk;
		const isLong = pieces > 1 && text.length >= MIN_REPETITION;
		if (isLong && finishReason !== undefined && piece.trim() === text.trim())
			return { ...chunk, text: '' };
		text += piece;
		pieces += 1;
		return chunk;
	});
}
