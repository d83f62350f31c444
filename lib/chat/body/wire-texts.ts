/** Texts as they go into the body of a request: by who wrote them, without the tokens of chat templates. */
import type { Origin } from '../../origin';
import type { TextChange } from '../../text/turn-tokens';
import { changeTexts, createTokenBreaker, getTokenChange } from '../../text/turn-tokens';
import type { ChatMessage } from '../chat-message';
import type { CompletionRequest } from '../completion';
import type { ToolDefinition } from '../tool-definition';

/**
 * A request in which only texts of the author and of the model contain turn tokens. Only the body has these texts: a response
 * is checked against what n8n gave.
 */
export function withoutTurnTokens(draft: CompletionRequest): CompletionRequest {
	const breakExact = createTokenBreaker(draft.templateTokens ?? []);
	return {
		...draft,
		messages: draft.messages.map((message) => toWireMessage(message, breakExact)),
		tools: draft.tools.map((tool) => changeTexts(tool, breakExact) as ToolDefinition),
	};
}

/** @param breakExact breaks the tokens of the list and of the model's template */
function toWireMessage(message: ChatMessage, breakExact: TextChange): ChatMessage {
	if (message.role === 'assistant' || message.role === 'tool') {
		const { content, origin } = message;
		return { ...message, content: getTokenChange(origin, breakExact)(content) };
	}
	// Authors write most of a system message, and n8n does not say what else is in it.
	const toChange = (origin: Origin) =>
		message.role === 'system' && origin === 'foreign'
			? breakExact
			: getTokenChange(origin, breakExact);
	const content = message.content.map((part) =>
		part.type === 'text' ? { ...part, text: toChange(part.origin)(part.text) } : part,
	);
	return { ...message, content };
}
