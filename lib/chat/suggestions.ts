/** Suggestions for chat errors, by server type and state. */
import { ROOM_FOR_RESPONSE, suggestShorterResponse } from '../errors/context-overflow';
import { withRetriesAdvice } from '../errors/retries-advice';
import { asServerErrorOrThrow, ServerError } from '../errors/server-error';
import type { TokenCounts } from '../errors/token-counts';
import { createServerError } from '../errors/create-error';
import { toErrorContext } from '../http/request-errors';
import { getProfile } from '../servers/profile';
import { listModels } from '../servers/list-models';
import { hasFailed, suggestModels } from '../servers/model-selection';
import { collectTruncationWarnings } from '../servers/truncation';
import { other } from '../servers/types/other';
import type { ServerType } from '../servers/types/server-type';
import { asRecord } from '../values/records';
import { asFiniteNumber } from '../values/numbers';
import type { TurnContext } from './turn-context';
import type { CompletionRequest } from './completion';
import { getMedia, hasMedia, getText } from './content';
import { suggestForMedia } from './media-advice';
import { describeLargestPart } from './largest-part';
import { FORMAT_TOOL_NAME } from './tools/format-tool';

const SHORTER_PROMPT =
	'Or shorten the input. In an agent, keep fewer messages in memory or set History Budget in Local Chat Model, and use fewer tools. Many servers also count Maximum Tokens: lower it.';

/** Errors of servers whose model does not support images or audio. Few servers report the reason. */
const POSSIBLE_MEDIA_ERRORS = new Set(['serverError', 'badRequest']);

/**
 * What is known of the turn and its server explains the error: a suggestion, or an error of another type. May send requests,
 * such as for the list of models.
 *
 * @returns the same error if nothing is known
 */
export async function explainTurnError(
	error: ServerError,
	turn: TurnContext,
	draft: CompletionRequest,
): Promise<ServerError> {
	const media = draft.messages.flatMap(({ content }) => getMedia(content));
	if (POSSIBLE_MEDIA_ERRORS.has(error.type) && media.length > 0)
		return error.withSuggestion(suggestForMedia(media, turn.serverType));
	switch (error.type) {
		case 'modelNotFound':
			return await withModelList(error, turn);
		case 'emptyResponse':
		case 'invalidResponse':
			return await withTruncationSuggestion(error, turn, draft);
		case 'promptTooLong':
			return await withContextSuggestion(
				error,
				{ ...turn, model: turn.settings.model, signal: turn.chatRequest.signal },
				describeLargestPart(draft.messages, draft.tools) ?? SHORTER_PROMPT,
			);
		case 'requestTooLarge':
			return draft.messages.some(hasMedia) ? error : withShorterBody(error, draft);
		case 'busy':
			return withRetriesAdvice(error, turn.settings.retries);
		case 'routeNotFound':
			return await toNoChatError(error, turn);
		case 'toolsUnsupported':
			return draft.tools.some(({ name }) => name === FORMAT_TOOL_NAME)
				? withParserSuggestion(error)
				: error;
		default:
			return error;
	}
}

/** A request without files that a server or a proxy finds too large. */
function withShorterBody(error: ServerError, { messages, tools }: CompletionRequest) {
	const part = describeLargestPart(messages, tools);
	return part === undefined ? error : error.withSuggestion(`${part} ${error.suggestion}`);
}

/** Ollama truncates a single message that exceeds the context, and returns an empty response (docs/protocols/ollama.md 4.1). */
async function withTruncationSuggestion(
	error: ServerError,
	{ server, settings: { model } }: TurnContext,
	{ messages }: CompletionRequest,
) {
	const processedTokens = asFiniteNumber(asRecord(error.facts.usage).promptTokens);
	const texts = messages.map(({ content }) => getText(content));
	const [warning] = await collectTruncationWarnings(server, { texts, processedTokens, model });
	if (warning === undefined) return error;
	if (error.type === 'invalidResponse')
		return error.withSuggestion(`${warning} ${error.suggestion}`);
	return error.copyWith({
		type: 'promptTooLong',
		title: 'The server truncated the input, and the model returned an empty response',
		suggestion: warning,
	});
}

/** Lists the models of the server. */
async function withModelList(
	error: ServerError,
	{ server, serverType, settings: { model }, chatRequest }: TurnContext,
) {
	const models = await listModels(server, { signal: chatRequest.signal, modelTask: 'chat' }).catch(
		asServerErrorOrThrow,
	);
	const ids = Array.isArray(models)
		? models.filter((one) => !hasFailed(one)).map(({ id }) => id)
		: [];
	const others = ids.filter((id) => id !== model);
	const suggestion = suggestModels(others, serverType.texts.missingModel?.(model));
	if (!suggestion) return error;
	return error.copyWith({ suggestion, facts: { ...error.facts, models: ids.slice(0, 50) } });
}

interface ContextOverflow extends Pick<TurnContext, 'server' | 'serverType'> {
	model: string;
	signal?: AbortSignal;
	/** Tokens of the request. Default: the number in the error response. */
	tokens?: number;
}

/**
 * Suggests how to give the server a sufficient context, or the response fewer tokens, if the prompt was too long.
 *
 * @param shorter - how to make the prompt shorter
 */
export async function withContextSuggestion(
	error: ServerError,
	overflow: ContextOverflow,
	shorter: string,
): Promise<ServerError> {
	if (error.type !== 'promptTooLong') return error;
	const { server, model, signal } = overflow;
	const counts: TokenCounts = {
		promptTokens: overflow.tokens ?? asFiniteNumber(error.facts.n_prompt_tokens),
		contextTokens: asFiniteNumber(error.facts.n_ctx),
		responseTokens: asFiniteNumber(error.facts.n_predict),
	};
	// The prompt fits, so a larger context is not needed.
	const shorterResponse = suggestShorterResponse(counts);
	if (shorterResponse !== undefined) return error.withSuggestion(shorterResponse);
	if (counts.promptTokens === undefined) return withShorterPrompt(error, shorter);
	const profile = getProfile(server);
	const props = await profile.fetchProps(model, signal);
	const trained = await profile.fetchTrainedContext(model, signal);
	const current = counts.contextTokens ?? props?.context ?? 0;
	const larger = suggestLargerContext(overflow.serverType, {
		needed: getNeededTokens(counts),
		current,
		trained,
		slots: props?.slots,
	});
	// In a chat, only the first step may have room: what is known of this request, if anything is.
	const isKnown = !shorter.startsWith('Or ');
	const steps = isKnown ? [shorter, toAlternative(larger)] : [larger, shorter];
	return error.withSuggestion(steps.join(' ').trim());
}

function toAlternative(sentence: string) {
	return /^(?:Start|Give|Set|Raise|Choose)\b/.test(sentence)
		? `Or ${sentence.charAt(0).toLowerCase()}${sentence.slice(1)}`
		: sentence;
}

/** Without the numbers, the part that is known comes first, if there is one. */
function withShorterPrompt(error: ServerError, shorter: string) {
	const steps = shorter.startsWith('Or ')
		? [error.suggestion, shorter]
		: [shorter, error.suggestion];
	return error.withSuggestion(steps.join(' '));
}

/** Tokens of the prompt, and those of the response if the server counts them. */
function getNeededTokens(counts: TokenCounts) {
	const { promptTokens = 0, contextTokens = Infinity } = counts;
	// The counts say that the prompt fits: a server that stops counting does so one token above its limit (vLLM).
	const isCountCapped = promptTokens <= contextTokens + 1;
	return isCountCapped && Number.isFinite(contextTokens)
		? 2 * Math.max(promptTokens, contextTokens)
		: promptTokens;
}

/** Sizes of the context, in tokens. */
interface ContextSizes {
	/** For this request. */
	needed: number;
	/** Of the server now; 0 if it is not known. */
	current: number;
	/** What the model was trained with. */
	trained: number;
	/** Slots that share the context. */
	slots?: number;
}

/** @returns empty if a larger context is no help, or would not be larger */
function suggestLargerContext(
	{ texts }: ServerType,
	{ needed, current, trained, slots }: ContextSizes,
) {
	if (needed >= trained)
		return `This model supports at most ${trained} tokens, so a larger context does not help: choose a model with a larger context.`;
	const size = Math.min(trained, Math.ceil((needed + ROOM_FOR_RESPONSE) / 1024) * 1024);
	return size > current ? texts.context(size, slots) : '';
}

/** Errors of the list that name the mistake, too: a web page has no chat route either. */
const ADDRESS_ERRORS = new Set(['notAnApi', 'wrongServer']);

/** On a recognized server the path is correct, so the model does not support chat (vLLM with an embedding model). */
async function toNoChatError(
	error: ServerError,
	{ server, serverType, settings: { model }, chatRequest }: TurnContext,
) {
	if (serverType === other) {
		const models = await listModels(server, { signal: chatRequest.signal }).catch(
			asServerErrorOrThrow,
		);
		return models instanceof ServerError && ADDRESS_ERRORS.has(models.type) ? models : error;
	}
	if (serverType.hasEveryRoute) return error;
	const { status, serverText, url = server.getApiUrl() } = error;
	return createServerError('wrongModelType', toErrorContext(server, { url, model }), {
		status,
		serverText,
	});
}

/** The agent may have no other tools: n8n's output parser is one. */
function withParserSuggestion(error: ServerError) {
	return error.copyWith({
		title:
			'The model or server does not support tool calls, which the Structured Output Parser needs',
		suggestion: `${error.suggestion} Or remove the parser and set Response Format of the model to JSON Schema.`,
	});
}
