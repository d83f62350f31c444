import { endUser } from '../../../lib/dify/app/app';
import { uuid } from '../../../lib/dify/ids';
import type { DifyOperation } from '../../shared/dify/run';
import { stringField } from '../../shared/field-kinds';

export const endUserGet: DifyOperation = {
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
	run: async ({ client, parameters }) => {
		const id = uuid(parameters.value('endUserId'), 'end user ID');
		return [{ json: await endUser(client, id) }];
	},
};
