import { listChildChunks } from '../../../lib/dify/knowledge/chunks';
import { limitIn, pagingFields } from '../../shared/dify/fields';
import type { DifyOperation } from '../../shared/dify/run';
import { itemsOf } from '../../shared/run/operations';
import { chunkPlace } from '../chunk/fields';
import { keywordField } from '../fields';
import { placeFields } from './fields';

export const childChunkGetAll: DifyOperation = {
	option: { name: 'Get Many', value: 'getAll', action: 'Get many child chunks' },
	fields: [...placeFields, keywordField, ...pagingFields],
	run: async ({ api, parameters }) =>
		itemsOf(
			await listChildChunks(
				api,
				chunkPlace(parameters),
				limitIn(parameters),
				parameters.freeText('keyword'),
			),
		),
};
