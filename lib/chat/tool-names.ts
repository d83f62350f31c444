import type { ToolDefinition, ChatMessage } from './types';

const MAX_LENGTH = 64;

export interface ToolNames {
	/** The name that is sent. */
	toWire(name: string): string;
	/** The tool's own name. */
	toOriginal(name: string): string;
}

/** Unique within a request. A name that fits stays, and is never given to another tool. */
export function createToolNames(tools: readonly ToolDefinition[]): ToolNames {
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
		toWire: (name) => sent.get(name) ?? fittingName(name),
		toOriginal: (name) => own.get(name) ?? name,
	};
}

/** A name that servers accept. */
export function fittingName(name: string): string {
	return name.replace(/[^\w-]/g, '_').slice(0, MAX_LENGTH) || '_';
}

/** Messages with the names that are sent. */
export function withWireNames(messages: readonly ChatMessage[], names: ToolNames): ChatMessage[] {
	return messages.map((message) => {
		if (message.role === 'tool' && message.name !== undefined)
			return { ...message, name: names.toWire(message.name) };
		if (message.role !== 'assistant' || message.toolCalls === undefined) return message;
		const toolCalls = message.toolCalls.map((call) => ({ ...call, name: names.toWire(call.name) }));
		return { ...message, toolCalls };
	});
}
