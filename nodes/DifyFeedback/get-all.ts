import { listFeedback } from '../../lib/dify/app/feedback';
import { limitIn, pagingFields } from '../shared/dify/fields';
import type { DifyOperation } from '../shared/dify/run';
import { itemsOf } from '../shared/run/operations';

export const getAll: DifyOperation = {
	option: {
		name: 'Get Many',
		value: 'getAll',
		action: 'Get many ratings',
		description: 'All feedback of the app: of its users, and of your team in Dify',
	},
	fields: pagingFields,
	run: async ({ client, parameters }) => itemsOf(await listFeedback(client, limitIn(parameters))),
};
