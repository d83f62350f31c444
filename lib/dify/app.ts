/** An app: its mode, parameters, conversations and feedback. */
import { ServerError } from '../errors/server-error';
import { isOneOf } from '../errors/error-types';
import { asNonEmptyString } from '../values/records';
import type { JsonRecord } from '../values/records';
import type { DifyClient } from './client';
import type { ListEndpoint } from './pages';
import { getAppType, toAppTypeError } from './app-type';
import { fetchPage } from './pages';
import type { DifyAppMode } from './types';

/** Another app has other inputs, too. */
const mayBeOtherApp = isOneOf('wrongAppType', 'appUnavailable', 'invalidInputs');

/**
 * Dify only reports that the app has another type or is unavailable, even if it is just not published. So the mode of
 * the app is fetched.
 *
 * @param expectedMode a mode that the node supports; undefined: any
 * @returns the error with the app mode and the right node; other errors unchanged
 */
export async function explainAppTypeError(
	client: DifyClient,
	error: unknown,
	expectedMode?: DifyAppMode,
): Promise<unknown> {
	if (!(error instanceof ServerError) || !mayBeOtherApp(error.type)) return error;
	// The client has explained it.
	if (error.facts.appMode !== undefined) return error;
	const info = await client.get('/info').catch(() => ({ mode: undefined }));
	const app = getAppType(info.mode);
	if (app === undefined) return error;
	const isOther = expectedMode !== undefined && app.node !== getAppType(expectedMode)!.node;
	if (isOther) return toAppTypeError(error, app);
	return error.type === 'appUnavailable' ? toNotPublishedError(error, app.mode) : error;
}

/** Form, file upload and limits of the app, once per execution. */
export async function fetchAppParameters(client: DifyClient): Promise<JsonRecord> {
	return await client.getCached('/parameters').catch(async (error: unknown) => {
		throw await explainAppTypeError(client, error);
	});
}

/** An app with a flow is unavailable until it is published. */
function toNotPublishedError(error: ServerError, mode: string) {
	if (mode !== 'workflow' && mode !== 'advanced-chat') return error;
	return error.asType('notPublished');
}

interface ConversationQuery {
	user: string;
	/** Dify's name of a field, with a minus for the newest first. Default: last used first. */
	sortBy?: string;
}

/** Conversations that a user started through the API. */
export function buildConversationList({
	user,
	sortBy = '-updated_at',
}: ConversationQuery): ListEndpoint {
	return { path: '/conversations', query: { user, sort_by: sortBy }, cursor: 'last_id' };
}

/** The ID of the conversation that the user last used; undefined if there is none. */
export async function findLatestConversationId(
	client: DifyClient,
	user: string,
): Promise<string | undefined> {
	const { records } = await fetchPage(client, buildConversationList({ user }), { limit: 1 });
	return asNonEmptyString(records[0]?.id);
}

/** Larger pages return 400 (docs/protocols/dify.md 2.6). */
export const FEEDBACK_PAGE_SIZE = 101;

/** Ratings of users and of the team in Dify's console, newest first. */
export const FEEDBACK_LIST: ListEndpoint = { path: '/app/feedbacks', size: FEEDBACK_PAGE_SIZE };
