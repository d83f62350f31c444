import { changeModelFields, changingModel } from './model-fields';
import type { HealthOperation } from './operation';

export const unloadModel: HealthOperation = {
	option: {
		name: 'Unload Model',
		value: 'unloadModel',
		action: 'Unload a model from memory',
		description: 'Frees the memory of the GPU. Ollama and the router of llama-server only.',
	},
	services: ['modelServer'],
	fields: changeModelFields,
	run: changingModel('unload'),
};
