import { choices, choicesField, stringField } from '../../shared/field-kinds';
import type { LocalLlamaOperation } from '../operation';
import { optionFields } from '../options';
import { transcribeItem, transcriptionFields, transcriptionOptions } from './transcribe-item';

export const audioTranscribe: LocalLlamaOperation = {
	option: {
		name: 'Transcribe',
		value: 'transcribe',
		action: 'Transcribe a recording',
		description: 'Writes down what is said: whisper.cpp, speaches, GPUStack, LocalAI, vLLM',
	},
	fields: [
		...transcriptionFields,
		...optionFields(
			[
				...transcriptionOptions,
				stringField('Hotwords', 'hotwords', {
					description: 'Words that the model should expect, for speaches',
				}),
				stringField('Language', 'language', {
					placeholder: 'e.g. de',
					description: 'Code of the spoken language. Empty: found out by the model.',
				}),
				choicesField('Timestamps', 'timestamps', {
					default: ['segment'],
					options: choices({
						segment: 'Segments',
						word: 'Words',
					}),
					description: 'What has times in Text with Segments. whisper.cpp always gives both.',
				}),
			],
			1,
		),
	],
	run: async (call) =>
		await transcribeItem(call, {
			task: 'transcribe',
			language: call.parameters.name('options.language'),
			hotwords: call.parameters.freeText('options.hotwords'),
			granularities: call.parameters.choices('options.timestamps'),
		}),
};
