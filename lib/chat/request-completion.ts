/** Gets a valid completion: the exchange of a turn, which makes its attempts, over a chat route of the server. */
import { asServerErrorOrThrow } from '../errors/server-error';
import { changeFormat, changeThinking, omitFormat } from '../exchange/adaptations';
import { omitRejectedField } from '../exchange/omit-rejected-field';
import type { ExchangeResult } from '../exchange/exchange';
import { exchange } from '../exchange/exchange';
import type { RequestFields } from '../exchange/request-fields';
import { getRoutes } from '../exchange/routes';
import type { Adaptations } from '../exchange/types';
import type { QueueStats } from '../http/queue';
import type { AttemptReport } from './chat-attempt';
import { ChatAttempt } from './chat-attempt';
import { getOptionsIgnoredByOpenAi, needsNativeApi } from './body/native-api';
import {
	adjustThinkingInHistory,
	omitStreamWithTools,
	omitTextBesideCalls,
} from './body/history-forms';
import { getChatFields } from './body/generation-fields';
import { adjustNullInSchema } from './body/schema-forms';
import { enforceStrictRoles } from './body/strict-roles';
import type { ValidatedCompletion } from './check/validate-completion';
import { sumUsage } from './read/usage';
import { toTurnError } from './turn-error';
import { hasFormatOfOperation } from './settings';
import type { TurnContext } from './turn-context';
import type { CompletionRequest } from './completion';
import { TASK_LIMITS } from '../task-limits';

/** A valid completion, and how it was obtained. */
export interface CompletionResult extends ExchangeResult<CompletionRequest, ValidatedCompletion> {
	/** Of all attempts in their order; the last one got the completion. */
	reports: readonly AttemptReport[];
	/** How all attempts passed the queue. */
	queueStats: QueueStats;
}

/**
 * Requests a completion over OpenAI's route, or over the native one if the sampling settings need it.
 *
 * @throws {ServerError} with a suggestion, the partial output, and the usage of all attempts
 */
export async function requestCompletion(
	turn: TurnContext,
	draft: CompletionRequest,
): Promise<CompletionResult> {
	const { server, serverType, settings, chatRequest, display } = turn;
	const routes = getRoutes(serverType, 'chat');
	const canOmitFormat = hasFormatInPrompt(turn);
	const attempts: ChatAttempt[] = [];
	const queueStats: QueueStats = { waitedMs: 0, hasPreemptedBatch: false, timesPreempted: 0 };
	const result = await exchange<CompletionRequest, ValidatedCompletion>(server, {
		// Chats must not learn from Extract to omit the format.
		learningScope: canOmitFormat ? 'extract' : 'chat',
		// Ollama lists its own route first, but a gateway before it may forward OpenAI's only: chats use that one, unless
		// an option needs the other.
		routes: needsNativeApi(draft.sampling) ? routes : [...routes].reverse(),
		draft,
		startAttempt: (routedDraft) => {
			if (attempts.length > 0) display.startNextAttempt();
			const attempt = new ChatAttempt(turn, routedDraft);
			attempts.push(attempt);
			return attempt;
		},
		adaptations: getAdaptations(turn, canOmitFormat),
		http: {
			limits: TASK_LIMITS.chat.received,
			model: draft.model,
			timeouts: settings.timeouts,
			maxRetries: settings.retries,
			isPreemptible: chatRequest.isNeededOnlyAtEnd === true,
			priority: settings.priority ?? 'interactive',
			queueStats,
			signal: chatRequest.signal,
		},
	}).catch(async (error: unknown) => {
		throw await toTurnError(asServerErrorOrThrow(error), turn, {
			draft,
			fields: getRequestFields(turn),
			usage: sumUsage(attempts.map(({ report }) => report)),
			lastAttempt: attempts.at(-1),
		});
	});
	const warnings = [...result.warnings, ...getFallbackWarnings(turn, result)];
	return { ...result, warnings, reports: attempts.map(({ report }) => report), queueStats };
}

/** Whether the model knows the format without the field for it. */
function hasFormatInPrompt({ settings }: TurnContext): boolean {
	return hasFormatOfOperation(settings.sampling.responseFormat);
}

/** What the requests of a turn contain. */
function getRequestFields({ settings: { sampling } }: TurnContext): RequestFields {
	return { rows: getChatFields(sampling), extraBody: sampling.extraBody };
}

function getAdaptations(turn: TurnContext, canOmitFormat: boolean): Adaptations {
	return {
		field: [changeThinking, omitRejectedField(getRequestFields(turn))],
		format: [adjustNullInSchema, changeFormat, ...(canOmitFormat ? [omitFormat] : [])],
		conversation: [omitStreamWithTools, adjustThinkingInHistory],
		strictForm: [enforceStrictRoles, omitTextBesideCalls],
	};
}

/** A warning if options were ignored because the server's own route is missing. */
function getFallbackWarnings(
	{ serverType }: TurnContext,
	{ route, draft }: ExchangeResult<CompletionRequest, ValidatedCompletion>,
): string[] {
	const isFallback = getRoutes(serverType, 'chat').includes('ollamaChat') && route === 'openAiChat';
	const ignored = isFallback ? getOptionsIgnoredByOpenAi(draft.sampling) : [];
	if (ignored.length === 0) return [];
	return [
		`These options need the server's native API, which is not reachable: ${ignored.join(', ')}. They were ignored. Allow the native routes in the proxy as well.`,
	];
}
