import { createHash } from 'node:crypto';

import { type KindName, kindOf } from '../../servers/kinds';
import { withFieldChanges } from '../../servers/refused-fields';
import { isRecord, type JsonRecord, optional } from '../../values';
import { withoutNativeApi } from '../request/ollama-options';
import {
	parameterFields,
	responseFormatFields,
	takes,
	thinkingFields,
} from '../request/parameters';
import type {
	ChatMessage,
	ChatParameters,
	ChatRequest,
	ContentPart,
	ToolDefinition,
} from '../types';
import { decode } from './openai-chunk';
import { toolsField } from './openai-tool-calls';
import { wirePart } from './parts';
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

function body(request: ChatRequest): JsonRecord {
	const { serverKind } = request;
	const { parameters } =
		kindOf(serverKind).chat.nativeProtocol !== undefined
			? withoutNativeApi(request.parameters)
			: request;
	const streamed = request.stream ?? true;
	const thinking = thinkingFields(parameters, serverKind);
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
		...thinking,
		...extraBodyFields(parameters, thinking),
	};
	return withFieldChanges(fields, request.fieldChanges);
}

/** Extra Body overrides everything else, but its template arguments stand beside the switch of thinking. */
function extraBodyFields({ extraBody = {} }: ChatParameters, thinking: JsonRecord): JsonRecord {
	const { chat_template_kwargs: switched } = thinking;
	const { chat_template_kwargs: more } = extraBody;
	if (!isRecord(switched) || !isRecord(more)) return extraBody;
	return { ...extraBody, chat_template_kwargs: { ...switched, ...more } };
}

/**
 * llama-server and most others silently treat a tool_choice object as "auto" (docs/protocols/llama-server.md 6.1), so a
 * forced tool is sent alone with "required". vLLM supports the object.
 */
function toolFields(request: ChatRequest): JsonRecord {
	const { tools = [], toolChoice, serverKind, parameters } = request;
	const { toolChoice: honoured } = kindOf(serverKind).chat;
	// If tool_choice is ignored (Ollama), forbidden tools are not sent.
	if (tools.length === 0 || (honoured === 'ignored' && toolChoice === 'none')) return {};
	const parallel = takes(serverKind, 'parallelToolCalls')
		? parameters.parallelToolCalls
		: undefined;
	return {
		...offeredTools(tools, request, honoured === 'named'),
		...optional({ parallel_tool_calls: parallel }),
	};
}

function offeredTools(
	tools: readonly ToolDefinition[],
	{ toolChoice, requiredChoice = 'required' }: ChatRequest,
	canForceOne: boolean,
): JsonRecord {
	if (typeof toolChoice !== 'object') {
		const word = toolChoice === 'required' ? requiredChoice : toolChoice;
		return { ...toolsField(tools), ...optional({ tool_choice: word }) };
	}
	const { name } = toolChoice;
	if (canForceOne)
		return { ...toolsField(tools), tool_choice: { type: 'function', function: { name } } };
	const forced = tools.filter((tool) => tool.name === name);
	return { ...toolsField(forced), tool_choice: requiredChoice };
}

function wireMessage(
	message: ChatMessage,
	{ serverKind, shortToolIds = false }: ChatRequest,
): JsonRecord {
	const toolId = (id: string) => (shortToolIds ? shortId(id) : id);
	switch (message.role) {
		case 'assistant':
			return wireAnswer(message, serverKind, toolId);
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
				content: wireContent(message.content, serverKind),
			};
	}
}

function wireContent(content: string | ContentPart[], serverKind: KindName): unknown {
	if (typeof content === 'string') return content;
	const { videoField } = kindOf(serverKind).chat;
	return content.map((part) => wirePart(part, videoField));
}

function wireAnswer(
	{ content, reasoning, toolCalls }: Extract<ChatMessage, { role: 'assistant' }>,
	serverKind: KindName,
	toolId: (id: string) => string,
): JsonRecord {
	const thinking = kindOf(serverKind).chat.thinking.fields.map((field) => [field, reasoning]);
	const calls = toolCalls?.map((call) => ({
		id: toolId(call.id),
		type: 'function',
		function: { name: call.name, arguments: call.arguments },
	}));
	return {
		role: 'assistant',
		content,
		...optional(Object.fromEntries(thinking)),
		...optional({ tool_calls: calls }),
	};
}

/** Nine letters and digits derived from an id. Ids that already have that form stay. */
export function shortId(id: string): string {
	if (/^[a-zA-Z0-9]{9}$/.test(id)) return id;
	return createHash('sha256').update(id).digest('hex').slice(0, 9);
}
