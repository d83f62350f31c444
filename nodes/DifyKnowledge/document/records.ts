/** Operations on existing documents. */
import { createDifyError } from '../../../lib/dify/create-error';
import { openSignedFile } from '../../../lib/dify/download-file';
import { parseUuid } from '../../../lib/dify/ids';
import {
	assertDocumentsExist,
	buildDocumentList,
	deleteDocument,
	setDocumentStatus,
} from '../../../lib/dify/knowledge/documents';
import { waitForIndexing } from '../../../lib/dify/knowledge/indexing';
import { rethrowWith } from '../../../lib/errors/server-error';
import type { FieldTable, ValueSource } from '../../../lib/fields/field';
import { createEmptyFieldError } from '../../../lib/fields/field-errors';
import { parseMimeType } from '../../../lib/file-name';
import { asNonEmptyString } from '../../../lib/values/records';
import { storeFile } from '../../../lib/n8n/binary';
import type { DifyCall, DifyOperation } from '../../shared/dify/dify-operation';
import { fetchFilesFromField, outputFileField } from '../../shared/dify/file-fields';
import { defineListOperation } from '../../shared/dify/list-operation';
import { defineRequestOperation } from '../../shared/dify/request-operation';
import { optionsField } from '../../shared/fields/options-field';
import { defineOperation } from '../../shared/items/define-operation';
import type { FieldValues } from '../../shared/items/define-operation';
import { toOperationItems } from '../../shared/items/operation-items';
import {
	datasetField,
	documentFields,
	documentPath,
	indexingWaitField,
	keywordField,
	parseTextList,
} from '../fields';

const statusFields = {
	...documentFields,
	wait: indexingWaitField,
	options: optionsField({
		batch: {
			kind: 'name',
			label: 'Batch',
			default: '={{ $json.batch }}',
			description:
				'The batch that Create or Update returned. If set, the status includes the number of indexed chunks.',
		},
	}),
} as const satisfies FieldTable;

const setStatusFields = {
	difyDatasetId: datasetField,
	documentIds: {
		kind: 'text',
		label: 'Document IDs',
		default: '={{ $json.documentId }}',
		required: true,
		description: 'Separate several IDs with commas, or pass an array',
		parse: parseDocumentIds,
	},
	statusAction: {
		kind: 'choice',
		label: 'Action',
		default: 'enable',
		choices: {
			archive: 'Archive',
			disable: ['Disable', 'Searches no longer find the document, but it is kept'],
			enable: 'Enable',
			un_archive: 'Unarchive',
		},
	},
} as const satisfies FieldTable;

function parseDocumentIds(value: unknown, source: ValueSource): string[] {
	const ids = (parseTextList(value, source) ?? []).map((id) => parseUuid(id, 'document ID'));
	if (ids.length === 0) throw createEmptyFieldError(source);
	return ids;
}

const downloadFields = {
	...documentFields,
	outputField: { ...outputFileField, required: true },
	options: optionsField({ fetchFilesFrom: fetchFilesFromField('the files of documents') }),
} as const satisfies FieldTable;

/** Operations on existing documents. */
export const recordOperations: DifyOperation[] = [
	defineListOperation({
		action: 'Get many documents',
		description: 'Newest documents first',
		fields: { difyDatasetId: datasetField, keyword: keywordField },
		extraFields: {
			options: optionsField({
				status: {
					kind: 'choice',
					label: 'Status',
					default: 'available',
					choices: {
						archived: 'Archived',
						available: ['Available', 'Indexed and enabled'],
						disabled: 'Disabled',
						error: 'Error',
						indexing: 'Indexing',
						paused: 'Paused',
						queuing: 'Queuing',
					},
				},
			}),
		},
		list: ({ values: { difyDatasetId, keyword, options } }) =>
			buildDocumentList(difyDatasetId, { keyword, status: options.status }),
	}),
	defineRequestOperation({
		name: 'Get',
		value: 'get',
		action: 'Get a document',
		description: 'Includes processing rules and metadata',
		fields: documentFields,
		method: 'GET',
		getPath: ({ values }) => documentPath(values),
		getValues: () => ({ metadata: 'all' }),
	}),
	defineOperation({
		name: 'Get Status',
		value: 'getStatus',
		action: 'Get the status of a document',
		description: 'Get the indexing progress; can wait until indexing is complete',
		fields: statusFields,
		execute: getStatus,
	}),
	defineOperation({
		name: 'Set Status',
		value: 'setStatus',
		action: 'Set the status of documents',
		description: 'Enable, disable, archive or unarchive documents, all of them or none',
		fields: setStatusFields,
		execute: async ({ client, values }) => {
			const { documentIds: ids, statusAction: action, difyDatasetId: datasetId } = values;
			await assertDocumentsExist(client, { datasetId, ids });
			await setDocumentStatus(client, { datasetId, ids, action });
			return toOperationItems(ids.map((documentId) => ({ documentId, action })));
		},
	}),
	defineOperation({
		name: 'Download',
		value: 'download',
		action: 'Download a document',
		description: 'Download the file that a document was created from',
		fields: downloadFields,
		execute: download,
	}),
	defineOperation({
		name: 'Delete',
		value: 'delete',
		action: 'Delete a document',
		description: 'Delete a document, also an archived one',
		fields: documentFields,
		execute: async ({ client, values }) => {
			const { difyDatasetId: datasetId, documentId } = values;
			await deleteDocument(client, { datasetId, documentId });
			return { json: { documentId, deleted: true } };
		},
	}),
];

async function getStatus({ client, values }: DifyCall & FieldValues<typeof statusFields>) {
	const { documentId, difyDatasetId: datasetId, options, wait } = values;
	const batch = options.batch || undefined;
	const indexing = { datasetId, documentId, batch };
	const { status, done, total, error } = await waitForIndexing(client, indexing, wait);
	return { json: { documentId, indexingStatus: status, chunksDone: done, chunks: total, error } };
}

async function download(call: DifyCall & FieldValues<typeof downloadFields>) {
	const { client, values } = call;
	const { documentId, outputField, options } = values;
	const origins = options.fetchFilesFrom ?? [];
	const route = documentPath(values);
	// The URL is valid for some minutes.
	const url = asNonEmptyString((await client.get(`${route}/download`)).url);
	if (url === undefined) {
		throw createDifyError('fileNotFound', {
			about: { difyIssue: { kind: 'noDownloadUrl' } },
		});
	}
	const { name } = await client.get(route, { metadata: 'without' });
	const reading = openSignedFile(client.withoutKey(), { url, origins }, async (response) => {
		return await storeFile(call, outputField, {
			content: response.bytes(),
			fileName: asNonEmptyString(name) ?? documentId,
			mimeType: parseMimeType(response.headers['content-type']),
		});
	});
	const { facts, binary } = await reading.catch(
		rethrowWith((error) => error.withFacts({ isDocumentDownload: true })),
	);
	return { json: { documentId, ...facts }, binary };
}
