import { metadataFields } from '../../../lib/dify/knowledge/metadata';
import { datasetField, datasetIdIn } from '../../shared/dify/knowledge-fields';
import type { KnowledgeOperation } from '../call';

export const fieldGetAll: KnowledgeOperation = {
	option: { name: 'Get Fields', value: 'getFields', action: 'Get metadata fields' },
	fields: [datasetField],
	run: async ({ api, parameters, signal }) => {
		const { fields, builtInEnabled } = await metadataFields(api, datasetIdIn(parameters), signal);
		return fields.map((field) => ({ ...field, builtInEnabled }));
	},
};
