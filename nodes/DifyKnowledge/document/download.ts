import { downloadUrl, getDocument } from '../../../lib/dify/knowledge/documents';
import { nonEmptyText } from '../../../lib/values';
import { datasetField, datasetIdIn } from '../../shared/dify/knowledge-fields';
import { storeFile } from '../../shared/store-file';
import { keylessClient, type DifyOperation } from '../../shared/dify/run';
import { documentField, documentIdIn } from '../fields';
import { outputField } from './fields';

export const documentDownload: DifyOperation = {
	option: {
		name: 'Download',
		value: 'download',
		action: 'Download a document',
		description: 'The file that a document was made of; needs Dify 1.14 or newer',
	},
	fields: [datasetField, documentField, outputField],
	run: async (call) => {
		const { api, parameters, signal } = call;
		const datasetId = datasetIdIn(parameters);
		const documentId = documentIdIn(parameters);
		const url = await downloadUrl(api, datasetId, documentId);
		const { name } = await getDocument(api, datasetId, documentId, 'without');
		const { connection } = await keylessClient(call);
		const { pieces, headers } = await connection.download(url, { signal });
		const { facts, binary } = await storeFile(call, 'outputField', {
			content: pieces,
			fileName: nonEmptyText(name) ?? documentId,
			mimeType: headers['content-type']?.split(';')[0] ?? '',
		});
		return [{ json: { documentId, ...facts }, binary }];
	},
};
