/** Gets a valid completion: one exchange over a chat route of the server. */
import { captureError } from '../errors/server-error';
import {
	adjustOllamaThinking,
	omitFormat,
	omitRejectedField,
	omitStreamOptions,
	replaceJsonObject,
} from '../exchange/adaptations';
import { exchange, type ExchangeResult, getRoutes } from '../exchange/exchange';
import { CompletionAccumulator, readStream } from './completion-accumulator';
import {
	getOptionsIgnoredByOpenAi,
	needsNativeApi,
	toOllamaBody,
	toOpenAiChunk,
} from './ollama-body';
import { toOpenAiBody, selectCallableTools } from './openai-body';
import { enforceStrictRoles } from './strict-roles';
import { withSuggestion } from './suggestions';
import type { TurnContext } from './turn-context';
import {
	type AcceptedCompletion,
	validateCompletion,
	toServerError,
	showsTextAtEnd,
	type AttemptedCompletion,
} from './validate-completion';
import type { HttpResponse, QueueStats } from '../http/types';
import type { RouteName } from '../servers/types/server-type';
import { isJsonRequested } from './parameters';
import { getReasoningStart, type ReasoningStart } from './reasoning-start';
import type { ChatMessage, CompletionRequest } from './types';
import { addUsage } from './usage';

type CompletionResult = ExchangeResult<CompletionRequest, AcceptedCompletion>;

/**
 * Requests a completion over OpenAI's route, or over the native one if the parameters need it.
 *
 * @throws {ServerError} with a suggestion, the partial output, and the usage of all attempts
 */
export async function requestCompletion(
	turn: TurnContext,
	draft: CompletionRequest,
): Promise<CompletionResult> {
	const { server, serverType, settings, chatRequest, display } = turn;
	const { extraBody = {}, responseFormat } = settings.parameters;
	const canOmitFormat = responseFormat?.type === 'jsonSchema' && responseFormat.isInPrompt === true;
	const routes = getRoutes(serverType, 'chat');
	let accumulator: CompletionAccumulator | undefined;
	const result = await exchange<CompletionRequest, AcceptedCompletion>(server, {
		// Chats must not learn from Extract to omit the format.
		learningScope: canOmitFormat ? 'extract' : 'chat',
		// Ollama lists its own route first, but a gateway before it may forward OpenAI's only: chats use that one, unless
		// an option needs the other.
		routes: needsNativeApi(draft.parameters) ? routes : [...routes].reverse(),
		draft,
		toBody: (request, route) =>
			route === 'ollamaChat' ? toOllamaBody(request) : toOpenAiBody(request, serverType),
		adaptations: {
			field: [
				adjustOllamaThinking,
				omitRejectedField(new Set(Object.keys(extraBody))),
				omitStreamOptions,
			],
			format: [replaceJsonObject, ...(canOmitFormat ? [omitFormat] : [])],
			conversation: [enforceStrictRoles],
		},
		model: draft.model,
		timeouts: settings.timeouts,
		maxRetries: settings.retries,
		isPreemptible: chatRequest.isBuffered === true,
		priority: settings.priority ?? 'interactive',
		signal: chatRequest.signal,
		read: async (response, request) => {
			const start = getReasoningStart(turn, request.draft);
			turn.isDelayed = start.isLearned;
			accumulator = createAccumulator(turn, request, start);
			const completion = await readCompletion(response, accumulator, turn);
			turn.reasoningWarning = start.learn(completion);
			return validateCompletion(turn, completion, request.draft);
		},
		getPartial: () => accumulator?.partial,
		getShownLength: () => display.text.length,
		onResend: () => display.startRetry(),
	}).catch(async (error: unknown) => {
		const serverError = await withSuggestion(captureError(error), turn, draft);
		throw serverError.copyWith({ facts: { ...serverError.facts, usage: turn.usage } });
	});
	const isFallback = routes.includes('ollamaChat') && result.route === 'openAiChat';
	const ignored = isFallback ? getOptionsIgnoredByOpenAi(draft.parameters) : [];
	if (ignored.length === 0) return result;
	const warning = `These options need the server's native API, which is not reachable: ${ignored.join(', ')}. They were ignored. Allow the native routes in the proxy as well.`;
	return { ...result, warnings: [...result.warnings, warning] };
}

function createAccumulator(
	{ settings, isQuotation }: TurnContext,
	{ draft, route }: { draft: CompletionRequest; route: RouteName },
	start: ReasoningStart,
): CompletionAccumulator {
	const { toolCallsInText, parameters } = settings;
	const ignoresTextCalls = toolCallsInText === 'leave' || draft.toolChoice === 'none';
	const offeredTools = ignoresTextCalls ? [] : selectCallableTools(draft.tools, draft.toolChoice);
	const isJson = isJsonRequested(parameters);
	return new CompletionAccumulator({
		offeredTools: offeredTools.map(({ name }) => name),
		isQuotation,
		isJson,
		mentionsTags: start.mentionsTags,
		mayStartInReasoning: start.isPossible,
		maxTokens: parameters.maxTokens,
		prefill: getPrefill(draft.messages),
		decode: route === 'ollamaChat' ? toOpenAiChunk : undefined,
	});
}

/** The text of a trailing assistant message, which the model continues. */
function getPrefill(messages: readonly ChatMessage[]): string | undefined {
	const last = messages.at(-1);
	const isPrefill = last?.role === 'assistant' && last.toolCalls === undefined;
	return isPrefill && last.content !== '' ? last.content : undefined;
}

/** @throws {ServerError} for a completion that the model cannot correct */
async function readCompletion(
	response: HttpResponse,
	accumulator: CompletionAccumulator,
	turn: TurnContext,
): Promise<AttemptedCompletion> {
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
		signal,
	});
	addQueueStats(queueStats, response.queueStats);
	turn.usage = addUsage(turn.usage, completion.usage);
	if (completion.type === 'failed' && completion.toolCalls === undefined)
		throw toServerError(completion, response, turn);
	if (!showsTextAtEnd(turn)) display.push(rest);
	return {
		...completion,
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
