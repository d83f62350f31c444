import { datasetField } from '../../shared/dify/knowledge-fields';
import type { DifyOperation } from '../../shared/dify/run';
import { documentField, textField, waitField } from '../fields';
import { contentOptions } from './content-fields';
import { disabledOption, replaced } from './write';
import { optionsCollection } from '../../shared/field-kinds';

export const documentUpdateText: DifyOperation = {
	option: {
		name: 'Update From Text',
		value: 'updateText',
		action: 'Update a document from text',
		description: 'Replace the content; the name stays, since Dify cannot rename documents',
	},
	fields: [
		datasetField,
		documentField,
		textField,
		waitField,
		optionsCollection([...contentOptions, ...disabledOption]),
	],
	run: async (call) => await replaced(call, { text: call.parameters.freeText('text') }),
};
