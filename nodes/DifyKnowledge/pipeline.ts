/** Knowledge pipelines, which create documents from files. */
import { createParamError } from '../../lib/dify/create-error';
import { getDocumentId } from '../../lib/dify/knowledge/documents';
import type { DifyClient } from '../../lib/dify/client';
import { apiPath } from '../../lib/dify/api-path';
import { parseRecords } from '../../lib/dify/pages';
import { readFileId } from '../../lib/dify/upload-file';
import { assertDocument } from '../../lib/files/document';
import { asNonEmptyString, asRecords } from '../../lib/values/records';
import type { FieldTable } from '../../lib/fields/field';
import type { DifyCall, DifyResource } from '../shared/dify/dify-operation';
import type { ListSearch } from '../shared/dify/editor-lists';
import { readEditorDatasetId, createListSearch, filterByName } from '../shared/dify/editor-lists';
import { readFile } from '../shared/dify/file-fields';
import { defineOperation } from '../shared/items/define-operation';
import type { FieldValues } from '../shared/items/define-operation';
import { toOperationItems } from '../shared/items/operation-items';
import { datasetField, documentFileField } from './fields';

/**
 * Nodes of the published pipeline that accept files (docs/protocols/dify.md 2.13).
 *
 * @throws {ServerError} also for a knowledge base without a pipeline
 */
async function fetchFileNodes(client: DifyClient, datasetId: string) {
	const route = apiPath`/datasets/${datasetId}/pipeline/datasource-plugins`;
	const records = parseRecords(
		await client.requestJson('GET', route, { query: { is_published: 'true' } }),
	);
	return records.flatMap(({ node_id: nodeId, datasource_type: type, title }) => {
		const id = asNonEmptyString(nodeId);
		if (id === undefined || type !== 'local_file') return [];
		return [{ id, title: asNonEmptyString(title) ?? id }];
	});
}

/** File nodes of the pipeline that created the selected knowledge base. */
export const searchDatasources: ListSearch = createListSearch(
	'knowledge',
	async ({ client, context, filter }) => {
		const nodes = await fetchFileNodes(client, readEditorDatasetId(context));
		return filterByName(
			nodes.map(({ id, title }) => ({ name: title, value: id })),
			filter,
		);
	},
);

const runFields = {
	difyDatasetId: datasetField,
	datasourceNode: {
		kind: 'locator',
		label: 'Datasource',
		search: 'searchDatasources',
		entered: [{ displayName: 'By Node ID', placeholder: 'e.g. 1752569675978' }],
		description: 'The node where the pipeline starts. Leave empty if only one node accepts files.',
	},
	binaryPropertyName: documentFileField,
	inputs: {
		kind: 'json',
		label: 'Inputs',
		default: '{}',
		description: 'Variables of the pipeline and its datasource',
		isOptional: true,
	},
} as const satisfies FieldTable;

export const pipelines: DifyResource = {
	name: 'Pipeline',
	value: 'pipeline',
	operations: [
		defineOperation({
			name: 'Run',
			value: 'run',
			action: 'Run a pipeline',
			description:
				'Create documents from a file, new ones on each run; Get Status can wait for them',
			fields: runFields,
			execute: runPipeline,
		}),
	],
};

async function runPipeline(call: DifyCall & FieldValues<typeof runFields>) {
	const { client, hint, values } = call;
	const { difyDatasetId: datasetId, datasourceNode, inputs, binaryPropertyName } = values;
	const node = datasourceNode === '' ? await findOnlyFileNode(client, datasetId) : datasourceNode;
	const source = await readFile(call, binaryPropertyName, assertDocument);
	const uploaded = await client.upload('/datasets/pipeline/file-upload', source);
	const id = readFileId(uploaded);
	const name = asNonEmptyString(uploaded.name) ?? source.name;
	// Never resent: each run creates new documents. A published pipeline returns JSON immediately.
	const response = await client.sendJson('POST', apiPath`/datasets/${datasetId}/pipeline/run`, {
		json: {
			inputs,
			datasource_type: 'local_file',
			// Some versions read `related_id`, others `reference`.
			datasource_info_list: [{ reference: id, related_id: id, name }],
			start_node_id: node,
			is_published: true,
			response_mode: 'streaming',
		},
	});
	const documents = asRecords(response.documents);
	if (documents.length === 0) hint('The pipeline created no documents.');
	const batch = asNonEmptyString(response.batch);
	return toOperationItems(
		documents.map((document) => ({
			documentId: getDocumentId(document),
			datasetId,
			name: document.name,
			batch,
			indexingStatus: document.indexing_status,
		})),
	);
}

/** @throws {ServerError} unless exactly one node accepts files */
async function findOnlyFileNode(client: DifyClient, datasetId: string) {
	const nodes = await fetchFileNodes(client, datasetId);
	if (nodes.length === 1) return nodes[0]!.id;
	const names = nodes.map(({ id, title }) => `${title} (${id})`).join(', ');
	if (nodes.length === 0) {
		throw createParamError({
			title: 'The pipeline has no datasource for files',
			suggestion: 'In Dify, publish a pipeline that accepts files.',
		});
	}
	throw createParamError({
		title: 'The pipeline has several datasources for files, and none is selected',
		suggestion: `Select one in the field Datasource. Available: ${names}.`,
	});
}
