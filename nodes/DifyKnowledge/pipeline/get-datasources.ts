import { listDatasources } from '../../../lib/dify/knowledge/datasources';
import { datasetField, datasetIdIn } from '../../shared/dify/knowledge-fields';
import type { DifyOperation } from '../../shared/dify/run';
import { itemsOf } from '../../shared/run/operations';
import { NEEDS, versionField, versionIn } from './fields';

export const pipelineGetDatasources: DifyOperation = {
	option: {
		name: 'Get Datasources',
		value: 'getDatasources',
		action: 'Get the datasources of a pipeline',
		description: `Where a knowledge pipeline takes its documents from, with the inputs; ${NEEDS}`,
	},
	fields: [datasetField, versionField],
	run: async ({ api, parameters }) =>
		itemsOf(
			(await listDatasources(api, datasetIdIn(parameters), versionIn(parameters))).map(
				({ record }) => record,
			),
		),
};
