import { invalidInput } from '../errors/failure';
import { asFailed, ServerError } from '../errors/server-error';
import type { Connection } from '../http/connection';
import { readWhole } from '../http/too-long';
import type { ServerPool } from '../servers/pool/server-pool';
import { joinWaves, waveFromSamples } from '../wav';
import { PCM_RATE, receivedType, soundType, type SoundFormat, type SoundType } from './sound';
import { readSpeech, type SpeechAnswer } from './speech-answer';
import { plainText, splitAtSentences } from './spoken-text';
import { type MediaCall, mediaFailure, openAtServer, sendOptions, type MediaOptions } from './task';
import { listVoices, type Voice } from './voices';
import { filled, type JsonRecord } from '../values';

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
	extra: JsonRecord;
}

interface Speech extends SoundType {
	/** All of the sound, or a stream of it. */
	sound: Buffer | AsyncIterable<Uint8Array>;
	/** How many requests the text took. */
	parts: number;
	/** What was spoken. */
	input: string;
	remarks: string[];
}

const SHOWN_VOICES = 40;
/** Of a sound that is joined from parts, or gets a header, in memory. */
const MAX_JOINED_BYTES = 256 * 1024 * 1024;

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
	if (input === '') throw nothingToSpeak(request);
	const { format, splitAfter } = request;
	const parts = splitAfter === undefined ? [input] : splitAtSentences(input, splitAfter);
	if (parts.length > 1 && format !== 'wav' && format !== 'pcm')
		throw invalidInput(
			`Sound of the format ${format} cannot be joined`,
			'Choose the format WAV or PCM to split a long text, or turn off Split Long Text.',
		);
	const work = async (call: MediaCall<SpeechRequest>) => await speakParts(call, parts);
	const { value: speech, release } = await openAtServer(servers, 'speech', request, options, work);
	if (!Buffer.isBuffer(speech.sound))
		return { ...speech, input, sound: releasing(speech.sound, release) };
	release();
	return { ...speech, input };
}

function nothingToSpeak({ input }: SpeechRequest): ServerError {
	const isBlank = input.trim() === '';
	return invalidInput(
		'There is no text to speak',
		isBlank ? 'Fill in the Text.' : 'It has only emoji and Markdown: turn off Plain Text.',
	);
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
	call: MediaCall<SpeechRequest>,
	parts: readonly string[],
): Promise<Omit<Speech, 'input'>> {
	const { request } = call;
	const isJoined = parts.length > 1 || request.wrapAsWav;
	const first = await ask(call, parts[0]!, isJoined ? MAX_JOINED_BYTES : undefined);
	const type = typeOf(first, request);
	const facts = { parts: parts.length, remarks: remarksOn(first, type, request) };
	const isWrapped = type.extension === 'pcm' && request.wrapAsWav;
	if (parts.length === 1 && !isWrapped) return { ...type, ...facts, sound: first.pieces };
	const sounds = [await readWhole(first.pieces)];
	for (const part of parts.slice(1)) {
		const { pieces } = await ask(call, part, MAX_JOINED_BYTES - byteLength(sounds));
		sounds.push(await readWhole(pieces));
	}
	const sound = Buffer.concat(sounds);
	if (type.extension === 'wav') return { ...type, ...facts, sound: joinWaves(sound) };
	if (!isWrapped) return { ...type, ...facts, sound };
	const wave = waveFromSamples(sound, request.sampleRate ?? PCM_RATE);
	return { ...soundType('wav'), ...facts, sound: wave };
}

function remarksOn(
	{ isEvents }: SpeechAnswer,
	{ extension }: SoundType,
	{ format }: SpeechRequest,
): string[] {
	if (isEvents || extension === soundType(format).extension) return [];
	return [
		`The server sent ${extension} although ${format} was asked for. The file is named as what it is.`,
	];
}

function byteLength(sounds: readonly Buffer[]): number {
	return sounds.reduce((sum, sound) => sum + sound.byteLength, 0);
}

async function ask(
	{ connection, request, options, kind }: MediaCall<SpeechRequest>,
	input: string,
	maxBytes?: number,
): Promise<SpeechAnswer> {
	const { model, voice, format, speed, instructions, sampleRate, extra } = request;
	const outcome = await connection
		.download(`${connection.url.api}/audio/speech`, {
			...sendOptions(model, options),
			maxBytes,
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
	const error = mediaFailure(outcome.failed, 'speech', kind, model);
	throw await withVoices(error, connection, request, options);
}

function typeOf(
	{ head, isEvents }: SpeechAnswer,
	{ format, sampleRate }: SpeechRequest,
): SoundType {
	return receivedType(head, isEvents ? 'pcm' : format, sampleRate);
}

/** Adds the server's voices to an error about an unknown voice, where it has a list. */
async function withVoices(
	error: ServerError,
	connection: Connection,
	{ voice, model }: SpeechRequest,
	{ signal }: MediaOptions,
): Promise<ServerError> {
	const isTold = isAboutVoice(error);
	// speaches says 200 and breaks off.
	if ((!isTold && error.kind !== 'connectionLost') || signal?.aborted === true) return error;
	const voices = await listVoices(connection, model, signal).catch(() => []);
	if (!isTold && !isMissing(voice, voices)) return error;
	return error.reworded({
		kind: 'badRequest',
		message:
			voice === '' ? 'The server wants a voice' : `The server does not take the voice "${voice}"`,
		remedy: voiceRemedy(voices),
	});
}

function isAboutVoice({ kind, status = 0, serverText = '' }: ServerError): boolean {
	return status >= 400 && kind !== 'modelNotFound' && /voice|speaker/i.test(serverText);
}

/** Whether a list of voices lacks one; of a mixture ("af_sky+af_bella", "af_sky(2)") the first counts. */
function isMissing(voice: string, voices: readonly Voice[]): boolean {
	const [first] = voice.split(/[+(]/, 1);
	return voices.length > 0 && first !== '' && !voices.some(({ id }) => id === first);
}

function voiceRemedy(voices: readonly Voice[]): string {
	if (voices.length === 0)
		return 'Choose a voice of the model that is used: its documentation names them.';
	const names = voices.slice(0, SHOWN_VOICES).map(({ id }) => id);
	const more = voices.length - names.length;
	const rest = more > 0 ? `, and ${more} more` : '';
	return `Choose one of its voices: ${names.join(', ')}${rest}.`;
}
