import { copyModel } from '../../../lib/servers/manage/model-work';
import { optionsCollection, stringField } from '../../shared/field-kinds';
import type { LocalLlamaOperation } from '../operation';
import { allowChangesField, requireAllowed, targetModelField } from './fields';

export const modelCopy: LocalLlamaOperation = {
	option: {
		name: 'Copy',
		value: 'copy',
		action: 'Copy a model',
		description: 'Ollama: gives a model a second name',
	},
	fields: [
		targetModelField,
		stringField('New Name', 'newName', {
			required: true,
			placeholder: 'e.g. qwen3-for-mails',
		}),
		optionsCollection([allowChangesField]),
	],
	run: async (call) => {
		requireAllowed(call);
		const { connection, parameters, signal } = call;
		const copied = parameters.required('newName');
		return [
			{
				json: await copyModel(connection, {
					model: parameters.name('model'),
					copy: copied,
					signal,
				}),
			},
		];
	},
};
