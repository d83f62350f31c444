/**
 * Ollama's own `/api/chat`, for all that its OpenAI route ignores in silence: the size of the context, samplers, thinking
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
import { SAMPLER_ENTRIES } from './samplers';
import type { ChatMessage, ChatParameters, ContentPart, MediaPart, ToolCall } from './types';

/** Ollama's names for fields of the OpenAI API and llama-server. */
const OLLAMA_OPTION_NAMES: Readonly<Record<string, string>> = {
	max_tokens: 'num_predict',
	max_completion_tokens: 'num_predict',
	n_predict: 'num_predict',
};

/** Options of the node that Ollama has, by its own names. */
const OPTIONS = SAMPLER_ENTRIES.filter(
	([name, { type }]) => (type === 'number' || type === 'texts') && supportsOption(ollama, name),
).map(([name, { fieldName, isExtension, label }]) => ({
	name,
	label,
	native: OLLAMA_OPTION_NAMES[fieldName] ?? fieldName,
	isOwn: isExtension === true,
}));

/** Further options, for Extra Body. */
const MORE_OPTIONS: ReadonlySet<string> = new Set([
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

/** Options that OpenAI's route takes, too. */
const SHARED_OPTIONS: ReadonlySet<string> = new Set(
	OPTIONS.filter(({ isOwn }) => !isOwn).map(({ native }) => native),
);

/** Fields beside `options`, where users and n8n's own Ollama node put them, without effect there. */
const OUTER_FIELDS: ReadonlySet<string> = new Set([
	'keep_alive',
	'format',
	'think',
	'truncate',
	'shift',
]);

/** Whether a request needs this API, because the other one would ignore something of it. */
export function needsNativeApi(parameters: ChatParameters): boolean {
	const { thinking, extraBody = {}, keepAlive } = parameters;
	if (thinking?.mode === 'on' || thinking?.mode === 'effort' || keepAlive !== undefined)
		return true;
	if (OPTIONS.some(({ name, isOwn }) => isOwn && parameters[name] !== undefined)) return true;
	return Object.keys(extraBody).some((name) => isNativeOnly(name, extraBody[name]));
}

function isNativeOnly(name: string, value: unknown): boolean {
	if (name === 'options') return isRecord(value);
	return OUTER_FIELDS.has(name) || (MORE_OPTIONS.has(name) && !SHARED_OPTIONS.has(name));
}

/** Labels of set options that OpenAI's route ignores. */
export function getOptionsIgnoredByOpenAi(parameters: ChatParameters): string[] {
	const own = OPTIONS.filter(({ name, isOwn }) => isOwn && parameters[name] !== undefined);
	return own.map(({ label }) => label);
}

/** Extra Body, sorted into `options` and the fields beside them, wherever the user put them. */
function splitExtraBody({ options, ...rest }: JsonRecord = {}): {
	options: JsonRecord;
	fields: JsonRecord;
} {
	const sorted: { options: JsonRecord; fields: JsonRecord } = { options: {}, fields: {} };
	const sort = (from: JsonRecord, isInside: boolean) => {
		for (const [userName, value] of Object.entries(from)) {
			const name = OLLAMA_OPTION_NAMES[userName] ?? userName;
			const belongsInside = isInside ? !OUTER_FIELDS.has(name) : MORE_OPTIONS.has(name);
			sorted[belongsInside ? 'options' : 'fields'][name] = value;
		}
	};
	sort(rest, false);
	sort(asRecord(options), true);
	return sorted;
}

/** `options`, and the fields of Extra Body beside them. */
function optionsAndFields(parameters: ChatParameters): ReturnType<typeof splitExtraBody> {
	const extra = splitExtraBody(parameters.extraBody);
	const set = OPTIONS.map(({ name, native }) => [native, parameters[name]] as const);
	const options = { ...omitUndefined(Object.fromEntries(set)), ...extra.options };
	return { options, fields: extra.fields };
}

/** A hint if the model is loaded again for the context of this request. */
export function getContextWarnings(
	serverType: ServerType,
	server: ModelServer,
	{ model, parameters }: Pick<CompletionRequest, 'model' | 'parameters'>,
): string[] {
	if (serverType.nativeApi === undefined) return [];
	return getReloadWarnings(serverType, server, model, optionsAndFields(parameters).options.num_ctx);
}

/** @throws {ServerError} of type `modalityUnsupported` for sound and video, and for pictures by URL */
export function toOllamaBody({
	model,
	messages,
	tools,
	toolChoice,
	parameters,
}: CompletionRequest): JsonRecord {
	const { options, fields } = optionsAndFields(parameters);
	// There is no tool_choice: forbidden tools are not sent, and a forced tool is sent alone.
	const offered = toolChoice === 'none' ? [] : selectCallableTools(tools, toolChoice);
	return {
		model,
		messages: messages.map((message, index) => wireMessage(message, messages.slice(0, index))),
		...(offered.length === 0 ? {} : toToolsField(offered)),
		stream: true,
		...omitUndefined({
			format: formatOf(parameters),
			think: thinkOf(parameters),
			keep_alive: parameters.keepAlive,
			options: isNonEmpty(options) ? options : undefined,
		}),
		...fields,
	};
}

function formatOf({ responseFormat }: ChatParameters): unknown {
	if (responseFormat?.type === 'jsonSchema') return responseFormat.schema;
	return responseFormat?.type === 'jsonObject' ? 'json' : undefined;
}

/** Thinking models think by default. Other models refuse everything except false. */
function thinkOf({ thinking }: ChatParameters): boolean | string | undefined {
	if (thinking?.mode === 'effort') return thinking.effort;
	return thinking?.mode === 'on' || thinking?.mode === 'off' ? thinking.mode === 'on' : undefined;
}

/** @param before the earlier messages, one of which holds the call of a result */
function wireMessage(message: ChatMessage, before: readonly ChatMessage[]): JsonRecord {
	switch (message.role) {
		case 'assistant': {
			const { content, reasoning: thinking, toolCalls } = message;
			const tool_calls = toolCalls?.map(wireToolCall);
			return { role: 'assistant', content, ...omitUndefined({ thinking, tool_calls }) };
		}
		case 'tool': {
			const { content, toolCallId: tool_call_id } = message;
			const tool_name = message.name ?? calledTool(tool_call_id, before);
			return { role: 'tool', ...omitUndefined({ tool_name }), tool_call_id, content };
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

/** The text as one string, and pictures beside it. */
function wireContent(content: string | ContentPart[]): JsonRecord {
	const images = getMedia(content).map(bareBase64);
	return { content: getText(content, '\n'), ...(images.length === 0 ? {} : { images }) };
}

/** The base64 of a data URL; the URL itself would give a 400: "illegal base64 data at input byte 4". */
function bareBase64(part: MediaPart): string {
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

/** A line of an answer as a chunk in OpenAI's form, with llama-server's timings. */
export function toOpenAiChunk(line: JsonRecord): JsonRecord {
	if (line.error !== undefined && line.error !== null) return { error: line.error };
	const isDone = line.done === true;
	const message = asRecord(line.message);
	const delta = {
		content: message.content,
		reasoning_content: message.thinking,
		// Every call is whole; in some releases all have the index 0.
		tool_calls: asRecords(message.tool_calls).map(({ function: called, id }, index) => ({
			index: `${line.created_at} ${index}`,
			...omitUndefined({ id }),
			function: called,
		})),
	};
	const finish_reason = isDone ? toText(line.done_reason) || 'stop' : null;
	const choices = [{ index: 0, delta, finish_reason }];
	return { model: line.model, choices, ...(isDone ? toUsageFields(line) : {}) };
}

/** Counts and durations of the last line, with OpenAI's and llama-server's names. */
export function toUsageFields(line: JsonRecord): JsonRecord {
	const { prompt_eval_count: read, eval_count: written } = line;
	const [readMs, writtenMs] = [msOf(line.prompt_eval_duration), msOf(line.eval_duration)];
	return {
		usage: { prompt_tokens: read, completion_tokens: written },
		timings: omitUndefined({
			load_ms: msOf(line.load_duration),
			prompt_n: read,
			prompt_ms: readMs,
			prompt_per_second: perSecond(read, readMs),
			predicted_n: written,
			predicted_ms: writtenMs,
			predicted_per_second: perSecond(written, writtenMs),
		}),
	};
}

function msOf(nanoseconds: unknown): number | undefined {
	const count = asFiniteNumber(nanoseconds);
	return count && count / NANOSECONDS_PER_MS;
}

function perSecond(tokens: unknown, ms = 0): number | undefined {
	return ms > 0 && typeof tokens === 'number' ? (tokens / ms) * 1000 : undefined;
}
