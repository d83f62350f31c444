import { invalidParam } from '../../../lib/dify/errors/failure';
import { baseRoutes } from '../../../lib/dify/knowledge/routes';
import { datasetField, datasetIdIn } from '../../shared/dify/knowledge-fields';
import type { DifyOperation } from '../../shared/dify/run';
import { booleanField } from '../../shared/field-kinds';

export const knowledgeBaseDelete: DifyOperation = {
	option: {
		name: 'Delete',
		value: 'delete',
		action: 'Delete a knowledge base',
		description: 'Delete it with all its documents, even if apps use it',
	},
	fields: [
		datasetField,
		booleanField('I Know That All Documents Are Deleted', 'confirm', false, {
			description:
				'Whether to delete the knowledge base. Dify asks nobody, and nothing brings it back.',
		}),
	],
	run: async ({ api, parameters }) => {
		const datasetId = datasetIdIn(parameters);
		if (!parameters.flag('confirm'))
			throw invalidParam(
				'The deletion is not confirmed',
				'Turn on "I Know That All Documents Are Deleted" in the node.',
			);
		const existed = await api.call(baseRoutes.delete, { dataset_id: datasetId });
		return [{ json: { datasetId, deleted: true, existed } }];
	},
};
