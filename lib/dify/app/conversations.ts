import { ServerError } from '../../errors/server-error';
import type { DifyClient } from '../client';
import { invalidParam } from '../errors/failure';
import {
	addNew,
	collectAfter,
	listIn,
	nextCursor,
	pageSize,
	rejectEndless,
	type Limit,
} from '../paging';
import { nonEmptyText, type JsonRecord } from '../../values';

export type ConversationSort = '-updated_at' | 'updated_at' | '-created_at' | 'created_at';

/** Dify answers 400 above this (docs/protocols/dify.md 2.8). */
export const MAX_PAGE_SIZE = 100;

/** A language model generates the name. */
const MODEL_LIMIT_MS = 120_000;

/**
 * One page of a user's conversations that were made over the API. `lastId`: cursor, the ID of the last record before.
 */
export async function conversationPage(
	client: DifyClient,
	user: string,
	{ limit, lastId, sortBy }: { limit: number; lastId?: string; sortBy?: ConversationSort },
): Promise<JsonRecord> {
	return await client.get('/conversations', { user, limit, last_id: lastId, sort_by: sortBy });
}

/** Conversations of a user, sorted. */
export async function listConversations(
	client: DifyClient,
	user: string,
	most: Limit,
	sortBy: ConversationSort,
): Promise<JsonRecord[]> {
	return await collectAfter({
		most,
		largest: MAX_PAGE_SIZE,
		timeField: timeFieldOf(sortBy),
		page: async (limit, lastId) =>
			await conversationPage(client, user, { limit, lastId, sortBy }).catch((error: unknown) => {
				if (lastId !== undefined && isMissing(error)) return undefined;
				throw error;
			}),
	});
}

/** The field that a sort option sorts by. */
export function timeFieldOf(sortBy: ConversationSort): string {
	return sortBy.replace('-', '');
}

/** The conversation that the user wrote in last; undefined when there is none. */
export async function latestConversation(
	client: DifyClient,
	user: string,
): Promise<string | undefined> {
	const { data } = await conversationPage(client, user, { limit: 1, sortBy: '-updated_at' });
	return nonEmptyText(listIn(data)[0]?.id);
}

function isMissing(error: unknown): boolean {
	return error instanceof ServerError && error.kind === 'conversationNotFound';
}

/** Deletes a conversation. @throws {ServerError} of kind `conversationNotFound`, also for those of other users */
export async function deleteConversation(
	client: DifyClient,
	user: string,
	id: string,
): Promise<void> {
	await client.send('DELETE', `/conversations/${id}`, { user });
}

/** Renames a conversation; undefined: Dify generates a name. Returns the conversation. */
export async function renameConversation(
	client: DifyClient,
	user: string,
	id: string,
	name: string | undefined,
): Promise<JsonRecord> {
	if (name !== undefined && name.trim() === '')
		throw invalidParam('The name is empty', 'Give a name, or let Dify think of one.');
	const body =
		name === undefined ? { auto_generate: true, user } : { name, auto_generate: false, user };
	return await client.send('POST', `/conversations/${id}/name`, body, {
		timeoutMs: MODEL_LIMIT_MS,
		idempotent: name !== undefined,
	});
}

/** Messages of a conversation, oldest first. A limit keeps the newest. */
export async function listMessages(
	client: DifyClient,
	user: string,
	id: string,
	most: Limit,
): Promise<JsonRecord[]> {
	const pages: JsonRecord[][] = [];
	for await (const page of messagePages(client, user, id, most)) pages.push(page);
	return pages.reverse().flat();
}

/** Pages of messages: the newest page first, but oldest first within a page. Each message comes once. */
export async function* messagePages(
	client: DifyClient,
	user: string,
	id: string,
	most: Limit,
): AsyncGenerator<JsonRecord[]> {
	const known = new Map<string, JsonRecord>();
	const followed = new Set<string>();
	let firstId: string | undefined;
	let again = 0;
	for (let page = 1; ; page++) {
		const remaining = pageSize(most, known.size, MAX_PAGE_SIZE);
		if (remaining <= 0) return;
		rejectEndless(page);
		const limit = Math.min(MAX_PAGE_SIZE, remaining + again);
		const answer = await client.get('/messages', {
			conversation_id: id,
			user,
			limit,
			first_id: firstId,
		});
		const messages = listIn(answer.data);
		const fresh = addNew(known, messages);
		const tooMany = most === 'all' ? 0 : Math.max(0, known.size - most);
		yield fresh.slice(tooMany);
		const next =
			answer.has_more === true
				? nextCursor(messages.toReversed(), 'created_at', followed)
				: undefined;
		if (next === undefined) return;
		followed.add(next.afterId);
		firstId = next.afterId;
		again = next.again.length;
	}
}
