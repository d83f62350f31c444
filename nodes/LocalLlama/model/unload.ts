import { booleanField } from '../../shared/field-builders';
import type { LocalLlamaOperation } from '../operation';
import { changeFields, runChange } from './load-fields';

export const modelUnload: LocalLlamaOperation = {
	option: {
		name: 'Unload',
		value: 'unload',
		action: 'Unload a model from memory',
		description:
			'Unload a model on Ollama, LM Studio or a llama-server router. Waits for running responses.',
	},
	fields: changeFields(
		booleanField('Force Unload', 'force', false, {
			description:
				'Whether to unload a model even while it is responding, which cuts off its responses. Ollama still lets them finish.',
		}),
	),
	run: runChange('unload'),
};
