/** Texts as they go into the body of a request: by who wrote them, without the turn tokens of chat templates. */
import { breakTurnTokens, breakTurnTokensDeep } from '../../text/turn-tokens';
import type { Origin } from '../../origin';
import type { ChatMessage } from '../chat-message';
import type { CompletionRequest } from '../completion';
import type { ToolDefinition } from '../tool-definition';

/**
 * A request in which only texts of the author and of the model contain turn tokens. Only the body has these texts: a response
 * is checked against what n8n gave.
 */
export function withoutTurnTokens(draft: CompletionRequest): CompletionRequest {
	return {
		...draft,
		messages: draft.messages.map(toWireMessage),
		tools: draft.tools.map(toWireTool),
	};
}

function toWireMessage(message: ChatMessage): ChatMessage {
	switch (message.role) {
		case 'assistant':
		case 'tool':
			return { ...message, content: toWireText(message.content, message.origin) };
		default:
			return {
				...message,
				content: message.content.map((part) =>
					part.type === 'text' ? { ...part, text: toWireText(part.text, part.origin) } : part,
				),
			};
	}
}

function toWireText(text: string, origin: Origin): string {
	return origin === 'author' || origin === 'model' ? text : breakTurnTokens(text);
}

function toWireTool(tool: ToolDefinition): ToolDefinition {
	return breakTurnTokensDeep(tool) as ToolDefinition;
}
