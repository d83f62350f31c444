import { fieldsIn } from '../../../lib/dify/knowledge/metadata';
import { metadataRoutes } from '../../../lib/dify/knowledge/routes';
import { datasetField, datasetIdIn } from '../../shared/dify/knowledge-fields';
import { knowledgeOperation } from '../../shared/dify/route-operation';
import { booleanField } from '../../shared/field-kinds';

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

export const metadataSetBuiltIn = knowledgeOperation({
	option: {
		name: 'Set Built-In Fields',
		value: 'setBuiltIn',
		action: 'Switch built in metadata on or off',
		description: 'Name, uploader, dates and source of documents, for filters',
	},
	fields: [
		datasetField,
		booleanField('Built-In Fields', 'enabled', true, {
			description:
				'Whether searches can use document_name, uploader, upload_date, last_update_date and source',
		}),
	],
	route: metadataRoutes.setBuiltIn,
	values: {
		dataset_id: datasetIdIn,
		action: (parameters) => (parameters.flag('enabled') ? 'enable' : 'disable'),
	},
	items: (_, { dataset_id, action }) => ({
		datasetId: dataset_id,
		builtInEnabled: action === 'enable',
	}),
});
