import type { DifyOperation } from '../shared/dify/run';

export const appGet: DifyOperation = {
	option: {
		name: 'Get',
		value: 'get',
		action: 'Get an app',
		description: 'What Dify tells about the app: name, type, form, switched-on features, limits',
	},
	fields: [],
	run: async ({ client, appParameters }) => [
		{ json: { info: await client.get('/info'), parameters: await appParameters() } },
	],
};
