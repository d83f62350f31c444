import { datasetField } from '../../shared/dify/knowledge-fields';
import { fileIn } from '../../shared/dify/fields';
import type { DifyOperation } from '../../shared/dify/run';
import { binaryField, documentField, waitField } from '../fields';
import { contentOptions, fileOptions } from './content-fields';
import { disabledOption, replaced } from './write';
import { optionsCollection } from '../../shared/field-kinds';

export const documentUpdateFile: DifyOperation = {
	option: {
		name: 'Update From File',
		value: 'updateFile',
		action: 'Update a document from a file',
		description: 'Replace the content; the name stays, since Dify cannot rename documents',
	},
	fields: [
		datasetField,
		documentField,
		binaryField,
		waitField,
		optionsCollection([...contentOptions, ...disabledOption, ...fileOptions]),
	],
	run: async (call) => await replaced(call, { file: await fileIn(call) }),
};
