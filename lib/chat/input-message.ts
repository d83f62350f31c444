/** The messages of a chain or agent, as they arrive from LangChain. */
import type { ContentPart } from '../files/read-file';
import type { JsonRecord } from '../values/records';

/** A tool call as LangChain has it. */
export interface InputToolCall {
	id?: string;
	name: string;
	args: JsonRecord;
}

/** A call whose arguments LangChain could not parse. */
export interface InvalidToolCall {
	id?: string;
	name?: string;
}

/** A LangChain message as plain data, made by `lib/langchain/host-data.ts`. */
export interface InputMessage {
	type: 'system' | 'human' | 'ai' | 'tool';
	content: unknown;
	/** Files that follow the content. */
	files?: ContentPart[];
	toolCalls?: InputToolCall[];
	/** Calls with arguments that could not be parsed. Never sent back. */
	invalidToolCalls?: InvalidToolCall[];
	/** In a tool's result: the ID of its call. */
	toolCallId?: string;
	/** In a tool's result: the name of the tool. */
	name?: string;
	reasoning?: string;
}

/** LangChain's message types, by the roles of OpenAI, Google and LangChain. */
export const MESSAGE_TYPES: ReadonlyMap<string | undefined, InputMessage['type']> = new Map([
	['system', 'system'],
	['developer', 'system'],
	['user', 'human'],
	['human', 'human'],
	['assistant', 'ai'],
	['ai', 'ai'],
	['model', 'ai'],
	['tool', 'tool'],
	['function', 'tool'],
]);
