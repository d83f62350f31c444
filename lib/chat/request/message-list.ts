import { invalidInput } from '../../errors/failure';
import type { ServerError } from '../../errors/server-error';
import {
	isRecord,
	nonEmptyText,
	optional,
	parseJson,
	recordOf,
	recordsIn,
	words,
} from '../../values';
import type { SourceMessage } from '../types';

const TYPES: Readonly<Record<string, SourceMessage['type']>> = {
	system: 'system',
	developer: 'system',
	user: 'human',
	human: 'human',
	assistant: 'ai',
	ai: 'ai',
	model: 'ai',
	tool: 'tool',
	function: 'tool',
};

/**
 * Reads a conversation from JSON: a list of messages in OpenAI's or Ollama's form, an object with such a list in
 * `messages`, or JSON text of either.
 *
 * @throws {ServerError} of kind `invalidInput` that names the wrong message
 */
export function messagesFromJson(given: unknown): SourceMessage[] {
	const parsed = typeof given === 'string' ? parseJson(given) : given;
	const list =
		isRecord(parsed) && Array.isArray(parsed.messages) ? (parsed.messages as unknown[]) : parsed;
	if (!Array.isArray(list)) throw invalid('The messages are not a JSON list');
	return list.map(messageOf);
}

function messageOf(given: unknown, index: number): SourceMessage {
	const at = `Message ${index + 1}`;
	if (!isRecord(given)) throw invalid(`${at} is not a JSON object with a role and a content`);
	const role = nonEmptyText(given.role) ?? nonEmptyText(given.type);
	const type = role === undefined ? undefined : TYPES[role.trim().toLowerCase()];
	if (type === undefined)
		throw invalid(
			role === undefined
				? `${at} has no role`
				: `${at} has the role "${role}", which is none of system, user, assistant, tool`,
		);
	const toolCalls = recordsIn(given.tool_calls).map((call) => callOf(call, at));
	const content = contentOf(given, at, toolCalls.length > 0);
	const name = nonEmptyText(given.tool_name) ?? nonEmptyText(given.name);
	const reasoning =
		nonEmptyText(given.reasoning_content) ??
		nonEmptyText(given.reasoning) ??
		nonEmptyText(given.thinking);
	const toolCallId = nonEmptyText(given.tool_call_id);
	return {
		type,
		content,
		...(toolCalls.length === 0 ? {} : { toolCalls }),
		...optional({ toolCallId, name, reasoning }),
	};
}

/** Text, or parts. In Ollama's form, pictures are bare base64 next to the text. */
function contentOf(
	{ content, images }: Record<string, unknown>,
	at: string,
	mayBeEmpty: boolean,
): unknown {
	const pictures = Array.isArray(images)
		? images.filter((one): one is string => typeof one === 'string')
		: [];
	if (content === undefined || content === null) {
		if (mayBeEmpty) return '';
		throw invalid(`${at} has no content`);
	}
	const parts = Array.isArray(content) || typeof content === 'string' ? content : words(content);
	if (pictures.length === 0) return parts;
	return [
		...(typeof parts === 'string' ? [{ type: 'text', text: parts }] : (parts as unknown[])),
		...pictures.map((data) => ({ type: 'image', mime_type: pictureType(data), data })),
	];
}

/** MIME types by the first characters of the base64. */
const PICTURE_TYPES: ReadonlyArray<[string, string]> = [
	['/9j/', 'image/jpeg'],
	['R0lGO', 'image/gif'],
	['UklGR', 'image/webp'],
];

function pictureType(base64: string): string {
	return PICTURE_TYPES.find(([begin]) => base64.startsWith(begin))?.[1] ?? 'image/png';
}

function callOf(
	call: Record<string, unknown>,
	at: string,
): NonNullable<SourceMessage['toolCalls']>[number] {
	const { name, arguments: given } = isRecord(call.function) ? call.function : call;
	if (typeof name !== 'string' || name === '') throw invalid(`${at} calls a tool without a name`);
	const args =
		typeof given === 'string' ? parseJson(given.trim() === '' ? '{}' : given) : (given ?? {});
	if (!isRecord(args))
		throw invalid(`${at} calls "${name}" with arguments that are not a JSON object`);
	const id = nonEmptyText(call.id);
	return { ...optional({ id }), name, args: recordOf(args) };
}

function invalid(message: string): ServerError {
	return invalidInput(
		message,
		'Give a list such as [{"role":"system","content":"…"},{"role":"user","content":"…"}]. Roles are system, user, assistant and tool.',
	);
}
