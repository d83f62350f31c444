import { listMessages } from '../../../lib/dify/app/conversations';
import { conversationField, limitIn, pagingFields, userField } from '../../shared/dify/fields';
import { conversationIdIn, userIn } from '../../shared/dify/ids';
import type { DifyOperation } from '../../shared/dify/run';
import { itemsOf } from '../../shared/run/operations';

export const messageGetAll: DifyOperation = {
	option: {
		name: 'Get Many',
		value: 'getAll',
		action: 'Get many messages',
		description: 'Questions, answers, files and ratings, oldest first. A limit gives the newest.',
	},
	fields: [userField, conversationField({ required: true }), ...pagingFields],
	run: async ({ client, parameters }) =>
		itemsOf(
			await listMessages(
				client,
				userIn(parameters),
				conversationIdIn(parameters),
				limitIn(parameters),
			),
		),
};
