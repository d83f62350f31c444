/** The body of a chat in OpenAI's form, as llama-server, vLLM, GPUStack, FastAPI servers and Ollama take it. */
import type { ServerType } from '../servers/types/server-type';
import { isRecord, type JsonRecord, omitUndefined } from '../values';
import { extractBase64 } from './data-url';
import {
	toParameterFields,
	toResponseFormatFields,
	supportsOption,
	toThinkingFields,
} from './parameters';
import type { ChatMessage, ChatParameters, ContentPart, ToolChoice, ToolDefinition } from './types';

/** What is sent. */
export interface CompletionRequest {
	model: string;
	messages: readonly ChatMessage[];
	tools: readonly ToolDefinition[];
	toolChoice?: ToolChoice;
	parameters: ChatParameters;
}

/** The order of the fields is fixed: prompt caches and tests rely on it. */
export function toOpenAiBody(body: CompletionRequest, kind: ServerType): JsonRecord {
	const { parameters } = body;
	const thinking = toThinkingFields(parameters, kind);
	return {
		model: body.model,
		messages: body.messages.map((message) => wireMessage(message, kind)),
		...toolFields(body, kind),
		stream: true,
		// vLLM refuses it where nothing is streamed.
		...(parameters.extraBody?.stream === false ? {} : { stream_options: { include_usage: true } }),
		...toParameterFields(parameters, kind),
		...toResponseFormatFields(parameters, kind),
		...thinking,
		...extraBodyFields(parameters, thinking),
	};
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
function toolFields(
	{ tools, toolChoice, parameters }: CompletionRequest,
	kind: ServerType,
): JsonRecord {
	// Where the choice is ignored (Ollama), forbidden tools are not sent.
	if (tools.length === 0 || (kind.toolChoiceSupport === 'ignored' && toolChoice === 'none'))
		return {};
	const isNamed = typeof toolChoice === 'object' && kind.toolChoiceSupport === 'named';
	return {
		...toToolsField(isNamed ? tools : selectCallableTools(tools, toolChoice)),
		...omitUndefined({
			tool_choice: isNamed
				? { type: 'function', function: { name: toolChoice.name } }
				: wordOf(toolChoice),
			parallel_tool_calls: supportsOption(kind, 'parallelToolCalls')
				? parameters.parallelToolCalls
				: undefined,
		}),
	};
}

function wordOf(choice: ToolChoice | undefined): string | undefined {
	return typeof choice === 'object' ? 'required' : choice;
}

/** The tool that is to be called, else all. */
export function selectCallableTools(
	tools: readonly ToolDefinition[],
	choice: ToolChoice | undefined,
): readonly ToolDefinition[] {
	return typeof choice === 'object' ? tools.filter(({ name }) => name === choice.name) : tools;
}

/** The request field for tools. */
export function toToolsField(tools: readonly ToolDefinition[]) {
	return {
		tools: tools.map(({ name, description, parameters }) => ({
			type: 'function',
			function: { name, ...omitUndefined({ description }), parameters },
		})),
	};
}

function wireMessage(message: ChatMessage, kind: ServerType): JsonRecord {
	switch (message.role) {
		case 'assistant':
			return toWireAssistantMessage(message, kind);
		case 'tool': {
			const { toolCallId: tool_call_id, name, content } = message;
			return { role: 'tool', tool_call_id, ...(name ? { name } : {}), content };
		}
		default:
			return { role: message.role, content: wireContent(message.content, kind) };
	}
}

function wireContent(content: string | ContentPart[], kind: ServerType): unknown {
	return typeof content === 'string' ? content : content.map((part) => wirePart(part, kind));
}

function wirePart(part: ContentPart, { videoPartType = 'video_url' }: ServerType): JsonRecord {
	switch (part.type) {
		case 'text':
			return { type: 'text', text: part.text };
		case 'image':
			return { type: 'image_url', image_url: { url: part.url } };
		case 'audio':
			return { type: 'input_audio', input_audio: { data: part.data, format: part.format } };
		case 'video': {
			// llama-server decodes bare base64; some of its versions refuse a data URL here (docs/protocols/llama-server.md 5).
			const file =
				videoPartType === 'input_video' ? { data: extractBase64(part.url) } : { url: part.url };
			return { type: videoPartType, [videoPartType]: file };
		}
	}
}

function toWireAssistantMessage(
	{ content, reasoning, toolCalls }: Extract<ChatMessage, { role: 'assistant' }>,
	{ reasoningFields }: ServerType,
): JsonRecord {
	const thinking = reasoningFields.map((field) => [field, reasoning]);
	const calls = toolCalls?.map(({ id, name, arguments: args }) => ({
		id,
		type: 'function',
		function: { name, arguments: args },
	}));
	return {
		role: 'assistant',
		content,
		...omitUndefined({ ...Object.fromEntries(thinking), tool_calls: calls }),
	};
}
