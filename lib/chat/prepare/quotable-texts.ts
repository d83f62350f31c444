/** The texts of a request that a model may quote. */
import { parseJson } from '../../values/json';
import { collectTexts } from '../../values/text';
import { getText } from '../content';
import type { ToolDefinition } from '../tool-definition';
import type { QuotableRequest } from '../../text/calls/quotations';
import type { ChatMessage, ToolCall } from '../chat-message';

/**
 * The texts in which a call may be quoted: messages, earlier responses of the model with the values of their calls,
 * descriptions of tools and their arguments. A call that the model made is no quotation of itself.
 */
export function getQuotableTexts(
	messages: readonly ChatMessage[],
	tools: readonly ToolDefinition[],
): QuotableRequest {
	const values = getCalls(messages).map(({ arguments: args }) => parseJson(args));
	const toolTexts = tools.map(({ description, schema }) => [description, schema]);
	const latest = messages.slice(
		Math.max(
			0,
			messages.findLastIndex(({ role }) => role === 'user'),
		),
	);
	return {
		texts: [
			...messages.map(({ content }) => getText(content, '\n')),
			...collectTexts(values),
			...collectTexts(toolTexts),
		],
		foreignTexts: latest.flatMap(getForeignTexts),
		pastCalls: getCalls(latest),
	};
}

function getCalls(messages: readonly ChatMessage[]): ToolCall[] {
	return messages.flatMap((message) =>
		message.role === 'assistant' ? (message.toolCalls ?? []) : [],
	);
}

/** Texts of a message that nobody wrote who takes part in the conversation. */
function getForeignTexts(message: ChatMessage): readonly string[] {
	if (message.role === 'tool') return [message.content];
	return message.role === 'user' ? (message.fileTexts ?? []) : [];
}
