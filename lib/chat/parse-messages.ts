import { createInputError } from '../errors/create-error';
import type { ServerError } from '../errors/server-error';
import { parseJson } from '../json';
import {
	asArray,
	isRecord,
	type JsonRecord,
	asNonEmptyString,
	omitUndefined,
	asRecord,
	asRecords,
	toText,
} from '../values';
import type { InputMessage } from './types';

type InputToolCall = NonNullable<InputMessage['toolCalls']>[number];

/** Roles as OpenAI, Google and LangChain call them. */
const TYPES: ReadonlyMap<string, InputMessage['type']> = new Map([
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

/**
 * Reads a conversation from JSON: a list of messages in OpenAI's or Ollama's form, an object with such a list in
 * `messages`, or JSON text of either.
 *
 * @throws {ServerError} of type `invalidInput` that names the wrong message
 */
export function parseMessages(source: unknown): InputMessage[] {
	const parsed = typeof source === 'string' ? parseJson(source) : source;
	const { messages } = asRecord(parsed);
	const list: unknown = Array.isArray(messages) ? messages : parsed;
	if (!Array.isArray(list)) throw invalid('The messages are not a JSON array');
	return list.map(parseMessage);
}

function parseMessage(message: unknown, index: number): InputMessage {
	const at = `Message ${index + 1}`;
	if (!isRecord(message)) throw invalid(`${at} is not a JSON object with a role and a content`);
	const type = typeOf(message, at);
	const toolCalls = asRecords(message.tool_calls).map((call) => readCall(call, at));
	const content = contentOf(message, at, toolCalls.length > 0);
	return {
		type,
		content,
		...omitUndefined({
			toolCalls: toolCalls.length === 0 ? undefined : toolCalls,
			toolCallId: asNonEmptyString(message.tool_call_id),
			name: firstText(message, ['tool_name', 'name']),
			reasoning: firstText(message, ['reasoning_content', 'reasoning', 'thinking']),
		}),
	};
}

function typeOf(message: JsonRecord, at: string): InputMessage['type'] {
	const role = firstText(message, ['role', 'type']);
	if (role === undefined) throw invalid(`${at} has no role`);
	const type = TYPES.get(role.trim().toLowerCase());
	if (type === undefined)
		throw invalid(
			`${at} has the unknown role "${role}". Valid roles: system, user, assistant, tool`,
		);
	return type;
}

function firstText(message: JsonRecord, fields: readonly string[]): string | undefined {
	return fields
		.map((field) => asNonEmptyString(message[field]))
		.find((value) => value !== undefined);
}

/** Text, or parts. In Ollama's form, pictures are bare base64 next to the text. */
function contentOf({ content, images }: JsonRecord, at: string, mayBeEmpty: boolean): unknown {
	if (content === undefined || content === null) {
		if (mayBeEmpty) return '';
		throw invalid(`${at} has no content`);
	}
	const pictures = asArray(images).filter((one) => typeof one === 'string');
	const parts = Array.isArray(content) ? content : toText(content);
	if (pictures.length === 0) return parts;
	return [
		...(typeof parts === 'string' ? [{ type: 'text', text: parts }] : parts),
		...pictures.map((data) => ({ type: 'image', data })),
	];
}

function readCall(call: JsonRecord, at: string): InputToolCall {
	const { name, arguments: source = {} } = isRecord(call.function) ? call.function : call;
	if (typeof name !== 'string' || name === '')
		throw invalid(`${at} contains a tool call without a name`);
	const args = argumentsOf(source);
	if (!isRecord(args))
		throw invalid(`${at} contains a call to "${name}" whose arguments are not a JSON object`);
	return { ...omitUndefined({ id: asNonEmptyString(call.id) }), name, args };
}

/** JSON text, or the object itself; nothing stands for no arguments. */
function argumentsOf(source: unknown): unknown {
	if (source === null) return {};
	if (typeof source !== 'string') return source;
	return source.trim() === '' ? {} : parseJson(source);
}

function invalid(message: string): ServerError {
	return createInputError(
		message,
		'Pass an array such as [{"role":"system","content":"…"},{"role":"user","content":"…"}]. Valid roles are system, user, assistant and tool.',
	);
}
