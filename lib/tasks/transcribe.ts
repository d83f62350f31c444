/** Transcribes a recording, or translates it to English. */
import type { ServerError } from '../errors/server-error';
import { createServerError, createInputError } from '../errors/server-error';
import type { FileSource } from '../http/multipart';
import { getProfile } from '../servers/profile';
import type { ModelServer } from '../servers/types/server-type';
import { AUDIO_EXTENSIONS, detectFileType, getAudioExtension } from '../files/file-types';
import type { JsonRecord } from '../values/records';
import {
	omitEmpty,
	isRecord,
	omitUndefined,
	asRecord,
	asRecords,
	asString,
} from '../values/records';
import { parseJson } from '../values/json';
import { pushAll } from '../values/lists';
import { withFileNames } from '../files/file-errors';
import type { TaskSettings } from './run-task';
import { explainUnsupportedRoute, runTask, explainFirstTokenTimeout } from './run-task';
import { splitReasoning } from '../text/reasoning';
import { joinSplitSegments, joinSplitText } from './split-text';
import type { Transcript } from './transcript-hints';
import { getTranscriptHints, requestSegments, withSubtitles } from './transcript-hints';

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

/** Bytes: a day of speech with the times of each word has about 30 MB. */
const MAX_RESPONSE_BYTES = 64 * 1024 * 1024;
/** Bytes of memory of its segments and words: 300,000 words, each with four fields. */
const MAX_MEMORY = 128 * 1024 * 1024;

/**
 * The file is streamed.
 * Throws a `ServerError`.
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
		adaptations: { format: [requestSegments] },
		maxBytes: MAX_RESPONSE_BYTES,
		maxMemory: MAX_MEMORY,
		read: async (response) => {
			const text = await response.text();
			const parsedTranscript = parseTranscript(text, format);
			if (parsedTranscript) return parsedTranscript;
			if (text.trim()) throw response.toError(text);
			throw createServerError('invalidResponse', response.errorContext, {
				title: 'The server returned an empty response instead of a transcript',
				suggestion:
					'Check that the Base URL points to a transcription server, and that the model is a speech model.',
			});
		},
		explain: async (error) =>
			await explainRejectedAudio(server, settings, error, transcribeRequest),
	});
	const { warnings } = result;
	const transcript = withSubtitles(result.value, format);
	if (!transcript.text)
		warnings.push(
			`No speech was detected in "${file.name}". This is expected for silence; otherwise check the language, the model and the file.`,
		);
	else pushAll(warnings, getTranscriptHints(transcript, transcribeRequest));
	return { ...transcript, warnings };
}

/** Errors about unreadable files: whisper.cpp, vLLM, llama-server. */
const UNREADABLE_PATTERN =
	/^Invalid request$|ffmpeg conversion failed|failed to (?:decode|load|open) .{0,20}audio|invalid file format|could not decode|format not recogni[sz]ed/i;

/** Explains a language or a format that the server does not support. */
function explainRejectedOption(
	error: ServerError,
	serverText: string,
	{ format, language }: TranscribeRequest,
) {
	// whisper.cpp sends a C++ error; other servers name the language.
	const isLanguageRejected =
		/\bbody\.language\b/.test(serverText) ||
		(/language/i.test(serverText) && serverText.toLowerCase().includes(language.toLowerCase()));
	const isLanguageNamed = language !== '' && isLanguageRejected;
	if (isLanguageNamed || /construction from null/i.test(serverText))
		return error.copyWith({
			type: 'badRequest',
			title: `The server does not support the language "${language}"`,
			suggestion: 'Enter a code such as en, de or zh in the option Language, or leave it empty.',
		});
	// llama-server
	if (format === 'json' || !serverText.includes('response_format')) return undefined;
	return error.copyWith({
		title: `The server does not support the transcript format "${format}"`,
		suggestion: 'Set Response Format to Text.',
	});
}

/** vLLM */
const UNSUPPORTED_PATTERN = /does not support (?:the )?(?:transcription|translation)/i;

async function explainRejectedAudio(
	server: ModelServer,
	{ model }: TaskSettings,
	error: ServerError,
	request: TranscribeRequest,
) {
	const { file, translate } = request;
	const serverText = error.serverText?.trim() ?? '';
	const option = explainRejectedOption(error, serverText, request);
	if (option) return option;
	const { label, texts: typeTexts } = await getProfile(server).getType();
	// A server for this task that lacks the endpoint runs another model.
	const isOtherModel = error.type === 'routeNotFound' && typeTexts.transcription.includes(label);
	const isAudioUnsupported =
		error.status === 501 ||
		error.type === 'modalityUnsupported' ||
		UNSUPPORTED_PATTERN.test(serverText) ||
		isOtherModel;
	const audioError = isAudioUnsupported
		? error.copyWith({ type: 'featureDisabled' })
		: explainFirstTokenTimeout(error);
	const fileError = UNREADABLE_PATTERN.test(serverText)
		? error.copyWith({
				type: 'badRequest',
				title: `The server cannot read the audio of "${file.name}"`,
				// whisper.cpp sends the same message for every invalid request.
				suggestion:
					'Most servers accept wav, mp3 and flac: convert the file, and check that it is complete. whisper.cpp accepts wav, mp3, flac and ogg (Vorbis, not Opus), and others such as m4a, webm or opus with --convert, which requires ffmpeg on that machine.',
			})
		: audioError;
	const sentFile = { ...file, head: await readHead(file) };
	return await explainUnsupportedRoute(
		server,
		withFileNames(fileError, [sentFile]),
		translate ? 'translation' : 'transcription',
		model,
		isAudioUnsupported ? ' with this model' : '',
	);
}

/** First bytes of a file; empty if it cannot be read. */
async function readHead(file: FileSource) {
	const chunks = file.open()[Symbol.asyncIterator]();
	const firstChunk = await chunks.next().catch(() => undefined);
	await chunks.return?.(undefined);
	return firstChunk?.done === false ? firstChunk.value : new Uint8Array();
}

/** Extensions of chat apps and of n8n that servers know by another name. */
const RENAMED: Record<string, string> = { oga: 'ogg', mpga: 'mp3', wave: 'wav' };

/** File name for the upload: servers read its extension (whisper.cpp, and all that use ffmpeg). */
function toAudioName(name: string, mimeType: string) {
	const [, base = name, extension = ''] = /^(.*)\.([A-Za-z0-9]{1,5})$/s.exec(name) ?? [];
	const knownExtension = RENAMED[extension.toLowerCase()] ?? extension.toLowerCase();
	if (AUDIO_EXTENSIONS.has(knownExtension)) return `${base}.${knownExtension}`;
	const typeExtension = getAudioExtension(mimeType);
	const isGenericExtension =
		knownExtension === '' || knownExtension === 'bin' || knownExtension === 'tmp';
	return typeExtension !== undefined && isGenericExtension ? `${base}.${typeExtension}` : name;
}

/** `response_format` of OpenAI's API. */
export type TranscriptFormat = 'json' | 'text' | 'verbose_json' | 'srt' | 'vtt';

/** Markers that models add to the text; the group is the language. */
const MARKERS: readonly RegExp[] = [
	// whisper.cpp, for silence
	/\[ ?BLANK_AUDIO ?\]/g,
	// Qwen3-ASR: "language English<asr_text>Hello", and "language None<asr_text>" for silence
	/(?:\blanguage (\w[\w ,-]{0,60}?) ?)?<\/?asr_text>/g,
	// Whisper (vLLM 17676): "<|startoftranscript|><|en|><|transcribe|><|0.00|>"; SenseVoice: "<|zh|><|NEUTRAL|><|Speech|>"
	/<\|(?:([a-z]{2,3})|[\w.:/ -]{1,40})\|>/g,
	// Canary and Gemma, if the server keeps their tokens
	/<\/?(?:s|unk|pad|bos|eos|start_of_turn|end_of_turn)>/g,
	// whisper.cpp, with special tokens
	/\[_(?:BEG|EOT|SOT|PREV|NOT|SOLM|TRANSCRIBE|TRANSLATE|TT_\d{1,6})_?\]/g,
];

/**
 * Parses a transcript by its content, not by its type: whisper.cpp sends plain text as `text/html`. Undefined if the
 * response is something else.
 * `body`: full response body.
 */
export function parseTranscript(body: string, format: TranscriptFormat): Transcript | undefined {
	const isJsonFormat = format === 'json' || format === 'verbose_json';
	// Silence is a JSON object with an empty text.
	if (!body.trim()) return isJsonFormat ? undefined : { text: '', extraFields: {} };
	if (!detectFileType(Buffer.from(body.slice(0, 1000)))) return undefined;
	const json = /^\s*[{["]/.test(body) ? parseJson(body, MAX_MEMORY) : undefined;
	if (typeof json === 'string') return parseText(json);
	if (json !== undefined) return parseRecord(toOpenAiForm(json));
	// A transcript may begin with a bracket or a quotation mark, but not like a JSON object, a stream or a page.
	return /^\s*(?:(?:data:\s*)?\{\s*"|<(?:!doctype|html))/i.test(body) ? undefined : parseText(body);
}

/** Names of the text, or of what contains it: whisper.cpp, FunASR, Deepgram, custom servers. */
const TEXT_NAMES = [
	'text',
	'segments',
	'transcription',
	'transcript',
	'results',
	'result',
	'data',
	'output',
	'channels',
	'alternatives',
];

/** A response with its text in `text` or in `segments`. */
function toOpenAiForm(value: unknown, depth = 8): JsonRecord {
	if (typeof value === 'string') return { text: value };
	if (Array.isArray(value))
		return { segments: value.map((entry) => toOpenAiForm(entry, depth - 1)) };
	const record = asRecord(value);
	const name = TEXT_NAMES.find((key) => (record[key] ?? undefined) !== undefined);
	if (name === undefined || typeof record.text === 'string' || depth < 1) return record;
	const { [name]: content, ...fields } = record;
	return { ...fields, ...toOpenAiForm(content, depth - 1) };
}

function parseText(body: string, extraFields: JsonRecord = {}): Transcript {
	const { text: markedText, language } = stripMarkers(body);
	const text = joinSplitText(markedText);
	const fields = { ...omitUndefined({ language }), ...extraFields };
	const format = detectSubtitleFormat(text);
	if (format === undefined) return { text: text.trim(), extraFields: fields };
	const subtitles = { format, content: text };
	return { text: extractSubtitleText(text), subtitles, extraFields: fields };
}

function stripMarkers(marked: string): { text: string; language?: string } {
	let language: string | undefined;
	const text = MARKERS.reduce(
		(markedText, marker) =>
			markedText.replace(marker, (_all, name: unknown) => {
				if (typeof name === 'string' && name !== 'None') language ??= name;
				return '';
			}),
		stripReasoning(marked),
	);
	return { text, language };
}

/** Models that answer with speech and text may think. A text that is only thinking stays. */
function stripReasoning(response: string) {
	const { text } = splitReasoning(response, true);
	return !text.trim() && !/<\/think>\s*$/.test(response) ? response : text;
}

function parseRecord({ text: rawText, ...extraFields }: JsonRecord): Transcript | undefined {
	const segments = asRecords(extraFields.segments);
	const text = asString(rawText) ?? joinSegments(segments);
	const isError =
		!text &&
		(isRecord(extraFields.error) || Boolean(extraFields.error) || Boolean(extraFields.detail));
	// Ollama and others send null for silence.
	if (isError || (text === undefined && rawText !== null)) return undefined;
	const cleanedSegments = joinSplitSegments(segments).map((segment) =>
		typeof segment.text === 'string'
			? { ...segment, text: stripMarkers(segment.text).text }
			: segment,
	);
	return parseText(
		text ?? '',
		segments.length === 0 ? extraFields : { ...extraFields, segments: cleanedSegments },
	);
}

function joinSegments(segments: JsonRecord[]) {
	const texts = segments.flatMap((segment) => asString(segment.text) ?? []);
	if (texts.length === 0) return undefined;
	return texts.join(texts.some((segmentText) => /^\s/.test(segmentText)) ? '' : ' ');
}

const TIMES = /^\s*(?:\d+:)?\d{1,2}:\d{2}[.,]\d{1,3}\s+-->\s+(?:\d+:)?\d{1,2}:\d{2}[.,]\d{1,3}/;

/** Servers send both formats as plain text. */
function detectSubtitleFormat(content: string): 'srt' | 'vtt' | undefined {
	const start = content.replace(/^\uFEFF/, '').trimStart();
	if (/^WEBVTT(?:\s|$)/.test(start)) return 'vtt';
	const [first = '', second = ''] = start.split(/\r?\n/, 2);
	return TIMES.test(/^\d+\s*$/.test(first) ? second : first) ? 'srt' : undefined;
}

/** Text of a subtitle file, without numbers, times, notes and tags. */
function extractSubtitleText(content: string) {
	return content
		.split(/(?:\r?\n){2,}/)
		.flatMap((cue) => {
			const lines = cue.split(/\r?\n/);
			const at = lines.findIndex((line) => TIMES.test(line));
			return at < 0 ? [] : lines.slice(at + 1);
		})
		.map((line) => line.replace(/<\/?[^<>]*>/g, '').trim())
		.filter((line) => line !== '')
		.join('\n');
}
