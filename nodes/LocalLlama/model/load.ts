import type { LocalLlamaOperation } from '../operation';
import { changeFields, runChange } from './load-fields';

export const modelLoad: LocalLlamaOperation = {
	option: {
		name: 'Load',
		value: 'load',
		action: 'Load a model into memory',
		description: 'Load a model on Ollama, LM Studio or a llama-server router',
	},
	fields: changeFields(),
	run: runChange('load'),
};
