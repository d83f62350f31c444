import { createHash } from 'node:crypto';

import { isFilled, isRecord, optional, parseJson } from '../../values';
import { reasonIn } from '../answer/finish-reason';
import type { ServerSentEvent } from '../../http/sse';
import { kindOfFingerprint, kindOf } from '../../servers/kinds';
import { withFieldChanges } from '../../servers/refused-fields';
import {
	parameterFields,
	responseFormatFields,
	takes,
	thinkingFields,
} from '../request/parameters';
import type { ChatMessage, ChatRequest, ContentPart, WireChunk } from '../types';
import { openAiUsage, timingsOf } from './counts';
import { withoutNativeApi } from './ollama-options';
import { errorIn } from '../../errors/error-body';
import { toolCallsOf, toolsField } from './openai-tool-calls';
import { thinkingIn } from './thinking-in';
import type { ChatProtocol } from './protocol';

/**
 * OpenAI's Chat Completions as implemented by llama-server, Ollama, vLLM, GPUStack and FastAPI servers. Not the
 * Responses API.
 */
export const openAiProtocol: ChatProtocol = {
	framing: 'sse',
	url: ({ api }) => `${api}/chat/completions`,
	body,
	decode,
};

function body(request: ChatRequest): Record<string, unknown> {
	const { serverKind } = request;
	const { parameters } =
		kindOf(serverKind).chat.nativeProtocol !== undefined
			? withoutNativeApi(request.parameters)
			: request;
	const streamed = request.stream ?? true;
	const fields = {
		model: request.model,
		messages: request.messages.map((message) => wireMessage(message, request)),
		...toolFields(request),
		stream: streamed,
		...(streamed && (request.streamUsage ?? true)
			? { stream_options: { include_usage: true } }
			: {}),
		...parameterFields(parameters, serverKind),
		...responseFormatFields(parameters, serverKind),
		...thinkingFields(parameters, serverKind),
		...parameters.extraBody,
	};
	return withFieldChanges(fields, request.fieldChanges);
}

/**
 * llama-server and most others silently treat a tool_choice object as "auto" (docs/protocols/llama-server.md 6.1), so a
 * forced tool is sent alone with "required". vLLM supports the object.
 */
function toolFields({
	tools = [],
	toolChoice,
	serverKind,
	parameters,
}: ChatRequest): Record<string, unknown> {
	const { toolChoice: honoured } = kindOf(serverKind).chat;
	// If tool_choice is ignored (Ollama), forbidden tools are not sent.
	if (tools.length === 0 || (honoured === 'ignored' && toolChoice === 'none')) return {};
	const forced = typeof toolChoice === 'object' ? toolChoice.name : undefined;
	const offered =
		forced === undefined || honoured === 'named'
			? tools
			: tools.filter(({ name }) => name === forced);
	const choice =
		forced === undefined
			? toolChoice
			: honoured === 'named'
				? { type: 'function', function: { name: forced } }
				: 'required';
	const parallel = parameters.parallelToolCalls;
	return {
		...toolsField(offered),
		...optional({ tool_choice: choice }),
		...(parallel === undefined || !takes(serverKind, 'parallelToolCalls')
			? {}
			: { parallel_tool_calls: parallel }),
	};
}

function wireMessage(
	message: ChatMessage,
	{ serverKind, shortToolIds = false }: ChatRequest,
): Record<string, unknown> {
	const toolId = (id: string) => (shortToolIds ? shortId(id) : id);
	switch (message.role) {
		case 'assistant':
			return {
				role: 'assistant',
				content: message.content,
				...optional(
					Object.fromEntries(
						kindOf(serverKind).chat.thinking.fields.map((field) => [field, message.reasoning]),
					),
				),
				...optional({
					tool_calls: message.toolCalls?.map((call) => ({
						id: toolId(call.id),
						type: 'function',
						function: { name: call.name, arguments: call.arguments },
					})),
				}),
			};
		case 'tool':
			return {
				role: 'tool',
				tool_call_id: toolId(message.toolCallId),
				...(message.name ? { name: message.name } : {}),
				content: message.content,
			};
		default:
			return {
				role: message.role,
				content:
					typeof message.content === 'string' ? message.content : message.content.map(wirePart),
			};
	}
}

function wirePart(part: ContentPart): Record<string, unknown> {
	switch (part.type) {
		case 'text':
			return { type: 'text', text: part.text };
		case 'image':
			return { type: 'image_url', image_url: { url: part.url } };
		case 'audio':
			return { type: 'input_audio', input_audio: { data: part.data, format: part.format } };
	}
}

/** Nine letters and digits derived from an id. Ids that already have that form stay. */
export function shortId(id: string): string {
	if (/^[a-zA-Z0-9]{9}$/.test(id)) return id;
	return createHash('sha256').update(id).digest('hex').slice(0, 9);
}

/** Other APIs' names for `length`, as gateways pass them on. */
const CUT_BY_LIMIT = /^(?:length|max_(?:(?:output_|new_)?tokens|length)|model_length)$/i;

/** The end marker, also in the forms of home-made servers: quoted, in lower case, without brackets. */
const DONE = /^"?(?:\[done\]|DONE)"?$/i;

const HEARTBEATS: ReadonlySet<string> = new Set(['ping', 'heartbeat', 'keepalive', 'keep-alive']);

function decode(event: ServerSentEvent): WireChunk {
	const data = event.data.trim();
	const isText = !data.startsWith('{');
	if (isText && DONE.test(data)) return { done: true };
	// Heartbeats: some gateways send events without data, others events with a special name.
	if (
		data === '' ||
		HEARTBEATS.has(event.event ?? '') ||
		(isText && HEARTBEATS.has(data.toLowerCase()))
	)
		return {};
	const json = objectIn(data);
	if (!isRecord(json) && event.event === 'error') return { error: { message: data } };
	if (!isRecord(json)) throw new Error(`not a JSON object: ${data.slice(0, 200)}`);
	const error = errorIn(json, event.event, data);
	if (error !== undefined) return { error };
	const given: unknown[] = Array.isArray(json.choices) ? json.choices : [json.choices];
	const choices = given.every(isRecord) ? given : given.filter(isRecord);
	// Only one choice is ever requested. Some home-made servers count from 1.
	const choice =
		choices.find(({ index }) => Number(index ?? 0) === 0) ??
		(choices.length === 1 ? choices[0] : undefined);
	if (choice === undefined && choices.length > 0) return {};
	const { content: delta, isMessage } = contentOf(choice);
	const chunk: WireChunk = {};
	if (Number.isInteger(Number(choice?.index ?? 0)) && Number(choice?.index ?? 0) !== 0)
		chunk.choice = Number(choice?.index);
	const parts =
		typeof delta.content === 'object' && delta.content !== null
			? [delta.content].flat()
			: undefined;
	if (typeof delta.content === 'string') chunk.text = delta.content;
	else if (typeof delta.content === 'number') chunk.text = String(delta.content);
	else if (parts !== undefined) chunk.text = textOfParts(parts);
	else if (typeof choice?.text === 'string') chunk.text = choice.text;
	// The model's refusal, which some servers send in a separate field.
	if (typeof delta.refusal === 'string' && delta.refusal !== chunk.text)
		chunk.text = `${chunk.text ?? ''}${delta.refusal}` || chunk.text;
	// Some releases of vLLM send two of these, one of them empty.
	const reasoning =
		thinkingIn(delta.reasoning_content) ||
		thinkingIn(delta.reasoning) ||
		thinkingIn(delta.thinking) ||
		thinkingIn(parts?.filter(isRecord).filter(isThinking)) ||
		thinkingIn(delta.thinking_blocks) ||
		thinkingIn(delta.reasoning_details);
	if (reasoning !== '') {
		chunk.reasoning = reasoning;
		if ('reasoning_content' in delta && isBare(json, choice, delta))
			chunk.bareReasoning = reasoning;
	}
	if (isMessage) chunk.isMessage = true;
	const toolCalls = toolCallsOf(delta, isMessage || event.event === 'whole-answer');
	if (toolCalls.length > 0) chunk.toolCalls = toolCalls;
	if (choice?.finish_reason === null) chunk.sendsReason = true;
	// The text "null" is no reason either: some servers send it in every chunk but the last.
	const reason = reasonIn(choice?.finish_reason);
	if (reason !== undefined) chunk.finishReason = reasonOf(reason);
	const usage = openAiUsage(json.usage);
	if (usage !== undefined) chunk.usage = usage;
	if (isRecord(json.timings)) chunk.timings = timingsOf(json.timings);
	if (typeof json.model === 'string') chunk.model = json.model;
	const madeBy = kindOfFingerprint(json.system_fingerprint);
	if (madeBy !== undefined) chunk.madeBy = madeBy;
	if (isRecord(json.prompt_progress)) chunk.progress = progressOf(json.prompt_progress);
	if (event.event === 'whole-answer') {
		if (choice === undefined) throw new Error(`an answer without choices: ${data.slice(0, 200)}`);
		// A whole JSON answer is complete, even if a simple server omits the reason.
		chunk.finishReason ??= 'stop';
		chunk.done = true;
	}
	return chunk;
}

/** Normalizes a finish reason. Some gateways send OpenAI's names in capitals. */
function reasonOf(reason: string): string {
	if (CUT_BY_LIMIT.test(reason)) return 'length';
	return /^[A-Z_]+$/.test(reason) ? reason.toLowerCase() : reason;
}

/** Whether each of these objects has exactly one field: then the chunk has no id and no model. */
function isBare(...objects: ReadonlyArray<Record<string, unknown> | undefined>): boolean {
	return objects.every((object) => object !== undefined && Object.keys(object).length === 1);
}

/** Numbers that are no JSON, as written by Python's json.dumps (log probabilities). */
const NO_NUMBER = /([:,[]\s*)(?:NaN|-?Infinity)(?=\s*[,}\]])/g;

/** The JSON object of an event, also if encoded twice, in a list, or inside a gateway's envelope. */
function objectIn(data: string): unknown {
	const value = parseJson(data) ?? parseJson(data.replace(NO_NUMBER, '$1null'));
	const inner = typeof value === 'string' ? parseJson(value) : value;
	const [first] = Array.isArray(inner) ? (inner as unknown[]) : [];
	const json = isRecord(first) && isFilled(first.choices) ? first : inner;
	return isRecord(json) &&
		json.choices === undefined &&
		isRecord(json.data) &&
		isFilled(json.data.choices)
		? json.data
		: json;
}

/** The delta of the message, or the whole message without one: servers send both, one of them null or empty. */
function contentOf(choice: Record<string, unknown> | undefined): {
	content: Record<string, unknown>;
	isMessage: boolean;
} {
	const { delta, message } = choice ?? {};
	if (isRecord(message) && !(isRecord(delta) && hasValue(delta)))
		return { content: message, isMessage: true };
	return { content: isRecord(delta) ? delta : {}, isMessage: false };
}

function hasValue(delta: Record<string, unknown>): boolean {
	return Object.entries(delta).some(
		([key, value]) =>
			key !== 'role' &&
			value !== null &&
			value !== '' &&
			!(Array.isArray(value) && value.length === 0),
	);
}

const isThinking = (part: Record<string, unknown>) =>
	part.type === 'thinking' || part.type === 'reasoning';

function textOfParts(parts: unknown[]): string {
	return parts
		.map((part) => (isRecord(part) ? (isThinking(part) ? '' : part.text) : part))
		.filter((part) => typeof part === 'string')
		.join('');
}

/** Progress from 0 to 1. `processed` includes cached tokens (docs/protocols/llama-server.md 3.3). */
function progressOf({ total, cache, processed }: Record<string, unknown>): number {
	if (typeof total !== 'number' || typeof processed !== 'number') return 0;
	const cached = typeof cache === 'number' ? cache : 0;
	return total > cached ? (processed - cached) / (total - cached) : 1;
}
