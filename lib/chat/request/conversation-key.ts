import { createHash } from 'node:crypto';

import type { ChatMessage, ToolDefinition } from '../types';

/**
 * What stays the same in every round of a conversation: its system prompt, the first message of the user, and the names
 * of the tools. n8n gives a model no ID of the conversation. The same in every process.
 */
export function conversationKey(
	model: string,
	messages: readonly ChatMessage[],
	tools: readonly ToolDefinition[] = [],
): string {
	const first = (role: ChatMessage['role']) => messages.find((message) => message.role === role)?.content;
	const names = tools.map(({ name }) => name).sort();
	return createHash('sha256')
		.update(JSON.stringify([model, first('system'), first('user'), names]))
		.digest('hex');
}
