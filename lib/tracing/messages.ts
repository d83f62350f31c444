/** A message of a conversation, as far as a trace shows it. */
export interface TracedMessage {
	role: string;
	/** Text, or parts, of which those that are no text are named only. */
	content: string | ReadonlyArray<{ type: string; text?: string }>;
	reasoning?: string;
	toolCalls?: ReadonlyArray<{ id: string; name: string; arguments: string }>;
	/** The call that this is the result of. */
	toolCallId?: string;
	finishReason?: string;
}

/** Characters of a conversation in a trace: exporters and servers refuse what is too long. */
const MAX_CHARACTERS = 100_000;

/** Messages as JSON, in the form of the GenAI conventions. Of a conversation that is too long, its end is kept. */
export function writtenOut(messages: readonly TracedMessage[]): string {
	const kept: object[] = [];
	let characters = 0;
	for (const message of messages.toReversed()) {
		const written = { role: message.role, parts: partsOf(message), ...finishOf(message) };
		characters += JSON.stringify(written).length;
		if (characters > MAX_CHARACTERS) break;
		kept.unshift(written);
	}
	return JSON.stringify(kept);
}

function finishOf({ finishReason }: TracedMessage) {
	return finishReason === undefined ? {} : { finish_reason: finishReason };
}

function partsOf({ content, reasoning = '', toolCalls = [], toolCallId }: TracedMessage): object[] {
	const parts = typeof content === 'string' ? [{ type: 'text', text: content }] : content;
	const texts = parts.flatMap(({ type, text }): object[] => {
		if (toolCallId !== undefined) return [{ type: 'tool_call_response', id: toolCallId, response: text ?? '' }];
		if (text === '') return [];
		return [text === undefined ? { type } : { type: 'text', content: text }];
	});
	const calls = toolCalls.map(({ id, name, arguments: args }) => ({ type: 'tool_call', id, name, arguments: args }));
	return [...(reasoning === '' ? [] : [{ type: 'reasoning', content: reasoning }]), ...texts, ...calls];
}
