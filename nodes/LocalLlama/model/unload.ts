import { booleanField } from '../../shared/field-kinds';
import type { LocalLlamaOperation } from '../operation';
import { changeFields, runChange } from './change';

export const modelUnload: LocalLlamaOperation = {
	option: {
		name: 'Unload',
		value: 'unload',
		action: 'Unload a model from memory',
		description:
			'Ollama, LM Studio, llama-server as router. Waits for answers that are being written.',
	},
	fields: changeFields(
		booleanField('Cut Off Answers', 'cutAnswers', false, {
			description:
				'Whether to unload also a model that is answering, which ends its answers. Ollama lets it finish all the same.',
		}),
	),
	run: runChange('unload'),
};
