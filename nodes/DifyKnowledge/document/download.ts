import { openSignedFile } from '../../../lib/dify/files/signed-file';
import { fileAddress, getDocument } from '../../../lib/dify/knowledge/documents';
import { throwAs, type ServerError } from '../../../lib/errors/server-error';
import { mimeTypeIn } from '../../../lib/file-name';
import { nonEmptyText } from '../../../lib/values';
import { datasetField, datasetIdIn } from '../../shared/dify/knowledge-fields';
import { fetchFilesFromField, fileOriginsIn } from '../../shared/dify/fields';
import { optionsCollection } from '../../shared/field-kinds';
import { storeFile } from '../../shared/store-file';
import { keylessClient, type DifyOperation } from '../../shared/dify/run';
import { documentField, documentIdIn } from '../fields';
import { outputField } from './fields';

export const documentDownload: DifyOperation = {
	option: {
		name: 'Download',
		value: 'download',
		action: 'Download a document',
		description: 'The file that a document was made of',
	},
	fields: [
		datasetField,
		documentField,
		outputField,
		optionsCollection([fetchFilesFromField('the files of documents')]),
	],
	run: async (call) => {
		const { api, parameters } = call;
		const datasetId = datasetIdIn(parameters);
		const documentId = documentIdIn(parameters);
		const origins = fileOriginsIn(parameters);
		const address = await fileAddress(api, datasetId, documentId);
		const { name } = await getDocument(api, datasetId, documentId, 'without');
		const client = await keylessClient(call);
		const { pieces, headers } = await openSignedFile(client, address, origins).catch(
			throwAs(notFetched),
		);
		const { facts, binary } = await storeFile(call, 'outputField', {
			content: pieces,
			fileName: nonEmptyText(name) ?? documentId,
			mimeType: mimeTypeIn(headers['content-type']),
		});
		return [{ json: { documentId, ...facts }, binary }];
	},
};

function notFetched(error: ServerError): ServerError {
	if (error.kind !== 'fileRejected') return error;
	const message = 'The file of the document is not fetched';
	return error.reworded({ message, meaning: `${message}: ${error.meaning}`, remedy: '' });
}
