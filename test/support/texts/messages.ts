/** Messages and tools as tests write them: short, with the origins that n8n's door gives them. */
import { getMedia, getText } from '../../../lib/chat/content';
import { toMessageParts } from '../../../lib/langchain/message-parts';
import type {
	AssistantMessage,
	ChatMessage,
	ToolMessage,
	UserMessage,
} from '../../../lib/chat/chat-message';
import type { InputMessage } from '../../../lib/chat/input-message';
import type { ToolDefinition } from '../../../lib/chat/tool-definition';
import type { ContentPart, MediaPart } from '../../../lib/files/read-file';
import type { Origin } from '../../../lib/origin';

/** A message of n8n: its content is a text, or blocks. */
export type ShortInput = Omit<InputMessage, 'content'> & { content: unknown };

export const toInput = (message: ShortInput): InputMessage => ({
	...message,
	content: toMessageParts(message.type, message.content),
});

export const toInputs = (messages: readonly ShortInput[]): InputMessage[] => messages.map(toInput);

/** A message of n8n as it was written. */
export function toShortInput(message: InputMessage): ShortInput {
	const blocks = message.content.map(({ block }) => block);
	const isWhole = message.type === 'tool' || typeof blocks[0] === 'string';
	return { ...message, content: isWhole && blocks.length === 1 ? blocks[0] : blocks };
}

/** A part of a message without its origin. */
export type ShortPart = { type: 'text'; text: string; origin?: Origin } | MediaPart;

type Short<T> = T extends UserMessage
	? Omit<T, 'content'> & { content: string | readonly ShortPart[]; origin?: Origin }
	: Omit<T, 'origin'> & { origin?: Origin };

/** A message to a server, whose origin is that of its role unless it is given. */
export type ShortMessage = Short<UserMessage> | Short<AssistantMessage> | Short<ToolMessage>;

const ORIGINS: Readonly<Record<ChatMessage['role'], Origin>> = {
	system: 'foreign',
	user: 'user',
	assistant: 'model',
	tool: 'foreign',
};

export function toMessage(message: ShortMessage): ChatMessage {
	const { origin = ORIGINS[message.role] } = message;
	if (message.role === 'assistant' || message.role === 'tool') return { ...message, origin };
	const { role, content } = message;
	const parts: readonly ShortPart[] =
		typeof content === 'string' ? [{ type: 'text', text: content }] : content;
	const toPart = (part: ShortPart): ContentPart =>
		part.type === 'text' ? { origin, ...part } : part;
	return { role, content: parts.map(toPart) };
}

export const toMessages = (messages: readonly ShortMessage[]): ChatMessage[] =>
	messages.map(toMessage);

/** Messages as servers get them: without origins, and with adjacent texts as one. */
export function toShort(messages: readonly ChatMessage[]): ShortMessage[] {
	return messages.map((message) => {
		if (message.role === 'assistant' || message.role === 'tool') {
			const { origin: _origin, ...short } = message;
			return short;
		}
		const { role, content } = message;
		if (getMedia(content).length === 0) return { role, content: getText(content, '\n') };
		const parts: ShortPart[] = [];
		for (const part of content) {
			const last = parts.at(-1);
			if (part.type === 'text' && last?.type === 'text') last.text += `\n${part.text}`;
			else parts.push(part.type === 'text' ? { type: 'text', text: part.text } : { ...part });
		}
		return { role, content: parts };
	});
}

/** The definition of a tool that n8n passes on. */
export const toTool = (tool: Omit<ToolDefinition, 'origin'>): ToolDefinition => ({
	...tool,
	origin: 'foreign',
});

/** A definition as n8n wrote it. */
export const toShortTool = ({ origin: _origin, ...tool }: ToolDefinition): object => tool;
