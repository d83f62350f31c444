import { listConversations, type ConversationSort } from '../../../lib/dify/app/conversations';
import { limitIn, pagingFields, userField } from '../../shared/dify/fields';
import { userIn } from '../../shared/dify/ids';
import type { DifyOperation } from '../../shared/dify/run';
import { choiceField, choices, optionsCollection } from '../../shared/field-kinds';
import { itemsOf } from '../../shared/run/operations';

export const conversationGetAll: DifyOperation = {
	option: {
		name: 'Get Many',
		value: 'getAll',
		action: 'Get many conversations',
		description: 'Conversations of a user that were made over the API',
	},
	fields: [
		userField,
		...pagingFields,
		optionsCollection([
			choiceField('Sort By', 'sortBy', '-updated_at', {
				options: choices({
					'-created_at': 'Created, Newest First',
					created_at: 'Created, Oldest First',
					'-updated_at': 'Updated, Newest First',
					updated_at: 'Updated, Oldest First',
				}),
			}),
		]),
	],
	run: async ({ client, parameters }) =>
		itemsOf(
			await listConversations(
				client,
				userIn(parameters),
				limitIn(parameters),
				parameters.choice<ConversationSort>('options.sortBy', '-updated_at'),
			),
		),
};
