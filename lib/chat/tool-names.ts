/** Names of tools in the form that servers take: letters, digits, `_` and `-`, at most 64. */
import type { ChatMessage, ToolDefinition } from './types';

const MAX_LENGTH = 64;

export interface ToolNames {
	/** The name that is sent. */
	sent(name: string): string;
	/** The tool's own name. */
	own(name: string): string;
}

/** Unique within a request. A name that fits stays, and is never given to another tool. */
export function toolNames(tools: readonly ToolDefinition[]): ToolNames {
	const taken = new Set(tools.map(({ name }) => name));
	const sent = new Map<string, string>();
	for (const { name } of tools) {
		const fitting = fittingName(name);
		if (fitting === name) continue;
		let unique = fitting;
		for (let count = 2; taken.has(unique); count++)
			unique = `${fitting.slice(0, MAX_LENGTH - 4)}_${count}`;
		taken.add(unique);
		sent.set(name, unique);
	}
	const own = new Map([...sent].map(([name, other]) => [other, name]));
	return {
		sent: (name) => sent.get(name) ?? fittingName(name),
		own: (name) => own.get(name) ?? name,
	};
}

function fittingName(name: string): string {
	return name.replace(/[^\w-]/g, '_').slice(0, MAX_LENGTH) || '_';
}

/** Messages with the names that are sent. */
export function withSentNames(messages: readonly ChatMessage[], names: ToolNames): ChatMessage[] {
	return messages.map((message) => {
		if (message.role === 'tool' && message.name !== undefined)
			return { ...message, name: names.sent(message.name) };
		if (message.role !== 'assistant' || message.toolCalls === undefined) return message;
		const toolCalls = message.toolCalls.map((call) => ({ ...call, name: names.sent(call.name) }));
		return { ...message, toolCalls };
	});
}
