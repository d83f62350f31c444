import { type JsonRecord, optional, recordOf, recordsIn, text } from '../values';
import type { SourceMessage } from '../chat/types';

type HostMessage = JsonRecord & {
	getType?: () => string;
	_getType?: () => string;
};

const TYPES: ReadonlyMap<string | undefined, SourceMessage['type']> = new Map([
	['human', 'human'],
	['system', 'system'],
	['developer', 'system'],
	['ai', 'ai'],
	['tool', 'tool'],
]);

/**
 * Reads a message object of the host's LangChain, by its shape: an instance check would work with one copy of the
 * library only.
 */
export function readMessage(message: unknown): SourceMessage {
	if (typeof message !== 'object' || message === null)
		return { type: 'human', content: String(message) };
	const source = message as HostMessage;
	const kwargs = recordOf(source.additional_kwargs);
	return {
		type: TYPES.get(source.getType?.() ?? source._getType?.()) ?? 'other',
		content: source.content,
		...optional({
			role: text(source.role),
			toolCalls: recordList(source.tool_calls)?.map(toolCall),
			invalidToolCalls: recordList(source.invalid_tool_calls),
			toolCallId: text(source.tool_call_id),
			name: text(source.name),
			reasoning: text(kwargs.reasoning_content ?? kwargs.reasoning),
		}),
	};
}

function recordList(value: unknown): JsonRecord[] | undefined {
	return Array.isArray(value) ? recordsIn(value) : undefined;
}

function toolCall(call: JsonRecord): NonNullable<SourceMessage['toolCalls']>[number] {
	return { ...optional({ id: text(call.id) }), name: String(call.name), args: recordOf(call.args) };
}
