/** Speak: a text becomes an audio file. */
import type { SpeechAudio } from '../../../lib/tasks/synthesize-speech';
import { synthesizeSpeech } from '../../../lib/tasks/synthesize-speech';
import { omitEmpty } from '../../../lib/values/records';
import {
	booleanField,
	choiceField,
	longTextField,
	numberField,
	outputFileField,
} from '../../shared/field-builders';
import { modelField } from '../../shared/model-selection';
import { voiceField } from '../../shared/voice-selection';
import { createOptionsField, fileNameField } from '../operation-fields';
import { mediaFields } from '../media-fields';
import { resolveModelRequestSettings } from '../model-request-settings';
import { withOutput } from '../output';
import type { LocalLlamaOperation } from '../run-local-llama';
import { baseName, storeFile } from '../../shared/binary';

export const audioSpeak: LocalLlamaOperation = withOutput({
	name: 'Speak',
	value: 'speak',
	action: 'Speak a text',
	description: 'Convert text to speech: GPUStack, speaches and others',
	fields: [
		modelField('The model that generates the speech', {
			search: 'searchSpeechModels',
			example: 'kokoro',
		}),
		longTextField('Text', 'text', 4, {
			default: '={{ $json.text }}',
			required: true,
			description: 'The text to speak',
		}),
		voiceField,
		createOptionsField(
			[
				...mediaFields,
				choiceField(
					'File Format',
					'format',
					'wav',
					{
						aac: 'AAC',
						flac: 'FLAC',
						mp3: 'MP3',
						opus: 'Opus',
						pcm: ['PCM', 'Raw samples, 16 bit'],
						wav: 'WAV',
					},
					'The audio format. Not every server supports all formats. If not set, MP3.',
				),
				fileNameField('speech'),
				longTextField(
					'Instructions',
					'instructions',
					2,
					'How to speak the text, for models that follow such instructions',
				),
				outputFileField,
				booleanField(
					'Plain Text',
					'plainText',
					true,
					'Whether to remove emoji and Markdown characters, which many servers read aloud',
				),
				numberField('Speed', 'speed', 1, {
					typeOptions: { minValue: 0.1, maxValue: 4, numberPrecision: 2 },
					description: '1 is the normal speed. The supported range depends on the model.',
				}),
			],
			1,
		),
	],
	execute: async (call) => {
		const { parameters, server } = call;
		const settings = await resolveModelRequestSettings(call, 'speech');
		const voice = parameters.string('voice');
		const speechRequest = {
			voice,
			input: parameters.rawString('text'),
			format: parameters.choice('options.format', 'mp3'),
			speed: parameters.number('options.speed', undefined),
			instructions: parameters.rawString('options.instructions'),
			isPlainText: parameters.boolean('options.plainText', false),
			extraBody: parameters.objectToSend('options.extraBody', {}),
		};
		const name = baseName(parameters.string('options.fileName'), 'speech');
		const store = async ({ content, mimeType, extension }: SpeechAudio) =>
			await storeFile(call, 'options.binaryPropertyOutput', {
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
