import type { LocalLlamaOperation } from '../operation';
import { changeFields, runChange } from './change';

export const modelLoad: LocalLlamaOperation = {
	option: {
		name: 'Load',
		value: 'load',
		action: 'Load a model into memory',
		description: 'Ollama, LM Studio and the router of llama-server',
	},
	fields: changeFields(),
	run: runChange('load'),
};
