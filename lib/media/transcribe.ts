import { asFailed, type ServerError } from '../errors/server-error';
import type { Connection } from '../http/connection';
import { formBody, type FileSource, type FormPart } from '../http/multipart';
import type { CallAnswer } from '../http/types';
import { type JsonRecord, words } from '../values';
import { soundName } from './sound';
import {
	type MediaCall,
	callFor,
	mediaFailure,
	type MediaOptions,
	sendOptions,
	uploadFailure,
} from './task';
import { readTranscript, type Transcript, type TranscriptFormat } from './transcript';

export interface TranscriptionRequest {
	/** Whether the text is to be English, whatever is spoken. */
	translate: boolean;
	/** Empty: the server chooses. */
	model: string;
	file: FileSource;
	format: TranscriptFormat;
	/** Empty: the server detects it. */
	language: string;
	prompt: string;
	temperature?: number;
	/** For `verbose_json`: `word`, `segment`. */
	granularities: readonly string[];
	/** Further fields of the form. */
	extra: JsonRecord;
}

interface Transcribed extends Transcript {
	remarks: string[];
}

type AskedSound = MediaCall<TranscriptionRequest>;

const MAX_ANSWER_BYTES = 256 * 1024 * 1024;

/**
 * Transcribes a recording, or translates it into English. The file is read while it is sent.
 *
 * @throws {ServerError}
 */
export async function transcribe(
	connection: Connection,
	request: TranscriptionRequest,
	options: MediaOptions,
): Promise<Transcribed> {
	const call = await callFor(connection, 'transcription', request, options);
	const transcript = await send(call).catch(asFailed);
	if ('failed' in transcript) throw explained(call, transcript.failed);
	return withRemarks(transcript, request);
}

async function send(call: AskedSound): Promise<Transcript> {
	const { connection, request, options } = call;
	const route = request.translate ? 'translations' : 'transcriptions';
	const url = `${connection.url.api}/audio/${route}`;
	const body = formBody(partsOf(request));
	try {
		const answer = await connection.answer(url, {
			...sendOptions(request.model, options),
			body,
			maxBytes: MAX_ANSWER_BYTES,
		});
		return readWhole(call, answer);
	} catch (error) {
		throw await uploadFailure(error, body.sent, connection, url);
	}
}

function partsOf({
	model,
	file,
	format,
	language,
	prompt,
	temperature,
	granularities,
	extra,
}: TranscriptionRequest): FormPart[] {
	const times = format === 'verbose_json' ? granularities : [];
	const fields: Array<[string, unknown]> = [
		['model', model],
		['response_format', format],
		['language', language],
		['prompt', prompt],
		['temperature', temperature],
		...times.map((one): [string, unknown] => ['timestamp_granularities[]', one]),
	];
	const own = fields.filter(
		([name, value]) => value !== '' && value !== undefined && !(name in extra),
	);
	const more = Object.entries(extra).flatMap(([name, value]) =>
		[value].flat().map((one): [string, unknown] => [name, one]),
	);
	return [
		...[...own, ...more].map(([field, value]) => ({ field, value: words(value) })),
		{ field: 'file', file: { ...file, name: soundName(file.name, file.mimeType) } },
	];
}

function readWhole({ connection, request }: AskedSound, answer: CallAnswer): Transcript {
	const { text } = answer;
	const transcript = readTranscript(text, request.format);
	if (!('fault' in transcript)) return transcript;
	const { model } = request;
	const { fault } = transcript;
	if (fault === 'error') throw connection.errorInBody(text, answer.url, { model });
	if (fault === 'page') throw connection.refusal(answer, { model });
	throw connection.failure('invalidAnswer', {
		url: answer.url,
		model,
		message:
			fault === 'empty'
				? 'The server sent an empty answer in place of a transcript'
				: 'The answer of the server holds no transcript',
		remedy:
			'Check that the Base URL leads to a server that transcribes, and that the model is one for speech.',
		serverText: text,
	});
}

function withRemarks(transcript: Transcript, { format, file }: TranscriptionRequest): Transcribed {
	const remarks: string[] = [];
	if (transcript.text === '')
		remarks.push(
			`The server heard no words in "${file.name}". That is right for silence; otherwise check the language, the model and the file.`,
		);
	else if ((format === 'srt' || format === 'vtt') && transcript.subtitles === undefined)
		remarks.push('The server sent no subtitles, only text: it does not know this format.');
	return { ...transcript, remarks };
}

function explained({ kind, request }: AskedSound, error: ServerError): ServerError {
	return refusedSound(error, request) ?? mediaFailure(error, 'transcription', kind, request.model);
}

/** Errors of servers about a file that they cannot read. */
const UNREADABLE =
	/^Invalid request$|ffmpeg conversion failed|failed to decode audio|invalid file format|could not decode/i;

/** Rewords a refusal of the file or the language, where the server says too little; undefined for other errors. */
function refusedSound(
	error: ServerError,
	{ file, language }: TranscriptionRequest,
): ServerError | undefined {
	const serverText = error.serverText?.trim() ?? '';
	if (UNREADABLE.test(serverText)) {
		// whisper.cpp says nothing else, whatever is wrong with the request.
		const isWhisper = /^Invalid request$/i.test(serverText);
		const what = `"${file.name}" (${file.mimeType}, ${file.size} bytes)`;
		return error.reworded({
			kind: 'badRequest',
			message: `The server cannot read the sound of "${file.name}"`,
			meaning: `The server cannot read the sound of ${what}`,
			remedy: isWhisper
				? 'The server reads wav, mp3, flac and ogg (Vorbis, not Opus). For other formats such as m4a, webm or opus start it with --convert, which needs ffmpeg on that machine, or convert the file before.'
				: 'Check that the file is sound and not empty, and convert it to wav, mp3 or flac where the server does not know its format.',
		});
	}
	// C++'s own error where whisper.cpp does not know the language.
	if (/construction from null/i.test(serverText))
		return error.reworded({
			kind: 'badRequest',
			message: `The server does not know the language "${language}"`,
			remedy: 'Give a code such as en, de or zh, or leave the language empty.',
		});
	return undefined;
}
