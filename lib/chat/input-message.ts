/** The messages of a chain or agent, as they arrive from LangChain. */
import type { ContentPart } from '../files/read-file';
import type { Origin, OriginText } from '../origin';
import type { JsonRecord } from '../values/records';
import { asRecord, asString } from '../values/records';

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

/** A part of a message as it arrived. */
export interface InputPart {
	/** A text, or a block of content in the form of LangChain, OpenAI or MCP. In a tool's result: all of it. */
	block: unknown;
	/** Who wrote its text. */
	origin: Origin;
}

/** A message of a conversation as plain data, made where it enters: from LangChain's messages, or from fields. */
export interface InputMessage {
	type: 'system' | 'human' | 'ai' | 'tool';
	content: readonly InputPart[];
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

/** The parts of a content that one person or program wrote: a text, a list of blocks, or nothing. */
export function toInputParts(content: unknown, origin: Origin): InputPart[] {
	return [content].flat().map((block: unknown) => ({ block, origin }));
}

/** How n8n begins a message of the assistant if a memory stores only texts: with the results of its tools. */
const USED_TOOLS = /^\s{0,9}\[Used tools:/;

/** Who wrote a message of the assistant. */
export function getAssistantOrigin(content: unknown): Origin {
	const [first] = [content].flat();
	const text = asString(first) ?? asString(asRecord(first).text) ?? '';
	return USED_TOOLS.test(text) ? 'foreign' : 'model';
}

/** A system message, one line for each text that is not empty. */
export function toSystemMessage(lines: readonly OriginText[]): InputMessage {
	const content = lines
		.filter(({ text }) => text !== '')
		.map(({ text, origin }) => ({ block: text, origin }));
	return { type: 'system', content };
}
