/** What an exchange learns from its responses, for later ones with the same model. */
import type { ServerError } from '../errors/server-error';
import type { Lessons } from '../servers/profile';
import { getProfile } from '../servers/profile';
import type { ModelServer } from '../servers/types/server-type';
import type { ExchangeState } from './types';

/** Lessons as they were at the start of an exchange, and where new ones are kept. */
export interface LessonStore {
	server: ModelServer;
	/** Key of the lessons: the scope and the model. */
	task: string;
	lessons: Lessons;
}

/** Finds the lessons for a scope and a model. */
export function openLessonStore(
	server: ModelServer,
	{ learningScope, model }: { learningScope: string; model: string | undefined },
): LessonStore {
	const task = JSON.stringify([learningScope, model]);
	return { server, task, lessons: getProfile(server).getLessons(task) };
}

/** Stores what a response taught. A response that teaches nothing new does not prolong the entry, so it expires. */
export function storeLessons(
	{ server, task, lessons }: LessonStore,
	{ request, missingUrls, apiUrl }: ExchangeState<unknown>,
): void {
	const changes = request.changes.filter(({ isTemporary }) => isTemporary !== true);
	if (changes.length === lessons.changes.length && missingUrls.length === 0) return;
	getProfile(server).storeLessons(task, {
		changes,
		missingUrls: missingUrls.length > 0 ? missingUrls : lessons.missingUrls,
		apiUrl: apiUrl === server.getApiUrl() ? undefined : apiUrl,
	});
}

/**
 * The API may be at the Base URL again, unless the server read the request: a gateway that restarts sends its requests
 * elsewhere for a moment.
 */
export function forgetRoot(
	{ server, task, lessons }: LessonStore,
	{ apiUrl }: ExchangeState<unknown>,
	{ rejection }: ServerError,
): void {
	if (apiUrl === server.url.api || [400, 422].includes(rejection?.status ?? 0)) return;
	getProfile(server).forgetApiRoot();
	if (lessons.apiUrl === undefined) return;
	getProfile(server).storeLessons(task, { ...lessons, apiUrl: undefined });
}
