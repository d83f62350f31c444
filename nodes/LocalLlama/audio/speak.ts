import { speak as speakText, type SoundFormat } from '../../../lib/tasks/speak';
import { filled } from '../../../lib/values';
import {
	booleanField,
	choiceField,
	choices,
	longTextField,
	numberField,
	outputFileField,
	stringField,
} from '../../shared/field-kinds';
import { modelField } from '../../shared/model-field';
import { fileNameField, mediaFields, mediaSettings } from '../media-options';
import type { LocalLlamaOperation } from '../operation';
import { optionsWith } from '../options';
import { baseName, storeFile } from '../../shared/binary';
import { withChosenModel } from '../../shared/search-models';

export const audioSpeak: LocalLlamaOperation = {
	option: {
		name: 'Speak',
		value: 'speak',
		action: 'Speak a text',
		description: 'Turns a text into speech: Kokoro-FastAPI, speaches, GPUStack, LocalAI',
	},
	fields: [
		modelField('The model that speaks', { search: 'searchSpeechModels', example: 'kokoro' }),
		longTextField('Text', 'input', 4, {
			required: true,
			description: 'What is spoken',
		}),
		stringField('Voice', 'voice', {
			placeholder: 'e.g. af_heart',
			description: 'Who speaks. Empty: the server decides, or says that it wants one.',
		}),
		choiceField('File Format', 'format', 'mp3', {
			options: choices({
				aac: 'AAC',
				flac: 'FLAC',
				mp3: 'MP3',
				opus: 'Opus',
				pcm: ['PCM', 'Raw samples, 16 bit'],
				wav: 'WAV',
			}),
			description: 'The format of the sound. Not every server knows all of them.',
		}),
		optionsWith(
			[
				...mediaFields,
				fileNameField('speech'),
				longTextField('Instructions', 'instructions', 2, {
					description: 'How it is spoken, for models that follow such a description',
				}),
				outputFileField,
				booleanField('Plain Text', 'plainText', true, {
					description:
						'Whether emoji and the characters of Markdown are left out, which many servers read aloud',
				}),
				numberField('Speed', 'speed', 1, {
					typeOptions: { minValue: 0.1, maxValue: 4, numberPrecision: 2 },
					description: '1 is the usual pace. What a server takes depends on the model.',
				}),
			],
			1,
		),
	],
	run: async (call) => {
		const { parameters, server } = call;
		const chosen = await withChosenModel(mediaSettings(call), server, 'speech', call.signal);
		const voice = parameters.name('voice');
		const wanted = {
			voice,
			input: parameters.freeText('input'),
			format: parameters.choice<SoundFormat>('format', 'mp3'),
			speed: parameters.number('options.speed', undefined),
			instructions: parameters.freeText('options.instructions'),
			plainText: parameters.flag('options.plainText', false),
			extra: parameters.object('options.extraBody', {}),
		};
		const name = baseName(parameters.name('options.fileName'), 'speech');
		const { stored, extension, input, hints } = await speakText(
			server,
			chosen,
			wanted,
			async ({ content, mimeType, extension: ending }) =>
				await storeFile(call, 'options.binaryPropertyOutput', {
					content,
					fileName: `${name}.${ending}`,
					mimeType,
				}),
		);
		hints.forEach((hint) => call.hint(hint));
		const facts = { format: extension, ...filled({ voice, model: chosen.model }) };
		return [
			{ json: { ...stored.facts, ...facts, characters: input.length }, binary: stored.binary },
		];
	},
};
