/** Sends the body of a chat, with what the server refuses left out or changed, and reads the answer. */
import { type ErrorContext, createServerError } from '../errors/create-error';
import { captureError, type ServerError } from '../errors/server-error';
import type { HttpResponse as HttpAnswer, QueueStats } from '../http/types';
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
} from '../servers/adaptations';
import type { ModelServer, ServerType } from '../servers/types/server-type';
import { type JsonRecord, omitUndefined } from '../values';
import { withSuggestion } from './suggestions';
import { type TurnContext } from './completion-request';
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

/** What was read. */
export interface CompletionAttempt {
	/** An answer, or a failure that the model can mend: broken calls. */
	completion: Completion | FailedCompletion;
	/** That answered. */
	url: string;
	/** From the call to the first token; 0 where the answer came as one JSON object. */
	firstTokenMs: number;
	/** On what was changed of the request. */
	warnings: string[];
}

/** A way to ask for a chat. */
interface ChatApi {
	url(server: ModelServer): string;
	framing: 'events' | 'lines';
	body(body: CompletionRequest, kind: ServerType): JsonRecord;
	decode?(event: JsonRecord): JsonRecord;
}

const OPENAI_API: ChatApi = {
	url: ({ url }) => `${url.api}/chat/completions`,
	framing: 'events',
	body: toOpenAiBody,
};

/** Those that servers have beside OpenAI's, by their names in the rows. */
const NATIVE_APIS: Readonly<Record<NonNullable<ServerType['nativeApi']>, ChatApi>> = {
	ollama: {
		url: ({ url }) => `${url.root}/api/chat`,
		framing: 'lines',
		body: toOllamaBody,
		decode: toOpenAiChunk,
	},
};

/**
 * One answer, by the server's own API where that is needed, and by the other one where a route is missing.
 *
 * @throws {ServerError} with advice, and with what had arrived
 */
export async function requestCompletion(
	turn: TurnContext,
	body: CompletionRequest,
): Promise<CompletionAttempt> {
	const { serverType, server } = turn;
	const native = serverType.nativeApi && NATIVE_APIS[serverType.nativeApi];
	const api = native !== undefined && needsNativeApi(body.parameters) ? native : OPENAI_API;
	const outcome = await requestCompletionVia(api, turn, body).catch(captureError);
	if (!('failed' in outcome)) return outcome;
	const { failed } = outcome;
	const other = api === OPENAI_API ? native : OPENAI_API;
	if (failed.type === 'routeNotFound' && (await isApiUrlChanged(server)))
		return await requestCompletionVia(api, turn, body);
	if (failed.type === 'routeNotFound' && other !== undefined)
		return withIgnoredOptionsWarning(await requestCompletionVia(other, turn, body), other, body);
	throw await withSuggestion(failed, turn, body);
}

/** With a note on options that only the server's own API knows. */
function withIgnoredOptionsWarning(
	read: CompletionAttempt,
	api: ChatApi,
	{ parameters }: CompletionRequest,
): CompletionAttempt {
	const ignored = api === OPENAI_API ? getOptionsIgnoredByOpenAi(parameters) : [];
	if (ignored.length === 0) return read;
	const note = `These options need the server's native API, which is not reachable: ${ignored.join(', ')}. They were ignored. Allow the native routes in the proxy as well.`;
	return { ...read, warnings: [...read.warnings, note] };
}

/** Whether the API is at another URL than was assumed, as its list of models tells. */
async function isApiUrlChanged(server: ModelServer): Promise<boolean> {
	const before = server.url.api;
	await listModels(server).catch(captureError);
	return server.url.api !== before;
}

async function requestCompletionVia(
	api: ChatApi,
	turn: TurnContext,
	body: CompletionRequest,
): Promise<CompletionAttempt> {
	const { server, serverType, settings, chatRequest } = turn;
	const url = api.url(server);
	let reader: CompletionAccumulator | undefined;
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
				...omitUndefined({ signal: chatRequest.signal, priority: settings.priority ?? 'interactive' }),
			},
			async (answer) => {
				reader = createAccumulator(turn, body, api);
				return await readCompletion(answer, reader, turn);
			},
		);
	try {
		const adaptations = selectAdaptations(settings.parameters);
		const place = JSON.stringify([server.id, url, body.model]);
		const outcome = await sendWithAdaptations(place, api.body(body, serverType), adaptations, send);
		return { ...outcome.value, warnings: outcome.notes };
	} catch (error) {
		throw withPartialOutput(captureError(error).failed, reader);
	}
}

function withPartialOutput(
	failed: ServerError,
	reader: CompletionAccumulator | undefined,
): ServerError {
	const { text = '', reasoning = '' } = reader?.partial ?? {};
	const isBlank = text.trim() === '' && reasoning.trim() === '';
	return isBlank ? failed : failed.withPartial({ text, reasoning });
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
	const isLeft = toolCallsInText === 'leave' || body.toolChoice === 'none';
	const offered = isLeft ? [] : selectCallableTools(body.tools, body.toolChoice);
	return new CompletionAccumulator({
		offeredTools: offered.map(({ name }) => name),
		isQuoted,
		// Where nobody sees the text before its end, waiting for the end of thinking costs nothing.
		mayStartInReasoning:
			chatRequest.isBuffered === true ||
			isJsonRequested(parameters) ||
			opensReasoningInPrompt(body.model),
		...omitUndefined({ prefill: getPrefill(body.messages), decode }),
	});
}

/** The text of a trailing assistant message, which the model goes on with. */
function getPrefill(messages: readonly ChatMessage[]): string | undefined {
	const last = messages.at(-1);
	const isBegun = last?.role === 'assistant' && last.toolCalls === undefined;
	return isBegun && last.content !== '' ? last.content : undefined;
}

/** Whether the text is shown only when it was judged. */
export function isBuffered({ chatRequest, settings }: TurnContext): boolean {
	return chatRequest.isBuffered === true || isJsonRequested(settings.parameters);
}

async function readCompletion(
	answer: HttpAnswer,
	reader: CompletionAccumulator,
	turn: TurnContext,
): Promise<Omit<CompletionAttempt, 'warnings'>> {
	const { chatRequest, queueStats, display } = turn;
	const { firstTokenMs, broken } = await readEvents(answer, reader, turn);
	// Else all content came before it.
	if (broken !== undefined && (!reader.isFinished || chatRequest.signal?.aborted === true))
		throw broken.error;
	addQueueStats(queueStats, answer.queueStats);
	const { rest, ...outcome } = reader.end(answer.getNonEventLines());
	const read = 'answer' in outcome ? outcome.answer : outcome.failure;
	if ('type' in read && !isCorrectable(read)) throw toServerError(read, answer, turn);
	if (!isBuffered(turn)) display.push(rest);
	return {
		completion: read,
		url: answer.url,
		firstTokenMs: isJsonResponse(answer) ? 0 : firstTokenMs,
	};
}

/** An answer that did not come in pieces. */
function isJsonResponse({ headers }: HttpAnswer): boolean {
	return /\bjson\b/.test(headers['content-type'] ?? '');
}

/** Reads the events to the end, or to where the stream breaks. */
async function readEvents(
	answer: HttpAnswer,
	reader: CompletionAccumulator,
	turn: TurnContext,
): Promise<{ firstTokenMs: number; broken?: { error: unknown } }> {
	let firstTokenMs = 0;
	try {
		for await (const events of answer.events()) {
			const before = reader.contentEvents;
			for (const data of events) emitDelta(reader.push(data), turn);
			if (reader.contentEvents > before) {
				answer.markContent();
				firstTokenMs ||= performance.now() - turn.startedAt;
			}
			if (reader.isOver) break;
			if (reader.isFinished) answer.expectEnd();
		}
		return { firstTokenMs };
	} catch (error) {
		return { firstTokenMs, broken: { error } };
	}
}

function emitDelta(piece: TextAndReasoning, turn: TurnContext): void {
	turn.chatRequest.onPiece?.(piece);
	if (!isBuffered(turn)) turn.display.push(piece);
}

function addQueueStats(
	place: QueueStats,
	{ waitedMs, hasPreemptedBatch, timesPreempted }: QueueStats,
): void {
	place.waitedMs += waitedMs;
	place.hasPreemptedBatch ||= hasPreemptedBatch;
	place.timesPreempted += timesPreempted;
}

/** Whether the model can be told what was wrong with its calls. */
function isCorrectable({ type, toolCalls }: FailedCompletion): boolean {
	return type === 'invalidToolCall' && toolCalls !== undefined;
}

const TRUNCATED_BEFORE_TEXT =
	'The token limit was reached before any text was generated. Raise Maximum Tokens or the server context, or turn thinking off.';

/** The error for an answer that cannot be used. */
export function toServerError(
	failed: FailedCompletion,
	answer: Pick<HttpAnswer, 'url' | 'headers'>,
	{ server, settings }: TurnContext,
): ServerError {
	const { type, serverText, status, tool, finishReason, usage } = failed;
	const { model, parameters } = settings;
	const context = toErrorContext(server, answer.url, model);
	const foreign = toPlainTextError(failed, answer.headers['content-type'], context);
	if (foreign !== undefined) return foreign;
	const { maxTokens = 0 } = parameters;
	const isCut = type === 'emptyResponse' && finishReason === 'length';
	return createServerError(type, context, {
		...omitUndefined({
			status,
			serverText,
			partialText: failed.text || undefined,
			partialReasoning: failed.reasoning || undefined,
			suggestion: isCut ? TRUNCATED_BEFORE_TEXT : undefined,
		}),
		facts: omitUndefined({ usage, finishReason }),
		about: {
			tool,
			maxTokens: maxTokens > 0 ? maxTokens : undefined,
			hasModelEnded: finishReason === 'stop',
		},
	});
}

/** Plain text in place of events: from a server that streams plain text, or from another program. */
function toPlainTextError(
	{ type: kind, text, reasoning, serverText }: FailedCompletion,
	contentType: string | undefined,
	context: ErrorContext,
): ServerError | undefined {
	const type = contentType?.split(';')[0]?.trim() ?? '';
	const isEmpty = kind === 'streamEndedEarly' && text === '' && reasoning === '';
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
