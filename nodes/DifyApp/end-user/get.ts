import type { IDataObject } from 'n8n-workflow';

import { endUser } from '../../../lib/dify/app';
import { uuid } from '../../../lib/dify/ids';
import type { AppOperation } from '../../shared/dify/app-operations';

export const endUserGet: AppOperation = {
	option: {
		name: 'Get',
		value: 'get',
		action: 'Get an end user',
		description: "Who stands behind Dify's own ID of a user (Dify 1.14 and newer)",
	},
	fields: [
		{
			displayName: 'End User ID',
			name: 'endUserId',
			type: 'string',
			default: '',
			required: true,
			description: "Dify's own ID, such as createdBy of an uploaded file or from_end_user_id of feedback",
		},
	],
	run: async ({ app, parameters, signal }) => {
		const id = uuid(parameters.value('endUserId'), 'end user ID');
		return [
			{ json: (await endUser(app.client, id, signal)) as IDataObject, pairedItem: { item: parameters.itemIndex } },
		];
	},
};
