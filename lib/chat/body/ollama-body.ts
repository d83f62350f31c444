/**
 * Ollama's native `/api/chat`, for the options that its OpenAI route silently ignores: context size, samplers, thinking
 * (docs/protocols/ollama.md 4).
 */
import { createServerError } from '../../errors/create-error';
import type { ModelServer, ServerType } from '../../servers/types/server-type';
import { ollama } from '../../servers/types/ollama';
import { getProfile } from '../../servers/profile';
import type { JsonRecord } from '../../values/records';
import { isNonEmpty, isRecord, omitUndefined, asRecord } from '../../values/records';
import { parseObject } from '../../values/json';
import { asFiniteNumber } from '../../values/numbers';
import { supportsOption } from './sampling-fields';
import { selectCallableTools, toToolsField } from './wire-tools';
import { getMedia, getText } from '../content';
import { GENERATION_OPTION_LIST } from './generation-options';
import type { MediaPart } from '../../files/read-file';
import type { CompletionRequest } from '../completion';
import type { ChatMessage } from '../chat-message';
import type { SamplingSettings } from '../settings';

/** Ollama's names for fields of the OpenAI API and llama-server. */
const OLLAMA_OPTION_NAMES: Record<string, string> = {
	max_tokens: 'num_predict',
	max_completion_tokens: 'num_predict',
	n_predict: 'num_predict',
};

function toOllamaName(name: string) {
	return OLLAMA_OPTION_NAMES[name] ?? name;
}

/** Options of the node that Ollama supports, with its names. */
const OPTIONS = GENERATION_OPTION_LIST.filter(
	({ name, type }) => (type === 'number' || type === 'stringList') && supportsOption(ollama, name),
).map(({ name, fieldName, extension, label }) => ({
	name,
	label,
	native: toOllamaName(fieldName),
	isNativeOnly: extension !== undefined,
}));

/** Options that the OpenAI route ignores, also those only available in Extra Body. */
const NATIVE_ONLY_OPTIONS = new Set([
	...OPTIONS.filter(({ isNativeOnly }) => isNativeOnly).map(({ native }) => native),
	'typical_p',
	'num_keep',
	'num_batch',
	'num_gpu',
	'num_thread',
	'main_gpu',
	'use_mmap',
	'draft_num_predict',
]);

const NATIVE_OPTIONS = new Set([...OPTIONS.map(({ native }) => native), ...NATIVE_ONLY_OPTIONS]);

/** Fields next to `options`. Users and n8n's Ollama node put them inside, without effect. */
const OUTER_FIELDS = new Set(['keep_alive', 'format', 'think', 'truncate', 'shift']);

/** Whether a request needs this API, because the OpenAI route would ignore a part of it. */
export function needsNativeApi(sampling: SamplingSettings): boolean {
	const { thinking, extraBody = {}, keepAlive } = sampling;
	return (
		thinking?.mode === 'on' ||
		thinking?.mode === 'effort' ||
		keepAlive !== undefined ||
		isRecord(extraBody.options) ||
		getOptionsIgnoredByOpenAi(sampling).length > 0 ||
		Object.keys(extraBody).some((name) => OUTER_FIELDS.has(name) || NATIVE_ONLY_OPTIONS.has(name))
	);
}

/** Labels of set options that the OpenAI route ignores. */
export function getOptionsIgnoredByOpenAi(sampling: SamplingSettings): string[] {
	const ignored = OPTIONS.filter(
		({ name, isNativeOnly }) => isNativeOnly && sampling[name] !== undefined,
	);
	return ignored.map(({ label }) => label);
}

/** Settings as Ollama's API takes them. */
interface OllamaSettings {
	/** Inside of `options`. */
	options: JsonRecord;
	/** Next to `options`. */
	fields: JsonRecord;
}

/** Sorts options and the fields of Extra Body, regardless of where the user put them. */
function buildOptionsAndFields(sampling: SamplingSettings): OllamaSettings {
	const { options: extraOptions, ...extraFields } = sampling.extraBody ?? {};
	const options: JsonRecord = {};
	const fields: JsonRecord = {};
	for (const { name, native } of OPTIONS)
		if (sampling[name] !== undefined) options[native] = sampling[name];
	for (const [userName, value] of Object.entries(extraFields)) {
		const name = toOllamaName(userName);
		(NATIVE_OPTIONS.has(name) ? options : fields)[name] = value;
	}
	for (const [userName, value] of Object.entries(asRecord(extraOptions))) {
		const name = toOllamaName(userName);
		(OUTER_FIELDS.has(name) ? fields : options)[name] = value;
	}
	return { options, fields };
}

/** A warning if the model is loaded again for the context size of this request. */
export function getContextWarnings(
	serverType: ServerType,
	server: ModelServer,
	{ model, sampling }: Pick<CompletionRequest, 'model' | 'sampling'>,
): string[] {
	const size = asFiniteNumber(buildOptionsAndFields(sampling).options.num_ctx);
	if (!serverType.routes?.chat || size === undefined) return [];
	const name = model.trim().replace(/:latest$/i, '');
	const previousSize = getProfile(server).replaceContextSize(name, size);
	if (previousSize === undefined || previousSize === size) return [];
	return [
		`This request runs the model with a context of ${size} tokens, and an earlier one did with ${previousSize}. ${serverType.label} loads the model again for each change, so set the same Context Size in all nodes.`,
	];
}

/** @throws {ServerError} of type `modalityUnsupported` for audio and video, and for images by URL */
export function toOllamaBody({
	model,
	messages,
	tools,
	toolChoice,
	sampling,
}: CompletionRequest): JsonRecord {
	const { options, fields } = buildOptionsAndFields(sampling);
	// There is no tool_choice: forbidden tools are not sent, and a forced tool is the only one sent.
	const callableTools = toolChoice === 'none' ? [] : selectCallableTools(tools, toolChoice);
	return {
		model,
		messages: messages.map(toWireMessage),
		...(callableTools.length === 0 ? {} : toToolsField(callableTools)),
		stream: true,
		...omitUndefined({
			format: getFormat(sampling),
			think: getThink(sampling),
			keep_alive: sampling.keepAlive,
			options: isNonEmpty(options) ? options : undefined,
		}),
		...fields,
	};
}

function getFormat({ responseFormat }: SamplingSettings): unknown {
	if (responseFormat?.type === 'jsonSchema') return responseFormat.schema;
	return responseFormat?.type === 'jsonObject' ? 'json' : undefined;
}

/** Thinking models think by default. Other models reject all values except false. */
function getThink({ thinking }: SamplingSettings): boolean | string | undefined {
	if (thinking?.mode === 'effort') return thinking.effort;
	return thinking?.mode === 'on' || thinking?.mode === 'off' ? thinking.mode === 'on' : undefined;
}

function toWireMessage(message: ChatMessage): JsonRecord {
	switch (message.role) {
		case 'assistant': {
			const { content, reasoning: thinking, toolCalls } = message;
			// JSON text in arguments returns a 400: "Value looks like object, but can't find closing '}' symbol".
			const tool_calls = toolCalls?.map(({ id, name, arguments: args }) => ({
				id,
				function: { name, arguments: parseObject(args) ?? {} },
			}));
			return { role: 'assistant', content, ...omitUndefined({ thinking, tool_calls }) };
		}
		case 'tool': {
			const { content, toolCallId: tool_call_id, name: tool_name } = message;
			return { role: 'tool', tool_name, tool_call_id, content };
		}
		default: {
			const images = getMedia(message.content).map(getImageBase64);
			const content = getText(message.content, '\n');
			return { role: message.role, content, ...(images.length === 0 ? {} : { images }) };
		}
	}
}

/** The base64 of a data URL; the URL itself returns a 400: "illegal base64 data at input byte 4". */
function getImageBase64(part: MediaPart) {
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

function unsupported(title: string, suggestion: string) {
	return createServerError('modalityUnsupported', {}, { title, suggestion });
}
