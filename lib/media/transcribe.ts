import { failure } from '../errors/failure';
import { asFailed, ServerError } from '../errors/server-error';
import type { Connection } from '../http/connection';
import { formBody, type FileSource, type FormPart } from '../http/multipart';
import { SseDecoder } from '../http/sse';
import type { CallAnswer } from '../http/types';
import type { ServerPool } from '../servers/pool/server-pool';
import { kindOfRefusal, type KindName, kindOf } from '../servers/kinds';
import { type JsonRecord, words } from '../values';
import { soundName } from './sound';
import {
	type MediaCall,
	atServer,
	mediaFailure,
	type MediaOptions,
	sendOptions,
	uploadFailure,
} from './task';
import { readTranscript, type Transcript, type TranscriptFormat } from './transcript';
import { TranscriptStream } from './transcript-stream';

export interface TranscriptionRequest {
	task: 'transcribe' | 'translate';
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
	hotwords: string;
	/** Further fields of the form. */
	extra: JsonRecord;
}

export interface TranscriptionOptions extends MediaOptions {
	/** Gets the text as it comes: the request then asks for a stream. */
	onText?: (text: string) => Promise<void>;
}

interface Transcribed extends Transcript {
	remarks: string[];
}

type AskedSound = MediaCall<TranscriptionRequest, TranscriptionOptions>;

const MAX_ANSWER_BYTES = 256 * 1024 * 1024;

/**
 * Transcribes a recording, or translates it into English. The file is read while it is sent.
 *
 * @throws {ServerError}
 */
export async function transcribe(
	servers: Connection | ServerPool,
	request: TranscriptionRequest,
	options: TranscriptionOptions,
): Promise<Transcribed> {
	return await atServer(servers, 'transcription', request, options, transcribeAt);
}

async function transcribeAt(call: AskedSound): Promise<Transcribed> {
	const { connection, request, kind } = call;
	const { api, root } = connection.url;
	const openAi = {
		url: `${api}/audio/${request.task === 'translate' ? 'translations' : 'transcriptions'}`,
	};
	// Started with --inference-path, whisper.cpp has OpenAI's route in place of its own, for translations as well.
	const routes: Route[] =
		kindOf(kind).media.transcribesAtInference === true
			? [
					{ url: `${root}/inference`, isWhisper: true },
					{ url: `${api}/audio/transcriptions`, isWhisper: true },
				]
			: [openAi, { url: `${root}/inference`, isWhisper: true }];
	const first = await send(call, routes[0]!).catch(asFailed);
	if (!('failed' in first)) return withRemarks(first, request);
	if (!mayHaveOtherRoute(first.failed, kind)) throw explained(call, first.failed);
	const second = await send(call, routes[1]!).catch(asFailed);
	if (!('failed' in second)) return withRemarks(second, request);
	throw explained(call, second.failed.status === 404 ? first.failed : second.failed);
}

interface Route {
	url: string;
	/** Takes the fields of whisper.cpp. */
	isWhisper?: boolean;
}

/** Whether to try the other route. Behind a proxy, whisper.cpp may be known only by the plain text of its 404. */
function mayHaveOtherRoute({ status, serverText = '' }: ServerError, kind: KindName): boolean {
	const { transcribesAtInference, hasNoInference } = kindOf(kind).media;
	if (status !== 404 || hasNoInference === true) return false;
	const likely = kindOfRefusal(serverText);
	return (
		transcribesAtInference === true ||
		(likely !== undefined && kindOf(likely).media.transcribesAtInference === true)
	);
}

async function send(call: AskedSound, { url, isWhisper = false }: Route): Promise<Transcript> {
	const { connection, request, options } = call;
	const { model, format, task } = request;
	// No server streams translations.
	const streams =
		options.onText !== undefined && !isWhisper && format === 'json' && task === 'transcribe';
	const body = formBody(partsOf(request, { isWhisper, streams }));
	const common = { ...sendOptions(model, options), body };
	try {
		if (streams) return await streamed(call, url, common);
		const answer = await connection.answer(url, { ...common, maxBytes: MAX_ANSWER_BYTES });
		return await whole(call, answer);
	} catch (error) {
		throw await uploadFailure(error, body.sent, connection, url);
	}
}

function partsOf(
	{
		task,
		model,
		file,
		format,
		language,
		prompt,
		temperature,
		granularities,
		hotwords,
		extra,
	}: TranscriptionRequest,
	{ isWhisper, streams }: { isWhisper: boolean; streams: boolean },
): FormPart[] {
	// whisper.cpp assumes English unless it is told to detect the language.
	const defaultLanguage = isWhisper ? 'auto' : '';
	const fields: Array<[string, unknown]> = [
		['model', model],
		['response_format', format],
		['language', language || defaultLanguage],
		['prompt', prompt],
		['temperature', temperature],
		['hotwords', hotwords],
		...(isWhisper && task === 'translate' ? [['translate', 'true'] as [string, unknown]] : []),
		...(format === 'verbose_json' && !isWhisper
			? granularities.map((one): [string, unknown] => ['timestamp_granularities[]', one])
			: []),
		...(streams ? [['stream', 'true'] as [string, unknown]] : []),
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

async function whole(call: AskedSound, answer: CallAnswer): Promise<Transcript> {
	if (/\bevent-stream\b/i.test(answer.headers['content-type'] ?? '')) {
		const decoder = new SseDecoder();
		const events = [...decoder.push(new TextEncoder().encode(answer.text)), ...decoder.end()];
		const stream = new TranscriptStream();
		for (const { data } of events) await show(call, stream.push(data));
		return finished(call, stream, answer.url);
	}
	return readWhole(call, answer.text, answer);
}

function readWhole(
	{ connection, request }: AskedSound,
	text: string,
	answer: CallAnswer,
): Transcript {
	const transcript = readTranscript(text, request.format);
	if (!('fault' in transcript)) return transcript;
	const { model } = request;
	const { fault } = transcript;
	if (fault === 'error') throw connection.errorInBody(text, answer.url, { model });
	if (fault === 'page') throw connection.refusal({ ...answer, text }, { model });
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

async function streamed(
	call: AskedSound,
	url: string,
	common: Parameters<Connection['stream']>[1],
): Promise<Transcript> {
	const { connection } = call;
	const stream = await connection.stream(url, common);
	const transcript = new TranscriptStream();
	for await (const batch of stream.batches) {
		for (const { event, data } of batch) {
			if (event === 'whole-answer') {
				const { status, headers } = stream;
				const answer = { url: stream.url, status, headers, text: data, json: undefined };
				const wholeTranscript = readWhole(call, data, answer);
				await show(call, wholeTranscript.text);
				return wholeTranscript;
			}
			const piece = transcript.push(data);
			if (piece !== '') stream.content();
			await show(call, piece);
			if (transcript.error !== undefined) break;
		}
		if (transcript.isComplete) stream.expectEnd();
	}
	return finished(call, transcript, stream.url);
}

async function show({ options }: AskedSound, piece: string): Promise<void> {
	if (piece !== '') await options.onText?.(piece);
}

function finished(
	{ connection, request: { model } }: AskedSound,
	stream: TranscriptStream,
	url: string,
): Transcript {
	const { text, more, error, isComplete } = stream;
	const context = connection.contextOf(url, { model });
	if (error !== undefined)
		throw failure('streamError', context, { serverText: error, partialText: text });
	if (!isComplete) throw failure('streamEndedEarly', context, { partialText: text });
	return { text, more };
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
