import { failure } from '../../errors/failure';
import type { ServerSentEvent } from '../../http/sse';
import { labelsOf } from '../../servers/kinds';
import { exactJson, parseObject } from '../../json';
import { isFilled, isRecord, type JsonRecord, optional, recordOf, text, words } from '../../values';
import type {
	ChatMessage,
	ChatParameters,
	ChatRequest,
	ContentPart,
	ToolCall,
	WireChunk,
} from '../types';
import { ollamaTimings, ollamaUsage } from './counts';
import { mediaOf, textOf } from '../request/content';
import { nativeOptions, sortExtraBody } from '../request/ollama-options';
import { toolCallsOf, toolsField } from './openai-tool-calls';
import { reasonIn } from './finish-reason';
import { thinkingIn } from './thinking-in';
import { withFieldChanges } from '../../servers/refused-fields';
import { type ChatProtocol, notAnObject, UnreadableEvent } from './protocol';

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
function body(request: ChatRequest): JsonRecord {
	const { model, messages, parameters, stream = true } = request;
	const options = nativeOptions(parameters);
	const fields = {
		model,
		messages: messages.map((message, index) => wireMessage(message, messages.slice(0, index))),
		...toolFields(request),
		stream,
		...optional({
			format: formatOf(parameters),
			think: thinkOf(parameters),
			keep_alive: parameters.keepAlive,
			options: isFilled(options) ? options : undefined,
		}),
		...sortExtraBody(parameters.extraBody).fields,
	};
	return withFieldChanges(fields, request.fieldChanges);
}

/** There is no tool_choice: forbidden tools are not sent, and a forced tool is sent alone. */
function toolFields({ tools = [], toolChoice }: ChatRequest): JsonRecord {
	if (toolChoice === 'none') return {};
	const offered =
		typeof toolChoice === 'object' ? tools.filter(({ name }) => name === toolChoice.name) : tools;
	return offered.length === 0 ? {} : toolsField(offered);
}

function formatOf({ responseFormat }: ChatParameters): unknown {
	switch (responseFormat?.type) {
		case 'jsonObject':
			return 'json';
		case 'jsonSchema':
			return responseFormat.schema;
		default:
			return undefined;
	}
}

/** Thinking models think by default. Other models refuse everything except false. */
function thinkOf({ thinking }: ChatParameters): boolean | string | undefined {
	switch (thinking?.mode) {
		case 'on':
			return true;
		case 'off':
			return false;
		case 'effort':
			return thinking.effort;
		default:
			return undefined;
	}
}

/** @param before the earlier messages, one of which contains the call of a result */
function wireMessage(message: ChatMessage, before: readonly ChatMessage[]): JsonRecord {
	switch (message.role) {
		case 'assistant': {
			const { content, reasoning: thinking, toolCalls } = message;
			const tool_calls = toolCalls?.map(wireToolCall);
			return { role: 'assistant', content, ...optional({ thinking, tool_calls }) };
		}
		case 'tool': {
			const { content, toolCallId: tool_call_id } = message;
			const tool_name = message.name ?? calledTool(tool_call_id, before);
			return { role: 'tool', ...optional({ tool_name }), tool_call_id, content };
		}
		default:
			return { role: message.role, ...wireContent(message.content) };
	}
}

function wireToolCall({ id, name, arguments: args }: ToolCall) {
	// JSON text here gives a 400: "Value looks like object, but can't find closing '}' symbol".
	return { id, function: { name, arguments: parseObject(args) ?? {} } };
}

function calledTool(id: string, before: readonly ChatMessage[]): string | undefined {
	const calls = before.flatMap((message) =>
		message.role === 'assistant' ? (message.toolCalls ?? []) : [],
	);
	return calls.findLast((call) => call.id === id)?.name;
}

/** The text as one string, and pictures in a separate field. */
function wireContent(content: string | ContentPart[]): JsonRecord {
	const text = textOf(content, '\n');
	const images = mediaOf(content).map(bareBase64);
	return images.length === 0 ? { content: text } : { content: text, images };
}

/** The base64 of a data URL; the URL itself would give a 400: "illegal base64 data at input byte 4". */
function bareBase64(part: Exclude<ContentPart, { type: 'text' }>): string {
	if (part.type === 'audio') {
		const transcribers = labelsOf(({ media }) => media.knownFor?.includes('transcription'));
		throw unsupported(
			'The own API of this server takes no audio',
			`Transcribe the recording first (${transcribers}), or use a server whose models hear.`,
		);
	}
	const data = /^data:[^,]*;base64,(.*)$/s.exec(part.url)?.[1];
	if (data !== undefined) return data;
	throw unsupported(
		'The server does not fetch pictures by their address',
		'Fetch the picture in the workflow (HTTP Request) and pass it on as binary data.',
	);
}

function unsupported(message: string, remedy: string) {
	return failure('modalityUnsupported', {}, { message, remedy });
}

function decode({ data }: ServerSentEvent): WireChunk {
	const { value: json, large: largeNumbers } = exactJson(data);
	if (!isRecord(json)) throw notAnObject(data);
	const { error, message, model } = json;
	if (error !== undefined && error !== null) return { error: { message: errorText(error) } };
	const isDone = json.done === true || json.done === 'true';
	if (!isRecord(message) && !isDone && Object.keys(json).length > 0)
		throw new UnreadableEvent('not a line of /api/chat', data);
	const chunk: WireChunk = {
		madeBy: 'ollama',
		...optional({ model: text(model) }),
		...messageFields(recordOf(message), largeNumbers),
	};
	return isDone ? { ...chunk, ...lastFields(json) } : chunk;
}

function messageFields(message: JsonRecord, largeNumbers: string[]): WireChunk {
	const fields: WireChunk = optional({ text: text(message.content) });
	const reasoning = thinkingIn(message.thinking);
	if (reasoning !== '') fields.reasoning = reasoning;
	// Every call is complete; in some releases all have the index 0.
	const toolCalls = toolCallsOf(message, true);
	if (toolCalls.length === 0) return fields;
	fields.toolCalls = toolCalls;
	if (largeNumbers.length > 0) fields.largeNumbers = largeNumbers;
	return fields;
}

function lastFields(json: JsonRecord): WireChunk {
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
