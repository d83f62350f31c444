import { modelDetails } from '../../../lib/servers/manage/model-details';
import type { LocalLlamaOperation } from '../operation';
import { targetModelField } from './fields';

export const modelGet: LocalLlamaOperation = {
	option: {
		name: 'Get',
		value: 'get',
		action: 'Get a model',
		description:
			'All that the server tells of one model: template, parameters, context, abilities. Loads nothing.',
	},
	fields: [targetModelField],
	run: async ({ connection, parameters, signal }) => [
		{ json: await modelDetails(connection, { model: parameters.name('model'), signal }) },
	],
};
