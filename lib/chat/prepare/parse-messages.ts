/** The messages of a conversation that a user entered. */
import { createInputError } from '../../errors/create-error';
import type { JsonRecord } from '../../values/records';
import { asArray, isRecord, asNonEmptyString, asRecord, asRecords } from '../../values/records';
import { parseJson } from '../../values/json';
import { toText } from '../../values/text';
import type { Origin } from '../../origin';
import type { InputMessage, InputToolCall } from '../input-message';
import { getAssistantOrigin, MESSAGE_TYPES, toInputParts } from '../input-message';
import { getOwn } from '../../values/own-properties';

/**
 * Parses a conversation: a list of messages in the format of OpenAI or Ollama, an object with such a list in
 * `messages`, or JSON text of either.
 *
 * @param origin who wrote the messages of the system and of users
 * @throws {ServerError} of type `invalidInput` that names the invalid message
 */
export function parseMessages(source: unknown, origin: Origin): InputMessage[] {
	const parsed = typeof source === 'string' ? parseJson(source) : source;
	const { messages } = asRecord(parsed);
	const list: unknown = Array.isArray(messages) ? messages : parsed;
	if (!Array.isArray(list)) throw createMessagesError('The messages are not a JSON array');
	return list.map((message: unknown, index) => parseMessage(message, { index, origin }));
}

/** What is known of a message besides itself. */
interface MessageContext {
	/** Its place in the list, from 0. */
	index: number;
	/** Who wrote it, if it is of the system or of a user. */
	origin: Origin;
}

function parseMessage(message: unknown, { index, origin }: MessageContext): InputMessage {
	const position = `Message ${index + 1}`;
	if (!isRecord(message))
		throw createMessagesError(`${position} is not a JSON object with a role and a content`);
	const role = findText(message, ['role', 'type']);
	if (role === undefined) throw createMessagesError(`${position} has no role`);
	const type = MESSAGE_TYPES.get(role.trim().toLowerCase());
	if (type === undefined)
		throw createMessagesError(
			`${position} has the unknown role "${role}". Valid roles: system, user, assistant, tool`,
		);
	const toolCalls = asRecords(message.tool_calls).map((call) => parseToolCall(call, position));
	const content = parseContent(message);
	if (content === undefined && toolCalls.length === 0)
		throw createMessagesError(`${position} has no content`);
	return {
		type,
		content: toParts(type, content ?? '', origin),
		toolCalls,
		toolCallId: asNonEmptyString(message.tool_call_id),
		name: findText(message, ['tool_name', 'name']),
		reasoning: findText(message, ['reasoning_content', 'reasoning', 'thinking']),
	};
}

function toParts(type: InputMessage['type'], content: unknown, origin: Origin) {
	if (type === 'tool') return [{ block: content, origin: 'foreign' as const }];
	return toInputParts(content, type === 'ai' ? getAssistantOrigin(content) : origin);
}

function findText(message: JsonRecord, fields: string[]) {
	return fields
		.map((field) => asNonEmptyString(getOwn(message, field)))
		.find((value) => value !== undefined);
}

/** Text, or parts. In Ollama's format, images are plain base64 next to the text. */
function parseContent({ content, images }: JsonRecord): unknown {
	if (content === undefined || content === null) return undefined;
	const text = Array.isArray(content) ? content : toText(content);
	const base64Images = asArray(images).filter((image) => typeof image === 'string');
	if (base64Images.length === 0) return text;
	return [text, base64Images.map((data) => ({ type: 'image', data }))].flat();
}

function parseToolCall(call: JsonRecord, position: string): InputToolCall {
	const { name, arguments: source } = isRecord(call.function) ? call.function : call;
	if (typeof name !== 'string' || !name)
		throw createMessagesError(`${position} contains a tool call without a name`);
	const args = typeof source === 'string' ? parseJson(source.trim() || '{}') : (source ?? {});
	if (!isRecord(args))
		throw createMessagesError(
			`${position} contains a call to "${name}" whose arguments are not a JSON object`,
		);
	return { id: asNonEmptyString(call.id), name, args };
}

function createMessagesError(message: string) {
	return createInputError(
		message,
		'Pass an array such as [{"role":"system","content":"…"},{"role":"user","content":"…"}]. Valid roles are system, user, assistant and tool.',
	);
}
