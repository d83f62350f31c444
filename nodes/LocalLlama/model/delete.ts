import { deleteModel } from '../../../lib/servers/manage/model-work';
import type { LocalLlamaOperation } from '../operation';
import { allowChangesField, requireAllowed, targetModelField } from './fields';
import { optionsCollection } from '../../shared/field-kinds';

export const modelDelete: LocalLlamaOperation = {
	option: {
		name: 'Delete',
		value: 'delete',
		action: 'Delete a model',
		description: 'From the disk of the server: Ollama, what a router has downloaded, speaches',
	},
	fields: [targetModelField, optionsCollection([allowChangesField])],
	run: async (call) => {
		requireAllowed(call);
		const { connection, parameters, signal } = call;
		return [{ json: await deleteModel(connection, { model: parameters.name('model'), signal }) }];
	},
};
