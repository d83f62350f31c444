/** What an exchange learns from its responses, for later ones with the same model. */
import { mayBeRetriedOnce } from '../errors/error-types';
import type { ServerError } from '../errors/server-error';
import type { Lessons } from '../servers/lessons';
import { getProfile } from '../servers/profile';
import type { ModelServer } from '../servers/types/server-type';
import { toFailureKey } from './rules';
import type { ExchangeState, AttemptOutcome } from './types';

/** Lessons as they were at the start of an exchange, and where new ones are kept. */
export interface LessonStore {
	server: ModelServer;
	/** Key of the lessons: the scope and the model. */
	key: string;
	lessons: Lessons;
	/** The failure of the server that its last repetition did not change; undefined if there is none. */
	lastingFailure: string | undefined;
}

/** Finds the lessons for a scope and a model. */
export function openLessonStore(
	server: ModelServer,
	{ learningScope, model }: { learningScope: string; model: string | undefined },
): LessonStore {
	const key = JSON.stringify([learningScope, model]);
	const profile = getProfile(server);
	return {
		server,
		key,
		lessons: profile.getLessons(key),
		lastingFailure: profile.getLastingFailure(key),
	};
}

/**
 * Stores a failure that the repetition of its request did not change, so that a broken server is not asked twice for
 * each of many items, and deletes it after a response that arrives. Other outcomes change nothing.
 */
export function updateLastingFailure(
	{ server, key, lastingFailure }: LessonStore,
	{ appliedRules }: ExchangeState<unknown>,
	outcome: AttemptOutcome<unknown, unknown>,
): void {
	const profile = getProfile(server);
	const isRepeated = appliedRules.at(-1)?.rule === 'serverFailure';
	if (outcome.type === 'failed') {
		if (isRepeated && mayBeRetriedOnce(outcome.error.type))
			profile.storeLastingFailure(key, toFailureKey(outcome.error));
	} else if (lastingFailure !== undefined) {
		profile.storeLastingFailure(key, undefined);
	}
}

/** Stores what a response taught. A response that teaches nothing new does not prolong the entry, so it expires. */
export function storeLessons(
	{ server, key, lessons }: LessonStore,
	{ request, missingUrls, apiUrl }: ExchangeState<unknown>,
): void {
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
	{ rejection }: ServerError,
): void {
	if (apiUrl === server.url.api || [400, 422].includes(rejection?.status ?? 0)) return;
	getProfile(server).forgetApiRoot();
	if (lessons.apiUrl === undefined) return;
	getProfile(server).storeLessons(key, { ...lessons, apiUrl: undefined });
}
