/** Names of tools that servers accept. */
import type { ToolDefinition } from '../tool-definition';
import type { ChatMessage } from '../chat-message';

/** Names of tools that servers accept, and back. */
export interface ToolNames {
	/** The name that is sent: the wire name. */
	toWire(name: string): string;
	/** The tool's own name. */
	toOriginal(name: string): string;
}

/** Maximum length of a name that servers accept. */
const MAX_NAME_LENGTH = 64;

/** `_999`. */
const MAX_SUFFIX_LENGTH = 4;

/** Names are unique within a request. A valid name stays, and no other tool gets it. */
export function createToolNames(tools: readonly ToolDefinition[]): ToolNames {
	const usedNames = new Set(tools.map(({ name }) => name));
	const wireNames = new Map<string, string>();
	/** Of names with the same beginning, of which there may be thousands. */
	const lastNumbers = new Map<string, number>();
	for (const { name } of tools) {
		const validName = toValidName(name);
		if (validName === name) continue;
		const beginning = validName.slice(0, MAX_NAME_LENGTH - MAX_SUFFIX_LENGTH);
		let unique = validName;
		let number = lastNumbers.get(beginning) ?? 1;
		while (usedNames.has(unique)) unique = `${beginning}_${++number}`;
		lastNumbers.set(beginning, number);
		usedNames.add(unique);
		wireNames.set(name, unique);
	}
	const originalNames = new Map([...wireNames].map(([name, wireName]) => [wireName, name]));
	return {
		toWire: (name) => wireNames.get(name) ?? toValidName(name),
		toOriginal: (name) => originalNames.get(name) ?? name,
	};
}

/** A name that servers accept. */
export function toValidName(name: string): string {
	return name.replace(/[^\w-]/g, '_').slice(0, MAX_NAME_LENGTH) || '_';
}

/** Messages with the names that are sent. */
export function withWireNames(messages: readonly ChatMessage[], names: ToolNames): ChatMessage[] {
	return messages.map((message) => {
		if (message.role === 'tool' && message.name !== undefined)
			return { ...message, name: names.toWire(message.name) };
		if (message.role !== 'assistant' || !message.toolCalls) return message;
		const toolCalls = message.toolCalls.map((call) => ({ ...call, name: names.toWire(call.name) }));
		return { ...message, toolCalls };
	});
}
