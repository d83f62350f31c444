import type { LocalLlamaOperation } from '../operation';
import { changeFields, runChange } from './change';

export const modelLoad: LocalLlamaOperation = {
	option: {
		name: 'Load',
		value: 'load',
		action: 'Load a model into memory',
		description: 'Ollama, the router of llama-server and llama-swap',
	},
	fields: changeFields(),
	run: runChange('load'),
};
