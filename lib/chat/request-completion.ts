/** Gets a valid completion: one exchange over a chat route of the server. */
import { captureError } from '../errors/server-error';
import {
	adjustOllamaThinking,
	omitFormat,
	omitRejectedField,
	omitStreamOptions,
	replaceJsonObject,
} from '../exchange/adaptations';
import { exchange, type ExchangeResult } from '../exchange/exchange';
import { getRoutes } from '../exchange/routes';
import { omitUndefined } from '../values';
import type { CompletionAccumulator } from './completion-accumulator';
import { getOptionsIgnoredByOpenAi, needsNativeApi, toOllamaBody } from './ollama-body';
import { type CompletionRequest, toOpenAiBody } from './openai-body';
import { createAccumulator, readCompletion } from './read-completion';
import { enforceStrictRoles } from './strict-roles';
import { withSuggestion } from './suggestions';
import type { TurnContext } from './turn-context';
import { type AcceptedCompletion, validateCompletion } from './validate-completion';

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
		// Gateways may have OpenAI's route only: the native one comes first only for options that need it.
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
		...omitUndefined({ signal: chatRequest.signal }),
		read: async (response, request) => {
			accumulator = createAccumulator(turn, request);
			const attempt = await readCompletion(response, accumulator, turn);
			return validateCompletion(turn, attempt, request.draft);
		},
		getPartial: () => accumulator?.partial,
		getShownLength: () => display.text.length,
		onResend: () => display.startRetry(),
	}).catch(async (error: unknown) => {
		const serverError = await withSuggestion(captureError(error), turn, draft);
		const { usage } = turn;
		throw serverError.copyWith({ facts: { ...serverError.facts, ...omitUndefined({ usage }) } });
	});
	const isFallback = routes.includes('ollamaChat') && result.route === 'openAiChat';
	const ignored = isFallback ? getOptionsIgnoredByOpenAi(draft.parameters) : [];
	if (ignored.length === 0) return result;
	const warning = `These options need the server's native API, which is not reachable: ${ignored.join(', ')}. They were ignored. Allow the native routes in the proxy as well.`;
	return { ...result, warnings: [...result.warnings, warning] };
}
