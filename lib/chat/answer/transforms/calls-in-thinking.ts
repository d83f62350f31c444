import { callsSeen } from '../../text-formats/call-detector';
import type { Family } from '../../text-formats/families';
import type { ToolDefinition } from '../../types';
import { type Transform, withPauses } from '../chunk';

/** A possible call in the thinking, where nothing is run. */
export function callsInThinking(
	tools: readonly ToolDefinition[],
	family: Family | undefined,
): Transform {
	const toolsByName = new Map(tools.map((tool) => [tool.name, tool]));
	let reasoning = '';
	return {
		push(chunk) {
			reasoning = chunk.isLiteral ? '' : reasoning + (chunk.reasoning ?? '');
			return [chunk];
		},
		*end() {
			const { own, foreign } = yield* withPauses(callsSeen(reasoning, toolsByName, family));
			const call = own ?? foreign;
			if (call === undefined) return;
			yield { unrunCall: { name: call.name, family: call.family, because: 'inThinking' } };
		},
	};
}
