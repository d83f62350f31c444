/** Who wrote the texts of a request, for what a response repeats of them. */
import type { Origin } from '../origin';
import type { ChatMessage } from './chat-message';
import type { CompletionRequest } from './completion';

/** The texts that neither the author of the workflow nor this node wrote. Those of one message are one text, as servers get it. */
export function getTextsOfOthers({
	messages,
	tools,
}: Pick<CompletionRequest, 'messages' | 'tools'>): string[] {
	const definitions = tools
		.filter(({ origin }) => isOfOthers(origin))
		.map(({ name, description, schema }) => [name, description, JSON.stringify(schema)].join('\n'));
	return [...messages.map(getTextOfOthers), ...definitions].filter((text) => text !== '');
}

function isOfOthers(origin: Origin): boolean {
	return origin !== 'author' && origin !== 'node';
}

function getTextOfOthers(message: ChatMessage): string {
	if (message.role === 'assistant') {
		const calls = (message.toolCalls ?? []).map((call) => call.arguments);
		const texts = [message.content, message.reasoning ?? '', ...calls];
		return isOfOthers(message.origin) ? texts.join('\n') : '';
	}
	if (message.role === 'tool') return isOfOthers(message.origin) ? message.content : '';
	const texts = message.content.flatMap((part) =>
		part.type === 'text' && isOfOthers(part.origin) ? [part.text] : [],
	);
	return texts.join('\n');
}
