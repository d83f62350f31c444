/** Converts text to speech. */
import type { ErrorContext } from '../errors/create-error';
import { createServerError, createInputError } from '../errors/create-error';
import type { FieldTable } from '../fields/field';
import type { RequestField } from '../exchange/request-fields';
import { readBuffer } from '../http/response-body';
import type { HttpResponse } from '../http/types';
import type { ModelServer } from '../servers/types/server-type';
import { inspectAudio } from '../files/received-media';
import { TASK_LIMITS } from '../task-limits';
import type { JsonRecord } from '../values/records';
import { omitEmpty } from '../values/records';
import { parseJson } from '../values/json';
import { collectTexts } from '../values/text';
import { Readable } from '../vendor';
import type { TaskSettings } from './run-task';
import { runTask } from './run-task';
import { describeDifference, findDifferences, toSentFields } from '../exchange/differences';
import { stripMarkdown } from './plain-speech';
import { hasUnknownWavLength, withWavLength } from './wav-header';
import { getOwn } from '../values/own-properties';

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

/** What a person says about speech. */
export const SPEECH_OPTIONS = {
	text: {
		kind: 'text',
		label: 'Text',
		rows: 4,
		default: '={{ $json.text }}',
		required: true,
		description: 'The text to speak',
	},
	voice: {
		kind: 'locator',
		label: 'Voice',
		search: 'searchVoices',
		placeholder: "The server's default, or select one…",
		description:
			'The voice that speaks. Some servers list theirs; enter the name for others. If empty, the server decides or asks for one.',
		entered: [{ displayName: 'By Name', placeholder: 'e.g. af_heart' }],
	},
	format: {
		kind: 'choice',
		label: 'File Format',
		default: 'wav',
		choices: {
			aac: 'AAC',
			flac: 'FLAC',
			mp3: 'MP3',
			opus: 'Opus',
			pcm: ['PCM', 'Raw samples, 16 bit'],
			wav: 'WAV',
		},
		description: 'The audio format. Not every server supports all formats. If not set, MP3.',
	},
	instructions: {
		kind: 'text',
		label: 'Instructions',
		rows: 2,
		description: 'How to speak the text, for models that follow such instructions',
	},
	speed: {
		kind: 'number',
		label: 'Speed',
		default: 1,
		range: [0.1, 4],
		decimals: 2,
		description: '1 is the normal speed. The supported range depends on the model.',
	},
} as const satisfies FieldTable;

/** What a request for speech contains. */
export const SPEECH_FIELDS: readonly RequestField[] = [
	{
		field: 'input',
		label: SPEECH_OPTIONS.text.label,
		canOmit: false,
	},
	{
		field: 'voice',
		otherNames: ['voice_id', 'speaker', 'speaker_id'],
		label: SPEECH_OPTIONS.voice.label,
		canOmit: true,
		getAdvice: () => 'Choose a voice of this model; its documentation lists them.',
	},
	// The received format is checked, and another one is reported.
	{
		field: 'response_format',
		otherNames: ['audio_format', 'output_format'],
		label: SPEECH_OPTIONS.format.label,
		canOmit: true,
		default: 'mp3',
	},
	{ field: 'speed', label: SPEECH_OPTIONS.speed.label, canOmit: true, default: 1 },
	{ field: 'instructions', label: SPEECH_OPTIONS.instructions.label, canOmit: true },
];

/** Sample rate of OpenAI's API and vLLM, in hertz. */
const PCM_RATE = 24_000;

/** Audio files of every format are longer. */
const MIN_AUDIO_BYTES = 100;

/** MIME types that n8n and browsers support. n8n's OpenAI node uses `audio/mp3`, which is not registered. */
const MIME_TYPE_BY_FORMAT: Record<Exclude<AudioFormat, 'pcm'>, string> = {
	mp3: 'audio/mpeg',
	wav: 'audio/wav',
	flac: 'audio/flac',
	opus: 'audio/ogg',
	aac: 'audio/aac',
};

/** The error of a response without audio. */
/** @throws a `ServerError`, also if the response contains no audio. */
export async function synthesizeSpeech<Stored>(
	server: ModelServer,
	settings: TaskSettings,
	speechRequest: SpeechRequest<Stored>,
): Promise<SpeechResult<Stored>> {
	const { voice, format, speed, instructions, extraBody, store } = speechRequest;
	const input = toSpokenText(speechRequest);
	const body = {
		...omitEmpty({ input, voice, response_format: format, speed, instructions }),
		...extraBody,
	};
	const {
		value,
		body: sentBody,
		warnings,
	} = await runTask(server, settings, {
		task: 'speak',
		routes: ['speech'],
		isExpensive: true,
		fields: SPEECH_FIELDS,
		headers: { accept: 'audio/*, application/json' },
		toBody: () => body,
		extraBody,
		readResponse: async (response) => {
			const { head, chunks } = await readAudio(response, format);
			if (head.byteLength < MIN_AUDIO_BYTES)
				throw createServerError('emptyResponse', response.errorContext, {
					about: { resultIssue: { kind: 'noAudio', bytes: head.byteLength } },
				});
			const type = detectAudioType(response, { head, requested: format });
			// A WAV file gets its real length, for players and for n8n: it is read to its end first.
			const content = hasUnknownWavLength(head)
				? Readable.from([withWavLength(await readBuffer(chunks, LIMITS.keptBytes))])
				: chunks;
			return { stored: await store({ ...type, content }), ...type };
		},
		getFacts: () => ({ task: () => 'speech', isSilentTask: () => true }),
	});
	const differences = findDifferences('speak', {
		requested: toSentFields({ requestedFields: body, sentBody }),
		result: value,
	}).map((difference) => describeDifference(difference));
	return { ...value, input, warnings: [...warnings, ...differences] };
}

/** @throws a `ServerError` if nothing is left to speak. */
function toSpokenText({ input, isPlainText }: Pick<SpeechRequest<never>, 'input' | 'isPlainText'>) {
	const text = (isPlainText ? stripMarkdown(input) : input).trim();
	if (text) return text;
	throw input.trim()
		? createInputError(
				'The text is empty',
				'The text consists of emoji and Markdown only: turn off Plain Text.',
				{ field: 'Text', inputProblem: 'wrong' },
			)
		: createInputError('The text is empty', undefined, {
				field: 'Text',
				inputProblem: 'empty',
				about: { inputKind: 'emptyField' },
			});
}

const LIMITS = TASK_LIMITS.speak;

/** A body whose beginning is known. */
export interface PeekedBody {
	/** The first bytes: `MIN_AUDIO_BYTES`, or fewer if the body is shorter. */
	head: Buffer;
	/** The full body, with the first bytes. */
	chunks: AsyncIterable<Uint8Array>;
}

/** The audio of a response. Gateways send it as base64 in JSON. */
async function readAudio(response: HttpResponse, requested: AudioFormat): Promise<PeekedBody> {
	const body = await peekHead(response.bytes());
	const type = response.headers['content-type'];
	if (!isText(body.head, { type, isRaw: isRawAudio(requested, type) })) return body;
	const text = (await readBuffer(body.chunks, LIMITS.received.parsedBytes)).toString('utf8');
	const audio = collectTexts(parseJson(text))
		.map((value) => Buffer.from(value.split(',').at(-1)!, 'base64'))
		.find((content) => inspectAudio(content).type === 'media');
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
function isText(head: Buffer, { type = '', isRaw }: { type?: string; isRaw: boolean }) {
	const media = inspectAudio(head, { isRaw });
	if (media.type === 'other') return media.isText;
	return media.type === 'unknown' && /\bjson\b|^text\//i.test(type);
}

/** What is known about audio. */
interface ReceivedAudio {
	/** Its first bytes. */
	head: Buffer;
	requested: AudioFormat;
}

/** Raw samples. */
const PCM_TYPE = /^audio\/(?:x-)?(?:pcm|raw|l16)\b/i;

function isRawAudio(requested: AudioFormat, declared = ''): boolean {
	return requested === 'pcm' || PCM_TYPE.test(declared);
}

/**
 * Type of received audio: what its bytes show, otherwise the requested one, or raw samples if the server declares them.
 *
 * @throws a `ServerError` if its bytes are of anything else.
 */
function detectAudioType(
	{ headers, errorContext }: Pick<HttpResponse, 'headers' | 'errorContext'>,
	{ head, requested }: ReceivedAudio,
): AudioType {
	const declared = headers['content-type'] ?? '';
	const isRaw = isRawAudio(requested, declared);
	const requestedType: AudioType =
		requested === 'pcm' || isRaw
			? { mimeType: toPcmType(declared), extension: 'pcm' }
			: { mimeType: MIME_TYPE_BY_FORMAT[requested], extension: requested };
	const media = inspectAudio(head, { isRaw });
	if (media.type === 'unknown') return requestedType;
	if (media.type === 'other') throw createOtherMediaError(media.description, errorContext);
	const { mimeType, extension } = media.file;
	const isRequested = extension === requested || (requested === 'opus' && extension === 'ogg');
	// Raw samples may begin with any two bytes, so those of MP3 and AAC count only if the server declares that type.
	const isFrame = head[0] === 0xff;
	const isCoincidence = isRaw && isFrame && !isDeclaredAs(mimeType, { declared });
	return isRequested || isCoincidence ? requestedType : { mimeType, extension };
}

function createOtherMediaError(received: string, context: ErrorContext) {
	return createServerError('invalidResponse', context, {
		about: { resultIssue: { kind: 'notAudio', received } },
	});
}

/** Whether a server declares this type, also under names that are not registered. */
function isDeclaredAs(mimeType: string, { declared }: { declared: string }) {
	const [type = ''] = declared.toLowerCase().split(';');
	const names: Readonly<Record<string, RegExp>> = {
		'audio/mpeg': /^audio\/(?:x-)?(?:mpeg3?|mp3|mpga)$/,
		'audio/aac': /^audio\/(?:x-|vnd\.dlna\.)?(?:aac|aacp|adts)$/,
	};
	return getOwn(names, mimeType)?.test(type.trim()) === true;
}

/** RFC 2586. Servers that do not name the rate use that of OpenAI's API. */
function toPcmType(declared: string) {
	const getNumber = (name: string) =>
		new RegExp(`;\\s{0,9}${name}=(\\d{1,6})\\b`, 'i').exec(declared)?.[1];
	return `audio/L16;rate=${getNumber('rate') ?? PCM_RATE};channels=${getNumber('channels') ?? 1}`;
}
