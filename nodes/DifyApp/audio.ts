/** Speech from texts, and texts from recordings. */
import { parseMimeType } from '../../lib/file-name';
import type { DifyResource } from '../shared/dify/dify-operation';
import {
	binaryField,
	readFile,
	outputField,
	messageField,
	readId,
} from '../shared/dify/dify-fields';
import { userField, readUser } from '../shared/dify/dify-user';
import {
	stringField,
	choiceField,
	longTextField,
	optionsCollection,
	shownIf,
} from '../shared/field-builders';
import { storeFile, baseName } from '../shared/binary';
import { createDifyError } from '../../lib/dify/create-error';
import { AUDIO_EXTENSIONS, detectFileType, getAudioExtension } from '../../lib/files/file-types';
import type { FileSource } from '../../lib/http/multipart';
import { peekHead } from '../../lib/tasks/synthesize-speech';
import { asString } from '../../lib/values/records';
import { addHintOnce } from '../shared/run/hints';

/** A provider may need minutes before the first byte. */
const TIMEOUTS = { firstTokenMs: 600_000, idleMs: 120_000 };

function createNoAudioError(url: string) {
	return createDifyError('emptyResponse', {
		url,
		status: 200,
		title: 'Dify returned no audio',
		suggestion:
			'The message is unknown or has an empty response, or the speech provider returned no audio. Check the message ID, and the model provider log in Dify.',
	});
}

function detectAudio(head: Uint8Array) {
	const type = detectFileType(head);
	return type?.category === 'audio' ? type : undefined;
}

/** The extension of a recording by its MIME type or name, otherwise by its content. */
async function findExtension({ mimeType, name, open }: FileSource) {
	const ending = name.split('.').at(-1)!.toLowerCase();
	const declared =
		getAudioExtension(mimeType) ?? (AUDIO_EXTENSIONS.has(ending) ? ending : undefined);
	if (declared !== undefined) return declared;
	for await (const head of open()) return detectAudio(head)?.extension ?? ending;
	return ending;
}

export const audio: DifyResource = {
	name: 'Audio',
	value: 'audio',
	operations: [
		{
			name: 'Speak',
			value: 'speak',
			action: 'Speak a text',
			description: "Convert a text or a response to speech with Dify's text-to-speech model",
			fields: [
				choiceField(
					'Speak',
					'source',
					'text',
					{
						message: 'App Response',
						text: 'Text',
					},
					{ noDataExpression: true },
				),
				longTextField('Text', 'text', 4, {
					...shownIf('source', 'text'),
					description: 'Providers have length limits: OpenAI allows 4096 characters',
				}),
				{
					...messageField('The message to speak'),
					...shownIf('source', 'message'),
				},
				userField,
				optionsCollection([
					stringField('File Name', 'fileName', {
						default: 'speech',
						description: 'Without extension; the extension follows from the audio format',
					}),
					outputField('binaryPropertyOutput'),
					stringField(
						'Voice',
						'voice',
						'Name of the voice at the speech model provider. If not set, the voice of the app is used.',
					),
				]),
			],
			run: async (call) => {
				const { client, parameters } = call;
				const isText = parameters.choice('source') === 'text';
				const messageId = isText ? undefined : readId(parameters, 'messageId');
				const input = isText
					? { text: parameters.requiredString('text') }
					: { message_id: messageId };
				const voice = parameters.string('options.voice') || undefined;
				const name = baseName(parameters.string('options.fileName'), 'speech');
				const json = { ...input, voice, user: readUser(parameters) };
				const url = client.buildUrl('/text-to-audio');
				const speaking = client.open({ url, json, timeouts: TIMEOUTS }, async (response) => {
					const mimeType = parseMimeType(response.headers['content-type']);
					// Dify returns `null` if there is no text to speak.
					if (!/^audio\/|octet-stream$/.test(mimeType)) {
						const body = await response.text();
						if (body.trim() === 'null' || body.trim() === '') {
							throw createNoAudioError(response.url);
						}
						throw response.toError(body);
					}
					const { head, chunks } = await peekHead(response.bytes());
					// Older versions of Dify report WAV as `audio/mpeg` (docs/protocols/dify.md 2.10).
					const actual = detectAudio(head);
					return await storeFile(call, 'options.binaryPropertyOutput', {
						content: chunks,
						fileName: `${name}.${actual?.extension ?? getAudioExtension(mimeType) ?? 'mp3'}`,
						mimeType: actual?.mimeType ?? mimeType,
					});
				});
				const { facts, binary } = await speaking;
				if (facts.bytes === 0) throw createNoAudioError(url);
				return { json: { ...facts, voice, messageId }, binary };
			},
		},
		{
			name: 'Transcribe',
			value: 'transcribe',
			action: 'Transcribe a recording',
			description: "Convert a recording to text with Dify's speech-to-text model",
			fields: [binaryField('the recording (MP3, M4A, WAV or AMR, up to 30 MB)'), userField],
			run: async (call) => {
				const { context, client, parameters } = call;
				const source = await readFile(call);
				// Dify requires the extension as the subtype of `audio/` (docs/protocols/dify.md 2.10).
				const recording = { ...source, mimeType: `audio/${await findExtension(source)}` };
				const response = await client.upload('/audio-to-text', recording, {
					fields: { user: readUser(parameters) },
					idleMs: TIMEOUTS.firstTokenMs,
				});
				const text = asString(response.text) ?? '';
				if (text.trim() === '') {
					addHintOnce(context, 'No speech was detected in the recording.', 'info');
				}
				return { json: { text, fileName: source.name, bytes: source.size } };
			},
		},
	],
};
