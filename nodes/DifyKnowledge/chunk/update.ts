import { updateChunk } from '../../../lib/dify/knowledge/chunks';
import type { DifyOperation } from '../../shared/dify/run';
import { booleanField, optionsCollection } from '../../shared/field-kinds';
import { textIn } from '../fields';
import { chunkField, chunkIds, contentField, placeFields, values, valuesIn } from './fields';

export const chunkUpdate: DifyOperation = {
	option: { name: 'Update', value: 'update', action: 'Update a chunk' },
	fields: [
		...placeFields,
		chunkField,
		optionsCollection([
			...values,
			contentField,
			booleanField('Enabled', 'enabled', true, {
				description:
					'Whether searches find the chunk. Dify changes a disabled chunk only together with enabling it.',
			}),
		]),
	],
	run: async ({ api, parameters }) => {
		const enabled = parameters.flag('options.enabled', undefined);
		const chunk = {
			...valuesIn(parameters),
			content: textIn(parameters, 'options.content'),
			enabled,
		};
		return [{ json: await updateChunk(api, chunkIds(parameters), chunk) }];
	},
};
