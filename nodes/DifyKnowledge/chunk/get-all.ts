import { listChunks } from '../../../lib/dify/knowledge/chunks';
import { limitIn, pagingFields } from '../../shared/dify/fields';
import type { DifyOperation } from '../../shared/dify/run';
import { itemsOf } from '../../shared/run/operations';
import { keywordField } from '../fields';
import { documentPlace, placeFields } from './fields';

export const chunkGetAll: DifyOperation = {
	option: {
		name: 'Get Many',
		value: 'getAll',
		action: 'Get many chunks',
		description: 'In their order',
	},
	fields: [...placeFields, keywordField, ...pagingFields],
	run: async ({ api, parameters }) =>
		itemsOf(
			await listChunks(
				api,
				documentPlace(parameters),
				limitIn(parameters),
				parameters.freeText('keyword'),
			),
		),
};
