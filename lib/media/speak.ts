import { invalidInput } from '../errors/failure';
import { asFailed, ServerError } from '../errors/server-error';
import type { Connection } from '../http/connection';
import { readWhole } from '../http/too-long';
import { waveFromSamples } from '../wav';
import { PCM_RATE, receivedType, soundType, type SoundFormat, type SoundType } from './sound';
import { readSpeech, type SpeechAnswer } from './speech-answer';
import { plainText } from './spoken-text';
import { callFor, type MediaCall, mediaFailure, sendOptions, type MediaOptions } from './task';
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
	/** What was spoken. */
	input: string;
	remarks: string[];
}

/** Of a sound that gets a header, in memory. */
const MAX_WRAPPED_BYTES = 256 * 1024 * 1024;

/**
 * Lets a server speak a text.
 *
 * @throws {ServerError} also while the sound is read
 */
export async function speak(
	connection: Connection,
	request: SpeechRequest,
	options: MediaOptions,
): Promise<Speech> {
	const input = (request.plainText ? plainText(request.input) : request.input).trim();
	if (input === '') throw nothingToSpeak(request);
	const call = await callFor(connection, 'speech', request, options);
	return { ...(await speakAt(call, input)), input };
}

function nothingToSpeak({ input }: SpeechRequest): ServerError {
	const isBlank = input.trim() === '';
	return invalidInput(
		'There is no text to speak',
		isBlank ? 'Fill in the Text.' : 'It has only emoji and Markdown: turn off Plain Text.',
	);
}

async function speakAt(
	call: MediaCall<SpeechRequest>,
	input: string,
): Promise<Omit<Speech, 'input'>> {
	const { request } = call;
	const answer = await ask(call, input);
	const type = typeOf(answer, request);
	const remarks = remarksOn(answer, type, request);
	if (type.extension !== 'pcm' || !request.wrapAsWav)
		return { ...type, remarks, sound: answer.pieces };
	const samples = await readWhole(answer.pieces);
	const sound = waveFromSamples(samples, request.sampleRate ?? PCM_RATE);
	return { ...soundType('wav'), remarks, sound };
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

async function ask(
	{ connection, request, options, kind }: MediaCall<SpeechRequest>,
	input: string,
): Promise<SpeechAnswer> {
	const { model, voice, format, speed, instructions, sampleRate, wrapAsWav, extra } = request;
	const outcome = await connection
		.download(`${connection.url.api}/audio/speech`, {
			...sendOptions(model, options),
			...(wrapAsWav ? { maxBytes: MAX_WRAPPED_BYTES } : {}),
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
	throw aboutVoice(mediaFailure(outcome.failed, 'speech', kind, model), voice);
}

function typeOf(
	{ head, isEvents }: SpeechAnswer,
	{ format, sampleRate }: SpeechRequest,
): SoundType {
	return receivedType(head, isEvents ? 'pcm' : format, sampleRate);
}

/** Rewords an error about the voice; other errors unchanged. */
function aboutVoice(error: ServerError, voice: string): ServerError {
	const { kind, status = 0, serverText = '' } = error;
	const isOfVoice = status >= 400 && kind !== 'modelNotFound' && /voice|speaker/i.test(serverText);
	if (!isOfVoice) return error;
	return error.reworded({
		kind: 'badRequest',
		message:
			voice === '' ? 'The server wants a voice' : `The server does not take the voice "${voice}"`,
		remedy: 'Choose a voice of the model that is used: its documentation names them.',
	});
}
