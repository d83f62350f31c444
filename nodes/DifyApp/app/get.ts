import { describeApp, type AppPart } from '../../../lib/dify/app/app';
import type { DifyOperation } from '../../shared/dify/run';
import { choices, choicesField } from '../../shared/field-kinds';

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
			options: choices({
				meta: 'Icons of Tools',
				info: ['Info', 'Name, description, tags and type of the app'],
				parameters: ['Parameters', 'The form, file upload, speech, suggested questions and limits'],
				site: ['Web App', 'Title, colours and language; null where the app has none'],
			}),
			description: 'Each part is one request',
		}),
	],
	run: async ({ client, parameters }) => {
		const parts = parameters.choices<AppPart>('parts');
		const json = await describeApp(client, parts);
		return [{ json }];
	},
};
