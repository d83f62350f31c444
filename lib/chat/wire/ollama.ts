import { failure } from '../../errors/failure';
import type { ServerSentEvent } from '../../http/sse';
import { labelsOf } from '../../servers/kinds';
import { exactJson, isRecord, optional, parseObject, recordOf, text, words } from '../../values';
import type { ChatMessage, ChatParameters, ChatRequest, ContentPart, WireChunk } from '../types';
import { ollamaTimings, ollamaUsage } from './counts';
import { mediaOf, textOf } from '../request/content';
import { nativeOptions, sortExtraBody } from '../request/ollama-options';
import { toolCallsOf, toolsField } from './openai-tool-calls';
import { reasonIn } from './finish-reason';
import { thinkingIn } from './thinking-in';
import { withFieldChanges } from '../../servers/refused-fields';
import { type ChatProtocol, UnreadableEvent } from './protocol';

/**
 * Ollama's native `/api/chat`: JSON lines, with everything that its OpenAI route ignores (docs/protocols/ollama.md 4).
 * Decoded to the same chunks as OpenAI's protocol.
 */
export const ollamaProtocol: ChatProtocol = {
	framing: 'ndjson',
	url: ({ root }) => `${root}/api/chat`,
	body,
	decode,
};

/** @throws {ServerError} of kind `modalityUnsupported` for audio, and for pictures by URL */
function body(request: ChatRequest): Record<string, unknown> {
	const { parameters } = request;
	const options = nativeOptions(parameters);
	const fields = {
		model: request.model,
		messages: request.messages.map((message, index) =>
			wireMessage(message, request.messages.slice(0, index)),
		),
		...toolFields(request),
		stream: request.stream ?? true,
		...formatField(parameters),
		...thinkField(parameters),
		...optional({ keep_alive: parameters.keepAlive }),
		...(Object.keys(options).length === 0 ? {} : { options }),
		...sortExtraBody(parameters.extraBody).fields,
	};
	return withFieldChanges(fields, request.fieldChanges);
}

/** There is no tool_choice: forbidden tools are not sent, and a forced tool is sent alone. */
function toolFields({ tools = [], toolChoice }: ChatRequest): Record<string, unknown> {
	const offered =
		typeof toolChoice === 'object' ? tools.filter(({ name }) => name === toolChoice.name) : tools;
	if (offered.length === 0 || toolChoice === 'none') return {};
	return toolsField(offered);
}

function formatField({ responseFormat }: ChatParameters): Record<string, unknown> {
	if (responseFormat?.type === 'jsonObject') return { format: 'json' };
	return responseFormat?.type === 'jsonSchema' ? { format: responseFormat.schema } : {};
}

/** Thinking models think by default. Other models refuse everything except false. */
function thinkField({ thinking }: ChatParameters): Record<string, unknown> {
	switch (thinking?.mode) {
		case 'on':
			return { think: true };
		case 'off':
			return { think: false };
		case 'effort':
			return { think: thinking.effort };
		default:
			return {};
	}
}

/** @param before the earlier messages, one of which contains the call of a result */
function wireMessage(
	message: ChatMessage,
	before: readonly ChatMessage[],
): Record<string, unknown> {
	switch (message.role) {
		case 'assistant':
			return {
				role: 'assistant',
				content: message.content,
				...optional({
					thinking: message.reasoning,
					tool_calls: message.toolCalls?.map((call) => ({
						id: call.id,
						// JSON text here gives a 400: "Value looks like object, but can't find closing '}' symbol".
						function: { name: call.name, arguments: parseObject(call.arguments) ?? {} },
					})),
				}),
			};
		case 'tool': {
			const name = message.name ?? calledTool(message.toolCallId, before);
			return {
				role: 'tool',
				...optional({ tool_name: name }),
				tool_call_id: message.toolCallId,
				content: message.content,
			};
		}
		default:
			return { role: message.role, ...wireContent(message.content) };
	}
}

function calledTool(id: string, before: readonly ChatMessage[]): string | undefined {
	const calls = before.flatMap((message) =>
		message.role === 'assistant' ? (message.toolCalls ?? []) : [],
	);
	return calls.findLast((call) => call.id === id)?.name;
}

/** The text as one string, and pictures in a separate field. */
function wireContent(content: string | ContentPart[]): Record<string, unknown> {
	const images = mediaOf(content).map(bareBase64);
	return { content: textOf(content, '\n'), ...(images.length === 0 ? {} : { images }) };
}

/** The base64 of a data URL; the URL itself would give a 400: "illegal base64 data at input byte 4". */
function bareBase64(part: Exclude<ContentPart, { type: 'text' }>): string {
	if (part.type === 'audio')
		throw failure(
			'modalityUnsupported',
			{},
			{
				message: 'The own API of this server takes no audio',
				remedy: `Transcribe the recording first (${labelsOf(({ media }) => media.knownFor?.includes('transcription'))}), or use a server whose models hear.`,
			},
		);
	const [, data] = /^data:[^,]*;base64,(.*)$/s.exec(part.url) ?? [];
	if (data === undefined)
		throw failure(
			'modalityUnsupported',
			{},
			{
				message: 'The server does not fetch pictures by their address',
				remedy: 'Fetch the picture in the workflow (HTTP Request) and pass it on as binary data.',
			},
		);
	return data;
}

function decode({ data }: ServerSentEvent): WireChunk {
	const { value: json, large: largeNumbers } = exactJson(data);
	if (!isRecord(json)) throw new UnreadableEvent('not a JSON object', data);
	const { error, message, model } = json;
	if (error !== undefined && error !== null) return { error: { message: errorText(error) } };
	const isDone = json.done === true || json.done === 'true';
	if (!isRecord(message) && !isDone && Object.keys(json).length > 0)
		throw new UnreadableEvent('not a line of /api/chat', data);
	return {
		madeBy: 'ollama',
		...optional({ model: text(model) }),
		...messageFields(recordOf(message), largeNumbers),
		...(isDone ? lastFields(json) : {}),
	};
}

function messageFields(message: Record<string, unknown>, largeNumbers: string[]): WireChunk {
	const reasoning = thinkingIn(message.thinking);
	// Every call is complete; in some releases all have the index 0.
	const toolCalls = toolCallsOf(message, true);
	return {
		...optional({ text: text(message.content) }),
		...(reasoning === '' ? {} : { reasoning }),
		...(toolCalls.length === 0 ? {} : { toolCalls }),
		...(toolCalls.length === 0 || largeNumbers.length === 0 ? {} : { largeNumbers }),
	};
}

function lastFields(json: Record<string, unknown>): WireChunk {
	return {
		done: true,
		// Old releases omit the reason.
		finishReason: reasonIn(json.done_reason) ?? 'stop',
		...optional({ usage: ollamaUsage(json) }),
		timings: ollamaTimings(json),
	};
}

function errorText(error: unknown): string {
	return isRecord(error) ? (text(error.message) ?? JSON.stringify(error)) : words(error);
}
