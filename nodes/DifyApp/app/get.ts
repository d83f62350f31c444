import { describeApp, type AppPart } from '../../../lib/dify/app/app';
import type { DifyOperation } from '../../shared/dify/run';
import { choicesField } from '../../shared/field-kinds';

export const appGet: DifyOperation = {
	option: {
		name: 'Get',
		value: 'get',
		action: 'Get an app',
		description: 'What Dify tells about the app: name, type, form, switched-on features, limits',
	},
	fields: [
		choicesField('Parts', 'parts', {
			default: ['info', 'parameters'],
			options: [
				{ name: 'Icons of Tools', value: 'meta' },
				{ name: 'Info', value: 'info', description: 'Name, description, tags and type of the app' },
				{
					name: 'Parameters',
					value: 'parameters',
					description: 'The form, file upload, speech, suggested questions and limits',
				},
				{
					name: 'Web App',
					value: 'site',
					description: 'Title, colours and language; null where the app has none',
				},
			],
			description: 'Each part is one request',
		}),
	],
	run: async ({ client, parameters }) => {
		const parts = parameters.choices<AppPart>('parts');
		const json = await describeApp(client, parts);
		return [{ json }];
	},
};
