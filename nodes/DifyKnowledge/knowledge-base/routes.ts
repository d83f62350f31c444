import { baseRoutes } from '../../../lib/dify/knowledge/routes';
import { pagingFields } from '../../shared/dify/fields';
import { datasetField, datasetIdIn } from '../../shared/dify/knowledge-fields';
import { knowledgeOperation, readName } from '../../shared/dify/route-operation';
import { keywordField } from '../fields';

export const knowledgeBaseGetAll = knowledgeOperation({
	option: {
		name: 'Get Many',
		value: 'getAll',
		action: 'Get many knowledge bases',
		description: 'Those of the whole workspace, newest first',
	},
	fields: [keywordField, ...pagingFields],
	route: baseRoutes.list,
	values: { keyword: readName('keyword') },
});

export const knowledgeBaseGet = knowledgeOperation({
	option: { name: 'Get', value: 'get', action: 'Get a knowledge base' },
	fields: [datasetField],
	route: baseRoutes.get,
	values: { dataset_id: datasetIdIn },
});
