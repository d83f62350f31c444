/** The app itself. */
import { fetchAppParameters } from '../../lib/dify/app';
import type { DifyResource } from '../shared/dify/dify-operation';
import { defineOperation } from '../shared/items/define-operation';

export const apps: DifyResource = {
	name: 'App',
	value: 'app',
	operations: [
		defineOperation({
			name: 'Get',
			value: 'get',
			action: 'Get an app',
			description: 'Get the name, type, form, enabled features and limits of the app',
			fields: {},
			execute: async ({ client }) => ({
				json: { info: await client.get('/info'), parameters: await fetchAppParameters(client) },
			}),
		}),
	],
};
