import { ServerError } from '../../lib/errors/server-error';
import type { DifyOperation } from '../shared/dify/run';
import { choices, choicesField } from '../shared/field-kinds';

/** Descriptions of an app, named after their routes. */
type AppPart = 'info' | 'parameters' | 'meta' | 'site';

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
	run: async ({ client, parameters, appParameters }) => {
		const json: Record<string, unknown> = {};
		for (const part of parameters.choices<AppPart>('parts')) {
			const reading = part === 'parameters' ? appParameters() : client.get(`/${part}`);
			json[part] = await reading.catch((error: unknown) => {
				const hasNone = part === 'site' && error instanceof ServerError && error.status === 403;
				return hasNone ? null : Promise.reject(error as Error);
			});
		}
		return [{ json }];
	},
};
