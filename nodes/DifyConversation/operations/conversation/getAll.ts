import { listConversations, type ConversationSort } from '../../../../lib/dify/conversations';
import { refusedHere } from '../../../../lib/dify/failure';
import type { Operation } from '../../../dify/operations';

const SORTS: readonly ConversationSort[] = ['-updated_at', 'updated_at', '-created_at', 'created_at'];

export const getAll: Operation = async ({ client, parameters, signal }) =>
	await listConversations(client, parameters.user, parameters.most(), sortOf(parameters.option('sortBy')), signal);

function sortOf(value: unknown): ConversationSort {
	const sort = SORTS.find((each) => each === (value ?? '-updated_at'));
	if (sort !== undefined) return sort;
	throw refusedHere('invalid-param', `Conversations cannot be sorted by ${JSON.stringify(value)}`, `Dify knows: ${SORTS.join(', ')}.`);
}
