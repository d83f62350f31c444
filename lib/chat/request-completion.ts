/** Sends a chat completion, adapted to what the server rejects, and reads the response. */
import { type ErrorContext, createServerError } from '../errors/create-error';
import { captureError, ServerError } from '../errors/server-error';
import type { HttpResponse, QueueStats } from '../http/types';
import { toErrorContext } from '../http/request-errors';
import { request } from '../http/request';
import { listModels } from '../servers/list-models';
import {
	type Adaptation,
	replaceJsonObject,
	sendWithAdaptations,
	shortenToolCallIds,
	adjustOllamaThinking,
	omitRejectedField,
	omitStreamOptions,
} from '../exchange/adaptations';
import type { ModelServer, ServerType } from '../servers/types/server-type';
import { type JsonRecord, omitUndefined } from '../values';
import { withSuggestion } from './suggestions';
import { type TurnContext } from './turn-context';
import {
	type Completion,
	CompletionAccumulator,
	type FailedCompletion,
} from './completion-accumulator';
import { type CompletionRequest, selectCallableTools, toOpenAiBody } from './openai-body';
import {
	toOpenAiChunk,
	getOptionsIgnoredByOpenAi,
	needsNativeApi,
	toOllamaBody,
} from './ollama-body';
import { isJsonRequested } from './parameters';
import { enforceStrictRoles } from './strict-roles';
import { opensReasoningInPrompt, type TextAndReasoning } from './reasoning';
import type { ChatMessage, ChatParameters } from './types';

/** A request and its completion. */
export interface CompletionAttempt {
	/** A completion, or invalid tool calls, which the model can correct. */
	completion: Completion | FailedCompletion;
	/** URL that responded. */
	url: string;
	/** Milliseconds to the first token; 0 for a response as one JSON object. */
	firstTokenMs: number;
	/** Changes made to the request. */
	warnings: string[];
}

/** A chat API of a server. */
interface ChatApi {
	url(server: ModelServer): string;
	framing: 'events' | 'lines';
	body(body: CompletionRequest, serverType: ServerType): JsonRecord;
	decode?(event: JsonRecord): JsonRecord;
}

const OPENAI_API: ChatApi = {
	url: ({ url }) => `${url.api}/chat/completions`,
	framing: 'events',
	body: toOpenAiBody,
};

/** Native chat APIs by their names in the server types. */
const NATIVE_APIS: Readonly<Record<NonNullable<ServerType['nativeApi']>, ChatApi>> = {
	ollama: {
		url: ({ url }) => `${url.root}/api/chat`,
		framing: 'lines',
		body: toOllamaBody,
		decode: toOpenAiChunk,
	},
};

/**
 * Requests a completion over the native API if the parameters need it, and over the other API if a route is missing.
 *
 * @throws {ServerError} with a suggestion, and with the partial output
 */
export async function requestCompletion(
	turn: TurnContext,
	body: CompletionRequest,
): Promise<CompletionAttempt> {
	const { serverType, server } = turn;
	const nativeApi = serverType.nativeApi && NATIVE_APIS[serverType.nativeApi];
	const api = nativeApi !== undefined && needsNativeApi(body.parameters) ? nativeApi : OPENAI_API;
	const result = await requestCompletionVia(api, turn, body).catch(captureError);
	if (!(result instanceof ServerError)) return result;
	const otherApi = api === OPENAI_API ? nativeApi : OPENAI_API;
	if (result.type === 'routeNotFound' && (await isApiUrlChanged(server)))
		return await requestCompletionVia(api, turn, body);
	if (result.type === 'routeNotFound' && otherApi !== undefined)
		return withIgnoredOptionsWarning(
			await requestCompletionVia(otherApi, turn, body),
			otherApi,
			body,
		);
	throw await withSuggestion(result, turn, body);
}

/** Adds a warning about options that only the native API supports. */
function withIgnoredOptionsWarning(
	read: CompletionAttempt,
	api: ChatApi,
	{ parameters }: CompletionRequest,
): CompletionAttempt {
	const ignored = api === OPENAI_API ? getOptionsIgnoredByOpenAi(parameters) : [];
	if (ignored.length === 0) return read;
	const warning = `These options need the server's native API, which is not reachable: ${ignored.join(', ')}. They were ignored. Allow the native routes in the proxy as well.`;
	return { ...read, warnings: [...read.warnings, warning] };
}

/** Whether listing the models has found the API at another URL. */
async function isApiUrlChanged(server: ModelServer): Promise<boolean> {
	const previousUrl = server.url.api;
	await listModels(server).catch(captureError);
	return server.url.api !== previousUrl;
}

async function requestCompletionVia(
	api: ChatApi,
	turn: TurnContext,
	body: CompletionRequest,
): Promise<CompletionAttempt> {
	const { server, serverType, settings, chatRequest } = turn;
	const url = api.url(server);
	let accumulator: CompletionAccumulator | undefined;
	const send = async (json: JsonRecord) =>
		await request(
			server,
			{
				url,
				json,
				streamFormat: api.framing,
				model: body.model,
				timeouts: settings.timeouts,
				maxRetries: settings.retries,
				isPreemptible: chatRequest.isBuffered === true,
				...omitUndefined({
					signal: chatRequest.signal,
					priority: settings.priority ?? 'interactive',
				}),
			},
			async (response) => {
				accumulator = createAccumulator(turn, body, api);
				return await readCompletion(response, accumulator, turn);
			},
		);
	try {
		const adaptations = selectAdaptations(settings.parameters);
		const cacheKey = JSON.stringify([server.id, url, body.model]);
		const result = await sendWithAdaptations(
			cacheKey,
			api.body(body, serverType),
			adaptations,
			send,
		);
		return { ...result.value, warnings: result.warnings };
	} catch (error) {
		throw withPartialOutput(captureError(error), accumulator);
	}
}

function withPartialOutput(
	error: ServerError,
	accumulator: CompletionAccumulator | undefined,
): ServerError {
	const { text = '', reasoning = '' } = accumulator?.partial ?? {};
	const isBlank = text.trim() === '' && reasoning.trim() === '';
	return isBlank ? error : error.withPartial({ text, reasoning });
}

function selectAdaptations({ extraBody = {} }: ChatParameters): Adaptation[] {
	return [
		shortenToolCallIds,
		replaceJsonObject,
		adjustOllamaThinking,
		omitRejectedField(new Set(Object.keys(extraBody))),
		omitStreamOptions,
		enforceStrictRoles,
	];
}

function createAccumulator(
	{ settings, chatRequest, isQuoted }: TurnContext,
	body: CompletionRequest,
	{ decode }: ChatApi,
): CompletionAccumulator {
	const { toolCallsInText, parameters } = settings;
	const ignoresTextCalls = toolCallsInText === 'leave' || body.toolChoice === 'none';
	const offeredTools = ignoresTextCalls ? [] : selectCallableTools(body.tools, body.toolChoice);
	return new CompletionAccumulator({
		offeredTools: offeredTools.map(({ name }) => name),
		isQuoted,
		// If the text is not streamed, waiting for the end of the thinking costs nothing.
		mayStartInReasoning:
			chatRequest.isBuffered === true ||
			isJsonRequested(parameters) ||
			opensReasoningInPrompt(body.model),
		...omitUndefined({ prefill: getPrefill(body.messages), decode }),
	});
}

/** The text of a trailing assistant message, which the model continues. */
function getPrefill(messages: readonly ChatMessage[]): string | undefined {
	const last = messages.at(-1);
	const isPrefill = last?.role === 'assistant' && last.toolCalls === undefined;
	return isPrefill && last.content !== '' ? last.content : undefined;
}

/** Whether the text is shown only after validation. */
export function isBuffered({ chatRequest, settings }: TurnContext): boolean {
	return chatRequest.isBuffered === true || isJsonRequested(settings.parameters);
}

async function readCompletion(
	response: HttpResponse,
	accumulator: CompletionAccumulator,
	turn: TurnContext,
): Promise<Omit<CompletionAttempt, 'warnings'>> {
	const { chatRequest, queueStats, display } = turn;
	const { firstTokenMs, streamError } = await readEvents(response, accumulator, turn);
	// Otherwise the response was complete before the stream broke.
	if (
		streamError !== undefined &&
		(!accumulator.isFinished || chatRequest.signal?.aborted === true)
	)
		throw streamError.error;
	addQueueStats(queueStats, response.queueStats);
	const { rest, ...result } = accumulator.end(response.getNonEventLines());
	const completion = 'answer' in result ? result.answer : result.failure;
	if ('type' in completion && !isCorrectable(completion))
		throw toServerError(completion, response, turn);
	if (!isBuffered(turn)) display.push(rest);
	return {
		completion,
		url: response.url,
		firstTokenMs: isJsonResponse(response) ? 0 : firstTokenMs,
	};
}

function isJsonResponse({ headers }: HttpResponse): boolean {
	return /\bjson\b/.test(headers['content-type'] ?? '');
}

/** Reads events until the stream ends or breaks. */
async function readEvents(
	response: HttpResponse,
	accumulator: CompletionAccumulator,
	turn: TurnContext,
): Promise<{ firstTokenMs: number; streamError?: { error: unknown } }> {
	let firstTokenMs = 0;
	try {
		for await (const events of response.events()) {
			const eventsBefore = accumulator.contentEvents;
			for (const data of events) emitDelta(accumulator.push(data), turn);
			if (accumulator.contentEvents > eventsBefore) {
				response.markContent();
				firstTokenMs ||= performance.now() - turn.startedAt;
			}
			if (accumulator.isOver) break;
			if (accumulator.isFinished) response.expectEnd();
		}
		return { firstTokenMs };
	} catch (error) {
		return { firstTokenMs, streamError: { error } };
	}
}

function emitDelta(delta: TextAndReasoning, turn: TurnContext): void {
	turn.chatRequest.onOutput?.(delta);
	if (!isBuffered(turn)) turn.display.push(delta);
}

function addQueueStats(
	total: QueueStats,
	{ waitedMs, hasPreemptedBatch, timesPreempted }: QueueStats,
): void {
	total.waitedMs += waitedMs;
	total.hasPreemptedBatch ||= hasPreemptedBatch;
	total.timesPreempted += timesPreempted;
}

/** Whether the model can correct its tool calls. */
function isCorrectable({ type, toolCalls }: FailedCompletion): boolean {
	return type === 'invalidToolCall' && toolCalls !== undefined;
}

const TRUNCATED_BEFORE_TEXT =
	'The token limit was reached before any text was generated. Raise Maximum Tokens or the server context, or turn thinking off.';

export function toServerError(
	failure: FailedCompletion,
	response: Pick<HttpResponse, 'url' | 'headers'>,
	{ server, settings }: TurnContext,
): ServerError {
	const { type, serverText, status, tool, finishReason, usage } = failure;
	const { model, parameters } = settings;
	const context = toErrorContext(server, response.url, model);
	const plainTextError = toPlainTextError(failure, response.headers['content-type'], context);
	if (plainTextError !== undefined) return plainTextError;
	const { maxTokens = 0 } = parameters;
	const isTruncated = type === 'emptyResponse' && finishReason === 'length';
	return createServerError(type, context, {
		...omitUndefined({
			status,
			serverText,
			partialText: failure.text || undefined,
			partialReasoning: failure.reasoning || undefined,
			suggestion: isTruncated ? TRUNCATED_BEFORE_TEXT : undefined,
		}),
		facts: omitUndefined({ usage, finishReason }),
		about: {
			tool,
			maxTokens: maxTokens > 0 ? maxTokens : undefined,
			hasModelEnded: finishReason === 'stop',
		},
	});
}

/** The error for plain text instead of events: from a server that streams plain text, or from another program. */
function toPlainTextError(
	{ type: errorType, text, reasoning, serverText }: FailedCompletion,
	contentType: string | undefined,
	context: ErrorContext,
): ServerError | undefined {
	const type = contentType?.split(';')[0]?.trim() ?? '';
	const isEmpty = errorType === 'streamEndedEarly' && text === '' && reasoning === '';
	if (!isEmpty || serverText === undefined || type === '' || /event-stream|json/i.test(type))
		return undefined;
	return createServerError('invalidResponse', context, {
		message: `The server responded with ${type} instead of OpenAI API events (text/event-stream)`,
		suggestion:
			'A custom server must send each chunk as "data: {…}" with choices[0].delta.content and end with "data: [DONE]", or send the complete response as one JSON object. The details show what was received.',
		serverText,
		partialText: serverText,
	});
}
