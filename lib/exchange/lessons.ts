/** What an exchange learns from its responses, for later ones with the same model. */
import type { ServerError } from '../errors/server-error';
import type { RetryPolicy } from '../http/retry-policy';
import type { Lessons } from '../servers/lessons';
import { getProfile } from '../servers/profile';
import type { ModelServer } from '../servers/types/server-type';
import { toFailureKey } from './server-failure';
import type { ExchangeState, AttemptOutcome, ServerHistory } from './types';

/** Lessons as they were at the start of an exchange, and where new ones are kept. */
export interface LessonStore {
	server: ModelServer;
	/** Key of the lessons: the scope and the model. */
	key: string;
	model: string | undefined;
	lessons: Lessons;
}

/** Finds the lessons for a scope and a model. */
export function openLessonStore(
	server: ModelServer,
	{ learningScope, model }: { learningScope: string; model: string | undefined },
): LessonStore {
	const key = JSON.stringify([learningScope, model]);
	return { server, key, model, lessons: getProfile(server).getLessons(key) };
}

/** What the server did with the model until now, and what `lib/http` has repeated in this exchange. */
export function readHistory(
	{ server, key, model = '' }: LessonStore,
	{ lastRepeated }: RetryPolicy,
): ServerHistory {
	const profile = getProfile(server);
	return {
		hasAnswered: profile.hasAnswered(model),
		lastingFailure: lastRepeated ? toFailureKey(lastRepeated) : profile.getLastingFailure(key),
	};
}

/**
 * Stores that the server answered, or a failure that the repetition of its request did not change, so that a broken server
 * is not asked twice for each of many items. An answer deletes that failure.
 */
export function updateHistory(
	{ server, key, model = '' }: LessonStore,
	{ serverFailure }: ExchangeState<unknown>,
	outcome: AttemptOutcome<unknown, unknown>,
): void {
	const profile = getProfile(server);
	if (outcome.type !== 'failed') {
		profile.storeAnswer(model);
		if (profile.getLastingFailure(key) !== undefined) profile.storeLastingFailure(key, undefined);
		return;
	}
	const failure = toFailureKey(outcome.error);
	const hasFailedAlike = serverFailure !== undefined && toFailureKey(serverFailure) === failure;
	if (hasFailedAlike) profile.storeLastingFailure(key, failure);
}

/** Stores what a response taught. A response that teaches nothing new does not prolong the entry, so it expires. */
export function storeLessons(
	{ server, key, lessons }: LessonStore,
	{ request, missingUrls: refusedUrls, apiUrl }: ExchangeState<unknown>,
): void {
	// A route that responded is not missing: the server did not have the model a moment before.
	const missingUrls = refusedUrls.filter((url) => url !== request.route.url);
	const changes = request.changes.filter(({ isTemporary }) => isTemporary !== true);
	if (changes.length === lessons.changes.length && missingUrls.length === 0) return;
	getProfile(server).storeLessons(key, {
		changes,
		missingUrls: missingUrls.length > 0 ? missingUrls : lessons.missingUrls,
		apiUrl: apiUrl === server.getApiUrl() ? undefined : apiUrl,
	});
}

/**
 * Forgets that the API is at another URL than the Base URL says, unless the server read the request there: a gateway that
 * restarts sends its requests elsewhere for a moment.
 */
export function forgetUnconfirmedRoot(
	{ server, key, lessons }: LessonStore,
	{ apiUrl }: ExchangeState<unknown>,
	{ report }: ServerError,
): void {
	if (apiUrl === server.url.api || [400, 422].includes(report?.status ?? 0)) return;
	getProfile(server).forgetApiRoot();
	if (lessons.apiUrl === undefined) return;
	getProfile(server).storeLessons(key, { ...lessons, apiUrl: undefined });
}
