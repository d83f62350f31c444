/** Request bodies of OpenAI's API, for llama-server, vLLM, GPUStack, FastAPI servers and Ollama. */
import type { ServerType } from '../../servers/types/server-type';
import type { ThinkingKey } from '../../servers/template-arguments';
import { THINKING_KEYS } from '../../servers/template-arguments';
import type { JsonRecord } from '../../values/records';
import { isRecord, omitUndefined } from '../../values/records';
import type { CompletionRequest } from '../completion';
import type { ChatMessage } from '../chat-message';
import type { SamplingSettings } from '../settings';
import { getMedia, getText, mergeAdjacent } from '../content';
import type { ContentPart } from '../../files/read-file';
import { withoutTurnTokens } from './wire-texts';
import { selectCallableTools, toToolsField } from './wire-tools';
import { supportsOption, toSamplingFields } from './sampling-fields';

/** The order of the fields is fixed: prompt caches and tests rely on it. */
export function toOpenAiBody(source: CompletionRequest, serverType: ServerType): JsonRecord {
	const draft = withoutTurnTokens(source);
	const { sampling } = draft;
	const thinking = toThinkingFields(draft, serverType);
	return {
		model: draft.model,
		messages: draft.messages.map((message) => toWireMessage(message, serverType)),
		...toolFields(draft, serverType),
		stream: true,
		// vLLM rejects it without streaming.
		...(sampling.extraBody?.stream === false ? {} : { stream_options: { include_usage: true } }),
		...toSamplingFields(sampling, serverType),
		...toResponseFormatFields(sampling, serverType),
		...thinking,
		...extraBodyFields(sampling, thinking),
	};
}

/** Extra Body overrides everything else, but its template arguments are merged with the thinking switch. */
function extraBodyFields({ extraBody = {} }: SamplingSettings, thinking: JsonRecord) {
	const { chat_template_kwargs: thinkingArguments } = thinking;
	const { chat_template_kwargs: extraArguments } = extraBody;
	if (!isRecord(thinkingArguments) || !isRecord(extraArguments)) return extraBody;
	return { ...extraBody, chat_template_kwargs: { ...thinkingArguments, ...extraArguments } };
}

/**
 * llama-server and most others silently treat a tool_choice object as "auto" (docs/protocols/llama-server.md 6.1), so a
 * forced tool is sent alone with "required". vLLM supports the object.
 */
function toolFields(
	{ tools, toolChoice, sampling }: CompletionRequest,
	serverType: ServerType,
): JsonRecord {
	// If the choice is ignored (Ollama), forbidden tools are not sent.
	if (tools.length === 0 || (serverType.toolChoiceSupport === 'ignored' && toolChoice === 'none'))
		return {};
	const isNamed = typeof toolChoice === 'object' && serverType.toolChoiceSupport === 'named';
	const plainChoice = typeof toolChoice === 'object' ? 'required' : toolChoice;
	return {
		...toToolsField(isNamed ? tools : selectCallableTools(tools, toolChoice)),
		...omitUndefined({
			tool_choice: isNamed
				? { type: 'function', function: { name: toolChoice.name } }
				: plainChoice,
			parallel_tool_calls: supportsOption(serverType, 'parallelToolCalls')
				? sampling.parallelToolCalls
				: undefined,
		}),
	};
}

function toWireMessage(message: ChatMessage, serverType: ServerType): JsonRecord {
	const { role, content } = message;
	if (role === 'assistant') return toWireAssistantMessage(message, serverType);
	if (role === 'tool')
		return { role, tool_call_id: message.toolCallId, name: message.name, content };
	if (getMedia(content).length === 0) return { role, content: getText(content, '\n') };
	return { role, content: joinTexts(content.map((part) => toWirePart(part, serverType))) };
}

/** Joins adjacent texts with a line break: some templates put nothing between them, which would merge words. */
function joinTexts(parts: readonly JsonRecord[]): JsonRecord[] {
	return mergeAdjacent(parts, (previous, part) =>
		previous.type === 'text' && part.type === 'text'
			? { type: 'text', text: `${String(previous.text)}\n${String(part.text)}` }
			: undefined,
	);
}

function toWirePart(part: ContentPart, { videoPartType = 'video_url' }: ServerType): JsonRecord {
	switch (part.type) {
		case 'text':
			return { type: 'text', text: part.text };
		case 'image':
			return { type: 'image_url', image_url: { url: part.url } };
		case 'audio':
			return { type: 'input_audio', input_audio: { data: part.data, format: part.format } };
		case 'video': {
			// llama-server decodes bare base64; some of its versions reject a data URL here (docs/protocols/llama-server.md 5).
			const file =
				videoPartType === 'input_video'
					? { data: part.url.slice(part.url.indexOf(',') + 1) }
					: { url: part.url };
			return { type: videoPartType, [videoPartType]: file };
		}
	}
}

function toWireAssistantMessage(
	{ content, reasoning, toolCalls }: Extract<ChatMessage, { role: 'assistant' }>,
	{ reasoningFields }: ServerType,
): JsonRecord {
	const tool_calls = toolCalls?.map(({ id, name, arguments: args }) => ({
		id,
		type: 'function',
		function: { name, arguments: args },
	}));
	return {
		role: 'assistant',
		content,
		...omitUndefined({
			...Object.fromEntries(reasoningFields.map((field) => [field, reasoning])),
			tool_calls,
		}),
	};
}

/** The request fields for thinking on this server type. */
function toThinkingFields(
	{ sampling: { thinking }, thinkingKeys }: CompletionRequest,
	{ thinking: control }: ServerType,
): JsonRecord {
	switch (thinking?.mode) {
		case 'budget':
			return Object.fromEntries(control.budgetFields.map((field) => [field, thinking.tokens]));
		case 'effort':
			return { reasoning_effort: thinking.effort };
		case 'on':
		case 'off':
			if (control.switch === 'template')
				return { chat_template_kwargs: toTemplateArguments(thinking.mode === 'on', thinkingKeys) };
			// Ollama's thinking models think by default, and most reject an effort (observed: 0.17.4).
			return control.switch === 'effort' && thinking.mode === 'off'
				? { reasoning_effort: 'none' }
				: {};
		default:
			return {};
	}
}

/** Both arguments for an unknown template: Jinja ignores those that it does not read. */
function toTemplateArguments(isOn: boolean, keys: readonly ThinkingKey[] = THINKING_KEYS) {
	// llama-server turns off the thinking of some templates by itself, if this argument says so.
	const names = keys.length === 0 ? (['enable_thinking'] as const) : keys;
	return Object.fromEntries(names.map((name) => [name, isOn]));
}

/** The request fields for the response format on this server type. Schemas are already cleaned. */
function toResponseFormatFields({ responseFormat }: SamplingSettings, serverType: ServerType) {
	switch (responseFormat?.type) {
		case 'jsonObject':
			return { response_format: { type: 'json_object' } };
		case 'jsonSchema': {
			const { name = 'answer', schema } = responseFormat;
			return {
				response_format: { type: 'json_schema', json_schema: { name, strict: true, schema } },
			};
		}
		case 'grammar':
			return serverType.toGrammarFields?.(responseFormat.grammar) ?? {};
		default:
			return {};
	}
}
