/** The texts of a request that a model may quote. */
import { parseJson } from '../../values/json';
import { collectTexts } from '../../values/text';
import { getText } from '../content';
import type { ToolDefinition } from '../tool-definition';
import type { ChatMessage } from '../chat-message';

/**
 * The texts in which a call may be quoted: messages, earlier responses of the model with the values of their calls,
 * descriptions of tools and their arguments. A call that the model made is no quotation of itself.
 */
export function getQuotableTexts(
	messages: readonly ChatMessage[],
	tools: readonly ToolDefinition[],
): string[] {
	const calls = messages.flatMap((message) =>
		message.role === 'assistant' ? (message.toolCalls ?? []) : [],
	);
	const values = calls.map(({ arguments: args }) => parseJson(args));
	const toolTexts = tools.map(({ description, schema }) => [description, schema]);
	return [
		...messages.map(({ content }) => getText(content, '\n')),
		...collectTexts(values),
		...collectTexts(toolTexts),
	];
}
