import { metadataFields } from '../../../lib/dify/knowledge/metadata';
import { datasetField, datasetIdIn } from '../../shared/dify/knowledge-fields';
import type { DifyOperation } from '../../shared/dify/run';
import { itemsOf } from '../../shared/run/operations';

export const metadataGetFields: DifyOperation = {
	option: { name: 'Get Fields', value: 'getFields', action: 'Get metadata fields' },
	fields: [datasetField],
	run: async ({ api, parameters }) => {
		const { fields, builtInEnabled } = await metadataFields(api, datasetIdIn(parameters));
		return itemsOf(fields.map((field) => ({ ...field, builtInEnabled })));
	},
};
