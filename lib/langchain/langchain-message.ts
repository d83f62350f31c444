import { isRecord } from '../values';
import type { SourceMessage } from '../chat/request/messages';

/**
 * Reads a message object of the host's LangChain, by shape: an instance check would tie it to one copy of the library.
 */
export function readMessage(message: unknown): SourceMessage {
	if (typeof message !== 'object' || message === null) return { type: 'human', content: String(message) };
	const source = message as Record<string, unknown> & { getType?: () => string; _getType?: () => string };
	const type = source.getType?.() ?? source._getType?.() ?? '';
	const kwargs = isRecord(source.additional_kwargs) ? source.additional_kwargs : {};
	const reasoning = kwargs.reasoning_content ?? kwargs.reasoning;
	return {
		type:
			type === 'human' || type === 'system' || type === 'ai' || type === 'tool'
				? type
				: type === 'developer'
					? 'system'
					: 'other',
		...(typeof source.role === 'string' ? { role: source.role } : {}),
		content: source.content,
		...(Array.isArray(source.tool_calls) ? { toolCalls: source.tool_calls.filter(isRecord).map(toolCall) } : {}),
		...(Array.isArray(source.invalid_tool_calls)
			? { invalidToolCalls: source.invalid_tool_calls.filter(isRecord) }
			: {}),
		...(typeof source.tool_call_id === 'string' ? { toolCallId: source.tool_call_id } : {}),
		...(typeof source.name === 'string' ? { name: source.name } : {}),
		...(typeof reasoning === 'string' ? { reasoning } : {}),
	};
}

function toolCall(call: Record<string, unknown>): NonNullable<SourceMessage['toolCalls']>[number] {
	return {
		...(typeof call.id === 'string' ? { id: call.id } : {}),
		name: String(call.name),
		args: isRecord(call.args) ? call.args : {},
	};
}
