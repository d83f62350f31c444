import {
	type Datasource,
	datasourceOf,
	type PipelineVersion,
} from '../../../lib/dify/knowledge/datasources';
import { uploadPipelineFile } from '../../../lib/dify/knowledge/pipelines';
import { type JsonRecord, nonEmptyText } from '../../../lib/values';
import { datasetIdIn } from '../../shared/dify/knowledge-fields';
import { fileIn, locatorField } from '../../shared/dify/fields';
import type { NodeParameters } from '../../shared/parameters';
import type { DifyCall } from '../../shared/dify/run';
import { choiceField, choices, jsonField } from '../../shared/field-kinds';

export const NEEDS = 'needs Dify 1.14 or newer';

export const versionField = choiceField('Version', 'pipelineVersion', 'published', {
	options: choices({
		draft: ['Draft', 'As it is in the editor of Dify: a run is a preview only'],
		published: 'Published',
	}),
	description: 'Which version of the pipeline to use',
});

export const datasourceField = locatorField(
	'Datasource',
	'datasourceNode',
	'searchDatasources',
	{ description: 'At which node the pipeline starts. May be empty where it has only one.' },
	{ displayName: 'By Node ID', placeholder: 'e.g. 1752569675978' },
);

export const inputsField = jsonField('Inputs', 'inputs', '{}', {
	description: 'Variables of the pipeline and of its datasource, which Get Datasources lists',
});

export function versionIn(parameters: NodeParameters): PipelineVersion {
	return {
		published:
			parameters.choice<'draft' | 'published'>('pipelineVersion', 'published') === 'published',
	};
}

export async function chosenDatasource({ api, parameters }: DifyCall): Promise<Datasource> {
	const nodeId = parameters.name('datasourceNode') || undefined;
	return await datasourceOf(api, datasetIdIn(parameters), nodeId, versionIn(parameters));
}

/** Dify's record of an uploaded file. */
type Uploaded = JsonRecord & { id: string; name: string };

export async function uploadedFile(call: DifyCall): Promise<Uploaded> {
	const source = await fileIn(call);
	const record = await uploadPipelineFile(call.api, source);
	return { ...record, name: nonEmptyText(record.name) ?? source.name };
}
