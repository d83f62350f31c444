import { asNonEmptyString } from '../../values';
import type { DifyClient } from '../client';
import { fetchPage, type ListEndpoint } from '../pagination';

/** Conversations of a user that were made over the API. */
export function buildConversationList(user: string, sortBy = '-updated_at'): ListEndpoint {
	return { path: '/conversations', query: { user, sort_by: sortBy }, cursor: 'last_id' };
}

/** The conversation that the user wrote in last; undefined when there is none. */
export async function findLatestConversation(
	client: DifyClient,
	user: string,
): Promise<string | undefined> {
	const { records } = await fetchPage(client, buildConversationList(user), { limit: 1 });
	return asNonEmptyString(records[0]?.id);
}
