import { ServerError, isUnknownError } from '../errors/server-error';
import { mask } from '../errors/mask';
import type { Endpoint, ServerAddress } from '../http/types';
import { rejectOnAbort } from '../http/sleep';
import type { JsonRecord } from '../values/records';
import { omitUndefined } from '../values/records';
import { tryOrUndefined } from '../values/attempt';
import type { Priority } from '../http/queue';

/** The parts used of OpenTelemetry's API, which comes with n8n. */
type OpenTelemetry = Pick<
	typeof import('@opentelemetry/api'),
	'propagation' | 'trace' | 'ROOT_CONTEXT'
>;

/** A server that receives requests of a node. */
type TracedEndpoint = Endpoint & { readonly n8nHelpers?: object };

/** Values of OpenTelemetry's enumerations. */
const CLIENT_SPAN = 2;
const STATUS_ERROR = 2;
/** Timeout for reading n8n's header, which n8n sets before it sends anything. */
const HOST_TIMEOUT_MS = 1_000;

/**
 * Runs work in a separate span, a child of n8n's span of the node, if n8n exports traces.
 *
 * `work`: receives the endpoint with the header `traceparent`, so that the server's own spans are children of this one.
 * `toAttributes`: the span's attributes from the result.
 */
export async function withSpan<T, S extends TracedEndpoint>(
	endpoint: S,
	request: RequestAttributes,
	work: (endpoint: S) => Promise<T>,
	toAttributes: (result: T) => ResponseAttributes,
): Promise<T> {
	const api = loadOpenTelemetry();
	const headers = api && (await fetchTraceHeaders(endpoint));
	const span = headers?.traceparent
		? tryOrUndefined(() => startSpan(endpoint, request, api!, headers))
		: undefined;
	if (!span) return await work(endpoint);
	try {
		const result = await work(span.endpoint);
		span.setAttributes(toAttributes(result));
		return result;
	} catch (error) {
		throw span.recordException(error);
	} finally {
		span.end();
	}
}

/** Its methods never throw: the request matters more than its trace. */
function startSpan<S extends TracedEndpoint>(
	endpoint: S,
	request: RequestAttributes,
	api: OpenTelemetry,
	headers: object,
) {
	const parent = api.propagation.extract(api.ROOT_CONTEXT, headers);
	const masked = (text: string) => mask(text, endpoint.secrets);
	const observation: SpanData = {
		...request,
		server: endpoint.url,
		startedAt: performance.now(),
	};
	const name = masked(
		request.model === undefined ? request.operation : `${request.operation} ${request.model}`,
	);
	const tracer = api.trace.getTracer('n8n-nodes-local-llama');
	const span = tracer.startSpan(
		name,
		{ kind: CLIENT_SPAN, attributes: toSpanAttributes(observation, masked) },
		parent,
	);
	const traceHeaders: Record<string, string> = {};
	api.propagation.inject(api.trace.setSpan(parent, span), traceHeaders);
	const { traceparent, tracestate } = traceHeaders;
	const setAttributes = (attributes: ResponseAttributes) =>
		tryOrUndefined(() =>
			span.setAttributes(toSpanAttributes(Object.assign(observation, attributes), masked)),
		);
	return {
		endpoint: {
			...endpoint,
			headers: { ...endpoint.headers, ...omitUndefined({ traceparent, tracestate }) },
		},
		setAttributes,
		/** Records an error by its title, unless that is the server's own message. Returns the error. */
		recordException: (error: unknown) => {
			const isKnown = error instanceof ServerError;
			setAttributes({ errorType: isKnown ? error.type : 'unexpected' });
			const isOurTitle = isKnown && !isUnknownError(error.type);
			const message = isOurTitle ? { message: masked(error.message) } : {};
			tryOrUndefined(() => span.setStatus({ code: STATUS_ERROR, ...message }));
			return error;
		},
		end: () => tryOrUndefined(() => (span.isRecording() ? span.end() : undefined)),
	};
}

/**
 * Undefined before the search; null if it is not installed. A search that finds nothing visits all folders, which takes longer
 * than a request.
 */
let hostApi: OpenTelemetry | null | undefined;

/** n8n's OpenTelemetry, if n8n exports traces: otherwise no propagator is registered. */
function loadOpenTelemetry() {
	if (hostApi === undefined)
		hostApi = tryOrUndefined(() => module.require('@opentelemetry/api') as OpenTelemetry) ?? null;
	const api = hostApi ?? undefined;
	const fields = tryOrUndefined(() => api?.propagation.fields()) ?? [];
	return fields.length > 0 ? api : undefined;
}

type HttpRequest = (request: {
	url: string;
	headers: object;
	abortSignal: AbortSignal;
}) => Promise<unknown>;

/**
 * The headers of n8n's span of the node, which n8n adds to every request of a node (docs/protocols/n8n.md 4.9). This
 * request is aborted before a socket is opened. Read again for each request: while a model is supplied, n8n's span is
 * still that of the workflow.
 */
async function fetchTraceHeaders({ n8nHelpers, url }: TracedEndpoint) {
	const headers: Record<string, string> = {};
	const { httpRequest } = (n8nHelpers ?? {}) as { httpRequest?: HttpRequest };
	const request = tryOrUndefined(() =>
		httpRequest?.call(n8nHelpers, { url: url.root, headers, abortSignal: AbortSignal.abort() }),
	);
	// It always fails: it was aborted.
	await rejectOnAbort(AbortSignal.timeout(HOST_TIMEOUT_MS), async () => await request).catch(
		() => {},
	);
	return headers;
}

/** A message of a conversation, as far as a trace shows it. */
interface TracedMessage {
	role: string;
	/** Text, or parts; other parts than text appear by their type only. */
	content: string | ReadonlyArray<{ type: string; text?: string }>;
	reasoning?: string;
	toolCalls?: ReadonlyArray<{ id: string; name: string; arguments: string }>;
	/** In a tool's result: the ID of its call. */
	toolCallId?: string;
	finishReason?: string;
}

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
	parameters?: object;
	trace?: TraceSettings;
	input?: readonly TracedMessage[];
	/** Priority in the queue. */
	priority?: Priority;
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
	usage?: {
		promptTokens?: number;
		completionTokens?: number;
		cachedTokens?: number;
		reasoningTokens?: number;
	};
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

type SpanData = RequestAttributes &
	ResponseAttributes & {
		server: ServerAddress;
		/** By `performance.now()`. */
		startedAt: number;
	};

const set =
	(name: string) =>
	({ parameters }: SpanData) =>
		(parameters as Readonly<JsonRecord> | undefined)?.[name];

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

/** `mask`: masks the credential's secrets in a text. */
function toSpanAttributes(observation: SpanData, mask: (text: string) => string) {
	const attributes: Record<string, AttributeValue> = {};
	for (const [name, source] of Object.entries(ATTRIBUTES)) {
		const field = typeof source === 'string' ? observation[source] : source(observation);
		const value = attributeValue(field, mask);
		if (value !== undefined) attributes[name] = value;
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

/** Messages as JSON in the form of the GenAI conventions. If it is too long, only the end of the conversation is kept. */
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
