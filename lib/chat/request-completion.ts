/** Gets a valid completion: one exchange over a chat route of the server. */
import { captureError } from '../errors/server-error';
import {
	adjustOllamaThinking,
	omitFormat,
	omitRejectedField,
	omitStreamOptions,
	replaceJsonObject,
} from '../exchange/adaptations';
import type { ExchangeResult } from '../exchange/exchange';
import { exchange } from '../exchange/exchange';
import { getRoutes } from '../exchange/routes';
import type { AccumulatorOptions } from './read/completion-accumulator';
import { CompletionAccumulator } from './read/completion-accumulator';
import { readStream } from './read/read-stream';
import { getOptionsIgnoredByOpenAi, needsNativeApi, toOllamaBody } from './body/ollama-body';
import { toOpenAiChunk } from './read/ollama-chunk';
import { toOpenAiBody, selectCallableTools, isJsonRequested } from './body/openai-body';
import { enforceStrictRoles } from './body/strict-roles';
import { withSuggestion } from './suggestions';
import type { AcceptedCompletion, AttemptedCompletion } from './check/validate-completion';
import { validateCompletion, showsTextAtEnd } from './check/validate-completion';
import { toServerError } from './check/completion-error';
import type { HttpResponse } from '../http/types';
import type { RouteName } from '../servers/types/server-type';
import type { CompletionRequest, Completion, TurnContext } from './types';
import { addUsage } from './read/usage';
import { getProfile } from '../servers/profile';
import { hasUnopenedReasoning, opensReasoningInPrompt } from '../text/reasoning';
import { getText } from './content';
import { createQuotationCheck } from '../text/calls/quotations';
import { getCallableNames } from './tools/tool-finder';

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
	const canOmitFormat = responseFormat?.type === 'jsonSchema' && responseFormat.isInPrompt;
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
		queueStats: turn.queueStats,
		signal: chatRequest.signal,
		read: async (response, request) => {
			const { start, isLearned, learn } = getReasoningStart(turn, request.draft);
			turn.isDelayed = isLearned;
			accumulator = createAccumulator(turn, request, start);
			const completion = await readCompletion(response, accumulator, turn);
			turn.reasoningWarning = learn(completion);
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
	{ settings, chatRequest, toolNames, quotableTexts }: TurnContext,
	{ draft, route }: { draft: CompletionRequest; route: RouteName },
	start: AccumulatorOptions,
) {
	const ignoresTextCalls = settings.toolCallsInText === 'leave' || draft.toolChoice === 'none';
	const last = draft.messages.at(-1);
	const { unofferedTools = [] } = chatRequest;
	const wireTools = unofferedTools.map((tool) => ({ ...tool, name: toolNames.toWire(tool.name) }));
	const callableTools = ignoresTextCalls
		? []
		: selectCallableTools([...draft.tools, ...wireTools], draft.toolChoice);
	const toolByName = getCallableNames(callableTools);
	const corrected = (draft.correctedCalls ?? []).flatMap((call) => [call.name, call.arguments]);
	return new CompletionAccumulator({
		offeredTools: [...toolByName.keys()],
		isQuotation: createQuotationCheck([...quotableTexts, ...corrected], toolByName),
		isJson: isJsonRequested(settings.parameters),
		...start,
		maxTokens: settings.parameters.maxTokens,
		// The model continues the text of a trailing assistant message.
		prefill: last?.role === 'assistant' && !last.toolCalls ? last.content : undefined,
		decode: route === 'ollamaChat' ? toOpenAiChunk : undefined,
	});
}

/** @throws {ServerError} for a completion that the model cannot correct */
async function readCompletion(
	response: HttpResponse,
	accumulator: CompletionAccumulator,
	turn: TurnContext,
): Promise<AttemptedCompletion> {
	const { chatRequest, display } = turn;
	const { signal } = chatRequest;
	let firstTokenMs = 0;
	const { rest, completion } = await readStream(response, accumulator, {
		onDelta: (delta) => {
			if (!showsTextAtEnd(turn)) display.push(delta);
		},
		onContent: () => {
			firstTokenMs ||= performance.now() - turn.startedAt;
		},
		signal,
	});
	turn.usage = addUsage(turn.usage, completion.usage);
	const contentType = response.headers['content-type'];
	if (completion.failure && !completion.failure.isCorrectable)
		throw toServerError(completion, response.errorContext, turn, contentType);
	if (!showsTextAtEnd(turn)) display.push(rest);
	return {
		...completion,
		url: response.url,
		firstTokenMs: /\bjson\b/.test(contentType ?? '') ? 0 : firstTokenMs,
	};
}

const WARNING =
	'The response ended its thinking with </think> but had not begun it, so the thinking was shown as text. The next responses of this model are shown when their thinking has ended. Start the server with a reasoning parser to avoid this.';

/**
 * Whether the response to a request may begin inside the thinking.
 *
 * @returns also `isLearned`: whether that is known from the last response; and `learn`, which stores whether the response
 * began inside the thinking, and returns the warning about the first one.
 */
function getReasoningStart(
	{ server, settings, chatRequest }: TurnContext,
	{ model, messages, parameters }: CompletionRequest,
) {
	const mentionsTags = messages.some(
		({ role, content }) => role !== 'assistant' && getText(content).includes('think>'),
	);
	const isBuffered = chatRequest.isBuffered === true;
	const isJson = isJsonRequested(settings.parameters);
	// If the text is not streamed, waiting for the end of the thinking costs nothing.
	const mayStartInReasoning =
		(isBuffered && !mentionsTags) || isJson || opensReasoningInPrompt(model);
	const isThinkingOff = parameters.thinking?.mode === 'off';
	if (mayStartInReasoning || isBuffered || mentionsTags || isThinkingOff)
		return {
			start: { mentionsTags, mayStartInReasoning },
			isLearned: false,
			learn: () => undefined,
		};
	const profile = getProfile(server);
	const key = JSON.stringify([model, parameters.thinking]);
	const isLearned = profile.startsInReasoning(key);
	return {
		start: { mentionsTags, mayStartInReasoning: isLearned },
		isLearned,
		learn: ({ text, reasoning }: Completion) => {
			const starts = isLearned ? reasoning !== '' : hasUnopenedReasoning(text);
			profile.storeReasoningStart(key, starts);
			return starts && !isLearned ? WARNING : undefined;
		},
	};
}
