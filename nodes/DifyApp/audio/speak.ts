import { featureOf, speak, voiceOf } from '../../../lib/dify/app/speech';
import { optional } from '../../../lib/values';
import type { DifyOperation } from '../../shared/dify/run';
import { messageField, outputField, userField } from '../../shared/dify/fields';
import { messageIdIn, userIn } from '../../shared/dify/ids';
import {
	choiceField,
	choices,
	longTextField,
	optionsCollection,
	stringField,
} from '../../shared/field-kinds';
import { baseName, storeFile } from '../../shared/store-file';

export const audioSpeak: DifyOperation = {
	option: {
		name: 'Speak',
		value: 'speak',
		action: 'Speak a text',
		description: 'Speaks a text or an answer, with the text-to-speech model of Dify',
	},
	fields: [
		choiceField('Speak', 'source', 'text', {
			noDataExpression: true,
			options: choices({
				message: 'Answer of the App',
				text: 'Text',
			}),
		}),
		longTextField('Text', 'text', 4, {
			displayOptions: { show: { source: ['text'] } },
			description: 'Providers have limits: with OpenAI 4096 characters',
		}),
		{
			...messageField('The answer that is spoken'),
			displayOptions: { show: { source: ['message'] } },
		},
		userField,
		optionsCollection([
			stringField('File Name', 'fileName', {
				default: 'speech',
				description: 'Without its extension, which comes from the format of the sound',
			}),
			outputField('binaryPropertyOutput'),
			stringField('Voice', 'voice', {
				description:
					'Its name at the provider of the speech model. Without this option: the voice of the app.',
			}),
		]),
	],
	run: async (call) => {
		const { client, appParameters, parameters } = call;
		const isText = parameters.choice<'text' | 'message'>('source') === 'text';
		const text = isText ? parameters.freeText('text') : undefined;
		const messageId = isText ? undefined : messageIdIn(parameters);
		const voice = parameters.name('options.voice');
		const settings = featureOf(await appParameters(), 'text_to_speech');
		const { sound, mimeType, extension } = await speak(client, {
			text,
			messageId,
			voice,
			user: userIn(parameters),
		});
		const fileName = `${baseName(parameters.name('options.fileName'), 'speech')}.${extension}`;
		const { facts, binary } = await storeFile(call, 'options.binaryPropertyOutput', {
			content: sound,
			fileName,
			mimeType,
		});
		const used = voice === '' ? voiceOf(settings) : voice;
		const json = {
			...facts,
			...optional({ voice: used, messageId }),
		};
		return [{ json, binary }];
	},
};
