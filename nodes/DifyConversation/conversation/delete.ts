import { deleteConversation } from '../../../lib/dify/app/conversations';
import { conversationField, userField } from '../../shared/dify/fields';
import { conversationIdIn, userIn } from '../../shared/dify/ids';
import type { DifyOperation } from '../../shared/dify/run';

export const conversationDelete: DifyOperation = {
	option: { name: 'Delete', value: 'delete', action: 'Delete a conversation' },
	fields: [userField, conversationField({ required: true })],
	run: async ({ client, parameters }) => {
		const conversationId = conversationIdIn(parameters);
		await deleteConversation(client, userIn(parameters), conversationId);
		return [{ json: { conversationId, deleted: true } }];
	},
};
