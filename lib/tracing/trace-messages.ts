/** Messages as an attribute of a span. */

/** A part of a message. Without a text, a trace shows only its type. */
export interface TracedPart {
	/** As in OpenAI's API. */
	type: string;
	text?: string;
}

/** A tool call of a message. */
export interface TracedToolCall {
	id: string;
	name: string;
	/** JSON text. */
	arguments: string;
}

/** A message of a conversation, as far as a trace shows it. */
export interface TracedMessage {
	/** As in OpenAI's API. */
	role: string;
	content: string | readonly TracedPart[];
	reasoning?: string;
	toolCalls?: readonly TracedToolCall[];
	/** In a tool's result: the ID of its call. */
	toolCallId?: string;
	/** Of a response: why it ended, in the server's words. */
	finishReason?: string;
}

/** Characters of a conversation in a trace: exporters and servers reject longer attributes. */
const MAX_CHARACTERS = 100_000;

/**
 * Messages as JSON in the form of OpenTelemetry's conventions for generative AI.
 *
 * @returns a list; of a conversation that is too long, only its end
 */
export function stringifyMessages(messages: readonly TracedMessage[]): string {
	const newest: object[] = [];
	let characters = 0;
	for (const message of messages.toReversed()) {
		const attribute = {
			role: message.role,
			parts: toParts(message),
			finish_reason: message.finishReason,
		};
		const size = JSON.stringify(attribute).length;
		if (characters + size > MAX_CHARACTERS) {
			const text = getTextEnd(message, MAX_CHARACTERS - characters);
			if (text) newest.push({ ...attribute, parts: [{ type: 'text', content: text }] });
			break;
		}
		characters += size;
		newest.push(attribute);
	}
	return JSON.stringify(newest.toReversed());
}

/** Possible start of a truncated text: the rest of a key, which would not be masked, or half a character. */
const CUT_BEGINNING = /^[\x21-\x7e\udc00-\udfff]+/;

/** The end of a message's text. */
function getTextEnd({ content }: TracedMessage, max: number) {
	const text =
		typeof content === 'string'
			? content
			: content.flatMap(({ text: part }) => part ?? []).join('\n');
	return text.length <= max ? text : text.slice(-max).replace(CUT_BEGINNING, '').trimStart();
}

/** The parts of a message by the conventions. */
function toParts({ content, reasoning = '', toolCalls = [], toolCallId }: TracedMessage): object[] {
	const parts = typeof content === 'string' ? [{ type: 'text', text: content }] : content;
	const texts = parts.flatMap(({ type, text }): object[] => {
		if (toolCallId !== undefined)
			return [{ type: 'tool_call_response', id: toolCallId, response: text ?? '' }];
		if (text === '') return [];
		return [text === undefined ? { type } : { type: 'text', content: text }];
	});
	const calls = toolCalls.map(({ id, name, arguments: args }) => ({
		type: 'tool_call',
		id,
		name,
		arguments: args,
	}));
	return [...(reasoning ? [{ type: 'reasoning', content: reasoning }] : []), ...texts, ...calls];
}
