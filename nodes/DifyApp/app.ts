import type { DifyOperation } from '../shared/dify/dify-operation';

export const appGet: DifyOperation = {
	name: 'Get',
	value: 'get',
	action: 'Get an app',
	description: 'Get the name, type, form, enabled features and limits of the app',
	fields: [],
	run: async ({ client, appParameters }) => [
		{ json: { info: await client.get('/info'), parameters: await appParameters() } },
	],
};
