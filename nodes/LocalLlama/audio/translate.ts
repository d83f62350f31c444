import type { LocalLlamaOperation } from '../operation';
import { optionsField } from '../options';
import { heard, listeningFields, listeningOptions } from './transcribe-item';

export const translate: LocalLlamaOperation = {
	option: {
		name: 'Translate',
		value: 'translate',
		action: 'Translate a recording',
		description: 'Writes down in English what is said in another language',
	},
	fields: [...listeningFields, optionsField(listeningOptions, 1)],
	run: async (call) => await heard(call, { task: 'translate' }),
};
