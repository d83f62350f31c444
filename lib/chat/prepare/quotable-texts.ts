/** The texts of a request in which a call is a quotation. */
import { isOutside } from '../../origin';
import type { ToolDefinition } from '../tool-definition';
import type { ChatMessage } from '../chat-message';

/**
 * The texts of users, and those of which nobody knows who wrote them: in messages, and in definitions of tools. Those of one
 * message are one text, as servers get it, also around an image.
 */
export function getQuotableTexts(
	messages: readonly ChatMessage[],
	tools: readonly ToolDefinition[],
): string[] {
	return [...messages.map(getOutsideText), ...tools.map(getDefinition)].filter(
		(text) => text !== '',
	);
}

function getOutsideText(message: ChatMessage): string {
	if (message.role === 'assistant' || message.role === 'tool')
		return isOutside(message.origin) ? message.content : '';
	const texts = message.content.flatMap((part) =>
		part.type === 'text' && isOutside(part.origin) ? [part.text] : [],
	);
	return texts.join('\n');
}

function getDefinition({ name, description, schema, origin }: ToolDefinition): string {
	return isOutside(origin) ? [name, description, JSON.stringify(schema)].join('\n') : '';
}
