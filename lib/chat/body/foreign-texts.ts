/** Texts of users, files and tools, as they go into the body of a request. */
import { breakTurnTokens, breakTurnTokensDeep } from '../../text/turn-tokens';
import type { ContentPart } from '../../files/read-file';
import type { ChatMessage } from '../chat-message';
import type { CompletionRequest } from '../completion';
import type { ToolDefinition } from '../tool-definition';

/**
 * A request in which no text but the model's own contains a turn token. Only the body has these texts: a response is checked
 * against what n8n gave.
 */
export function withoutTurnTokens(draft: CompletionRequest): CompletionRequest {
	return {
		...draft,
		messages: draft.messages.map(toWireMessage),
		// Tools may come from other servers (MCP).
		tools: draft.tools.map((tool) => breakTurnTokensDeep(tool) as ToolDefinition),
	};
}

function toWireMessage(message: ChatMessage): ChatMessage {
	switch (message.role) {
		case 'assistant':
			return message;
		case 'tool':
			return { ...message, content: breakTurnTokens(message.content) };
		default:
			return { ...message, content: toWireContent(message.content) };
	}
}

function toWireContent(content: string | ContentPart[]): string | ContentPart[] {
	if (typeof content === 'string') return breakTurnTokens(content);
	return content.map((part) =>
		part.type === 'text' ? { ...part, text: breakTurnTokens(part.text) } : part,
	);
}
