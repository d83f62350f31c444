import { keptAsText } from '../../../json';
import { type Transform, withPauses } from '../chunk';
import { ToolCallAssembly } from '../tool-call-assembly';

/** Assembles the calls that the server returns in pieces, and checks them at the end. */
export function callsInPieces(offered: readonly string[]): Transform {
	const assembly = new ToolCallAssembly(offered);
	const largeNumbers: string[] = [];
	let isCut = false;
	return {
		push(chunk) {
			isCut ||= chunk.finishReason === 'length';
			if (chunk.toolCalls === undefined && !assembly.begun) return [chunk];
			const { toolCalls = [], repeatsCalls, ...rest } = chunk;
			for (const number of chunk.largeNumbers ?? []) largeNumbers.push(number);
			if (repeatsCalls) assembly.addRepetition(toolCalls);
			else if (toolCalls.length > 0) assembly.add(toolCalls);
			return [assembly.begun ? { ...rest, callsAreWhole: assembly.isWhole } : rest];
		},
		*end() {
			const result = yield* withPauses(assembly.finish(isCut));
			if ('failed' in result) return yield { failedCall: result.failed };
			const notes = keptAsText([...largeNumbers, ...result.largeNumbers]);
			yield { calls: result.calls, ...(notes.length === 0 ? {} : { notes }) };
		},
	};
}
