import { tagsOf } from '../../../lib/dify/knowledge/tags';
import { datasetField, datasetIdIn } from '../../shared/dify/knowledge-fields';
import type { DifyOperation } from '../../shared/dify/run';
import { itemsOf } from '../../shared/run/operations';

export const tagGetOfBase: DifyOperation = {
	option: {
		name: 'Get of a Knowledge Base',
		value: 'getOfBase',
		action: 'Get the tags of a knowledge base',
	},
	fields: [datasetField],
	run: async ({ api, parameters }) => itemsOf(await tagsOf(api, datasetIdIn(parameters))),
};
