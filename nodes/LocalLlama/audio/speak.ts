/** Speak: a text becomes an audio file. */
import type { SpeechAudio } from '../../../lib/tasks/synthesize-speech';
import { SPEECH_OPTIONS, synthesizeSpeech } from '../../../lib/tasks/synthesize-speech';
import type { FieldTable } from '../../../lib/fields/field';
import { omitEmpty } from '../../../lib/values/records';
import { modelField } from '../../shared/fields/model-selection';
import { mediaRequestOptions } from '../../shared/fields/request-options';
import { fileNameField, itemOptionsField, outputFileField } from '../operation-fields';
import { resolveModelRequestSettings } from '../model-request-settings';
import { withOutput } from '../output';
import type { LocalLlamaOperation } from '../run-local-llama';
import { baseName, storeFile } from '../../../lib/n8n/binary';

const { text, voice: voiceField, format, instructions, speed } = SPEECH_OPTIONS;

const fields = {
	model: modelField('The model that generates the speech', {
		search: 'searchSpeechModels',
		example: 'kokoro',
	}),
	text,
	voice: voiceField,
	options: itemOptionsField(
		{
			...mediaRequestOptions,
			format,
			fileName: fileNameField('speech'),
			instructions,
			binaryPropertyOutput: outputFileField,
			plainText: {
				kind: 'switch',
				label: 'Plain Text',
				default: true,
				description:
					'Whether to remove emoji and Markdown characters, which many servers read aloud',
			},
			speed,
		},
		1,
	),
} as const satisfies FieldTable;

export const audioSpeak: LocalLlamaOperation = withOutput({
	name: 'Speak',
	value: 'speak',
	action: 'Speak a text',
	description: 'Convert text to speech: GPUStack, speaches and others',
	fields,
	execute: async (call) => {
		const { values, server } = call;
		const { voice, options } = values;
		const speechRequest = {
			voice,
			input: values.text,
			format: options.format ?? 'mp3',
			speed: options.speed,
			instructions: options.instructions ?? '',
			isPlainText: options.plainText ?? false,
			extraBody: options.extraBody ?? {},
		};
		const name = baseName(options.fileName ?? '', 'speech');
		const property = options.binaryPropertyOutput || outputFileField.default;
		const settings = await resolveModelRequestSettings(call, 'speech');
		const store = async ({ content, mimeType, extension }: SpeechAudio) =>
			await storeFile(call, property, {
				content,
				fileName: `${name}.${extension}`,
				mimeType,
			});
		const { stored, input, warnings } = await synthesizeSpeech(server, settings, {
			...speechRequest,
			store,
		});
		warnings.forEach(call.hint);
		const metadata = {
			...omitEmpty({ model: settings.model, voice }),
			characters: input.length,
		};
		return [{ output: stored.facts, metadata, binary: stored.binary }];
	},
});
