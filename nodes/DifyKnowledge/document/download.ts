import type { IExecuteFunctions } from 'n8n-workflow';

import { difyClient } from '../../../lib/dify/credentials';
import { downloadUrl, getDocument } from '../../../lib/dify/knowledge/documents';
import { datasetField, datasetIdIn } from '../../shared/dify/knowledge-fields';
import { type StoredFile, storeFile } from '../../shared/store-file';
import type { DifyOperation } from '../../shared/dify/run';
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
	run: async ({ api, parameters, signal, context }) => {
		const datasetId = datasetIdIn(parameters);
		const documentId = documentIdIn(parameters);
		const url = await downloadUrl(api, datasetId, documentId, signal);
		const { name } = await getDocument(api, datasetId, documentId, 'without', signal);
		const fileName = typeof name === 'string' && name !== '' ? name : documentId;
		const field = parameters.name('outputField') || 'data';
		const { facts, binary } = await fileAt(context, parameters.itemIndex, { url, field, fileName, signal });
		return [{ json: { documentId, ...facts }, binary }];
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
