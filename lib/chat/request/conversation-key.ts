import { createHash } from 'node:crypto';

import type { ChatMessage, ToolDefinition } from '../types';

/**
 * A key of a conversation, the same in every turn and every process: a hash of the model, the system prompt, the user's
 * first message and the tool names. n8n gives models no conversation ID.
 */
export function conversationKey(
	model: string,
	messages: readonly ChatMessage[],
	tools: readonly ToolDefinition[] = [],
): string {
	const first = (role: ChatMessage['role']) =>
		messages.find((message) => message.role === role)?.content;
	const names = tools.map(({ name }) => name).sort();
	return createHash('sha256')
		.update(JSON.stringify([model, first('system'), first('user'), names]))
		.digest('hex');
}
