import { appRoutes } from '../../../lib/dify/app/routes';
import { uuid } from '../../../lib/dify/ids';
import { appOperation } from '../../shared/dify/route-operation';
import { stringField } from '../../shared/field-kinds';

export const endUserGet = appOperation({
	option: {
		name: 'Get',
		value: 'get',
		action: 'Get an end user',
		description: 'The user whom an ID of Dify stands for (Dify 1.14 and newer)',
	},
	fields: [
		stringField('End User ID', 'endUserId', {
			required: true,
			description:
				"Dify's own ID, such as createdBy of an uploaded file or from_end_user_id of feedback",
		}),
	],
	route: appRoutes.endUser,
	values: { end_user_id: (parameters) => uuid(parameters.value('endUserId'), 'end user ID') },
});
