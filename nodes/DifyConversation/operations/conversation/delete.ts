import { deleteConversation } from '../../../../lib/dify/conversations';
import { uuid } from '../../../../lib/dify/ids';
import type { Operation } from '../../../shared/dify/operations';

export const remove: Operation = async ({ client, parameters, signal }) => {
	const conversationId = uuid(parameters.located('conversationId'), 'conversation ID');
	await deleteConversation(client, parameters.user, conversationId, signal);
	return [{ conversationId, deleted: true }];
};
