import type { Chunk, Transform } from '../chunk';
import { ToolCallAssembly } from '../tool-call-assembly';

/** Assembles the calls that the server returns in pieces, and checks them at the end. */
export function callsInPieces(offered: readonly string[]): Transform {
	const assembly = new ToolCallAssembly(offered);
	let isCut = false;
	return {
		push(chunk) {
			isCut ||= chunk.finishReason === 'length';
			if (chunk.toolCalls === undefined && !assembly.begun) return [chunk];
			const { toolCalls = [], repeatsCalls, ...rest } = chunk;
			if (repeatsCalls) assembly.addRepetition(toolCalls);
			else if (toolCalls.length > 0) assembly.add(toolCalls);
			return [assembly.begun ? { ...rest, callsAreWhole: assembly.isWhole } : rest];
		},
		end() {
			const result = assembly.finish(isCut);
			const last: Chunk =
				'failed' in result ? { failedCall: result.failed } : { calls: result.calls };
			return [last];
		},
	};
}
