/** Writes down what is said in a recording, or translates it into English. */
import { captureError, type ServerError } from '../errors/server-error';
import { createServerError, createInputError } from '../errors/create-error';
import { toErrorContext } from '../http/request-errors';
import type { FileSource } from '../http/multipart';
import type { ModelServer } from '../servers/types/server-type';
import { AUDIO_EXTENSIONS, getAudioExtension } from '../files';
import { omitEmpty, type JsonRecord } from '../values';
import { withFileNames } from './file-errors';
import {
	explainUnsupportedRoute,
	runTask,
	type TaskSettings,
	explainFirstTokenTimeout,
} from './run-task';
import { type Transcript, type TranscriptFormat, parseTranscript } from './transcript';

export interface TranscribeRequest {
	/** Whether the text is to be English, whatever is spoken. */
	translate: boolean;
	file: FileSource;
	format: TranscriptFormat;
	/** Empty: the server detects it. */
	language: string;
	prompt: string;
	temperature?: number;
	/** For `verbose_json`: `word`, `segment`. */
	granularities: readonly string[];
	/** Further fields of the form. */
	extraBody: JsonRecord;
}

const MAX_ANSWER_BYTES = 256 * 1024 * 1024;

/**
 * The file is read while it is sent.
 *
 * @throws {ServerError}
 */
export async function transcribe(
	server: ModelServer,
	settings: TaskSettings,
	wanted: TranscribeRequest,
): Promise<Transcript & { hints: string[] }> {
	const { file, format, language, prompt, temperature, granularities, extraBody } = wanted;
	// llama-server would write down the words of a picture where the model sees and hears.
	if (file.mimeType.startsWith('image/'))
		throw createInputError(
			`"${file.name}" is an image`,
			'Enter the field that contains the recording.',
		);
	const { value: transcript, notes } = await runTask(server, settings, {
		route: `${server.url.api}/audio/${wanted.translate ? 'translations' : 'transcriptions'}`,
		body: omitEmpty({
			response_format: format,
			language,
			prompt,
			temperature,
			'timestamp_granularities[]': format === 'verbose_json' ? granularities : [],
		}),
		file: { ...file, name: soundName(file.name, file.mimeType) },
		extraBody,
		maxBytes: MAX_ANSWER_BYTES,
		read: async (answer, refused) => {
			const text = await answer.text();
			const found = parseTranscript(text, format);
			if (found !== undefined) return found;
			throw text.trim() === '' ? emptyResponse(server, settings) : refused(text);
		},
	}).catch(async (error: unknown) => {
		throw await explainRejectedAudio(server, settings, captureError(error).failed, wanted);
	});
	const hints = [...notes];
	if (transcript.text === '')
		hints.push(
			`No speech was detected in "${file.name}". This is expected for silence; otherwise check the language, the model and the file.`,
		);
	else if ((format === 'srt' || format === 'vtt') && transcript.subtitles === undefined)
		hints.push('The server returned text instead of subtitles: it does not support this format.');
	return { ...transcript, hints };
}

function emptyResponse(server: ModelServer, { model }: TaskSettings): ServerError {
	return createServerError('invalidResponse', toErrorContext(server, server.url.api, model), {
		message: 'The server returned an empty response instead of a transcript',
		suggestion:
			'Check that the Base URL points to a transcription server, and that the model is a speech model.',
	});
}

/** Errors of servers about a file that they cannot read: whisper.cpp, vLLM, llama-server. */
const UNREADABLE =
	/^Invalid request$|ffmpeg conversion failed|failed to (?:decode|load|open) .{0,20}audio|invalid file format|could not decode|format not recogni[sz]ed/i;

/** Of a language or a format that the server does not know. */
function explainRejectedOption(
	error: ServerError,
	serverText: string,
	{ format, language }: TranscribeRequest,
): ServerError | undefined {
	// C++'s own error where whisper.cpp does not know the language.
	if (/construction from null/i.test(serverText))
		return error.copyWith({
			type: 'badRequest',
			message: `The server does not support the language "${language}"`,
			suggestion: 'Enter a code such as en, de or zh, or leave the language empty.',
		});
	// llama-server
	if (format === 'json' || !serverText.includes('response_format')) return undefined;
	return error.copyWith({
		message: `The server does not support the transcript format "${format}"`,
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
	const isDeaf = error.status === 501 || error.type === 'modalityUnsupported';
	const heard = isDeaf
		? error.copyWith({ type: 'featureDisabled' })
		: explainFirstTokenTimeout(error);
	const named = UNREADABLE.test(serverText) ? unreadable(error, file) : heard;
	const sent = { ...file, head: await headOf(file) };
	return await explainUnsupportedRoute(server, withFileNames(named, [sent]), {
		can: `${translate ? 'translate' : 'transcribe'} audio${isDeaf ? ' with this model' : ''}`,
		remedy: ({ texts }) =>
			translate
				? 'Turn off Translate to English, and translate with a chat model.'
				: texts.transcription,
		model,
	});
}

function unreadable(error: ServerError, { name }: FileSource): ServerError {
	return error.copyWith({
		type: 'badRequest',
		message: `The server cannot read the audio of "${name}"`,
		// whisper.cpp says nothing else, whatever is wrong with the request.
		suggestion:
			'Most servers accept wav, mp3 and flac: convert the file, and check that it is complete. whisper.cpp accepts wav, mp3, flac and ogg (Vorbis, not Opus), and others such as m4a, webm or opus with --convert, which requires ffmpeg on that machine.',
	});
}

/** The first bytes of a file; none where it cannot be read. */
async function headOf(file: FileSource): Promise<Uint8Array> {
	const pieces = file.open()[Symbol.asyncIterator]();
	const first = await pieces.next().catch(() => undefined);
	await pieces.return?.(undefined);
	return first?.done === false ? first.value : new Uint8Array();
}

/** Extensions of chat programs and of n8n for which servers know another name. */
const RENAMED: Readonly<Record<string, string>> = { oga: 'ogg', mpga: 'mp3', wave: 'wav' };

/** The name under which a sound is sent: servers look at its extension (whisper.cpp, and all that hand it to ffmpeg). */
function soundName(name: string, mimeType: string): string {
	const [, base = name, extension = ''] = /^(.*)\.([A-Za-z0-9]{1,5})$/s.exec(name) ?? [];
	const usual = RENAMED[extension.toLowerCase()] ?? extension.toLowerCase();
	if (AUDIO_EXTENSIONS.has(usual)) return `${base}.${usual}`;
	const byType = getAudioExtension(mimeType);
	const saysNothing = usual === '' || usual === 'bin' || usual === 'tmp';
	return byType !== undefined && saysNothing ? `${base}.${byType}` : name;
}
