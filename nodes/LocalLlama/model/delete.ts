import { deleteModel } from '../../../lib/servers/model-work';
import type { LocalLlamaOperation } from '../operation';
import { allowChangesField, requireAllowed, targetModelField } from './fields';
import { optionsCollection } from '../../shared/field-kinds';

const LIMIT_MS = 60_000;

export const modelDelete: LocalLlamaOperation = {
	option: {
		name: 'Delete',
		value: 'delete',
		action: 'Delete a model',
		description:
			'From the disk of the server: Ollama, and what a router of llama-server has downloaded',
	},
	fields: [targetModelField, optionsCollection([allowChangesField])],
	run: async (call) => {
		requireAllowed(call);
		const { server, parameters, signal } = call;
		const options = { model: parameters.name('model'), wait: true, limitMs: LIMIT_MS, signal };
		return [{ json: await deleteModel(server, options) }];
	},
};
