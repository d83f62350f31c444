import { datasetField } from '../../shared/dify/knowledge-fields';
import { fileIn } from '../../shared/dify/fields';
import type { DifyOperation } from '../../shared/dify/run';
import { binaryField, waitField } from '../fields';
import {
	contentOptions,
	existsOptions,
	fileOptions,
	firstOptions,
	writeOptions,
} from './content-fields';
import { upserted } from './write';

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
	run: async (call) => await upserted(call, { file: await fileIn(call) }),
};
