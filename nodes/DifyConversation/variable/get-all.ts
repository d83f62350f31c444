import { listVariables } from '../../../lib/dify/app/variables';
import { conversationField, limitIn, pagingFields, userField } from '../../shared/dify/fields';
import { conversationIdIn, userIn } from '../../shared/dify/ids';
import type { DifyOperation } from '../../shared/dify/run';
import { itemsOf } from '../../shared/run/operations';

export const variableGetAll: DifyOperation = {
	option: {
		name: 'Get Many',
		value: 'getAll',
		action: 'Get many variables',
		description: 'Variables of a conversation with a chatflow; other apps have none',
	},
	fields: [userField, conversationField({ required: true }), ...pagingFields],
	run: async ({ client, parameters }) =>
		itemsOf(
			await listVariables(
				client,
				userIn(parameters),
				conversationIdIn(parameters),
				limitIn(parameters),
				undefined,
			),
		),
};
