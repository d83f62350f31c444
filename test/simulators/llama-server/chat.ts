/**
 * Parses a chat request like llama-server, with the same checks, order and texts (docs/protocols/llama-server.md 2.6, 4.2,
 * 5, 6.1). The order matters: only the first mistake is reported.
 */
import { invalidRequest, serverError } from './errors';
import { typeName } from './json';
import type { Settings } from './options';
import { checkParams, paramNumber } from './params';
import { type ChatMessage, type Prompt, renderPrompt, type ToolCall } from './prompt';
import { checkMedia } from './media';
import { checkSchema, checkSchemaField } from './schema';

export type Json = Readonly<Record<string, unknown>>;

/** A parsed generation request of any route. */
export interface Task {
	body: Json;
	prompt: string;
	generationPrompt: string;
	/** Text of a trailing assistant message: the answer repeats it (docs/protocols/llama-server.md 2.6). */
	prefill: string;
	stream: boolean;
	/** −1: up to the context limit. */
	maxTokens: number;
	n: number;
	idSlot: number;
	cachePrompt: boolean;
	stop: string[];
	logprobs: boolean;
}

export interface ChatTask extends Task {
	messages: ChatMessage[];
	tools: Json[];
	toolChoice: 'auto' | 'none' | 'required';
	/** JSON schema of the answer; undefined for free text. */
	schema: unknown;
	thinking: boolean;
}

const isObject = (value: unknown): value is Json => typeName(value) === 'object';
const text = (value: unknown, fallback = ''): string =>
	typeof value === 'string' ? value : fallback;

/** Valid values; all others count as absent. */
const CONTINUATIONS: readonly unknown[] = [true, 'content', 'reasoning_content'];
const TOOL_CHOICES = ['auto', 'none', 'required'] as const;
const REASONING_FORMATS = ['none', 'auto', 'deepseek', 'deepseek-legacy'];
const OUT_OF_RANGE = (key: string): string =>
	`[json.exception.out_of_range.403] key '${key}' not found`;

const responseSchema = (body: Json): unknown => {
	let schema = body.json_schema ?? undefined;
	if (schema !== undefined && text(body.grammar) !== '') {
		throw serverError('Cannot use both json_schema and grammar');
	}
	if (isObject(body.response_format)) {
		const { type, schema: direct, json_schema: wrapper } = body.response_format;
		const kind = text(type);
		if (kind === 'json_object') {
			if (direct !== undefined || schema === undefined) schema = direct ?? {};
		} else if (kind === 'json_schema') {
			schema = (isObject(wrapper) ? wrapper.schema : undefined) ?? {};
		} else if (kind !== '' && kind !== 'text') {
			throw invalidRequest(
				`response_format type must be one of "text" or "json_object", but got: ${kind}`,
			);
		}
	}
	return isObject(schema) && Object.keys(schema).length === 0 ? { type: 'object' } : schema;
};

const checkContent = (message: Json, settings: Settings): void => {
	const { content } = message;
	if (typeof content === 'string' || content === null) return;
	if (!Array.isArray(content))
		throw invalidRequest("Expected 'content' to be a string or an array");
	for (const part of content as unknown[]) {
		const type = text(isObject(part) ? part.type : undefined);
		if (type === 'text') continue;
		checkMedia(type, part as Json, settings);
	}
};

const checkMessages = (body: Json, settings: Settings): Json[] => {
	if (body.messages === undefined) throw invalidRequest("'messages' is required");
	if (!Array.isArray(body.messages)) throw invalidRequest("Expected 'messages' to be an array");
	const messages = body.messages as unknown[];
	for (const message of messages) {
		const known = isObject(message) ? message : {};
		const assistant = known.role === 'assistant';
		if (!assistant && known.content === undefined) {
			throw invalidRequest("All non-assistant messages must contain 'content'");
		}
		if (assistant && known.content === undefined) {
			if (known.tool_calls === undefined) {
				throw invalidRequest("Assistant message must contain either 'content' or 'tool_calls'!");
			}
			continue;
		}
		checkContent(known, settings);
	}
	return messages as Json[];
};

const readCall = (call: Json): ToolCall => {
	const dump = JSON.stringify(call);
	if (call.type === undefined)
		throw serverError(`Failed to parse messages: Missing tool call type: ${dump}`);
	if (call.type !== 'function')
		throw serverError(`Failed to parse messages: Unsupported tool call type: ${dump}`);
	if (!isObject(call.function))
		throw serverError(`Failed to parse messages: Missing tool call function: ${dump}`);
	const { name, arguments: args } = call.function;
	if (name === undefined)
		throw serverError(`Failed to parse messages: Missing tool call name: ${dump}`);
	if (args === undefined)
		throw serverError(`Failed to parse messages: ${OUT_OF_RANGE('arguments')}`);
	return {
		id: text(call.id),
		name: text(name),
		arguments: typeof args === 'string' ? args : JSON.stringify(args),
	};
};

/** Joins parts by line ends, but not around an image (docs/protocols/llama-server.md 5). */
const readContent = (content: unknown): string => {
	if (!Array.isArray(content)) return text(content);
	let joined = '';
	let afterMedia = false;
	for (const part of content as Json[]) {
		if (part.type === 'text') {
			if (joined !== '' && !afterMedia) joined += '\n';
			joined += text(part.text);
			afterMedia = false;
		} else {
			joined += mediaMarker(part);
			afterMedia = true;
		}
	}
	return joined;
};

/**
 * 64 characters, the same for the same image, as in the server's cache (docs/protocols/llama-server.md 5).
 */
const mediaMarker = (part: Json): string => {
	let hash = 0;
	for (const char of JSON.stringify(part)) hash = (Math.imul(hash, 31) + char.charCodeAt(0)) >>> 0;
	return `<__media_${hash.toString(16).padStart(8, '0')}__>`.padEnd(64, '.');
};

const readMessages = (messages: Json[]): ChatMessage[] =>
	messages.map((message) => {
		if (message.role === undefined) {
			throw serverError(
				`Failed to parse messages: Missing 'role' in message: ${JSON.stringify(message)}`,
			);
		}
		const role = text(message.role);
		return {
			role: role === 'developer' ? 'system' : role,
			content: readContent(message.content),
			reasoning: text(message.reasoning_content),
			calls: Array.isArray(message.tool_calls) ? (message.tool_calls as Json[]).map(readCall) : [],
		};
	});

const readTools = (tools: unknown): Json[] => {
	const fail = (problem: string): never => {
		throw serverError(
			`Failed to parse tools: ${problem}; tools = ${JSON.stringify(tools, null, 2)}`,
		);
	};
	if (tools === undefined || tools === null) return [];
	if (!Array.isArray(tools))
		return fail(`Expected 'tools' to be an array, got ${JSON.stringify(tools)}`);
	for (const tool of tools as Json[]) {
		if (tool.type === undefined) fail(`Missing tool type: ${JSON.stringify(tool)}`);
		if (tool.type !== 'function') fail(`Unsupported tool type: ${JSON.stringify(tool)}`);
		if (tool.function === undefined) fail(`Missing tool function: ${JSON.stringify(tool)}`);
		if (isObject(tool.function) && tool.function.name === undefined) fail(OUT_OF_RANGE('name'));
	}
	return tools as Json[];
};

/**
 * The server reads only strings, so the object form silently becomes `auto` (docs/protocols/llama-server.md 6.1).
 */
const readToolChoice = (choice: unknown): ChatTask['toolChoice'] => {
	const toolChoice = text(choice, 'auto');
	const known = TOOL_CHOICES.find((candidate) => candidate === toolChoice);
	if (!known) throw invalidRequest(`Invalid tool_choice: ${toolChoice}`);
	return known;
};

const checkContinuation = (body: Json, messages: ChatMessage[]): boolean => {
	const last = messages.at(-1);
	const isContinuation = CONTINUATIONS.includes(body.continue_final_message);
	let generates = body.add_generation_prompt !== false;
	let continues = isContinuation;
	if (!isContinuation && last?.role === 'assistant') {
		if (messages.at(-2)?.role === 'assistant') {
			throw invalidRequest('Cannot have 2 or more assistant messages at the end of the list.');
		}
		continues = true;
		generates = false;
	}
	if (continues && generates) {
		throw invalidRequest(
			'Cannot set both add_generation_prompt and continue_final_message to true.',
		);
	}
	if (continues && last?.role === 'assistant' && last.calls.length > 0) {
		throw invalidRequest('Cannot continue an assistant message that contains tool calls.');
	}
	return continues && last?.role === 'assistant';
};

const checkReasoningFormat = ({ reasoning_format: format }: Json): void => {
	if (format === undefined) return;
	if (typeof format !== 'string') {
		throw serverError(
			`[json.exception.type_error.302] type must be string, but is ${typeName(format)}`,
		);
	}
	if (!REASONING_FORMATS.includes(format)) throw serverError(`Unknown reasoning format: ${format}`);
};

const readThinking = (body: Json): boolean => {
	const kwargs = isObject(body.chat_template_kwargs) ? body.chat_template_kwargs : {};
	if (typeof kwargs.enable_thinking === 'string') {
		throw invalidRequest('invalid type for "enable_thinking" (expected boolean, got string)');
	}
	return kwargs.enable_thinking !== false && body.reasoning_effort !== 'none';
};

const checkLogprobs = (body: Json, tools: readonly unknown[]): boolean => {
	if (body.logprobs === true) {
		if (tools.length > 0 && body.stream === true) {
			throw invalidRequest('logprobs is not supported with tools + stream');
		}
		return true;
	}
	if (body.top_logprobs !== undefined && body.top_logprobs !== null) {
		throw invalidRequest('top_logprobs requires logprobs to be set to true');
	}
	return false;
};

/** Checks of the sampler. Of a grammar, only mismatched brackets are detected. */
const checkSampling = (body: Json): void => {
	const penalty = body.repeat_penalty;
	if (penalty !== undefined && penalty !== null && Number(penalty) <= 0) {
		throw invalidRequest(
			'Failed to initialize samplers: penalty_repeat must be finite and greater than 0',
		);
	}
	const grammar = text(body.grammar).replace(/"(\\.|[^"\\])*"|\[(\\.|[^\]\\])*\]/g, '');
	const count = (char: string): number => grammar.split(char).length - 1;
	if (count('(') !== count(')')) {
		throw invalidRequest('Failed to initialize samplers: failed to parse grammar');
	}
};

/** Reads the fields of all generation routes. @throws for wrong types and limits */
export const readTask = (body: Json, prompt: string, settings: Settings): Task => {
	checkParams(body, settings.slots);
	checkSampling(body);
	return {
		body,
		prompt,
		generationPrompt: '',
		prefill: '',
		stream: body.stream === true,
		maxTokens: paramNumber(body, 'n_predict', -1),
		n: paramNumber(body, 'n_cmpl', 1),
		idSlot: typeof body.id_slot === 'number' ? Math.trunc(body.id_slot) : -1,
		cachePrompt: body.cache_prompt !== false,
		stop: [body.stop ?? []]
			.flat()
			.filter((word): word is string => typeof word === 'string' && word !== ''),
		logprobs: false,
	};
};

/** Reads a body of `/v1/chat/completions`. @throws the server's error for an invalid one */
export const readChat = (input: unknown, settings: Settings): ChatTask => {
	const body: Json = isObject(input) ? input : {};
	const schema = responseSchema(body);
	const raw = checkMessages(body, settings);
	const messages = readMessages(raw);
	const tools = readTools(body.tools);
	const toolChoice = readToolChoice(body.tool_choice);
	const continues = checkContinuation(body, messages);
	checkReasoningFormat(body);
	if (tools.length > 0 && toolChoice !== 'none' && body.grammar !== undefined) {
		throw invalidRequest('Cannot use custom grammar constraints with tools.');
	}
	const thinking = readThinking(body);
	const prompt: Prompt = renderPrompt(settings.template, {
		messages,
		tools,
		enableThinking: thinking,
		prefill: continues,
	});
	const constrained = typeName(schema) === 'object';
	const callable = toolChoice === 'none' ? [] : tools;
	// An answer schema takes precedence: tools are not checked (docs/protocols/llama-server.md 6.1).
	if (constrained) checkSchema(schema);
	else for (const tool of callable) checkSchema((tool.function as Json).parameters ?? {});
	const logprobs = checkLogprobs(body, tools);
	const task = readTask(body, prompt.text, settings);
	const field = body.json_schema ?? undefined;
	if (field !== undefined && !constrained && callable.length === 0) checkSchemaField(field);
	return {
		...task,
		generationPrompt: prompt.generationPrompt,
		prefill:
			continues && !CONTINUATIONS.includes(body.continue_final_message)
				? (messages.at(-1)?.content ?? '')
				: '',
		messages,
		tools,
		toolChoice,
		schema,
		thinking: thinking && settings.template === 'thinking',
		logprobs,
	};
};
