import { nonEmptyText } from '../../values';
import type { DifyClient } from '../client';
import { readPage, type ListEndpoint } from '../pagination';

/** Conversations of a user that were made over the API. */
export function conversationsOf(user: string, sortBy = '-updated_at'): ListEndpoint {
	return { path: '/conversations', query: { user, sort_by: sortBy }, cursor: 'last_id' };
}

/** The conversation that the user wrote in last; undefined when there is none. */
export async function latestConversation(
	client: DifyClient,
	user: string,
): Promise<string | undefined> {
	const { records } = await readPage(client, conversationsOf(user), { limit: 1 });
	return nonEmptyText(records[0]?.id);
}
