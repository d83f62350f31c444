import { fieldsIn } from '../../../lib/dify/knowledge/metadata';
import { metadataRoutes } from '../../../lib/dify/knowledge/routes';
import { datasetField, datasetIdIn } from '../../shared/dify/knowledge-fields';
import { knowledgeOperation } from '../../shared/dify/route-operation';

export const metadataGetFields = knowledgeOperation({
	option: { name: 'Get Fields', value: 'getFields', action: 'Get metadata fields' },
	fields: [datasetField],
	route: metadataRoutes.list,
	values: { dataset_id: datasetIdIn },
	items: (answer) => {
		const { fields, builtInEnabled } = fieldsIn(answer);
		return fields.map((field) => ({ ...field, builtInEnabled }));
	},
});
