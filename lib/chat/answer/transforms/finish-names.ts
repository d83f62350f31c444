import { eachChunk } from '../chunk';

/** Other APIs' names for `length`, as gateways pass them on. */
const CUT_BY_LIMIT = /^(?:length|max_(?:(?:output_|new_)?tokens|length)|model_length)$/i;

/** Other names of finish reasons. Some gateways send OpenAI's in capitals. */
export const finishNames = () =>
	eachChunk((chunk) =>
		chunk.finishReason === undefined
			? chunk
			: { ...chunk, finishReason: usualName(chunk.finishReason) },
	);

function usualName(reason: string): string {
	if (CUT_BY_LIMIT.test(reason)) return 'length';
	return /^[A-Z_]+$/.test(reason) ? reason.toLowerCase() : reason;
}
