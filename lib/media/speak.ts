import { failure, invalidInput } from '../errors/failure';
import { asFailed, ServerError } from '../errors/server-error';
import type { Connection } from '../http/connection';
import { readWhole } from '../http/too-long';
import type { ServerPool } from '../servers/pool/server-pool';
import { joinWaves, waveFromSamples } from '../wav';
import { PCM_RATE, receivedType, soundType, type SoundFormat, type SoundType } from './sound';
import { readSpeech, type SpeechAnswer } from './speech-answer';
import { plainText, splitAtSentences } from './spoken-text';
import { type MediaCall, mediaFailure, openAtServer, sendOptions, type MediaOptions } from './task';
import { listVoices } from './voices';
import { filled } from '../values';

export interface SpeechRequest {
	/** Empty: the server chooses. */
	model: string;
	input: string;
	/** Empty: the server's own. */
	voice: string;
	format: SoundFormat;
	speed?: number;
	instructions: string;
	/** Removes emoji and Markdown first. */
	plainText: boolean;
	/** Most characters per request; undefined: the text is not split. */
	splitAfter?: number;
	/** Puts raw samples into a WAV file. */
	wrapAsWav: boolean;
	/** Sample rate of raw samples, in hertz. */
	sampleRate?: number;
	/** Further fields of the request. */
	extra: Record<string, unknown>;
}

export interface Speech extends SoundType {
	/** All of the sound, or a stream of it. */
	sound: Buffer | AsyncIterable<Uint8Array>;
	/** How many requests the text took. */
	parts: number;
	/** What was spoken. */
	input: string;
	remarks: string[];
}

const SHOWN_VOICES = 40;

/**
 * Lets a server speak a text.
 *
 * @throws {ServerError} also while the sound is read
 */
export async function speak(
	servers: Connection | ServerPool,
	request: SpeechRequest,
	options: MediaOptions,
): Promise<Speech> {
	const input = (request.plainText ? plainText(request.input) : request.input).trim();
	if (input === '')
		throw invalidInput(
			'There is no text to speak',
			request.input.trim() === ''
				? 'Fill in the Text.'
				: 'It has only emoji and Markdown: turn off Plain Text.',
		);
	const { format, splitAfter } = request;
	const parts = splitAfter === undefined ? [input] : splitAtSentences(input, splitAfter);
	if (parts.length > 1 && format !== 'wav' && format !== 'pcm')
		throw invalidInput(
			`Sound of the format ${format} cannot be joined`,
			'Choose the format WAV or PCM to split a long text, or turn off Split Long Text.',
		);
	const work = async (asked: MediaCall<SpeechRequest>) => await speakParts(asked, parts);
	const { value: speech, release } = await openAtServer(servers, 'speech', request, options, work);
	if (!Buffer.isBuffer(speech.sound))
		return { ...speech, input, sound: releasing(speech.sound, release) };
	release();
	return { ...speech, input };
}

async function* releasing(
	sound: AsyncIterable<Uint8Array>,
	release: () => void,
): AsyncGenerator<Uint8Array> {
	try {
		yield* sound;
	} finally {
		release();
	}
}

async function speakParts(
	asked: MediaCall<SpeechRequest>,
	parts: readonly string[],
): Promise<Omit<Speech, 'input'>> {
	const { request } = asked;
	const { format } = request;
	const first = await ask(asked, parts[0]!);
	const type = typeOf(first, request);
	const remarks =
		first.isEvents || type.extension === soundType(format).extension
			? []
			: [otherFormat(type, format)];
	const told = { parts: parts.length, remarks };
	if (parts.length === 1 && !(type.extension === 'pcm' && request.wrapAsWav))
		return { ...type, ...told, sound: first.pieces };
	const sounds = [await readWhole(first.pieces)];
	for (const part of parts.slice(1)) sounds.push(await readWhole((await ask(asked, part)).pieces));
	const joined =
		type.extension === 'wav' ? joinWaves(Buffer.concat(sounds)) : Buffer.concat(sounds);
	if (type.extension !== 'pcm' || !request.wrapAsWav) return { ...type, ...told, sound: joined };
	return {
		...soundType('wav'),
		...told,
		sound: waveFromSamples(joined, request.sampleRate ?? PCM_RATE),
	};
}

async function ask(
	{ connection, request, options, kind }: MediaCall<SpeechRequest>,
	input: string,
): Promise<SpeechAnswer> {
	const { model, voice, format, speed, instructions, sampleRate, extra } = request;
	const outcome = await connection
		.download(`${connection.url.api}/audio/speech`, {
			...sendOptions(model, options),
			headers: { accept: 'audio/*, application/json' },
			json: {
				...filled({
					model,
					input,
					voice,
					response_format: format,
					speed,
					instructions,
					sample_rate: sampleRate,
				}),
				...extra,
			},
		})
		.then(async (answer) => await readSpeech(connection, answer, model))
		.catch(asFailed);
	if (!('failed' in outcome)) return outcome;
	const error = mediaFailure(outcome.failed, connection, 'speech', kind, model);
	throw await withVoices(error, connection, request, options);
}

function typeOf(
	{ head, isEvents }: SpeechAnswer,
	{ format, sampleRate }: SpeechRequest,
): SoundType {
	return receivedType(head, isEvents ? 'pcm' : format, sampleRate);
}

function otherFormat({ extension }: SoundType, asked: SoundFormat): string {
	return `The server sent ${extension} although ${asked} was asked for. The file is named as what it is.`;
}

/** Adds the server's voices to an error about an unknown voice, where it has a list. */
async function withVoices(
	error: ServerError,
	connection: Connection,
	{ voice, model }: SpeechRequest,
	{ signal }: MediaOptions,
): Promise<ServerError> {
	const { status = 0, serverText = '', url } = error;
	const isVoice =
		status >= 400 && error.kind !== 'modelNotFound' && /voice|speaker/i.test(serverText);
	if (!isVoice || signal?.aborted === true) return error;
	const voices = await listVoices(connection, model, signal).catch(() => []);
	const names = voices.slice(0, SHOWN_VOICES).map(({ id }) => id);
	return failure('badRequest', connection.contextOf(url ?? '', { model }), {
		status,
		serverText,
		message:
			voice === '' ? 'The server wants a voice' : `The server does not take the voice "${voice}"`,
		remedy:
			names.length === 0
				? 'Choose a voice of the model that is used: its documentation names them.'
				: `Choose one of its voices: ${names.join(', ')}${voices.length > names.length ? `, and ${voices.length - names.length} more` : ''}.`,
	});
}
