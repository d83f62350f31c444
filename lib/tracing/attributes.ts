/** Attributes of the span of a model request. */
import type { ServerAddress } from '../http/types';
import type { JsonRecord } from '../values/records';
import type { Priority } from '../http/queue';
import { getOwn, setOwn } from '../values/own-properties';

/** Fields by which users can search traces. */
export interface TraceSettings {
	sessionId?: string;
	userId?: string;
	tags?: string[];
	/** Whether the trace contains prompt and response. */
	recordTexts?: boolean;
}

/** Attributes of a request. */
export interface RequestAttributes {
	/** Names of OpenTelemetry's conventions, which have none for reranking. */
	operation: 'chat' | 'text_completion' | 'embeddings' | 'rerank' | 'invoke_workflow';
	/** The requested model. */
	model?: string;
	/** A server type, or `dify`. */
	provider?: string;
	/** Generation options, by their names in lib/chat/generation-options.ts. */
	sampling?: object;
	trace?: TraceSettings;
	input?: readonly TracedMessage[];
	/** Priority in the queue. */
	priority?: Priority;
}

/** Token counts of a request and its response. */
export interface TracedUsage {
	promptTokens?: number;
	completionTokens?: number;
	/** Prompt tokens from the server's cache. */
	cachedTokens?: number;
	reasoningTokens?: number;
}

/** Attributes of a response. */
export interface ResponseAttributes {
	/** A server type, or `dify`. */
	provider?: string;
	/** The model that the server reported. */
	responseModel?: string;
	id?: string;
	conversationId?: string;
	finishReason?: string;
	usage?: TracedUsage;
	/** By `performance.now()`. */
	firstTokenAt?: number;
	tokensPerSecond?: number;
	/** Share of the drafted tokens that the model accepted, from 0 to 1. */
	draftAcceptanceRate?: number;
	/** The name of each called tool. */
	toolCalls?: readonly string[];
	output?: readonly TracedMessage[];
	/** Type of the error. */
	errorType?: string;
}

export type SpanData = RequestAttributes &
	ResponseAttributes & {
		server: ServerAddress;
		/** By `performance.now()`. */
		startedAt: number;
	};

/** A part of a message. Without a text, a trace shows only its type. */
interface TracedPart {
	/** As in OpenAI's API. */
	type: string;
	text?: string;
}

/** A tool call of a message. */
interface TracedToolCall {
	id: string;
	name: string;
	/** JSON text. */
	arguments: string;
}

/** A message of a conversation, as far as a trace shows it. */
export interface TracedMessage {
	/** As in OpenAI's API. */
	role: string;
	content: string | readonly TracedPart[];
	reasoning?: string;
	toolCalls?: readonly TracedToolCall[];
	/** In a tool's result: the ID of its call. */
	toolCallId?: string;
	/** Of a response: why it ended, in the server's words. */
	finishReason?: string;
}

const set =
	(name: string) =>
	({ sampling }: SpanData) =>
		getOwn(sampling as Readonly<JsonRecord> | undefined, name);

/** The texts of an observation, if the user wants them in traces. */
const texts = (name: 'input' | 'output') => (observation: SpanData) =>
	observation.trace?.recordTexts && observation[name]
		? stringifyMessages(observation[name])
		: undefined;

const getSessionId = ({ trace, conversationId }: SpanData) => trace?.sessionId ?? conversationId;

/**
 * Every attribute of a span: OpenTelemetry's conventions for GenAI, Langfuse's names for what those lack
 * (https://langfuse.com/integrations/native/opentelemetry), and custom names if neither defines one.
 */
const ATTRIBUTES: Record<string, keyof SpanData | ((observation: SpanData) => unknown)> = {
	'gen_ai.operation.name': 'operation',
	'gen_ai.provider.name': ({ provider }) =>
		provider?.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
	'gen_ai.conversation.id': getSessionId,
	'gen_ai.request.model': 'model',
	'gen_ai.request.temperature': set('temperature'),
	'gen_ai.request.top_p': set('topP'),
	'gen_ai.request.top_k': set('topK'),
	'gen_ai.request.max_tokens': set('maxTokens'),
	'gen_ai.request.seed': set('seed'),
	'gen_ai.request.frequency_penalty': set('frequencyPenalty'),
	'gen_ai.request.presence_penalty': set('presencePenalty'),
	'gen_ai.request.stop_sequences': set('stop'),
	'gen_ai.response.id': 'id',
	'gen_ai.response.model': 'responseModel',
	'gen_ai.response.finish_reasons': ({ finishReason }) => finishReason && [finishReason],
	'gen_ai.response.time_to_first_chunk': ({ firstTokenAt, startedAt }) =>
		firstTokenAt && Math.max(0, firstTokenAt - startedAt) / 1000,
	'gen_ai.usage.input_tokens': ({ usage }) => usage?.promptTokens,
	'gen_ai.usage.output_tokens': ({ usage }) => usage?.completionTokens,
	'gen_ai.usage.cache_read.input_tokens': ({ usage }) => usage?.cachedTokens,
	'gen_ai.usage.reasoning.output_tokens': ({ usage }) => usage?.reasoningTokens,
	'gen_ai.input.messages': texts('input'),
	'gen_ai.output.messages': texts('output'),
	'server.address': ({ server }) => new URL(server.origin).hostname,
	'server.port': ({ server }) => getPort(new URL(server.origin)),
	'error.type': 'errorType',
	'session.id': getSessionId,
	'user.id': ({ trace }) => trace?.userId,
	'langfuse.trace.tags': ({ trace }) => trace?.tags,
	'langfuse.observation.completion_start_time': ({ firstTokenAt }) =>
		firstTokenAt && new Date(performance.timeOrigin + firstTokenAt).toISOString(),
	'local_llama.tokens_per_second': 'tokensPerSecond',
	'local_llama.draft_acceptance_rate': 'draftAcceptanceRate',
	'local_llama.tool_calls': 'toolCalls',
	'local_llama.priority': 'priority',
};

type AttributeValue = string | number | string[];

/**
 * Attributes that have a value.
 *
 * @param mask masks the credential's secrets in a text
 */
export function toSpanAttributes(
	observation: SpanData,
	mask: (text: string) => string,
): Record<string, AttributeValue> {
	const attributes: Record<string, AttributeValue> = {};
	for (const [name, source] of Object.entries(ATTRIBUTES)) {
		const field = typeof source === 'string' ? observation[source] : source(observation);
		const value = attributeValue(field, mask);
		if (value !== undefined) setOwn(attributes, name, value);
	}
	return attributes;
}

function attributeValue(
	value: unknown,
	mask: (text: string) => string,
): AttributeValue | undefined {
	if (typeof value === 'string') return value ? mask(value) : undefined;
	if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
	if (Array.isArray(value))
		return value.length === 0 ? undefined : value.map((item) => mask(String(item)));
	return undefined;
}

function getPort({ port, protocol }: URL) {
	if (port) return Number(port);
	return protocol === 'https:' ? 443 : 80;
}

/** Characters of a conversation in a trace: exporters and servers reject longer attributes. */
const MAX_CHARACTERS = 100_000;

/**
 * Messages as an attribute of a span: JSON in the form of OpenTelemetry's conventions for generative AI.
 *
 * @returns a list; of a conversation that is too long, only its end
 */
export function stringifyMessages(messages: readonly TracedMessage[]): string {
	const newest: object[] = [];
	let characters = 0;
	for (const message of messages.toReversed()) {
		const attribute = {
			role: message.role,
			parts: toParts(message),
			finish_reason: message.finishReason,
		};
		const size = JSON.stringify(attribute).length;
		if (characters + size > MAX_CHARACTERS) {
			const text = getTextEnd(message, MAX_CHARACTERS - characters);
			if (text) newest.push({ ...attribute, parts: [{ type: 'text', content: text }] });
			break;
		}
		characters += size;
		newest.push(attribute);
	}
	return JSON.stringify(newest.toReversed());
}

/** Possible start of a truncated text: the rest of a key, which would not be masked, or half a character. */
const CUT_BEGINNING = /^[\x21-\x7e\udc00-\udfff]+/;

/** The end of a message's text. */
function getTextEnd({ content }: TracedMessage, max: number) {
	const text =
		typeof content === 'string'
			? content
			: content.flatMap(({ text: part }) => part ?? []).join('\n');
	return text.length <= max ? text : text.slice(-max).replace(CUT_BEGINNING, '').trimStart();
}

/** The parts of a message by the conventions. */
function toParts({ content, reasoning = '', toolCalls = [], toolCallId }: TracedMessage): object[] {
	const parts = typeof content === 'string' ? [{ type: 'text', text: content }] : content;
	const texts = parts.flatMap(({ type, text }): object[] => {
		if (toolCallId !== undefined)
			return [{ type: 'tool_call_response', id: toolCallId, response: text ?? '' }];
		if (text === '') return [];
		return [text === undefined ? { type } : { type: 'text', content: text }];
	});
	const calls = toolCalls.map(({ id, name, arguments: args }) => ({
		type: 'tool_call',
		id,
		name,
		arguments: args,
	}));
	return [...(reasoning ? [{ type: 'reasoning', content: reasoning }] : []), ...texts, ...calls];
}
