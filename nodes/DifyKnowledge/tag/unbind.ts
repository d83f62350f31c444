import { unbindTags } from '../../../lib/dify/knowledge/tags';
import { datasetField, datasetIdIn } from '../../shared/dify/knowledge-fields';
import type { DifyOperation } from '../../shared/dify/run';
import { idIn } from '../fields';
import { tagField } from './fields';

export const tagUnbind: DifyOperation = {
	option: { name: 'Unbind', value: 'unbind', action: 'Take a tag from a knowledge base' },
	fields: [datasetField, tagField],
	run: async ({ api, parameters }) => {
		const [datasetId, tagId] = [datasetIdIn(parameters), idIn(parameters, 'tagId')];
		await unbindTags(api, datasetId, [tagId]);
		return [{ json: { datasetId, tagId, bound: false } }];
	},
};
