/**
 * Ollama's native `/api/chat`, for the options that its OpenAI route silently ignores: context size, samplers, thinking
 * (docs/protocols/ollama.md 4).
 */
import { createServerError } from '../errors/create-error';
import { parseObject } from '../json';
import type { ModelServer, ServerType } from '../servers/types/server-type';
import { ollama } from '../servers/types/ollama';
import { getReloadWarnings } from '../servers/reload';
import {
	asFiniteNumber,
	isNonEmpty,
	isRecord,
	type JsonRecord,
	omitUndefined,
	asRecord,
	asRecords,
	toText,
} from '../values';
import { type CompletionRequest, selectCallableTools, toToolsField } from './openai-body';
import { getMedia, getText } from './content';
import { supportsOption } from './parameters';
import { GENERATION_OPTION_ENTRIES } from './generation-options';
import type { ContentPart, MediaPart } from '../files/read-file';
import type { ChatMessage, ChatParameters, ToolCall } from './types';

/** Ollama's names for fields of the OpenAI API and llama-server. */
const OLLAMA_OPTION_NAMES: Readonly<Record<string, string>> = {
	max_tokens: 'num_predict',
	max_completion_tokens: 'num_predict',
	n_predict: 'num_predict',
};

/** Options of the node that Ollama supports, with its names. */
const OPTIONS = GENERATION_OPTION_ENTRIES.filter(
	([name, { type }]) =>
		(type === 'number' || type === 'stringList') && supportsOption(ollama, name),
).map(([name, { fieldName, isExtension, label }]) => ({
	name,
	label,
	native: OLLAMA_OPTION_NAMES[fieldName] ?? fieldName,
	isNativeOnly: isExtension === true,
}));

/** All of its options, also those only available in Extra Body. */
const NATIVE_OPTIONS: ReadonlySet<string> = new Set([
	...OPTIONS.map(({ native }) => native),
	'typical_p',
	'num_keep',
	'num_batch',
	'num_gpu',
	'num_thread',
	'main_gpu',
	'use_mmap',
	'draft_num_predict',
]);

/** Options that the OpenAI route supports, too. */
const SHARED_OPTIONS: ReadonlySet<string> = new Set(
	OPTIONS.filter(({ isNativeOnly }) => !isNativeOnly).map(({ native }) => native),
);

/** Fields next to `options`. Users and n8n's Ollama node put them inside, without effect. */
const OUTER_FIELDS: ReadonlySet<string> = new Set([
	'keep_alive',
	'format',
	'think',
	'truncate',
	'shift',
]);

/** Whether a request needs this API, because the OpenAI route would ignore a part of it. */
export function needsNativeApi(parameters: ChatParameters): boolean {
	const { thinking, extraBody = {}, keepAlive } = parameters;
	if (thinking?.mode === 'on' || thinking?.mode === 'effort' || keepAlive !== undefined)
		return true;
	if (OPTIONS.some(({ name, isNativeOnly }) => isNativeOnly && parameters[name] !== undefined))
		return true;
	return Object.keys(extraBody).some((name) => isNativeField(name, extraBody[name]));
}

function isNativeField(name: string, value: unknown): boolean {
	if (name === 'options') return isRecord(value);
	return OUTER_FIELDS.has(name) || (NATIVE_OPTIONS.has(name) && !SHARED_OPTIONS.has(name));
}

/** Labels of set options that the OpenAI route ignores. */
export function getOptionsIgnoredByOpenAi(parameters: ChatParameters): string[] {
	const ignored = OPTIONS.filter(
		({ name, isNativeOnly }) => isNativeOnly && parameters[name] !== undefined,
	);
	return ignored.map(({ label }) => label);
}

/** Sorts Extra Body into `options` and the fields next to them, regardless of where the user put them. */
function splitExtraBody({ options, ...rest }: JsonRecord = {}): {
	options: JsonRecord;
	fields: JsonRecord;
} {
	const sorted: { options: JsonRecord; fields: JsonRecord } = { options: {}, fields: {} };
	const sort = (from: JsonRecord, isInOptions: boolean) => {
		for (const [userName, value] of Object.entries(from)) {
			const name = OLLAMA_OPTION_NAMES[userName] ?? userName;
			const isOption = isInOptions ? !OUTER_FIELDS.has(name) : NATIVE_OPTIONS.has(name);
			sorted[isOption ? 'options' : 'fields'][name] = value;
		}
	};
	sort(rest, false);
	sort(asRecord(options), true);
	return sorted;
}

/** `options`, and the fields of Extra Body next to them. */
function buildOptionsAndFields(parameters: ChatParameters): ReturnType<typeof splitExtraBody> {
	const extra = splitExtraBody(parameters.extraBody);
	const entries = OPTIONS.map(({ name, native }) => [native, parameters[name]] as const);
	const options = { ...omitUndefined(Object.fromEntries(entries)), ...extra.options };
	return { options, fields: extra.fields };
}

/** A warning if the model is loaded again for the context size of this request. */
export function getContextWarnings(
	serverType: ServerType,
	server: ModelServer,
	{ model, parameters }: Pick<CompletionRequest, 'model' | 'parameters'>,
): string[] {
	if (serverType.routes?.chat === undefined) return [];
	return getReloadWarnings(
		serverType,
		server,
		model,
		buildOptionsAndFields(parameters).options.num_ctx,
	);
}

/** @throws {ServerError} of type `modalityUnsupported` for audio and video, and for images by URL */
export function toOllamaBody({
	model,
	messages,
	tools,
	toolChoice,
	parameters,
}: CompletionRequest): JsonRecord {
	const { options, fields } = buildOptionsAndFields(parameters);
	// There is no tool_choice: forbidden tools are not sent, and a forced tool is the only one sent.
	const callableTools = toolChoice === 'none' ? [] : selectCallableTools(tools, toolChoice);
	return {
		model,
		messages: messages.map((message, index) => toWireMessage(message, messages.slice(0, index))),
		...(callableTools.length === 0 ? {} : toToolsField(callableTools)),
		stream: true,
		...omitUndefined({
			format: getFormat(parameters),
			think: getThink(parameters),
			keep_alive: parameters.keepAlive,
			options: isNonEmpty(options) ? options : undefined,
		}),
		...fields,
	};
}

function getFormat({ responseFormat }: ChatParameters): unknown {
	if (responseFormat?.type === 'jsonSchema') return responseFormat.schema;
	return responseFormat?.type === 'jsonObject' ? 'json' : undefined;
}

/** Thinking models think by default. Other models reject all values except false. */
function getThink({ thinking }: ChatParameters): boolean | string | undefined {
	if (thinking?.mode === 'effort') return thinking.effort;
	return thinking?.mode === 'on' || thinking?.mode === 'off' ? thinking.mode === 'on' : undefined;
}

/** @param earlierMessages one of them contains the tool call of a result */
function toWireMessage(message: ChatMessage, earlierMessages: readonly ChatMessage[]): JsonRecord {
	switch (message.role) {
		case 'assistant': {
			const { content, reasoning: thinking, toolCalls } = message;
			const tool_calls = toolCalls?.map(toWireToolCall);
			return { role: 'assistant', content, ...omitUndefined({ thinking, tool_calls }) };
		}
		case 'tool': {
			const { content, toolCallId: tool_call_id } = message;
			const tool_name = message.name ?? findToolName(tool_call_id, earlierMessages);
			return { role: 'tool', ...omitUndefined({ tool_name }), tool_call_id, content };
		}
		default:
			return { role: message.role, ...toWireContent(message.content) };
	}
}

function toWireToolCall({ id, name, arguments: args }: ToolCall) {
	// JSON text here returns a 400: "Value looks like object, but can't find closing '}' symbol".
	return { id, function: { name, arguments: parseObject(args) ?? {} } };
}

function findToolName(id: string, earlierMessages: readonly ChatMessage[]): string | undefined {
	const calls = earlierMessages.flatMap((message) =>
		message.role === 'assistant' ? (message.toolCalls ?? []) : [],
	);
	return calls.findLast((call) => call.id === id)?.name;
}

/** The text as one string, and the images in a separate field. */
function toWireContent(content: string | ContentPart[]): JsonRecord {
	const images = getMedia(content).map(getImageBase64);
	return { content: getText(content, '\n'), ...(images.length === 0 ? {} : { images }) };
}

/** The base64 of a data URL; the URL itself returns a 400: "illegal base64 data at input byte 4". */
function getImageBase64(part: MediaPart): string {
	if (part.type === 'audio')
		throw unsupported(
			'The native API of this server does not accept audio',
			'Transcribe the recording first (Local Llama, Audio: Transcribe), or use a server that accepts audio.',
		);
	const data = /^data:[^,]*;base64,(.*)$/s.exec(part.url)?.[1];
	if (data !== undefined) return data;
	throw unsupported(
		'The server does not fetch images from URLs',
		'Download the image in the workflow (HTTP Request) and pass it as binary data.',
	);
}

function unsupported(message: string, suggestion: string) {
	return createServerError('modalityUnsupported', {}, { message, suggestion });
}

const NANOSECONDS_PER_MS = 1e6;

/** Converts a line of a response to a chunk in OpenAI's format, with llama-server's timings. */
export function toOpenAiChunk(line: JsonRecord): JsonRecord {
	if (line.error !== undefined && line.error !== null) return { error: line.error };
	const isDone = line.done === true;
	const message = asRecord(line.message);
	const delta = {
		// `response`: of `/api/generate`
		content: message.content ?? line.response,
		reasoning_content: message.thinking,
		// Every call is complete; in some releases, all have the index 0.
		tool_calls: asRecords(message.tool_calls).map(({ function: toolFunction, id }, index) => ({
			index: `${line.created_at} ${index}`,
			...omitUndefined({ id }),
			function: toolFunction,
		})),
	};
	const finish_reason = isDone ? toText(line.done_reason) || 'stop' : null;
	const logprobs = { content: line.logprobs };
	const choices = [{ index: 0, delta, finish_reason, logprobs }];
	return { model: line.model, choices, ...(isDone ? toUsageFields(line) : {}) };
}

/** Token counts and durations of the last line, with the field names of OpenAI and llama-server. */
export function toUsageFields(line: JsonRecord): JsonRecord {
	const { prompt_eval_count: promptTokens, eval_count: completionTokens } = line;
	const promptMs = toMs(line.prompt_eval_duration);
	const completionMs = toMs(line.eval_duration);
	return {
		usage: { prompt_tokens: promptTokens, completion_tokens: completionTokens },
		timings: omitUndefined({
			load_ms: toMs(line.load_duration),
			prompt_n: promptTokens,
			prompt_ms: promptMs,
			prompt_per_second: perSecond(promptTokens, promptMs),
			predicted_n: completionTokens,
			predicted_ms: completionMs,
			predicted_per_second: perSecond(completionTokens, completionMs),
		}),
	};
}

function toMs(nanoseconds: unknown): number | undefined {
	const count = asFiniteNumber(nanoseconds);
	return count && count / NANOSECONDS_PER_MS;
}

function perSecond(tokens: unknown, ms = 0): number | undefined {
	return ms > 0 && typeof tokens === 'number' ? (tokens / ms) * 1000 : undefined;
}
