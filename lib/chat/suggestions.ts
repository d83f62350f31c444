/** What to do about a failed chat, by what its server is and has. */
import { captureError, type ServerError } from '../errors/server-error';
import { createServerError } from '../errors/create-error';
import { toErrorContext } from '../http/request-errors';
import { listModels } from '../servers/list-models';
import { suggestModels } from '../servers/model-names';
import { getServerProps, fetchTrainedContext } from '../servers/types';
import { getTruncationWarnings } from '../servers/truncation';
import { other } from '../servers/types/other';
import { asFiniteNumber, asRecord } from '../values';
import type { CompletionRequest } from './openai-body';
import { hasMedia, getText } from './content';
import { FORMAT_TOOL_NAME } from './format-tool';
import type { TurnContext } from './completion-request';

/** Tokens to leave for the answer. */
const ROOM_FOR_ANSWER = 512;

const SHORTER_PROMPT =
	'Or shorten the input. In an agent, keep fewer messages in memory or set History Budget in Local Chat Model, and use fewer tools.';

/** How servers fail at pictures and sound that their model cannot read. Few of them say so. */
const POSSIBLE_MEDIA_ERRORS: ReadonlySet<string> = new Set(['serverError', 'badRequest']);

const TRY_WITHOUT_MEDIA =
	'The request contained images, audio or video, which the model may not support: try it without them. Otherwise check the server message and the server log.';

/** The error with advice for this server; unchanged where there is none. */
export async function withSuggestion(
	failed: ServerError,
	turn: TurnContext,
	body: CompletionRequest,
): Promise<ServerError> {
	if (POSSIBLE_MEDIA_ERRORS.has(failed.type) && body.messages.some(hasMedia))
		return failed.copyWith({ suggestion: TRY_WITHOUT_MEDIA });
	switch (failed.type) {
		case 'modelNotFound':
			return await withModelList(failed, turn);
		case 'emptyResponse':
		case 'invalidResponse':
			return await withTruncationSuggestion(failed, turn, body);
		case 'promptTooLong':
			return await withContextSuggestion(
				failed,
				{ ...turn, model: turn.settings.model, signal: turn.chatRequest.signal },
				SHORTER_PROMPT,
			);
		case 'routeNotFound':
			return toNoChatModelError(failed, turn);
		case 'toolsUnsupported':
			return body.tools.some(({ name }) => name === FORMAT_TOOL_NAME)
				? withParserSuggestion(failed)
				: failed;
		default:
			return failed;
	}
}

/** Ollama cuts a single message that is longer than the context, and answers nothing (docs/protocols/ollama.md 4.1). */
async function withTruncationSuggestion(
	failed: ServerError,
	{ server, settings: { model } }: TurnContext,
	{ messages }: CompletionRequest,
): Promise<ServerError> {
	const processedTokens = asFiniteNumber(asRecord(failed.facts.usage).promptTokens);
	const texts = messages.map(({ content }) => getText(content));
	const [hint] = await getTruncationWarnings(server, { texts, processedTokens, model });
	if (hint === undefined) return failed;
	if (failed.type === 'invalidResponse')
		return failed.withSuggestion(`${hint} ${failed.suggestion}`);
	return failed.copyWith({
		type: 'promptTooLong',
		message: 'The server truncated the input, and the model returned an empty response',
		suggestion: hint,
	});
}

/** Which models the server has. */
async function withModelList(
	failed: ServerError,
	{ server, serverType, settings: { model }, chatRequest }: TurnContext,
): Promise<ServerError> {
	const models = await listModels(server, chatRequest.signal).catch(captureError);
	const ids = Array.isArray(models) ? models.map(({ id }) => id) : [];
	const others = ids.filter((id) => id !== model);
	const suggestion = suggestModels(others, serverType.texts.missingModel?.(model));
	if (suggestion === '') return failed;
	return failed.copyWith({ suggestion, facts: { ...failed.facts, models: ids.slice(0, 50) } });
}

interface ContextOverflow extends Pick<TurnContext, 'server' | 'serverType'> {
	model: string;
	signal?: AbortSignal;
	/** Of what was sent. Default: as the refusal tells in its fields. */
	tokens?: number;
}

/** How the server gets a context that is long enough. */
export async function withContextSuggestion(
	failed: ServerError,
	{
		server,
		serverType,
		model,
		signal,
		tokens = asFiniteNumber(failed.facts.n_prompt_tokens),
	}: ContextOverflow,
	orElse: string,
): Promise<ServerError> {
	if (tokens === undefined) return failed;
	const limit = asFiniteNumber(failed.facts.n_ctx);
	// vLLM stops counting one token above its limit.
	const isCountCut = limit !== undefined && tokens <= limit + 1;
	const needed = isCountCut ? 2 * tokens : tokens;
	const props = await getServerProps(server, model, signal);
	const trained = await fetchTrainedContext(server, model, signal);
	const size = Math.min(trained, Math.ceil((needed + ROOM_FOR_ANSWER) / 1024) * 1024);
	const advice =
		needed < trained
			? serverType.texts.context(size, props?.slots)
			: `This model supports at most ${trained} tokens, so a larger context does not help: choose a model with a larger context.`;
	return failed.withSuggestion(`${advice} ${orElse}`);
}

/** The path is right, so it cannot chat (vLLM with an embedding model). */
function toNoChatModelError(
	failed: ServerError,
	{ server, serverType, settings: { model } }: TurnContext,
): ServerError {
	if (serverType.hasEveryRoute || serverType === other) return failed;
	const { status, serverText, url = server.url.api } = failed;
	return createServerError('wrongModelType', toErrorContext(server, url, model), {
		status,
		serverText,
	});
}

/** The agent has no tools of the user's: n8n's output parser is one. */
function withParserSuggestion(failed: ServerError): ServerError {
	return failed.copyWith({
		message:
			'The model or server does not support tool calls, which the Structured Output Parser needs',
		suggestion: `${failed.suggestion} Or remove the parser and set Response Format of the model to JSON Schema.`,
	});
}
