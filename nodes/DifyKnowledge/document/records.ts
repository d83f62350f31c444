import { difyFailure } from '../../../lib/dify/errors';
import { openSignedFile } from '../../../lib/dify/files/output-files';
import { path, uuid } from '../../../lib/dify/ids';
import {
	deleteAt,
	documentsOf,
	setStatus,
	type StatusAction,
} from '../../../lib/dify/knowledge/documents';
import { waitForIndexing } from '../../../lib/dify/knowledge/indexing';
import { throwAs, type ServerError } from '../../../lib/errors/server-error';
import { mimeTypeIn } from '../../../lib/file-name';
import { nonEmptyText, optional } from '../../../lib/values';
import { fetchFilesFromField, fileOriginsIn, outputField } from '../../shared/dify/fields';
import { datasetField, datasetIdIn } from '../../shared/dify/knowledge-fields';
import { listRow, row } from '../../shared/dify/define-operation';
import { keylessClient, type DifyOperation } from '../../shared/dify/dify-operation';
import { choiceField, choices, optionsCollection, stringField } from '../../shared/field-builders';
import { type NodeParameters, wrongField } from '../../shared/parameters';
import { itemsOf } from '../../shared/run/operations';
import { storeFile } from '../../shared/binary';
import { documentField, documentIdIn, keywordField, textsIn, waitField } from '../fields';

export const documentGetAll = listRow({
	option: {
		name: 'Get Many',
		value: 'getAll',
		action: 'Get many documents',
		description: 'Newest documents first',
	},
	fields: [datasetField, keywordField],
	more: [
		optionsCollection([
			choiceField('Status', 'status', 'available', {
				options: choices({
					archived: 'Archived',
					available: ['Available', 'Indexed and enabled'],
					disabled: 'Disabled',
					error: 'Error',
					indexing: 'Indexing',
					paused: 'Paused',
					queuing: 'Queuing',
				}),
			}),
		]),
	],
	list: (parameters) => {
		const status = parameters.choice('options.status', undefined);
		return documentsOf(datasetIdIn(parameters), parameters.freeText('keyword'), status);
	},
});

function documentPath(parameters: NodeParameters): string {
	return path`/datasets/${datasetIdIn(parameters)}/documents/${documentIdIn(parameters)}`;
}

export const documentGet = row({
	option: {
		name: 'Get',
		value: 'get',
		action: 'Get a document',
		description: 'Includes processing rules and metadata',
	},
	fields: [datasetField, documentField],
	request: (parameters) => ['GET', documentPath(parameters), { metadata: 'all' }],
});

export const documentGetStatus: DifyOperation = {
	option: {
		name: 'Get Status',
		value: 'getStatus',
		action: 'Get the status of a document',
		description: 'Get the indexing progress; can wait until indexing is complete',
	},
	fields: [
		datasetField,
		documentField,
		waitField,
		optionsCollection([
			stringField('Batch', 'batch', {
				default: '={{ $json.batch }}',
				description:
					'The batch that Create or Update returned. If set, the status includes the number of indexed chunks.',
			}),
		]),
	],
	run: async ({ client, parameters }) => {
		const documentId = documentIdIn(parameters);
		const batch = parameters.name('options.batch') || undefined;
		const indexing = { baseId: datasetIdIn(parameters), documentId, batch };
		const limitMs = parameters.milliseconds('wait', 300_000);
		const { status, done, total, error } = await waitForIndexing(client, indexing, limitMs);
		const chunks = { chunksDone: done, chunks: total };
		return [{ json: { documentId, indexingStatus: status, ...chunks, ...optional({ error }) } }];
	},
};

export const documentSetStatus: DifyOperation = {
	option: {
		name: 'Set Status',
		value: 'setStatus',
		action: 'Set the status of documents',
		description: 'Enable, disable, archive or unarchive documents, all of them or none',
	},
	fields: [
		datasetField,
		stringField('Document IDs', 'documentIds', {
			default: '={{ $json.documentId }}',
			required: true,
			description: 'Separate several IDs with commas, or pass an array',
		}),
		choiceField('Action', 'statusAction', 'enable', {
			options: choices({
				archive: 'Archive',
				disable: ['Disable', 'Searches no longer find the document, but it is kept'],
				enable: 'Enable',
				un_archive: 'Unarchive',
			}),
		}),
	],
	run: async ({ client, parameters }) => {
		const typed = textsIn(parameters, 'documentIds') ?? [];
		const ids = typed.map((id) => uuid(id, 'document ID'));
		if (ids.length === 0) throw wrongField(parameters.field('documentIds').label, 'is empty');
		const action = parameters.choice<StatusAction>('statusAction');
		await setStatus(client, datasetIdIn(parameters), ids, action);
		return itemsOf(ids.map((documentId) => ({ documentId, action })));
	},
};

export const documentDelete: DifyOperation = {
	option: {
		name: 'Delete',
		value: 'delete',
		action: 'Delete a document',
		description: 'Delete a document (not possible if archived)',
	},
	fields: [datasetField, documentField],
	run: async ({ client, parameters }) => {
		const existed = await deleteAt(client, documentPath(parameters));
		return [{ json: { documentId: documentIdIn(parameters), deleted: true, existed } }];
	},
};

export const documentDownload: DifyOperation = {
	option: {
		name: 'Download',
		value: 'download',
		action: 'Download a document',
		description: 'Download the file that a document was created from',
	},
	fields: [
		datasetField,
		documentField,
		outputField('outputField', { required: true }),
		optionsCollection([fetchFilesFromField('the files of documents')]),
	],
	run: async (call) => {
		const { client, parameters } = call;
		const documentId = documentIdIn(parameters);
		const origins = fileOriginsIn(parameters);
		const route = documentPath(parameters);
		// Valid for some minutes.
		const address = nonEmptyText((await client.get(`${route}/download`)).url);
		if (address === undefined)
			throw difyFailure('fileNotFound', {
				message: 'Dify returned no download URL for the document',
			});
		const { name } = await client.get(route, { metadata: 'without' });
		const keyless = await keylessClient(call);
		const reading = openSignedFile(keyless, address, origins, async (answer) => {
			return await storeFile(call, 'outputField', {
				content: answer.bytes(),
				fileName: nonEmptyText(name) ?? documentId,
				mimeType: mimeTypeIn(answer.headers['content-type']),
			});
		});
		const { facts, binary } = await reading.catch(throwAs(notFetched));
		return [{ json: { documentId, ...facts }, binary }];
	},
};

function notFetched(error: ServerError): ServerError {
	if (error.kind !== 'fileRejected') return error;
	const message = 'The file of the document could not be downloaded';
	return error.reworded({ message, meaning: `${message}: ${error.meaning}`, remedy: '' });
}
