import { runDatasource } from '../../../lib/dify/knowledge/datasources';
import { datasetField, datasetIdIn } from '../../shared/dify/knowledge-fields';
import type { DifyOperation } from '../../shared/dify/run';
import { stringField } from '../../shared/field-kinds';
import { itemsOf } from '../../shared/run/operations';
import {
	chosenDatasource,
	datasourceField,
	inputsField,
	NEEDS,
	versionField,
	versionIn,
} from './fields';

export const pipelineRunDatasource: DifyOperation = {
	option: {
		name: 'Run Datasource Node',
		value: 'runDatasource',
		action: 'Run a datasource of a pipeline',
		description: `Lists pages or files that Run takes as items; ${NEEDS}`,
	},
	fields: [
		datasetField,
		versionField,
		datasourceField,
		inputsField,
		stringField('Datasource Credential ID', 'datasourceAuth', {
			description:
				'Of the datasource plugin, as Get Datasources lists them. Leave empty for the default one.',
		}),
	],
	run: async (call) => {
		const { api, parameters } = call;
		const request = {
			datasource: await chosenDatasource(call),
			inputs: parameters.object('inputs', {}),
			credentialId: parameters.name('datasourceAuth') || undefined,
			...versionIn(parameters),
		};
		return itemsOf(await runDatasource(api, datasetIdIn(parameters), request));
	},
};
