import { listConversations, type ConversationSort } from '../../../../lib/dify/conversations';
import type { Operation } from '../../../shared/dify/operations';

const SORTS: readonly ConversationSort[] = ['-updated_at', 'updated_at', '-created_at', 'created_at'];

export const getAll: Operation = async ({ client, parameters, signal }) =>
	await listConversations(client, parameters.user, parameters.most(), parameters.choiceOption('sortBy', SORTS), signal);
