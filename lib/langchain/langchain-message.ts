import { optional, recordOf, recordsIn, text } from '../values';
import type { SourceMessage } from '../chat/types';

/**
 * Reads a message object of the host's LangChain, by its shape: an instance check would work with one copy of the
 * library only.
 */
export function readMessage(message: unknown): SourceMessage {
	if (typeof message !== 'object' || message === null)
		return { type: 'human', content: String(message) };
	const source = message as Record<string, unknown> & {
		getType?: () => string;
		_getType?: () => string;
	};
	const type = source.getType?.() ?? source._getType?.() ?? '';
	const kwargs = recordOf(source.additional_kwargs);
	const known =
		type === 'human' || type === 'system' || type === 'ai' || type === 'tool' ? type : 'other';
	return {
		type: type === 'developer' ? 'system' : known,
		content: source.content,
		...optional({
			role: text(source.role),
			toolCalls: Array.isArray(source.tool_calls)
				? recordsIn(source.tool_calls).map(toolCall)
				: undefined,
			invalidToolCalls: Array.isArray(source.invalid_tool_calls)
				? recordsIn(source.invalid_tool_calls)
				: undefined,
			toolCallId: text(source.tool_call_id),
			name: text(source.name),
			reasoning: text(kwargs.reasoning_content ?? kwargs.reasoning),
		}),
	};
}

function toolCall(call: Record<string, unknown>): NonNullable<SourceMessage['toolCalls']>[number] {
	return { ...optional({ id: text(call.id) }), name: String(call.name), args: recordOf(call.args) };
}
