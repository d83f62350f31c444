import { deleteDocument } from '../../../lib/dify/knowledge/documents';
import { datasetField, datasetIdIn } from '../../shared/dify/knowledge-fields';
import type { DifyOperation } from '../../shared/dify/run';
import { booleanField, optionsCollection } from '../../shared/field-kinds';
import { documentField, documentIdIn } from '../fields';

export const documentDelete: DifyOperation = {
	option: { name: 'Delete', value: 'delete', action: 'Delete a document' },
	fields: [
		datasetField,
		documentField,
		optionsCollection([
			booleanField('Unarchive First', 'unarchive', true, {
				description:
					'Whether to unarchive an archived document first, since Dify does not delete it otherwise',
			}),
		]),
	],
	run: async ({ api, parameters }) => {
		const documentId = documentIdIn(parameters);
		const unarchive = parameters.flag('options.unarchive', false);
		const existed = await deleteDocument(api, datasetIdIn(parameters), documentId, unarchive);
		return [{ json: { documentId, deleted: true, existed } }];
	},
};
