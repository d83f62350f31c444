/** Speech from texts, and texts from recordings. */
import { parseMimeType } from '../../lib/file-name';
import { messageIdField, readUser, userField } from '../shared/dify/common-fields';
import type { DifyCall, DifyResource } from '../shared/dify/dify-operation';
import { inputFileField, outputFileField, readFile } from '../shared/dify/file-fields';
import { optionsField } from '../shared/fields/options-field';
import { defineOperation } from '../shared/items/define-operation';
import type { FieldValues } from '../shared/items/define-operation';
import { toName } from '../../lib/fields/check-value';
import type { FieldTable, ValueSource } from '../../lib/fields/field';
import { createEmptyFieldError } from '../../lib/fields/field-errors';
import { storeFile, baseName } from '../../lib/n8n/binary';
import { createDifyError } from '../../lib/dify/create-error';
import { getAudioExtension } from '../../lib/files/file-types';
import { inspectAudio } from '../../lib/files/received-media';
import { assertRecording } from '../../lib/files/recording';
import type { FileSource } from '../../lib/http/multipart';
import { readBuffer } from '../../lib/http/response-body';
import { peekHead } from '../../lib/tasks/synthesize-speech';
import { TASK_LIMITS } from '../../lib/task-limits';
import { asString } from '../../lib/values/records';
import { addHintOnce } from '../../lib/n8n/hints';
import { getOwn } from '../../lib/values/own-properties';

/** A provider may need minutes before the first byte. */
const TIMEOUTS = { firstTokenMs: 600_000, idleMs: 120_000 };

function createNoAudioError(url: string) {
	return createDifyError('emptyResponse', {
		url,
		status: 200,
		about: { difyIssue: { kind: 'noAudio' } },
	});
}

function createNotAudioError(url: string, received: string) {
	return createDifyError('invalidResponse', {
		url,
		status: 200,
		about: { difyIssue: { kind: 'notAudio', received } },
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

const speakFields = {
	source: {
		kind: 'choice',
		label: 'Speak',
		default: 'text',
		choices: { message: 'App Response', text: 'Text' },
		isFixed: true,
	},
	text: {
		kind: 'text',
		label: 'Text',
		rows: 4,
		shownIf: { source: ['text'] },
		description: 'Providers have length limits: OpenAI allows 4096 characters',
		parse: parseText,
	},
	messageId: {
		...messageIdField('The message to speak'),
		shownIf: { source: ['message'] },
	},
	user: userField,
	options: optionsField({
		fileName: {
			kind: 'name',
			label: 'File Name',
			default: 'speech',
			description: 'Without extension; the extension follows from the audio format',
		},
		binaryPropertyOutput: outputFileField,
		voice: {
			kind: 'name',
			label: 'Voice',
			description:
				'Name of the voice at the speech model provider. If not set, the voice of the app is used.',
		},
	}),
} as const satisfies FieldTable;

/** @throws {ServerError} if there is nothing to speak */
function parseText(value: unknown, source: ValueSource): string {
	const text = toName(source, value);
	if (text === '') throw createEmptyFieldError(source);
	return text;
}

const transcribeFields = {
	binaryPropertyName: inputFileField('the recording (MP3, M4A, WAV or AMR, up to 30 MB)'),
	user: userField,
} as const satisfies FieldTable;

export const audio: DifyResource = {
	name: 'Audio',
	value: 'audio',
	operations: [
		defineOperation({
			name: 'Speak',
			value: 'speak',
			action: 'Speak a text',
			description: "Convert a text or a response to speech with Dify's text-to-speech model",
			mainFields: ['text'],
			fields: speakFields,
			execute: speak,
		}),
		defineOperation({
			name: 'Transcribe',
			value: 'transcribe',
			action: 'Transcribe a recording',
			description: "Convert a recording to text with Dify's speech-to-text model",
			fields: transcribeFields,
			execute: transcribe,
		}),
	],
};

async function speak(call: DifyCall & FieldValues<typeof speakFields>) {
	const { client, source, values } = call;
	const { messageId, text, options } = values;
	const voice = options.voice || undefined;
	const name = baseName(options.fileName ?? '', 'speech');
	const property = options.binaryPropertyOutput ?? outputFileField.default;
	const json = { text, message_id: messageId, voice, user: readUser(source, values) };
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
				throw response.toError((await readBuffer(chunks, limits.parsedBytes)).toString('utf8'));
			}
			const actual = media.type === 'media' ? media.file : undefined;
			return await storeFile(call, property, {
				content: chunks,
				fileName: `${name}.${actual?.extension ?? getAudioExtension(mimeType) ?? 'mp3'}`,
				mimeType: actual?.mimeType ?? mimeType,
			});
		},
	);
	const { facts, binary } = await speaking;
	if (facts.bytes === 0) throw createNoAudioError(url);
	return { json: { ...facts, voice, messageId }, binary };
}

async function transcribe(call: DifyCall & FieldValues<typeof transcribeFields>) {
	const { context, client, source, values } = call;
	const file = await readFile(call, values.binaryPropertyName, assertRecording);
	const { mimeType, isSubstitute } = toAcceptedType(file);
	if (isSubstitute) {
		call.hint(
			`Dify accepts only MP3, M4A, WAV and AMR, so "${file.name}" (${file.mimeType}) was sent unchanged under the type ${mimeType}. If the speech model cannot read it, convert the recording to MP3.`,
		);
	}
	const response = await client.upload(
		'/audio-to-text',
		{ ...file, mimeType },
		{ fields: { user: readUser(source, values) }, idleMs: TIMEOUTS.firstTokenMs },
	);
	const text = asString(response.text) ?? '';
	if (text.trim() === '') {
		addHintOnce(context, 'No speech was detected in the recording.', 'info');
	}
	return { json: { text, fileName: file.name, bytes: file.size } };
}
