import type { INodeProperties } from 'n8n-workflow';

import { recordOf, recordsIn } from '../../../lib/values';
import { longTextField, rowsField } from '../../shared/field-kinds';
import { wrongField } from '../../shared/field-values';
import { modelField } from '../../shared/model-field';
import type { LocalLlamaOperation } from '../operation';
import { optionFields } from '../options';
import { completed, completeSettings, completionOptions } from './completion-options';
import { withModel } from '../../shared/search-models';

const extraFiles: INodeProperties = rowsField('Extra Files', 'extraFiles', 'File', {
	values: [
		{
			displayName: 'File Name',
			name: 'filename',
			type: 'string',
			default: '',
			placeholder: 'e.g. utils.py',
		},
		{ displayName: 'Content', name: 'text', type: 'string', typeOptions: { rows: 4 }, default: '' },
	],
	description: 'Other files of the project, which the model reads first (llama-server only)',
});

export const textFillIn: LocalLlamaOperation = {
	option: {
		name: 'Fill In',
		value: 'fillIn',
		action: 'Fill in a text',
		description:
			'Writes what belongs between two texts, with a model that was trained for it (code)',
	},
	fields: [
		modelField(
			{ description: 'The model that fills in' },
			{ example: 'qwen2.5-coder-7b', mayBeEmpty: true },
		),
		longTextField('Text Before', 'prefix', 4, { description: 'What stands in front of the gap' }),
		longTextField('Text Behind', 'suffix', 4, { description: 'What stands behind the gap' }),
		...optionFields([
			...completionOptions,
			longTextField('Beginning', 'beginning', 2, { description: 'How the text in the gap begins' }),
			extraFiles,
		]),
	],
	run: async (call) => {
		const { parameters } = call;
		const [prefix, suffix] = [parameters.freeText('prefix'), parameters.freeText('suffix')];
		if (prefix === '' && suffix === '')
			throw wrongField(parameters.field('prefix').label, 'is empty, and so is the text behind');
		const files = recordsIn(recordOf(parameters.value('options.extraFiles')).file);
		const extra = files.map(({ filename, text }) => ({
			filename: String(filename ?? ''),
			text: String(text ?? ''),
		}));
		const task = { prefix, suffix, beginning: parameters.freeText('options.beginning'), extra };
		return [
			await completed(
				call,
				await withModel(completeSettings(parameters), call.servers, 'chat', call.signal),
				task,
			),
		];
	},
};
