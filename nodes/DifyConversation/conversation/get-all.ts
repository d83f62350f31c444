import { listConversations, type ConversationSort } from '../../../lib/dify/app/conversations';
import { limitIn, pagingFields, userField } from '../../shared/dify/fields';
import { userIn } from '../../shared/dify/ids';
import type { DifyOperation } from '../../shared/dify/run';
import { choiceField, optionsCollection } from '../../shared/field-kinds';
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
				options: [
					{ name: 'Created, Newest First', value: '-created_at' },
					{ name: 'Created, Oldest First', value: 'created_at' },
					{ name: 'Updated, Newest First', value: '-updated_at' },
					{ name: 'Updated, Oldest First', value: 'updated_at' },
				],
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
