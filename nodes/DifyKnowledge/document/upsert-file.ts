import { upsertDocument } from '../../../lib/dify/knowledge/upsert';
import { datasetField, datasetIdIn } from '../../shared/dify/knowledge-fields';
import type { DifyOperation } from '../../shared/dify/run';
import { binaryField, waitField } from '../fields';
import {
	contentOptions,
	createOptionsIn,
	existsOptions,
	fileOptions,
	firstOptions,
	writeOptions,
} from './content-fields';
import { existing, fileIn, finished, mostMegabytes } from './write';

export const documentUpsertFile: DifyOperation = {
	option: {
		name: 'Create or Update From File',
		value: 'upsertFile',
		action: 'Create or update a document from a file',
		description: 'The document of the same name is updated where there is one',
	},
	fields: [
		datasetField,
		binaryField,
		waitField,
		...writeOptions([...contentOptions, ...firstOptions, ...existsOptions, ...fileOptions]),
	],
	run: async (call) => {
		const { api, parameters } = call;
		const datasetId = datasetIdIn(parameters);
		const options = { ...createOptionsIn(parameters), ...existing(call), ...mostMegabytes(call) };
		const made = await upsertDocument(api, datasetId, { file: await fileIn(call) }, options);
		return await finished(call, datasetId, made);
	},
};
