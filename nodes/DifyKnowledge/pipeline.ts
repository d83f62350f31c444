import type { INodeProperties } from 'n8n-workflow';

import {
	datasourceOf,
	listDatasources,
	runDatasource,
	type Datasource,
	type PipelineVersion,
} from '../../lib/dify/knowledge/datasources';
import { waitForIndexing } from '../../lib/dify/knowledge/indexing';
import {
	documentIdsIn,
	localFile,
	runPipeline,
	uploadPipelineFile,
	type PipelineOutcome,
} from '../../lib/dify/knowledge/pipelines';
import { ServerError } from '../../lib/errors/server-error';
import { isRecord, nonEmptyText, parseJson, type JsonRecord } from '../../lib/values';
import { binarySource } from '../shared/binary';
import { datasetField, datasetIdIn, locatorField } from '../shared/dify/knowledge-fields';
import { wrongField } from '../shared/field-values';
import type { NodeParameters } from '../shared/parameters';
import type { KnowledgeCall, KnowledgeOperation } from './call';
import { binaryField, waitField } from './fields';

const NEEDS = 'needs Dify 1.14 or newer';

const versionField: INodeProperties = {
	displayName: 'Version',
	name: 'pipelineVersion',
	type: 'options',
	options: [
		{ name: 'Draft', value: 'draft', description: 'As it is in the editor of Dify: a run is a preview only' },
		{ name: 'Published', value: 'published' },
	],
	default: 'published',
	description: 'Which version of the pipeline to use',
};

const datasourceField = locatorField(
	'Datasource',
	'datasourceNode',
	'searchDatasources',
	{ description: 'At which node the pipeline starts. May be empty where it has only one.' },
	{ displayName: 'By Node ID', placeholder: 'e.g. 1752569675978' },
);

const inputsField: INodeProperties = {
	displayName: 'Inputs',
	name: 'inputs',
	type: 'json',
	default: '{}',
	description: 'Variables of the pipeline and of its datasource, which Get Datasources lists',
};

function versionIn(parameters: NodeParameters): PipelineVersion {
	return { published: parameters.choice<'draft' | 'published'>('pipelineVersion', 'published') === 'published' };
}

async function chosen({ api, parameters, signal }: KnowledgeCall): Promise<Datasource> {
	const nodeId = parameters.name('datasourceNode') || undefined;
	return await datasourceOf(api, datasetIdIn(parameters), nodeId, versionIn(parameters), signal);
}

/** What Dify says of a file that it has taken. */
type Uploaded = JsonRecord & { id: string; name: string };

async function uploaded({ api, context, parameters, signal }: KnowledgeCall): Promise<Uploaded> {
	const source = await binarySource(context, parameters.itemIndex, parameters.name('binaryPropertyName'));
	const record = await uploadPipelineFile(api, source, signal);
	return { ...record, name: nonEmptyText(record.name) ?? source.name };
}

export const pipelineGetDatasources: KnowledgeOperation = {
	option: {
		name: 'Get Datasources',
		value: 'getDatasources',
		action: 'Get the datasources of a pipeline',
		description: `Where a knowledge pipeline takes its documents from, with the inputs; ${NEEDS}`,
	},
	fields: [datasetField, versionField],
	run: async ({ api, parameters, signal }) =>
		(await listDatasources(api, datasetIdIn(parameters), versionIn(parameters), signal)).map(({ record }) => record),
};

export const pipelineUpload: KnowledgeOperation = {
	option: {
		name: 'Upload File',
		value: 'uploadFile',
		action: 'Upload a file for a pipeline',
		description: `Gives what Run takes as an item; ${NEEDS}`,
	},
	fields: [binaryField],
	run: async (call) => {
		const file = await uploaded(call);
		return [{ ...localFile(file), size: file.size, mimeType: file.mime_type }];
	},
};

export const pipelineRunDatasource: KnowledgeOperation = {
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
		{
			displayName: 'Datasource Credential ID',
			name: 'datasourceAuth',
			type: 'string',
			default: '',
			description: 'Of the datasource plugin, as Get Datasources lists them. Leave empty for the default one.',
		},
	],
	run: async (call) => {
		const { api, parameters, signal } = call;
		const asked = {
			datasource: await chosen(call),
			inputs: parameters.object('inputs', {}),
			credentialId: parameters.name('datasourceAuth') || undefined,
			...versionIn(parameters),
		};
		return await runDatasource(api, datasetIdIn(parameters), asked, signal);
	},
};

export const pipelineRun: KnowledgeOperation = {
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
		{
			displayName: 'Take',
			name: 'pipelineTake',
			type: 'options',
			options: [
				{ name: 'Binary File of the Item', value: 'binary', description: 'It is uploaded first' },
				{
					name: 'Items of the Datasource',
					value: 'items',
					description: 'What Upload File or Run Datasource Node gave',
				},
			],
			default: 'binary',
			description: 'What the pipeline works on',
		},
		{ ...binaryField, displayOptions: { show: { pipelineTake: ['binary'] } } },
		{
			displayName: 'Datasource Items',
			name: 'datasourceItems',
			type: 'json',
			default: '={{ $json }}',
			required: true,
			displayOptions: { show: { pipelineTake: ['items'] } },
			description: 'One record, or a list of them for one run',
		},
		inputsField,
		waitField,
	],
	run: async (call) => {
		const { api, parameters, signal } = call;
		const datasetId = datasetIdIn(parameters);
		const datasource = await chosen(call);
		const inputs = parameters.object('inputs', {});
		const items = await itemsIn(call, datasource);
		const run = { datasource, items, inputs, ...versionIn(parameters) };
		return await results(call, datasetId, await runPipeline(api, datasetId, run, signal));
	},
};

async function itemsIn(call: KnowledgeCall, { type, title }: Datasource): Promise<JsonRecord[]> {
	const { parameters } = call;
	if (parameters.choice<'binary' | 'items'>('pipelineTake', 'binary') === 'items') return recordsOf(parameters);
	if (type === 'local_file') return [localFile(await uploaded(call))];
	throw wrongField(
		parameters.field('pipelineTake').label,
		`does not fit: the datasource "${title}" takes no files. Choose Items of the Datasource, from Run Datasource Node`,
	);
}

function recordsOf(parameters: NodeParameters): JsonRecord[] {
	const value = parameters.value('datasourceItems');
	const list = [typeof value === 'string' ? parseJson(value) : value].flat();
	if (list.length > 0 && list.every(isRecord)) return list;
	throw wrongField(parameters.field('datasourceItems').label, 'must be a JSON object, or a list of objects');
}

/** One item per document, when it is indexed; or the preview of a draft. */
async function results(
	{ api, parameters, signal, hint }: KnowledgeCall,
	datasetId: string,
	outcome: PipelineOutcome,
): Promise<JsonRecord[]> {
	if (outcome.kind === 'preview') {
		const { status, workflowRunId, workflow } = outcome.result;
		return [{ preview: true, status, workflowRunId, outputs: workflow?.outputs ?? {} }];
	}
	const { batch, documents } = outcome;
	if (documents.length === 0) hint('The pipeline made no documents.');
	const ids = documentIdsIn(api, datasetId, documents);
	const limitMs = parameters.milliseconds('wait', 300_000);
	const made: JsonRecord[] = [];
	for (const [at, documentId] of ids.entries()) {
		const { name, indexing_status: indexingStatus } = documents[at] ?? {};
		const item = { documentId, datasetId, name, ...(batch === undefined ? {} : { batch }) };
		if (limitMs === 0) made.push({ ...item, indexingStatus });
		else {
			const waiting = waitForIndexing(api, datasetId, { documentId, batch }, { limitMs, signal });
			const { status, total } = await waiting.catch((error: unknown) => {
				throw withDocuments(error, ids, batch);
			});
			made.push({ ...item, indexingStatus: status, chunks: total });
		}
	}
	return made;
}

/** The documents of a run are there, whatever became of one: another run would make them again. */
function withDocuments(error: unknown, documentIds: string[], batch: string | undefined): unknown {
	if (!(error instanceof ServerError)) return error;
	const remedy = `${error.remedy} The run has made these documents, and another run makes new ones: ${documentIds.join(', ')}.`;
	return new ServerError({ ...error, message: error.message, remedy, facts: { ...error.facts, documentIds, batch } });
}
