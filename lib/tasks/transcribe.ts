/** Transcribes a recording, or translates it to English. */
import { captureError, type ServerError } from '../errors/server-error';
import { createServerError, createInputError } from '../errors/create-error';
import { toErrorContext } from '../http/request-errors';
import type { FileSource } from '../http/multipart';
import type { ModelServer } from '../servers/types/server-type';
import { AUDIO_EXTENSIONS, getAudioExtension } from '../files/file-types';
import { omitEmpty, type JsonRecord } from '../values';
import { withFileNames } from '../files/file-errors';
import {
	explainUnsupportedRoute,
	runTask,
	type TaskSettings,
	explainFirstTokenTimeout,
} from './run-task';
import { type Transcript, type TranscriptFormat, parseTranscript } from './transcript';

export interface TranscribeRequest {
	/** Whether to translate to English. */
	translate: boolean;
	file: FileSource;
	format: TranscriptFormat;
	/** If empty, the server detects it. */
	language: string;
	prompt: string;
	temperature?: number;
	/** For `verbose_json`: `word`, `segment`. */
	granularities: readonly string[];
	/** Additional fields of the form. */
	extraBody: JsonRecord;
}

const MAX_RESPONSE_BYTES = 256 * 1024 * 1024;

/**
 * The file is streamed.
 *
 * @throws {ServerError}
 */
export async function transcribe(
	server: ModelServer,
	settings: TaskSettings,
	transcribeRequest: TranscribeRequest,
): Promise<Transcript & { warnings: string[] }> {
	const { file, format, language, prompt, temperature, granularities, extraBody } =
		transcribeRequest;
	// With a model for images and audio, llama-server would transcribe the text in an image.
	if (file.mimeType.startsWith('image/'))
		throw createInputError(
			`"${file.name}" is an image`,
			'Enter the field that contains the recording.',
		);
	const result = await runTask(server, settings, {
		routes: [transcribeRequest.translate ? 'translations' : 'transcriptions'],
		toBody: () => ({
			...omitEmpty({
				response_format: format,
				language,
				prompt,
				temperature,
				'timestamp_granularities[]': format === 'verbose_json' ? granularities : [],
			}),
			...extraBody,
		}),
		file: { ...file, name: toAudioName(file.name, file.mimeType) },
		extraBody,
		maxBytes: MAX_RESPONSE_BYTES,
		read: async (response, toError) => {
			const text = await response.text();
			const parsedTranscript = parseTranscript(text, format);
			if (parsedTranscript !== undefined) return parsedTranscript;
			throw text.trim() === '' ? createEmptyResponseError(server, settings) : toError(text);
		},
	}).catch(async (error: unknown) => {
		throw await explainRejectedAudio(server, settings, captureError(error), transcribeRequest);
	});
	const { value: transcript, warnings } = result;
	if (transcript.text === '')
		warnings.push(
			`No speech was detected in "${file.name}". This is expected for silence; otherwise check the language, the model and the file.`,
		);
	else if ((format === 'srt' || format === 'vtt') && transcript.subtitles === undefined)
		warnings.push(
			'The server returned text instead of subtitles: it does not support this format.',
		);
	return { ...transcript, warnings };
}

function createEmptyResponseError(server: ModelServer, { model }: TaskSettings): ServerError {
	return createServerError('invalidResponse', toErrorContext(server, server.getApiUrl(), model), {
		title: 'The server returned an empty response instead of a transcript',
		suggestion:
			'Check that the Base URL points to a transcription server, and that the model is a speech model.',
	});
}

/** Errors about unreadable files: whisper.cpp, vLLM, llama-server. */
const UNREADABLE_PATTERN =
	/^Invalid request$|ffmpeg conversion failed|failed to (?:decode|load|open) .{0,20}audio|invalid file format|could not decode|format not recogni[sz]ed/i;

/** Explains a language or a format that the server does not support. */
function explainRejectedOption(
	error: ServerError,
	serverText: string,
	{ format, language }: TranscribeRequest,
): ServerError | undefined {
	// C++ error of whisper.cpp if it does not support the language.
	if (/construction from null/i.test(serverText))
		return error.copyWith({
			type: 'badRequest',
			title: `The server does not support the language "${language}"`,
			suggestion: 'Enter a code such as en, de or zh, or leave the language empty.',
		});
	// llama-server
	if (format === 'json' || !serverText.includes('response_format')) return undefined;
	return error.copyWith({
		title: `The server does not support the transcript format "${format}"`,
		suggestion: 'Set Response Format to Text.',
	});
}

async function explainRejectedAudio(
	server: ModelServer,
	{ model }: TaskSettings,
	error: ServerError,
	request: TranscribeRequest,
): Promise<ServerError> {
	const { file, translate } = request;
	const serverText = error.serverText?.trim() ?? '';
	const option = explainRejectedOption(error, serverText, request);
	if (option !== undefined) return option;
	const isAudioUnsupported = error.status === 501 || error.type === 'modalityUnsupported';
	const audioError = isAudioUnsupported
		? error.copyWith({ type: 'featureDisabled' })
		: explainFirstTokenTimeout(error);
	const fileError = UNREADABLE_PATTERN.test(serverText)
		? createUnreadableError(error, file)
		: audioError;
	const sentFile = { ...file, head: await readHead(file) };
	return await explainUnsupportedRoute(server, withFileNames(fileError, [sentFile]), {
		action: `${translate ? 'translate' : 'transcribe'} audio${isAudioUnsupported ? ' with this model' : ''}`,
		getSuggestion: ({ texts }) =>
			translate
				? 'Turn off Translate to English, and translate with a chat model.'
				: texts.transcription,
		model,
	});
}

function createUnreadableError(error: ServerError, { name }: FileSource): ServerError {
	return error.copyWith({
		type: 'badRequest',
		title: `The server cannot read the audio of "${name}"`,
		// whisper.cpp sends the same message for every invalid request.
		suggestion:
			'Most servers accept wav, mp3 and flac: convert the file, and check that it is complete. whisper.cpp accepts wav, mp3, flac and ogg (Vorbis, not Opus), and others such as m4a, webm or opus with --convert, which requires ffmpeg on that machine.',
	});
}

/** First bytes of a file; empty if it cannot be read. */
async function readHead(file: FileSource): Promise<Uint8Array> {
	const chunks = file.open()[Symbol.asyncIterator]();
	const firstChunk = await chunks.next().catch(() => undefined);
	await chunks.return?.(undefined);
	return firstChunk?.done === false ? firstChunk.value : new Uint8Array();
}

/** Extensions of chat apps and of n8n that servers know by another name. */
const RENAMED: Readonly<Record<string, string>> = { oga: 'ogg', mpga: 'mp3', wave: 'wav' };

/** File name for the upload: servers read its extension (whisper.cpp, and all that use ffmpeg). */
function toAudioName(name: string, mimeType: string): string {
	const [, base = name, extension = ''] = /^(.*)\.([A-Za-z0-9]{1,5})$/s.exec(name) ?? [];
	const knownExtension = RENAMED[extension.toLowerCase()] ?? extension.toLowerCase();
	if (AUDIO_EXTENSIONS.has(knownExtension)) return `${base}.${knownExtension}`;
	const typeExtension = getAudioExtension(mimeType);
	const isGenericExtension =
		knownExtension === '' || knownExtension === 'bin' || knownExtension === 'tmp';
	return typeExtension !== undefined && isGenericExtension ? `${base}.${typeExtension}` : name;
}
