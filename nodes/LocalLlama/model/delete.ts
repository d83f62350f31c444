import { deleteModel } from '../../../lib/servers/model-actions';
import type { LocalLlamaOperation } from '../operation';
import { allowChangesField, assertChangesAllowed, targetModelField } from './fields';
import { optionsCollection } from '../../shared/field-builders';

const TIMEOUT_MS = 60_000;

export const modelDelete: LocalLlamaOperation = {
	option: {
		name: 'Delete',
		value: 'delete',
		action: 'Delete a model',
		description:
			'Delete a model of Ollama, or one that a llama-server router downloaded, from the disk',
	},
	fields: [targetModelField, optionsCollection([allowChangesField])],
	run: async (call) => {
		assertChangesAllowed(call);
		const { server, parameters, signal } = call;
		const options = {
			model: parameters.string('model'),
			wait: true,
			timeoutMs: TIMEOUT_MS,
			signal,
		};
		return [{ json: await deleteModel(server, options) }];
	},
};
