/** Converts text to speech. */
import { createServerError, createInputError } from '../errors/create-error';
import type { RequestField } from '../exchange/request-fields';
import { readBuffer } from '../http/response-body';
import type { HttpResponse } from '../http/types';
import type { ModelServer } from '../servers/types/server-type';
import { detectFileType } from '../files/file-types';
import type { JsonRecord } from '../values/records';
import { omitEmpty } from '../values/records';
import { parseJson } from '../values/json';
import { collectTexts } from '../values/text';
import { Readable } from '../vendor';
import type { TaskSettings } from './run-task';
import { runTask } from './run-task';
import { explainFirstTokenTimeout, explainUnsupportedTask } from './task-errors';
import { stripMarkdown } from './plain-speech';
import { hasUnknownWavLength, withWavLength } from './wav-header';

type AudioFormat = 'mp3' | 'wav' | 'flac' | 'opus' | 'aac' | 'pcm';

export interface SpeechRequest<Stored> {
	/** The text to speak. */
	input: string;
	/** If empty, the server decides. */
	voice: string;
	format: AudioFormat;
	/** 1 is the normal speed. Default: the server decides. */
	speed?: number;
	/** How to speak; may be empty. */
	instructions: string;
	/** Whether to remove emoji and Markdown. */
	isPlainText: boolean;
	/** Additional fields of the request. */
	extraBody: JsonRecord;
	/** Stores the audio while it arrives. */
	store(audio: SpeechAudio): Promise<Stored>;
}

interface AudioType {
	mimeType: string;
	/** Without the period. */
	extension: string;
}

export interface SpeechAudio extends AudioType {
	content: AsyncIterable<Uint8Array>;
}

export interface SpeechResult<Stored> extends AudioType {
	/** What `store` returned. */
	stored: Stored;
	/** The text that was spoken. */
	input: string;
	warnings: string[];
}

/** What a request for speech contains. */
export const SPEECH_FIELDS: readonly RequestField[] = [
	{ field: 'input', label: 'Text', canOmit: false, noun: 'text' },
	{ field: 'voice', label: 'Voice', canOmit: true, valueNoun: 'voice' },
	// The received format is checked, and another one is reported.
	{ field: 'response_format', label: 'File Format', canOmit: true, default: 'mp3' },
	{ field: 'speed', label: 'Speed', canOmit: true, default: 1 },
	{ field: 'instructions', label: 'Instructions', canOmit: true },
];

/** Sample rate of OpenAI's API, vLLM and Kokoro, in hertz. */
const PCM_RATE = 24_000;

/** Audio files of every format are longer. */
const MIN_AUDIO_BYTES = 100;

/** MIME types that n8n and browsers support. n8n's OpenAI node uses `audio/mp3`, which is not registered. */
const TYPES: Record<Exclude<AudioFormat, 'pcm'>, string> = {
	mp3: 'audio/mpeg',
	wav: 'audio/wav',
	flac: 'audio/flac',
	opus: 'audio/ogg',
	aac: 'audio/aac',
};

/** @throws a `ServerError`, also if the response contains no audio. */
export async function synthesizeSpeech<Stored>(
	server: ModelServer,
	settings: TaskSettings,
	speechRequest: SpeechRequest<Stored>,
): Promise<SpeechResult<Stored>> {
	const { voice, format, speed, instructions, extraBody, store } = speechRequest;
	const input = toSpokenText(speechRequest);
	const { value, warnings } = await runTask(server, settings, {
		routes: ['speech'],
		fields: SPEECH_FIELDS,
		headers: { accept: 'audio/*, application/json' },
		toBody: () => ({
			...omitEmpty({ input, voice, response_format: format, speed, instructions }),
			...extraBody,
		}),
		extraBody,
		maxBytes: MAX_RESPONSE_BYTES,
		read: async (response) => {
			const { head, chunks } = await readAudio(response);
			if (head.byteLength < MIN_AUDIO_BYTES)
				throw createServerError('emptyResponse', response.errorContext, {
					title: 'The server returned no audio',
					detail: `The server returned no audio: its response has ${head.byteLength} bytes`,
					suggestion:
						'Check the text, the voice and the model, and the server log. A text that consists only of emoji or punctuation produces no audio.',
				});
			const type = detectAudioType(head, format);
			// A WAV file gets its real length, for players and for n8n: it is read to its end first.
			const content = hasUnknownWavLength(head)
				? Readable.from([withWavLength(await readBuffer(chunks, MAX_WAV_BYTES))])
				: chunks;
			return { stored: await store({ ...type, content }), ...type };
		},
		explain: async (error) => {
			const { type, status = 0, serverText = '' } = error;
			const isVoiceError =
				status >= 400 && type !== 'modelNotFound' && /voice|speaker/i.test(serverText);
			if (!isVoiceError) {
				const timeoutError = explainFirstTokenTimeout(error);
				const { model } = settings;
				return await explainUnsupportedTask(timeoutError, { server, task: 'speech', model });
			}
			return error.copyWith({
				type: 'badRequest',
				title: voice
					? `The server does not support the voice "${voice}"`
					: 'The server requires a voice',
				suggestion: 'Choose a voice of this model; its documentation lists them.',
			});
		},
	});
	const { extension } = value;
	const isOtherFormat = extension !== format;
	const formatWarning = `The server returned ${extension} instead of the requested ${format}. The file name shows the actual format.`;
	return {
		...value,
		input,
		warnings: isOtherFormat ? [...warnings, formatWarning] : warnings,
	};
}

/** @throws a `ServerError` if nothing is left to speak. */
function toSpokenText({ input, isPlainText }: Pick<SpeechRequest<never>, 'input' | 'isPlainText'>) {
	const text = (isPlainText ? stripMarkdown(input) : input).trim();
	if (text) return text;
	throw createInputError(
		'The text is empty',
		input.trim()
			? 'The text consists of emoji and Markdown only: turn off Plain Text.'
			: 'Enter a text in the field Text.',
	);
}

/** Bytes of audio: some hours, since the text of one request is a few pages. */
const MAX_RESPONSE_BYTES = 512 * 1024 * 1024;

/** Bytes of a WAV file that is read to its end first: 20 minutes in the quality of a CD. */
const MAX_WAV_BYTES = 128 * 1024 * 1024;

/** Bytes of audio as base64 in JSON. */
const MAX_JSON_BYTES = 64 * 1024 * 1024;

/** A body whose beginning is known. */
export interface PeekedBody {
	/** The first bytes: `MIN_AUDIO_BYTES`, or fewer if the body is shorter. */
	head: Buffer;
	/** The full body, with the first bytes. */
	chunks: AsyncIterable<Uint8Array>;
}

/** The audio of a response. Gateways send it as base64 in JSON. */
async function readAudio(response: HttpResponse): Promise<PeekedBody> {
	const body = await peekHead(response.bytes());
	if (!isText(body.head, response.headers['content-type'])) return body;
	const text = (await readBuffer(body.chunks, MAX_JSON_BYTES)).toString('utf8');
	const audio = collectTexts(parseJson(text))
		.map((value) => Buffer.from(value.split(',').at(-1)!, 'base64'))
		.find((content) => detectFileType(content)?.category === 'audio');
	if (!audio) throw response.toError(text);
	return await peekHead(Readable.from([audio]));
}

/** Reads the first bytes of a body. */
export async function peekHead(source: AsyncIterable<Uint8Array>): Promise<PeekedBody> {
	const iterator = source[Symbol.asyncIterator]();
	let head = Buffer.alloc(0);
	while (head.byteLength < MIN_AUDIO_BYTES) {
		const next = await iterator.next();
		if (next.done) break;
		head = Buffer.concat([head, next.value]);
	}
	async function* allChunks(): AsyncGenerator<Uint8Array> {
		yield head;
		yield* { [Symbol.asyncIterator]: () => iterator };
	}
	return { head, chunks: allChunks() };
}

/** Whether a response with status 200 is an error or a page. */
function isText(head: Buffer, type = '') {
	const isDeclared = /\bjson\b|^text\//i.test(type) && detectFileType(head)?.category !== 'audio';
	return isDeclared || /^\s*[{<]/.test(head.toString('latin1'));
}

/**
 * Type of received audio: the requested type, unless the first bytes show another one. Raw samples may begin with any
 * bytes, so for PCM only a WAV header counts.
 */
function detectAudioType(head: Uint8Array, requested: AudioFormat): AudioType {
	const requestedType: AudioType =
		requested === 'pcm'
			? { mimeType: `audio/L16;rate=${PCM_RATE};channels=1`, extension: 'pcm' }
			: { mimeType: TYPES[requested], extension: requested };
	const actual = detectFileType(head);
	if (actual?.category !== 'audio') return requestedType;
	const { mimeType, extension } = actual;
	const isRequested = extension === requested || (requested === 'opus' && extension === 'ogg');
	const isCoincidence = requested === 'pcm' && extension !== 'wav';
	return isRequested || isCoincidence ? requestedType : { mimeType, extension };
}
