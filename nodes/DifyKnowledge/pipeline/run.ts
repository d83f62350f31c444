import { documentIdIn } from '../../../lib/dify/knowledge/documents';
import { waitForIndexing } from '../../../lib/dify/knowledge/indexing';
import {
	fileNodeOf,
	type PipelineDocuments,
	runPipeline,
} from '../../../lib/dify/knowledge/pipelines';
import { type ServerError, throwAs } from '../../../lib/errors/server-error';
import { type JsonRecord, optional } from '../../../lib/values';
import { fileIn, locatorField } from '../../shared/dify/fields';
import { datasetField, datasetIdIn } from '../../shared/dify/knowledge-fields';
import type { DifyCall, DifyOperation } from '../../shared/dify/run';
import { jsonField } from '../../shared/field-kinds';
import { itemsOf, type OperationItem } from '../../shared/run/operations';
import { binaryField, waitField } from '../fields';

export const pipelineRun: DifyOperation = {
	option: {
		name: 'Run',
		value: 'run',
		action: 'Run a pipeline',
		description: 'Makes documents of a file, new ones in each run',
	},
	fields: [
		datasetField,
		locatorField(
			'Datasource',
			'datasourceNode',
			'searchDatasources',
			{
				description: 'At which node the pipeline starts. May be empty where only one takes files.',
			},
			{ displayName: 'By Node ID', placeholder: 'e.g. 1752569675978' },
		),
		binaryField,
		jsonField('Inputs', 'inputs', '{}', {
			description: 'Variables of the pipeline and of its datasource',
		}),
		waitField,
	],
	run: async (call) => {
		const { api, parameters } = call;
		const datasetId = datasetIdIn(parameters);
		const node = await fileNodeOf(api, datasetId, parameters.name('datasourceNode') || undefined);
		const inputs = parameters.object('inputs', {});
		const made = await runPipeline(api, datasetId, node, await fileIn(call), inputs);
		return await results(call, datasetId, made);
	},
};

/** One item per indexed document. */
async function results(
	{ api, parameters, hint }: DifyCall,
	datasetId: string,
	{ batch, documents }: PipelineDocuments,
): Promise<OperationItem[]> {
	if (documents.length === 0) hint('The pipeline made no documents.');
	const ids = documents.map((document) => documentIdIn(api, datasetId, document, 'pipeline/run'));
	const limitMs = parameters.milliseconds('wait', 300_000);
	const made: JsonRecord[] = [];
	for (const [at, documentId] of ids.entries()) {
		const { name, indexing_status: indexingStatus } = documents[at] ?? {};
		const item = { documentId, datasetId, name, ...optional({ batch }) };
		if (limitMs === 0) made.push({ ...item, indexingStatus });
		else {
			const waiting = waitForIndexing(api, datasetId, { documentId, batch }, { limitMs });
			const { status, total } = await waiting.catch(
				throwAs((error) => withDocuments(error, ids, batch)),
			);
			made.push({ ...item, indexingStatus: status, chunks: total });
		}
	}
	return itemsOf(made);
}

/** Names the documents that a failed run has created: another run would create them again. */
function withDocuments(
	error: ServerError,
	documentIds: string[],
	batch: string | undefined,
): ServerError {
	const remedy = `${error.remedy} The run has made these documents, and another run makes new ones: ${documentIds.join(', ')}.`;
	return error.withRemedy(remedy).withFacts({ documentIds, batch });
}
