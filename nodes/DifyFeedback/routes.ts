import { appRoutes } from '../../lib/dify/app/routes';
import { pagingFields } from '../shared/dify/fields';
import { appOperation } from '../shared/dify/route-operation';

export const feedbackGetAll = appOperation({
	option: {
		name: 'Get Many',
		value: 'getAll',
		action: 'Get many ratings',
		description: 'All feedback of the app: of its users, and of your team in Dify',
	},
	fields: pagingFields,
	route: appRoutes.feedback,
	values: {},
});
