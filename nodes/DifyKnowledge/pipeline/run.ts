import type { Datasource } from '../../../lib/dify/knowledge/datasources';
import { waitForIndexing } from '../../../lib/dify/knowledge/indexing';
import { documentIdIn } from '../../../lib/dify/knowledge/documents';
import {
	localFile,
	type PipelineOutcome,
	runPipeline,
} from '../../../lib/dify/knowledge/pipelines';
import { type ServerError, throwAs } from '../../../lib/errors/server-error';
import { parseJson } from '../../../lib/json';
import { isRecord, type JsonRecord, optional } from '../../../lib/values';
import { datasetField, datasetIdIn } from '../../shared/dify/knowledge-fields';
import { wrongField } from '../../shared/field-values';
import type { NodeParameters } from '../../shared/parameters';
import type { DifyCall, DifyOperation } from '../../shared/dify/run';
import { choiceField, choices, jsonField } from '../../shared/field-kinds';
import { itemsOf, type OperationItem } from '../../shared/run/operations';
import { binaryField, waitField } from '../fields';
import {
	chosenDatasource,
	datasourceField,
	inputsField,
	NEEDS,
	uploadedFile,
	versionField,
	versionIn,
} from './fields';

export const pipelineRun: DifyOperation = {
	option: {
		name: 'Run',
		value: 'run',
		action: 'Run a pipeline',
		description: `Makes documents of files or pages, new ones in each run; ${NEEDS}`,
	},
	fields: [
		datasetField,
		versionField,
		datasourceField,
		choiceField('Take', 'pipelineTake', 'binary', {
			options: choices({
				binary: ['Binary File of the Item', 'It is uploaded first'],
				items: ['Items of the Datasource', 'What Upload File or Run Datasource Node gave'],
			}),
			description: 'What the pipeline works on',
		}),
		{ ...binaryField, displayOptions: { show: { pipelineTake: ['binary'] } } },
		jsonField('Datasource Items', 'datasourceItems', '={{ $json }}', {
			required: true,
			displayOptions: { show: { pipelineTake: ['items'] } },
			description: 'One record, or a list of them for one run',
		}),
		inputsField,
		waitField,
	],
	run: async (call) => {
		const { api, parameters } = call;
		const datasetId = datasetIdIn(parameters);
		const datasource = await chosenDatasource(call);
		const inputs = parameters.object('inputs', {});
		const items = await itemsIn(call, datasource);
		const run = { datasource, items, inputs, ...versionIn(parameters) };
		return await results(call, datasetId, await runPipeline(api, datasetId, run));
	},
};

async function itemsIn(call: DifyCall, { type, title }: Datasource): Promise<JsonRecord[]> {
	const { parameters } = call;
	if (parameters.choice<'binary' | 'items'>('pipelineTake', 'binary') === 'items')
		return recordsOf(parameters);
	if (type === 'local_file') return [localFile(await uploadedFile(call))];
	throw wrongField(
		parameters.field('pipelineTake').label,
		`does not fit: the datasource "${title}" takes no files. Choose Items of the Datasource, from Run Datasource Node`,
	);
}

function recordsOf(parameters: NodeParameters): JsonRecord[] {
	const value = parameters.value('datasourceItems');
	const list = [typeof value === 'string' ? parseJson(value) : value].flat();
	if (list.length > 0 && list.every(isRecord)) return list;
	throw wrongField(
		parameters.field('datasourceItems').label,
		'must be a JSON object, or a list of objects',
	);
}

/** One item per indexed document, or the preview of a draft. */
async function results(
	{ api, parameters, hint }: DifyCall,
	datasetId: string,
	outcome: PipelineOutcome,
): Promise<OperationItem[]> {
	if (outcome.kind === 'preview') {
		const { status, workflowRunId, workflow } = outcome.result;
		return [{ json: { preview: true, status, workflowRunId, outputs: workflow?.outputs ?? {} } }];
	}
	const { batch, documents } = outcome;
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
