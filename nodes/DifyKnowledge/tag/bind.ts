import { bindTags } from '../../../lib/dify/knowledge/tags';
import { datasetField, datasetIdIn } from '../../shared/dify/knowledge-fields';
import type { DifyOperation } from '../../shared/dify/run';
import { idIn } from '../fields';
import { tagField } from './fields';

export const tagBind: DifyOperation = {
	option: { name: 'Bind', value: 'bind', action: 'Give a knowledge base a tag' },
	fields: [datasetField, tagField],
	run: async ({ api, parameters }) => {
		const [datasetId, tagId] = [datasetIdIn(parameters), idIn(parameters, 'tagId')];
		await bindTags(api, datasetId, [tagId]);
		return [{ json: { datasetId, tagId, bound: true } }];
	},
};
