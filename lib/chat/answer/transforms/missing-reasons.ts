import { eachChunk, type Transform } from '../chunk';

/** Some servers never send a reason (vllm-mlx issue 628). Whether a call is complete can be seen from the call. */
export function missingReasons(): Transform {
	let sendsReason = false;
	return eachChunk((chunk) => {
		const { finishReason, done, callsAreWhole } = chunk;
		sendsReason ||= chunk.sendsReason === true || finishReason !== undefined;
		if (sendsReason || done !== true || callsAreWhole !== true) return chunk;
		return { ...chunk, finishReason: 'tool_calls' };
	});
}
