/** Lets a server speak a text. */
import { createServerError, createInputError } from '../errors/create-error';
import { captureError, type ServerError } from '../errors/server-error';
import { toErrorContext } from '../http/request-errors';
import { readBuffer } from '../http/response-body';
import type { ModelServer } from '../servers/types/server-type';
import { detectFileType } from '../files';
import { omitEmpty, type JsonRecord } from '../values';
import {
	explainUnsupportedRoute,
	runTask,
	type TaskSettings,
	explainFirstTokenTimeout,
} from './run-task';

export type AudioFormat = 'mp3' | 'wav' | 'flac' | 'opus' | 'aac' | 'pcm';

export interface SpeechRequest {
	input: string;
	/** Empty: the server's own. */
	voice: string;
	format: AudioFormat;
	speed?: number;
	instructions: string;
	/** Removes emoji and Markdown first. */
	isPlainText: boolean;
	/** Further fields of the request. */
	extraBody: JsonRecord;
}

interface AudioType {
	mimeType: string;
	extension: string;
}

export interface SpeechAudio extends AudioType {
	content: AsyncIterable<Uint8Array>;
}

/** That of OpenAI's API, vLLM and Kokoro, in hertz. */
const PCM_RATE = 24_000;
/** No sound file of any format is shorter. */
const MIN_SOUND_BYTES = 100;

/** MIME types that n8n and browsers know. n8n's own OpenAI node says `audio/mp3`, which is not registered. */
const TYPES: Readonly<Record<Exclude<AudioFormat, 'pcm'>, string>> = {
	mp3: 'audio/mpeg',
	wav: 'audio/wav',
	flac: 'audio/flac',
	opus: 'audio/ogg',
	aac: 'audio/aac',
};

/**
 * @param store takes the sound while it comes
 * @throws {ServerError}
 */
export async function synthesizeSpeech<Stored>(
	server: ModelServer,
	settings: TaskSettings,
	wanted: SpeechRequest,
	store: (sound: SpeechAudio) => Promise<Stored>,
): Promise<{ stored: Stored; extension: string; input: string; hints: string[] }> {
	const { voice, format, speed, instructions, extraBody } = wanted;
	const input = (wanted.isPlainText ? stripMarkdown(wanted.input) : wanted.input).trim();
	if (input === '') throw nothingToSpeak(wanted);
	const { value, notes } = await runTask(server, settings, {
		route: `${server.url.api}/audio/speech`,
		headers: { accept: 'audio/*, application/json' },
		body: omitEmpty({
			input,
			voice,
			response_format: format,
			speed,
			instructions,
		}),
		extraBody,
		read: async (answer, refused) => {
			const { head, pieces } = await peekHead(answer.bytes());
			if (isText(head, answer.headers['content-type'])) throw refused(await textIn(pieces));
			if (head.byteLength < MIN_SOUND_BYTES) throw tooShort(server, settings, head.byteLength);
			const type = detectAudioType(head, format);
			return { stored: await store({ ...type, content: pieces }), ...type };
		},
	}).catch(async (error: unknown) => {
		throw await explainSpeechError(server, settings, captureError(error).failed, voice);
	});
	const { stored, extension } = value;
	const isOther = extension !== format;
	const other = `The server returned ${extension} instead of the requested ${format}. The file name shows the actual format.`;
	return { stored, extension, input, hints: isOther ? [...notes, other] : notes };
}

function nothingToSpeak({ input }: SpeechRequest): ServerError {
	return createInputError(
		'The text is empty',
		input.trim() === ''
			? 'Enter a text in the field Text.'
			: 'The text consists of emoji and Markdown only: turn off Plain Text.',
	);
}

/** The first bytes of a body, and all of it. */
async function peekHead(
	source: AsyncIterable<Uint8Array>,
): Promise<{ head: Buffer; pieces: AsyncIterable<Uint8Array> }> {
	const iterator = source[Symbol.asyncIterator]();
	let head = Buffer.alloc(0);
	while (head.byteLength < MIN_SOUND_BYTES) {
		const next = await iterator.next();
		if (next.done === true) break;
		head = Buffer.concat([head, next.value]);
	}
	async function* all(): AsyncGenerator<Uint8Array> {
		yield head;
		yield* { [Symbol.asyncIterator]: () => iterator };
	}
	return { head, pieces: all() };
}

/** An error inside a 200, or a page. */
function isText(head: Buffer, type = ''): boolean {
	return /^\s*[{<]/.test(head.toString('latin1')) || /\bjson\b|^text\//i.test(type);
}

async function textIn(pieces: AsyncIterable<Uint8Array>): Promise<string> {
	return (await readBuffer(pieces)).toString('utf8');
}

/**
 * Type of a received sound: the one asked for, unless its first bytes say otherwise. Raw samples may begin with any
 * bytes, so where PCM was asked for only a WAV header counts.
 */
function detectAudioType(head: Uint8Array, requested: AudioFormat): AudioType {
	const own: AudioType =
		requested === 'pcm'
			? { mimeType: `audio/L16;rate=${PCM_RATE};channels=1`, extension: 'pcm' }
			: { mimeType: TYPES[requested], extension: requested };
	const actual = detectFileType(head);
	if (actual?.category !== 'sound') return own;
	const { mimeType, extension } = actual;
	const isRequested = extension === requested || (requested === 'opus' && extension === 'ogg');
	const isChance = requested === 'pcm' && extension !== 'wav';
	return isRequested || isChance ? own : { mimeType, extension };
}

function tooShort(server: ModelServer, { model }: TaskSettings, bytes: number): ServerError {
	return createServerError('emptyResponse', toErrorContext(server, server.url.api, model), {
		message: 'The server returned no audio',
		detail: `The server returned no audio: its response has ${bytes} bytes`,
		suggestion:
			'Check the text, the voice and the model, and the server log. A text that consists only of emoji or punctuation produces no audio.',
	});
}

async function explainSpeechError(
	server: ModelServer,
	{ model }: TaskSettings,
	error: ServerError,
	voice: string,
): Promise<ServerError> {
	const { type, status = 0, serverText = '' } = error;
	const isOfVoice = status >= 400 && type !== 'modelNotFound' && /voice|speaker/i.test(serverText);
	if (isOfVoice)
		return error.copyWith({
			type: 'badRequest',
			message:
				voice === ''
					? 'The server requires a voice'
					: `The server does not support the voice "${voice}"`,
			suggestion: 'Choose a voice of this model; its documentation lists them.',
		});
	return await explainUnsupportedRoute(server, explainFirstTokenTimeout(error), {
		can: 'speak',
		remedy: ({ texts }) => texts.speech,
		model,
	});
}

/** Emoji, flags, skin tones and joiners. Digits and signs that are emoji only as keycaps stay. */
const EMOJI =
	/\p{Extended_Pictographic}|\p{Regional_Indicator}|\p{Emoji_Modifier}|\u200D|\uFE0F|\u20E3/gu;

/** Emphasis. It is removed twice, since one inside another is not crossed: each sign would search for its end. */
const STARS = /(\*{1,3})(?=\S)([^*]*[^*\s])\1/g;

/** A text without emoji and Markdown, which many servers would read aloud. */
export function stripMarkdown(text: string): string {
	return text
		.replace(/```(?:[^\n`]*\n)?([\s\S]*?)```/g, '$1')
		.replace(/!\[([^[\]]*)\]\([^()]*\)/g, '$1')
		.replace(/\[([^[\]]+)\]\([^()]*\)/g, '$1')
		.replace(/^[ \t]*(?:#{1,6}|>|[-*+])[ \t]+/gm, '')
		.replace(/^[ \t]*(?:[-*_][ \t]*){3,}$/gm, '')
		.replace(STARS, '$2')
		.replace(STARS, '$2')
		.replace(/~~(?=\S)([^~]*[^~\s])~~/g, '$1')
		.replace(/(?<![\p{L}\p{N}_])(__|_)(?=\S)([^_]*[^_\s])\1(?![\p{L}\p{N}_])/gu, '$2')
		.replace(/`([^`]*)`/g, '$1')
		.replace(EMOJI, '')
		.replace(/[ \t]{2,}/g, ' ')
		.replace(/[ \t]$/gm, '')
		.trim();
}
