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
import { getAudioExtension } from '../../lib/files/file-types';
import { inspectAudio } from '../../lib/files/received-media';
import { assertRecording } from '../../lib/files/recording';
import type { FileSource } from '../../lib/http/multipart';
import { readBuffer } from '../../lib/http/response-body';
import { peekHead } from '../../lib/tasks/synthesize-speech';
import { TASK_LIMITS } from '../../lib/task-limits';
import { asString } from '../../lib/values/records';
import { addHintOnce } from '../shared/run/hints';
import { getOwn } from '../../lib/values/own-properties';

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

function createNotAudioError(url: string, description: string) {
	const title = 'The response from Dify is not audio';
	return createDifyError('invalidResponse', {
		url,
		status: 200,
		title,
		detail: `${title}, but ${description}`,
		suggestion: 'Check the model provider log in Dify, and that the model generates speech.',
	});
}

/** Subtypes of `audio/` that every version of Dify accepts (docs/protocols/dify.md 2.10). */
const DIFY_SUBTYPES: readonly string[] = ['mp3', 'm4a', 'wav', 'amr', 'mpga'];

/** Endings of files in the same container as one of Dify's types. */
const SAME_CONTAINER: Readonly<Record<string, string>> = { mp4: 'm4a', m4b: 'm4a', mov: 'm4a' };

/** Under which type a recording is sent. */
interface SentType {
	mimeType: string;
	/** Whether the bytes may be of another format. */
	isSubstitute: boolean;
}

/**
 * Dify checks only the declared type, which must have an ending as its subtype, and passes the bytes on to the model as
 * `temp.mp3`, whatever they are (docs/protocols/dify.md 2.10).
 */
function toAcceptedType({ mimeType, name }: FileSource): SentType {
	const ending = getAudioExtension(mimeType) ?? name.split('.').at(-1)!.toLowerCase();
	const subtype = getOwn(SAME_CONTAINER, ending) ?? ending;
	return DIFY_SUBTYPES.includes(subtype)
		? { mimeType: `audio/${subtype}`, isSubstitute: false }
		: { mimeType: 'audio/mp3', isSubstitute: true };
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
			mainFields: ['text'],
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
			execute: async (call) => {
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
				const limits = TASK_LIMITS.difySpeech.received;
				const speaking = client.sendAndRead(
					{ url, json, limits, timeouts: TIMEOUTS },
					async (response) => {
						const mimeType = parseMimeType(response.headers['content-type']);
						// Dify returns `null` if there is no text to speak.
						if (!/^audio\/|octet-stream$/.test(mimeType)) {
							const bytes = await readBuffer(response.bytes(), limits.parsedBytes);
							const body = bytes.toString('utf8');
							if (body.trim() === 'null' || body.trim() === '') {
								throw createNoAudioError(response.url);
							}
							throw response.toError(body);
						}
						const { head, chunks } = await peekHead(response.bytes());
						// Older versions of Dify report WAV as `audio/mpeg` (docs/protocols/dify.md 2.10).
						const media = inspectAudio(head);
						if (media.type === 'other') {
							if (!media.isText) throw createNotAudioError(response.url, media.description);
							throw response.toError(
								(await readBuffer(chunks, limits.parsedBytes)).toString('utf8'),
							);
						}
						const actual = media.type === 'media' ? media.file : undefined;
						return await storeFile(
							call,
							parameters.string('options.binaryPropertyOutput') || 'data',
							{
								content: chunks,
								fileName: `${name}.${actual?.extension ?? getAudioExtension(mimeType) ?? 'mp3'}`,
								mimeType: actual?.mimeType ?? mimeType,
							},
						);
					},
				);
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
			execute: async (call) => {
				const { context, client, parameters } = call;
				const source = await readFile(call, assertRecording);
				const { mimeType, isSubstitute } = toAcceptedType(source);
				if (isSubstitute) {
					call.hint(
						`Dify accepts only MP3, M4A, WAV and AMR, so "${source.name}" (${source.mimeType}) was sent unchanged under the type ${mimeType}. If the speech model cannot read it, convert the recording to MP3.`,
					);
				}
				const recording = { ...source, mimeType };
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
