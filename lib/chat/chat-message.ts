/** The messages of a conversation, as bodies of requests are made from them. */
import type { ContentPart } from '../files/read-file';
import type { Origin } from '../origin';

/** A call of a tool. */
export interface ToolCall {
	/** For n8n our own ID (`createToolCallIds`), for the server its own. */
	id: string;
	name: string;
	/** JSON text of an object, if possible exactly as the model wrote it. */
	arguments: string;
}

/** A message of a user, or of the workflow. */
export interface UserMessage {
	role: 'system' | 'user';
	/** Servers get adjacent texts as one, with a line break between them. */
	content: readonly ContentPart[];
}

/** A message of a conversation, independent of LangChain and wire protocols. */
export type ChatMessage = UserMessage | AssistantMessage | ToolMessage;

/** A message of the model. */
export interface AssistantMessage {
	role: 'assistant';
	content: string;
	/** Who wrote the content: a memory may keep results of tools as a message of the model. */
	origin: Origin;
	reasoning?: string;
	toolCalls?: ToolCall[];
}

/** The result of a tool call. */
export interface ToolMessage {
	role: 'tool';
	toolCallId: string;
	name: string;
	content: string;
	/** Who wrote the content: a correction of ours is a result, too. */
	origin: Origin;
}

/** Whether the model wrote a message. */
export function isOfModel(message: ChatMessage): message is AssistantMessage {
	return message.role === 'assistant' && message.origin === 'model';
}

/** Whether a message has results of tools, also one that a memory keeps. */
export function isResult(message: ChatMessage): message is AssistantMessage | ToolMessage {
	return 'origin' in message && message.origin === 'foreign';
}

/** Whether somebody asks with a message. In a message for images of a tool, the node writes the text. */
export function isQuestion(message: ChatMessage): boolean {
	const isOfNode = (part: ContentPart) => part.type === 'text' && part.origin === 'node';
	return message.role === 'user' && !message.content.some(isOfNode);
}
