/** Operations on existing documents. */
import { createDifyError } from '../../../lib/dify/create-error';
import { openSignedFile } from '../../../lib/dify/download-file';
import { parseUuid } from '../../../lib/dify/ids';
import type { StatusAction } from '../../../lib/dify/knowledge/documents';
import { buildDocumentList, setDocumentStatus } from '../../../lib/dify/knowledge/documents';
import { waitForIndexing } from '../../../lib/dify/knowledge/indexing';
import { deletePath } from '../../../lib/dify/knowledge/write-requests';
import type { ServerError } from '../../../lib/errors/server-error';
import { rethrowWith } from '../../../lib/errors/server-error';
import { parseMimeType } from '../../../lib/file-name';
import { asNonEmptyString } from '../../../lib/values/records';
import type { DifyOperation } from '../../shared/dify/dify-operation';
import { defineListOperation, defineRequestOperation } from '../../shared/dify/define-operation';
import {
	fetchFilesFromField,
	readFileOrigins,
	outputField,
	readId,
	readKeyword,
	readPath,
} from '../../shared/dify/dify-fields';
import { choiceField, optionsCollection, stringField } from '../../shared/field-builders';
import { toOperationItems } from '../../shared/run/operation-items';
import { storeFile } from '../../shared/binary';
import {
	documentField,
	keywordField,
	readTextList,
	indexingWaitField,
	datasetField,
} from '../fields';

const DOCUMENT = '/datasets/{difyDatasetId}/documents/{documentId}';

/** Operations on existing documents. */
export const recordOperations: DifyOperation[] = [
	defineListOperation({
		action: 'Get many documents',
		description: 'Newest documents first',
		fields: [datasetField, keywordField],
		extraFields: [
			optionsCollection([
				choiceField('Status', 'status', 'available', {
					archived: 'Archived',
					available: ['Available', 'Indexed and enabled'],
					disabled: 'Disabled',
					error: 'Error',
					indexing: 'Indexing',
					paused: 'Paused',
					queuing: 'Queuing',
				}),
			]),
		],
		list: (parameters) =>
			buildDocumentList(readId(parameters, 'difyDatasetId'), {
				keyword: readKeyword(parameters),
				status: parameters.choice('options.status', undefined),
			}),
	}),
	defineRequestOperation({
		name: 'Get',
		value: 'get',
		action: 'Get a document',
		description: 'Includes processing rules and metadata',
		fields: [datasetField, documentField],
		request: `GET ${DOCUMENT}`,
		getValues: () => ({ metadata: 'all' }),
	}),
	{
		name: 'Get Status',
		value: 'getStatus',
		action: 'Get the status of a document',
		description: 'Get the indexing progress; can wait until indexing is complete',
		fields: [
			datasetField,
			documentField,
			indexingWaitField,
			optionsCollection([
				stringField('Batch', 'batch', {
					default: '={{ $json.batch }}',
					description:
						'The batch that Create or Update returned. If set, the status includes the number of indexed chunks.',
				}),
			]),
		],
		execute: async ({ client, parameters }) => {
			const documentId = readId(parameters, 'documentId');
			const indexing = {
				datasetId: readId(parameters, 'difyDatasetId'),
				documentId,
				batch: parameters.string('options.batch') || undefined,
			};
			const { status, done, total, error } = await waitForIndexing(
				client,
				indexing,
				parameters.milliseconds('wait', 300_000),
			);
			return {
				json: { documentId, indexingStatus: status, chunksDone: done, chunks: total, error },
			};
		},
	},
	{
		name: 'Set Status',
		value: 'setStatus',
		action: 'Set the status of documents',
		description: 'Enable, disable, archive or unarchive documents, all of them or none',
		fields: [
			datasetField,
			stringField('Document IDs', 'documentIds', {
				default: '={{ $json.documentId }}',
				required: true,
				description: 'Separate several IDs with commas, or pass an array',
			}),
			choiceField('Action', 'statusAction', 'enable', {
				archive: 'Archive',
				disable: ['Disable', 'Searches no longer find the document, but it is kept'],
				enable: 'Enable',
				un_archive: 'Unarchive',
			}),
		],
		execute: async ({ client, parameters }) => {
			const values = readTextList(parameters, 'documentIds') ?? [];
			const ids = values.map((id) => parseUuid(id, 'document ID'));
			if (ids.length === 0) throw parameters.createEmptyError('documentIds');
			const action = parameters.choice<StatusAction>('statusAction');
			const datasetId = readId(parameters, 'difyDatasetId');
			await setDocumentStatus(client, { datasetId, ids, action });
			return toOperationItems(ids.map((documentId) => ({ documentId, action })));
		},
	},
	{
		name: 'Download',
		value: 'download',
		action: 'Download a document',
		description: 'Download the file that a document was created from',
		fields: [
			datasetField,
			documentField,
			outputField('outputField', { required: true }),
			optionsCollection([fetchFilesFromField('the files of documents')]),
		],
		execute: async (call) => {
			const { client, parameters } = call;
			const documentId = readId(parameters, 'documentId');
			const origins = readFileOrigins(parameters);
			const route = readPath(parameters, DOCUMENT);
			// The URL is valid for some minutes.
			const url = asNonEmptyString((await client.get(`${route}/download`)).url);
			if (url === undefined) {
				throw createDifyError('fileNotFound', {
					title: 'Dify returned no download URL for the document',
					suggestion: 'Only documents that were created from a file can be downloaded.',
				});
			}
			const { name } = await client.get(route, { metadata: 'without' });
			const reading = openSignedFile(client.withoutKey(), { url, origins }, async (response) => {
				return await storeFile(call, parameters.string('outputField') || 'data', {
					content: response.bytes(),
					fileName: asNonEmptyString(name) ?? documentId,
					mimeType: parseMimeType(response.headers['content-type']),
				});
			});
			const { facts, binary } = await reading.catch(rethrowWith(explainDownloadError));
			return { json: { documentId, ...facts }, binary };
		},
	},
	{
		name: 'Delete',
		value: 'delete',
		action: 'Delete a document',
		description: 'Delete a document (not possible if archived)',
		fields: [datasetField, documentField],
		execute: async ({ client, parameters }) => ({
			json: {
				documentId: readId(parameters, 'documentId'),
				deleted: true,
				existed: await deletePath(client, readPath(parameters, DOCUMENT)),
			},
		}),
	},
];

function explainDownloadError(error: ServerError) {
	if (error.type !== 'fileRejected') return error;
	const title = 'The file of the document could not be downloaded';
	return error.copyWith({ ownTitle: title, detail: `${title}: ${error.detail}`, suggestion: '' });
}
