import { datasetField } from '../../shared/dify/knowledge-fields';
import type { DifyOperation } from '../../shared/dify/run';
import { stringField } from '../../shared/field-kinds';
import { textField, waitField } from '../fields';
import { contentOptions, existsOptions, firstOptions, writeOptions } from './content-fields';
import { upserted } from './write';

const nameField = stringField('Name', 'name', {
	required: true,
	description:
		'Of the document, at most 200 characters. The document of this name is updated where there is one.',
});

export const documentUpsertText: DifyOperation = {
	option: {
		name: 'Create or Update From Text',
		value: 'upsertText',
		action: 'Create or update a document from text',
		description: 'The document of the same name is updated where there is one',
	},
	fields: [
		datasetField,
		nameField,
		textField,
		waitField,
		...writeOptions([...contentOptions, ...firstOptions, ...existsOptions]),
	],
	run: async (call) => {
		const { parameters } = call;
		return await upserted(call, {
			name: parameters.name('name'),
			text: parameters.freeText('text'),
		});
	},
};
