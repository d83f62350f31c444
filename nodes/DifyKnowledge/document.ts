import type { IExecuteFunctions, INodeExecutionData, INodeProperties } from 'n8n-workflow';

import {
	deleteDocument,
	downloadUrl,
	downloadZip,
	getDocument,
	listDocuments,
	MOST_IN_ZIP,
	setStatus,
	type DocumentStatus,
	type StatusAction,
} from '../../lib/dify/knowledge/documents';
import { progressOf, waitForIndexing } from '../../lib/dify/knowledge/indexing';
import { uuid } from '../../lib/dify/ids';
import { difyClient } from '../../lib/dify/credentials';
import { mostIn, pagingFields } from '../shared/dify/fields';
import { datasetField, datasetIdIn } from '../shared/dify/knowledge-fields';
import { wrongField } from '../shared/field-values';
import type { NodeParameters } from '../shared/parameters';
import { storeFile, type StoredFile } from '../shared/store-file';
import type { KnowledgeOperation } from './call';
import { documentField, documentIdIn, keywordField, optionsField, textsIn, waitField } from './fields';

const documentIdsField: INodeProperties = {
	displayName: 'Document IDs',
	name: 'documentIds',
	type: 'string',
	default: '={{ $json.documentId }}',
	required: true,
	description: 'Separate several with commas, or give a list',
};

function documentIdsIn(parameters: NodeParameters): string[] {
	const ids = (textsIn(parameters, 'documentIds') ?? []).map((id) => uuid(id, 'document ID'));
	if (ids.length === 0) throw wrongField(parameters.field('documentIds').label, 'is empty');
	return ids;
}

const outputField: INodeProperties = {
	displayName: 'Put Output File in Field',
	name: 'outputField',
	type: 'string',
	default: 'data',
	required: true,
	hint: 'The name of the output binary field to put the file in',
};

export const documentDelete: KnowledgeOperation = {
	option: { name: 'Delete', value: 'delete', action: 'Delete a document' },
	fields: [
		datasetField,
		documentField,
		optionsField([
			{
				displayName: 'Unarchive First',
				name: 'unarchive',
				type: 'boolean',
				default: true,
				description: 'Whether to take an archived document out of the archive, which Dify does not delete otherwise',
			},
		]),
	],
	run: async ({ api, parameters, signal }) => {
		const documentId = documentIdIn(parameters);
		const unarchive = parameters.flag('options.unarchive', false);
		const existed = await deleteDocument(api, datasetIdIn(parameters), documentId, unarchive, signal);
		return [{ documentId, deleted: true, existed }];
	},
};

export const documentGet: KnowledgeOperation = {
	option: { name: 'Get', value: 'get', action: 'Get a document', description: 'With its rules and its metadata' },
	fields: [datasetField, documentField],
	run: async ({ api, parameters, signal }) => [
		await getDocument(api, datasetIdIn(parameters), documentIdIn(parameters), 'all', signal),
	],
};

export const documentGetAll: KnowledgeOperation = {
	option: { name: 'Get Many', value: 'getAll', action: 'Get many documents', description: 'Newest first' },
	fields: [
		datasetField,
		keywordField,
		...pagingFields,
		optionsField([
			{
				displayName: 'Status',
				name: 'status',
				type: 'options',
				options: [
					{ name: 'Archived', value: 'archived' },
					{ name: 'Available', value: 'available', description: 'Indexed and enabled' },
					{ name: 'Disabled', value: 'disabled' },
					{ name: 'Error', value: 'error' },
					{ name: 'Indexing', value: 'indexing' },
					{ name: 'Paused', value: 'paused' },
					{ name: 'Queuing', value: 'queuing' },
				],
				default: 'available',
			},
		]),
	],
	run: async ({ api, parameters, signal }) => {
		const status = parameters.choice<DocumentStatus>('options.status', undefined);
		const filter = { keyword: parameters.freeText('keyword'), status };
		return await listDocuments(api, datasetIdIn(parameters), mostIn(parameters), filter, signal);
	},
};

export const documentGetStatus: KnowledgeOperation = {
	option: {
		name: 'Get Status',
		value: 'getStatus',
		action: 'Get the status of a document',
		description: 'How far the indexing is, or wait until it is done',
	},
	fields: [
		datasetField,
		documentField,
		waitField,
		optionsField([
			{
				displayName: 'Batch',
				name: 'batch',
				type: 'string',
				default: '={{ $json.batch }}',
				description: 'What Create or Update gave: tells how many chunks are done while it is indexed',
			},
		]),
	],
	run: async ({ api, parameters, signal }) => {
		const datasetId = datasetIdIn(parameters);
		const documentId = documentIdIn(parameters);
		const indexing = { documentId, batch: parameters.name('options.batch') || undefined };
		const limitMs = parameters.milliseconds('wait', 300_000);
		const { status, done, total, error } =
			limitMs === 0
				? await progressOf(api, datasetId, indexing, signal)
				: await waitForIndexing(api, datasetId, indexing, { limitMs, signal });
		return [
			{
				documentId,
				indexingStatus: status,
				chunksDone: done,
				chunks: total,
				...(error === undefined ? {} : { error }),
			},
		];
	},
};

export const documentSetStatus: KnowledgeOperation = {
	option: {
		name: 'Set Status',
		value: 'setStatus',
		action: 'Set the status of documents',
		description: 'Enable, disable, archive or unarchive: all of them or none',
	},
	fields: [
		datasetField,
		documentIdsField,
		{
			displayName: 'Action',
			name: 'statusAction',
			type: 'options',
			options: [
				{ name: 'Archive', value: 'archive' },
				{ name: 'Disable', value: 'disable', description: 'It is not found any more, but stays' },
				{ name: 'Enable', value: 'enable' },
				{ name: 'Unarchive', value: 'un_archive' },
			],
			default: 'enable',
		},
	],
	run: async ({ api, parameters, signal }) => {
		const ids = documentIdsIn(parameters);
		const action = parameters.choice<StatusAction>('statusAction');
		await setStatus(api, datasetIdIn(parameters), ids, action, signal);
		return ids.map((documentId) => ({ documentId, action }));
	},
};

export const documentDownload: KnowledgeOperation = {
	option: {
		name: 'Download',
		value: 'download',
		action: 'Download a document',
		description: 'The file that a document was made of; needs Dify 1.14 or newer',
	},
	fields: [datasetField, documentField, outputField],
	run: async ({ api, parameters, signal, context }) => {
		const datasetId = datasetIdIn(parameters);
		const documentId = documentIdIn(parameters);
		const url = await downloadUrl(api, datasetId, documentId, signal);
		const { name } = await getDocument(api, datasetId, documentId, 'without', signal);
		const fileName = typeof name === 'string' && name !== '' ? name : documentId;
		const field = parameters.name('outputField') || 'data';
		const { facts, binary } = await fileAt(context, parameters.itemIndex, { url, field, fileName, signal });
		return { items: [{ json: { documentId, ...facts }, binary }] };
	},
};

export const documentDownloadZip: KnowledgeOperation = {
	option: {
		name: 'Download as ZIP',
		value: 'downloadZip',
		action: 'Download documents as a ZIP',
		description: 'The files of several documents, a hundred in each ZIP; needs Dify 1.14 or newer',
	},
	fields: [datasetField, documentIdsField, outputField],
	run: async ({ api, parameters, signal, context }) => {
		const datasetId = datasetIdIn(parameters);
		const ids = [...new Set(documentIdsIn(parameters))];
		const field = parameters.name('outputField') || 'data';
		const items: INodeExecutionData[] = [];
		for (let begin = 0; begin < ids.length; begin += MOST_IN_ZIP) {
			const documentIds = ids.slice(begin, begin + MOST_IN_ZIP);
			const fileName = ids.length > MOST_IN_ZIP ? `documents-${items.length + 1}.zip` : 'documents.zip';
			const content = await downloadZip(api, datasetId, documentIds, signal);
			const { facts, binary } = await storeFile(context, field, { content, fileName, mimeType: 'application/zip' });
			items.push({ json: { documentIds, ...facts }, binary });
		}
		return { items };
	},
};

interface SignedFile {
	url: string;
	field: string;
	fileName: string;
	signal: AbortSignal;
}

/** The signed address needs no key, and must not get it: it may be on another host. */
async function fileAt(
	context: IExecuteFunctions,
	itemIndex: number,
	{ url, field, fileName, signal }: SignedFile,
): Promise<StoredFile> {
	const credentials = await context.getCredentials('difyApi', itemIndex);
	const { connection } = difyClient(credentials, context.helpers, { headers: {} });
	const { pieces, headers } = await connection.download(url, { signal });
	const mimeType = headers['content-type']?.split(';')[0] ?? '';
	return await storeFile(context, field, { content: pieces, fileName, mimeType });
}
