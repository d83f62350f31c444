/** Reads the response of a chat. */
import { type ErrorContext, createServerError } from '../errors/create-error';
import type { ServerError } from '../errors/server-error';
import type { HttpResponse, QueueStats } from '../http/types';
import { toErrorContext } from '../http/request-errors';
import type { RouteName } from '../servers/types/server-type';
import { omitUndefined } from '../values';
import { type TurnContext } from './turn-context';
import { CompletionAccumulator } from './completion-accumulator';
import type { Completion, FailedCompletion } from './completion';
import { type CompletionRequest, selectCallableTools } from './openai-body';
import { toOpenAiChunk } from './ollama-body';
import { isJsonRequested } from './parameters';
import { readStream } from './read-stream';
import { opensReasoningInPrompt } from '../text/reasoning';
import type { ChatMessage } from './types';
import { addUsage } from './usage';

/** A request and its completion. */
export interface CompletionAttempt {
	/** A completion, or invalid tool calls, which the model can correct. */
	completion: Completion | FailedCompletion;
	/** URL that responded. */
	url: string;
	/** Milliseconds to the first token; 0 for a response as one JSON object. */
	firstTokenMs: number;
}

export function createAccumulator(
	{ settings, chatRequest, isQuotation }: TurnContext,
	{ draft, route }: { draft: CompletionRequest; route: RouteName },
): CompletionAccumulator {
	const { toolCallsInText, parameters } = settings;
	const ignoresTextCalls = toolCallsInText === 'leave' || draft.toolChoice === 'none';
	const offeredTools = ignoresTextCalls ? [] : selectCallableTools(draft.tools, draft.toolChoice);
	const isJson = isJsonRequested(parameters);
	return new CompletionAccumulator({
		offeredTools: offeredTools.map(({ name }) => name),
		isQuotation,
		isJson,
		// If the text is not streamed, waiting for the end of the thinking costs nothing.
		mayStartInReasoning:
			chatRequest.isBuffered === true || isJson || opensReasoningInPrompt(draft.model),
		...omitUndefined({
			maxTokens: parameters.maxTokens,
			prefill: getPrefill(draft.messages),
			decode: route === 'ollamaChat' ? toOpenAiChunk : undefined,
		}),
	});
}

/** The text of a trailing assistant message, which the model continues. */
function getPrefill(messages: readonly ChatMessage[]): string | undefined {
	const last = messages.at(-1);
	const isPrefill = last?.role === 'assistant' && last.toolCalls === undefined;
	return isPrefill && last.content !== '' ? last.content : undefined;
}

/** Whether the text is shown only after validation. */
export function showsTextAtEnd({ chatRequest, settings }: TurnContext): boolean {
	return chatRequest.isBuffered === true || isJsonRequested(settings.parameters);
}

/** @throws {ServerError} for a completion that the model cannot correct */
export async function readCompletion(
	response: HttpResponse,
	accumulator: CompletionAccumulator,
	turn: TurnContext,
): Promise<CompletionAttempt> {
	const { chatRequest, queueStats, display } = turn;
	const { signal } = chatRequest;
	let firstTokenMs = 0;
	const { rest, completion } = await readStream(response, accumulator, {
		onDelta: (delta) => {
			if (!showsTextAtEnd(turn)) display.push(delta);
			return undefined;
		},
		onContent: () => {
			firstTokenMs ||= performance.now() - turn.startedAt;
		},
		...omitUndefined({ signal }),
	});
	addQueueStats(queueStats, response.queueStats);
	turn.usage = addUsage(turn.usage, completion.usage);
	if (completion.type === 'failed' && !isCorrectable(completion))
		throw toServerError(completion, response, turn);
	if (!showsTextAtEnd(turn)) display.push(rest);
	return {
		completion,
		url: response.url,
		firstTokenMs: isJsonResponse(response) ? 0 : firstTokenMs,
	};
}

function isJsonResponse({ headers }: HttpResponse): boolean {
	return /\bjson\b/.test(headers['content-type'] ?? '');
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
function isCorrectable({ errorType, toolCalls }: FailedCompletion): boolean {
	return errorType === 'invalidToolCall' && toolCalls !== undefined;
}

const TRUNCATED_BEFORE_TEXT =
	'The token limit was reached before any text was generated. Raise Maximum Tokens or the server context, or turn thinking off.';

export function toServerError(
	failure: FailedCompletion,
	response: Pick<HttpResponse, 'url' | 'headers'>,
	{ server, settings }: TurnContext,
): ServerError {
	const { errorType, serverText, status, tool, finishReason, usage } = failure;
	const { model, parameters } = settings;
	const context = toErrorContext(server, response.url, model);
	const plainTextError = toPlainTextError(failure, response.headers['content-type'], context);
	if (plainTextError !== undefined) return plainTextError;
	const { maxTokens = 0 } = parameters;
	const isTruncated = errorType === 'emptyResponse' && finishReason === 'length';
	return createServerError(errorType, context, {
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
	{ errorType, text, reasoning, serverText }: FailedCompletion,
	contentType: string | undefined,
	context: ErrorContext,
): ServerError | undefined {
	const type = contentType?.split(';')[0]?.trim() ?? '';
	const isEmpty = errorType === 'streamEndedEarly' && text === '' && reasoning === '';
	if (!isEmpty || serverText === undefined || type === '' || /event-stream|json/i.test(type))
		return undefined;
	return createServerError('invalidResponse', context, {
		title: `The server responded with ${type} instead of OpenAI API events (text/event-stream)`,
		suggestion:
			'A custom server must send each chunk as "data: {…}" with choices[0].delta.content and end with "data: [DONE]", or send the complete response as one JSON object. The details show what was received.',
		serverText,
		partialText: serverText,
	});
}
