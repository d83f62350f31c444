import type { INodeExecutionData } from 'n8n-workflow';

import { downloadZip, MOST_IN_ZIP } from '../../../lib/dify/knowledge/documents';
import { datasetField, datasetIdIn } from '../../shared/dify/knowledge-fields';
import { storeFile } from '../../shared/store-file';
import type { DifyOperation } from '../../shared/dify/run';
import { documentIdsField, documentIdsIn, outputField } from './fields';

export const documentDownloadZip: DifyOperation = {
	option: {
		name: 'Download as ZIP',
		value: 'downloadZip',
		action: 'Download documents as a ZIP',
		description: 'The files of several documents, a hundred in each ZIP; needs Dify 1.14 or newer',
	},
	fields: [datasetField, documentIdsField, outputField],
	run: async (call) => {
		const { api, parameters } = call;
		const datasetId = datasetIdIn(parameters);
		const ids = [...new Set(documentIdsIn(parameters))];
		const items: INodeExecutionData[] = [];
		for (let begin = 0; begin < ids.length; begin += MOST_IN_ZIP) {
			const documentIds = ids.slice(begin, begin + MOST_IN_ZIP);
			const fileName =
				ids.length > MOST_IN_ZIP ? `documents-${items.length + 1}.zip` : 'documents.zip';
			const content = await downloadZip(api, datasetId, documentIds);
			const { facts, binary } = await storeFile(call, 'outputField', {
				content,
				fileName,
				mimeType: 'application/zip',
			});
			items.push({ json: { documentIds, ...facts }, binary });
		}
		return items;
	},
};
