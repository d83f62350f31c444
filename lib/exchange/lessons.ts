/** What an exchange learns from its responses, for later ones with the same model. `KEPT` says for which, and for how long. */
import type { ServerError } from '../errors/server-error';
import type { RetryPolicy } from '../http/retry-policy';
import type { BodyChange, KnownRoutes, RequestChange } from '../servers/lessons';
import { getProfile } from '../servers/profile';
import type { ModelServer } from '../servers/types/server-type';
import { toFailureKey } from './server-failure';
import type { ExchangeState, AttemptOutcome } from './types';

/** What was known at the start of an exchange, and where new lessons are kept. */
export interface LessonStore {
	server: ModelServer;
	/** Key of the lessons: the scope and the model. */
	key: string;
	/** The changes that the server required before. */
	changes: readonly RequestChange[];
	routes: KnownRoutes;
}

/** Finds what is known for a scope and a model. */
export function openLessonStore(
	server: ModelServer,
	{ learningScope, model }: { learningScope: string; model: string | undefined },
): LessonStore {
	const key = JSON.stringify([learningScope, model]);
	return {
		server,
		key,
		changes: readChanges({ server, key }),
		routes: getProfile(server).getKnownRoutes(key),
	};
}

/** The changes that the server is known to require now: another exchange may have learned some. */
export function readChanges({ server, key }: Pick<LessonStore, 'server' | 'key'>): RequestChange[] {
	const profile = getProfile(server);
	const toChanges = (changes: readonly BodyChange[], keptFor: RequestChange['keptFor']) =>
		changes.map((change): RequestChange => ({ ...change, keptFor }));
	return [
		...toChanges(profile.getHistoryForms(key), 'server'),
		...toChanges(profile.getLessons(key), 'execution'),
	];
}

/** The failure that a repetition did not change: of `lib/http` in this exchange, otherwise of an exchange before. */
export function readLastingFailure(
	{ server, key }: LessonStore,
	{ lastRepeated }: RetryPolicy,
): string | undefined {
	return lastRepeated ? toFailureKey(lastRepeated) : getProfile(server).getLastingFailure(key);
}

/**
 * Stores a failure that the repetition of its request did not change, so that a broken server is not asked twice for each of
 * many items. An answer deletes it.
 */
export function storeLastingFailure(
	{ server, key }: LessonStore,
	{ serverFailure }: ExchangeState<unknown>,
	outcome: AttemptOutcome<unknown, unknown>,
): void {
	const profile = getProfile(server);
	if (outcome.type !== 'failed') {
		profile.storeLastingFailure(key, undefined);
		return;
	}
	const failure = toFailureKey(outcome.error);
	const hasFailedAlike = serverFailure !== undefined && toFailureKey(serverFailure) === failure;
	if (hasFailedAlike) profile.storeLastingFailure(key, failure);
}

/** Stores what a response taught. A response that teaches nothing new does not prolong the entry, so it expires. */
export function storeLessons(store: LessonStore, state: ExchangeState<unknown>): void {
	const { server, key } = store;
	const profile = getProfile(server);
	storeRoutes(store, state);
	const pick = (changes: readonly RequestChange[], keptFor: RequestChange['keptFor']) =>
		changes.filter((change) => change.keptFor === keptFor);
	const forms = pick(state.request.changes, 'server');
	if (forms.length > pick(store.changes, 'server').length) profile.storeHistoryForms(key, forms);
	const lessons = pick(state.request.changes, 'execution');
	if (lessons.length > pick(store.changes, 'execution').length) profile.storeLessons(key, lessons);
}

function storeRoutes(
	{ server, key }: LessonStore,
	{ request, missingUrls: refusedUrls, apiUrl }: ExchangeState<unknown>,
) {
	// A route that responded is not missing: the server did not have the model a moment before.
	const missingUrls = refusedUrls.filter((url) => url !== request.route.url);
	if (missingUrls.length === 0) return;
	getProfile(server).storeKnownRoutes(key, {
		missingUrls,
		apiUrl: apiUrl === server.getApiUrl() ? undefined : apiUrl,
	});
}

/**
 * Forgets that the API is at another URL than the Base URL says, unless the server read the request there: a gateway that
 * restarts sends its requests elsewhere for a moment.
 */
export function forgetUnconfirmedRoot(
	{ server, key, routes }: LessonStore,
	{ apiUrl }: ExchangeState<unknown>,
	{ report }: ServerError,
): void {
	if (apiUrl === server.url.api || [400, 422].includes(report?.status ?? 0)) return;
	getProfile(server).forgetApiRoot();
	if (routes.apiUrl === undefined) return;
	getProfile(server).storeKnownRoutes(key, { ...routes, apiUrl: undefined });
}
