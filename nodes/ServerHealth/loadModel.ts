import { changeModelFields, changingModel } from './model-fields';
import type { HealthOperation } from './operation';

export const loadModel: HealthOperation = {
	option: {
		name: 'Load Model',
		value: 'loadModel',
		action: 'Load a model into memory',
		description: 'Ollama and the router of llama-server only',
	},
	services: ['modelServer'],
	fields: changeModelFields,
	run: changingModel('load'),
};
