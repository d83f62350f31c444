/** Transcribes a recording, or translates it to English. */
import { ServerError } from '../errors/server-error';
import { createServerError } from '../errors/create-error';
import type { ChoiceLabel, FieldTable } from '../fields/field';
import type { RequestField } from '../exchange/request-fields';
import type { FileSource } from '../http/multipart';
import type { ModelServer } from '../servers/types/server-type';
import { readFirstChunk } from '../files/file-identity';
import { AUDIO_EXTENSIONS, getAudioExtension } from '../files/file-types';
import type { JsonRecord } from '../values/records';
import { omitEmpty } from '../values/records';
import { pushAll } from '../values/lists';
import type { SentFile } from '../files/file-errors';
import { getContentType, withSentFiles } from '../files/file-errors';
import type { TaskSettings } from './run-task';
import { runTask } from './run-task';
import { runInSteps } from '../http/steps';
import type { Transcript } from './transcript-hints';
import { getTranscriptHints, requestSegments, withSubtitles } from './transcript-hints';
import type { TranscriptFormat } from './transcript';
import { parseTranscript, readCutTranscript } from './transcript';
import { describeDifference, findDifferences, toSentFields } from '../exchange/differences';
import { getOwn } from '../values/own-properties';
import { getWavSeconds } from './wav-header';

export interface TranscribeRequest {
	/** Whether to translate to English. */
	translate: boolean;
	file: FileSource;
	format: TranscriptFormat;
	/** If empty, the server detects it. */
	language: string;
	/** Names and terms in the recording; may be empty. */
	prompt: string;
	/** From 0 to 1. Default: the server decides. */
	temperature?: number;
	/** For `verbose_json`: `word`, `segment`. */
	granularities: readonly string[];
	/** Additional fields of the form. */
	extraBody: JsonRecord;
}

/** What a person says about a transcription. */
export const TRANSCRIPTION_OPTIONS = {
	responseFormat: {
		kind: 'choice',
		label: 'Response Format',
		default: 'json',
		isOptional: true,
		choices: {
			srt: ['SRT', 'The text, and a subtitle file'],
			json: ['Text', 'The text of the recording'],
			text: ['Text (Plain)', 'For servers that do not support JSON'],
			verbose_json: ['Text with Segments', 'The text with language, duration and timed segments'],
			vtt: ['VTT', 'The text, and a subtitle file for web pages'],
		} satisfies Record<TranscriptFormat, ChoiceLabel>,
		description: 'The format the server returns',
	},
	prompt: {
		kind: 'text',
		label: 'Prompt',
		rows: 2,
		description:
			'Names and terms in the recording, or the text before it, in the language of the recording',
	},
	language: {
		kind: 'name',
		label: 'Language',
		placeholder: 'e.g. de',
		description: 'Code of the spoken language. If empty, the model detects it.',
	},
	temperature: {
		kind: 'number',
		label: 'Temperature',
		default: 0,
		range: [0, 1],
		decimals: 2,
		description: 'How freely the model guesses unclear words; 0 stays closest to the recording',
	},
	timestamps: {
		kind: 'choices',
		label: 'Timestamps',
		default: ['segment'],
		choices: { segment: 'Segments', word: 'Words' },
		description: 'What to timestamp in the format Text with Segments',
	},
} as const satisfies FieldTable;

const { responseFormat, prompt: promptOption, language: languageOption } = TRANSCRIPTION_OPTIONS;

/** What the form of a transcription contains besides the file. */
export const TRANSCRIPTION_FIELDS: readonly RequestField[] = [
	{
		field: 'response_format',
		label: responseFormat.label,
		canOmit: false,
		default: 'json',
		// The one format that every server has is sent for Text.
		getAdvice: (format) =>
			format === 'json'
				? undefined
				: `Set "${responseFormat.label}" to ${responseFormat.choices.json[0]}.`,
	},
	{
		field: 'language',
		otherNames: ['lang', 'language_code'],
		label: languageOption.label,
		canOmit: true,
		getAdvice: () =>
			`Enter a code such as en, de or zh in the option ${languageOption.label}, or leave it empty.`,
	},
	{ field: 'prompt', label: promptOption.label, canOmit: true },
	{ field: 'temperature', label: TRANSCRIPTION_OPTIONS.temperature.label, canOmit: true },
	{
		field: 'timestamp_granularities[]',
		label: TRANSCRIPTION_OPTIONS.timestamps.label,
		canOmit: true,
	},
];

/** Of a silent recording, the text is empty, which is no warning of its own. */
export interface TranscribeResult extends Transcript {
	warnings: string[];
}

/**
 * Transcribes a file, which is streamed.
 *
 * @throws a `ServerError`.
 */
export async function transcribe(
	server: ModelServer,
	settings: TaskSettings,
	transcribeRequest: TranscribeRequest,
): Promise<TranscribeResult> {
	const { file, format, language, prompt, temperature, granularities, extraBody } =
		transcribeRequest;
	const body = {
		...omitEmpty({
			response_format: format,
			language,
			prompt,
			temperature,
			'timestamp_granularities[]': format === 'verbose_json' ? granularities : [],
		}),
		...extraBody,
	};
	let received = '';
	const result = await runTask(server, settings, {
		task: 'transcribe',
		routes: [transcribeRequest.translate ? 'translations' : 'transcriptions'],
		fields: TRANSCRIPTION_FIELDS,
		toBody: () => body,
		files: [{ field: 'file', file: { ...file, name: toAudioName(file) } }],
		extraBody,
		adaptations: { format: [requestSegments] },
		readResponse: async (response) => {
			received = '';
			const text = await response.text((beginning) => (received = beginning));
			const parsedTranscript = await runInSteps(parseTranscript(text, format));
			if (parsedTranscript) return parsedTranscript;
			if (text.trim()) throw response.toError(text);
			throw createServerError('invalidResponse', response.errorContext, {
				about: { resultIssue: { kind: 'noTranscript' } },
			});
		},
		getPartialOutput: () => ({ text: readCutTranscript(received), reasoning: '' }),
		getFacts: () => ({
			task: () => (transcribeRequest.translate ? 'translation' : 'transcription'),
			isSilentTask: () => true,
			recording: async () => getContentType(await readSentFile(file)),
		}),
	}).catch(async (error: unknown) => {
		throw error instanceof ServerError ? withSentFiles(error, [await readSentFile(file)]) : error;
	});
	const { warnings } = result;
	const transcript = await runInSteps(withSubtitles(result.value, format));
	if (transcript.text)
		pushAll(warnings, [
			...getTranscriptHints(transcript, getWavSeconds(await readSentFile(file))),
			...findDifferences('transcribe', {
				requested: toSentFields({ requestedFields: body, sentBody: result.body }),
				result: { ...transcript, isTranslated: transcribeRequest.translate },
			}).map((difference) => describeDifference(difference)),
		]);
	return { ...transcript, warnings };
}

async function readSentFile(file: FileSource): Promise<SentFile> {
	return { ...file, head: await readFirstChunk(file.open()) };
}

/** Extensions of chat apps, phones and n8n that servers know by another name. */
const RENAMED: Record<string, string> = {
	oga: 'ogg',
	opus: 'ogg',
	spx: 'ogg',
	mpga: 'mp3',
	wave: 'wav',
	weba: 'webm',
	m4b: 'm4a',
};

/** File name for the upload: servers read its extension (whisper.cpp, and all that use ffmpeg). */
function toAudioName({ name, mimeType }: FileSource) {
	const [, base = name, extension = ''] = /^(.*)\.([A-Za-z0-9]{1,5})$/s.exec(name) ?? [];
	const knownExtension = getOwn(RENAMED, extension.toLowerCase()) ?? extension.toLowerCase();
	if (AUDIO_EXTENSIONS.has(knownExtension)) return `${base}.${knownExtension}`;
	const typeExtension = getAudioExtension(mimeType);
	const isGenericExtension =
		knownExtension === '' || knownExtension === 'bin' || knownExtension === 'tmp';
	return typeExtension !== undefined && isGenericExtension ? `${base}.${typeExtension}` : name;
}
