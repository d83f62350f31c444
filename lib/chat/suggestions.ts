/** Suggestions for chat errors, by server type and state. */
import { captureError, ServerError } from '../errors/server-error';
import { createServerError } from '../errors/create-error';
import { toErrorContext } from '../http/request-errors';
import { getProfile } from '../servers/profile';
import { listModels } from '../servers/list-models';
import { suggestModels } from '../servers/models';
import { getTruncationWarnings } from '../servers/truncation';
import { other } from '../servers/types/other';
import { asRecord } from '../values/records';
import { asFiniteNumber } from '../values/numbers';
import type { CompletionRequest, TurnContext } from './types';
import { hasMedia, getText } from './content';
import { FORMAT_TOOL_NAME } from './tools/format-tool';

/** Tokens reserved for the response. */
const ROOM_FOR_ANSWER = 512;

const SHORTER_PROMPT =
	'Or shorten the input. In an agent, keep fewer messages in memory or set History Budget in Local Chat Model, and use fewer tools.';

/** Errors of servers whose model does not support images or audio. Few servers report the reason. */
const POSSIBLE_MEDIA_ERRORS = new Set(['serverError', 'badRequest']);

const TRY_WITHOUT_MEDIA =
	'The request contained images, audio or video, which the model may not support: try it without them. Otherwise check the server message and the server log.';

/** Adds a suggestion for this server to an error, if there is one. */
export async function withSuggestion(
	error: ServerError,
	turn: TurnContext,
	draft: CompletionRequest,
): Promise<ServerError> {
	if (POSSIBLE_MEDIA_ERRORS.has(error.type) && draft.messages.some(hasMedia))
		return error.copyWith({ suggestion: TRY_WITHOUT_MEDIA });
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
				SHORTER_PROMPT,
			);
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

/** Ollama truncates a single message that exceeds the context, and returns an empty response (docs/protocols/ollama.md 4.1). */
async function withTruncationSuggestion(
	error: ServerError,
	{ server, settings: { model } }: TurnContext,
	{ messages }: CompletionRequest,
) {
	const processedTokens = asFiniteNumber(asRecord(error.facts.usage).promptTokens);
	const texts = messages.map(({ content }) => getText(content));
	const [warning] = await getTruncationWarnings(server, { texts, processedTokens, model });
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
	const models = await listModels(server, chatRequest.signal, 'chat').catch(captureError);
	const ids = Array.isArray(models) ? models.map(({ id }) => id) : [];
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

/** Suggests how to give the server a sufficient context. */
export async function withContextSuggestion(
	error: ServerError,
	{
		server,
		serverType,
		model,
		signal,
		tokens = asFiniteNumber(error.facts.n_prompt_tokens),
	}: ContextOverflow,
	alternative: string,
): Promise<ServerError> {
	if (tokens === undefined) return error;
	const limit = asFiniteNumber(error.facts.n_ctx);
	// vLLM stops counting one token above its limit.
	const isCountCapped = limit !== undefined && tokens <= limit + 1;
	const needed = isCountCapped ? 2 * tokens : tokens;
	const profile = getProfile(server);
	const props = await profile.getProps(model, signal);
	const trained = await profile.getTrainedContext(model, signal);
	const size = Math.min(trained, Math.ceil((needed + ROOM_FOR_ANSWER) / 1024) * 1024);
	const suggestion =
		needed < trained
			? serverType.texts.context(size, props?.slots)
			: `This model supports at most ${trained} tokens, so a larger context does not help: choose a model with a larger context.`;
	return error.withSuggestion(`${suggestion} ${alternative}`);
}

/** Errors of the list that name the mistake, too: a web page has no chat route either. */
const ADDRESS_ERRORS = new Set(['notAnApi', 'wrongServer']);

/** On a recognized server the path is correct, so the model does not support chat (vLLM with an embedding model). */
async function toNoChatError(
	error: ServerError,
	{ server, serverType, settings: { model }, chatRequest }: TurnContext,
) {
	if (serverType === other) {
		const models = await listModels(server, chatRequest.signal).catch(captureError);
		return models instanceof ServerError && ADDRESS_ERRORS.has(models.type) ? models : error;
	}
	if (serverType.hasEveryRoute) return error;
	const { status, serverText, url = server.getApiUrl() } = error;
	return createServerError('wrongModelType', toErrorContext(server, url, model), {
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
