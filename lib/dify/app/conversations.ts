import { asNonEmptyString } from '../../values';
import type { DifyClient } from '../client';
import { fetchPage, type ListEndpoint } from '../pagination';

/** Conversations that a user started through the API. */
export function buildConversationList(user: string, sortBy = '-updated_at'): ListEndpoint {
	return { path: '/conversations', query: { user, sort_by: sortBy }, cursor: 'last_id' };
}

/** The conversation that the user last used; undefined if there is none. */
export async function findLatestConversation(
	client: DifyClient,
	user: string,
): Promise<string | undefined> {
	const { records } = await fetchPage(client, buildConversationList(user), { limit: 1 });
	return asNonEmptyString(records[0]?.id);
}
