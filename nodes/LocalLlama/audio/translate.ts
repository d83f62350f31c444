import type { LocalLlamaOperation } from '../operation';
import { optionFields } from '../options';
import { transcribeItem, transcriptionFields, transcriptionOptions } from './transcribe-item';

export const audioTranslate: LocalLlamaOperation = {
	option: {
		name: 'Translate',
		value: 'translate',
		action: 'Translate a recording',
		description: 'Writes down in English what is said in another language',
	},
	fields: [...transcriptionFields, ...optionFields(transcriptionOptions, 1)],
	run: async (call) => await transcribeItem(call, { task: 'translate' }),
};
