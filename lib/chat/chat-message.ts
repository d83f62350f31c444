/** The messages of a conversation, as bodies of requests are made from them. */
import type { ContentPart } from '../files/read-file';

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
	content: string | ContentPart[];
	/** The texts of files that the content contains. Undefined without any. */
	fileTexts?: readonly string[];
}

/** A message of a conversation, independent of LangChain and wire protocols. */
export type ChatMessage =
	| UserMessage
	| { role: 'assistant'; content: string; reasoning?: string; toolCalls?: ToolCall[] }
	| { role: 'tool'; toolCallId: string; name: string; content: string };
