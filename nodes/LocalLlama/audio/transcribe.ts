import type { Steps } from '../../../lib/http/steps';
import { runInSteps } from '../../../lib/http/steps';
import { transcribe, TRANSCRIPTION_OPTIONS } from '../../../lib/tasks/transcribe';
import { assertRecording } from '../../../lib/files/recording';
import type { JsonRecord } from '../../../lib/values/records';
import { isRecord, omitEmpty } from '../../../lib/values/records';
import { round } from '../../../lib/values/numbers';
import type { FieldTable } from '../../../lib/fields/field';
import { modelField } from '../../shared/fields/model-selection';
import { mediaRequestOptions } from '../../shared/fields/request-options';
import { streamingField } from '../../shared/items/concurrency';
import { baseName, createFileSource, storeFile } from '../../../lib/n8n/binary';
import { inputFileField, itemOptionsField, outputFileField } from '../operation-fields';
import { resolveModelRequestSettings } from '../model-request-settings';
import { withOutput } from '../output';
import type { LocalLlamaOperation } from '../run-local-llama';

const { responseFormat, ...transcriptionOptions } = TRANSCRIPTION_OPTIONS;

const fields = {
	model: modelField('The model that transcribes the recording', {
		search: 'searchTranscriptionModels',
		example: 'whisper-large-v3',
	}),
	binaryPropertyName: inputFileField(
		'The recording, of any length',
		'Enter the field that contains the recording.',
	),
	responseFormat,
	options: itemOptionsField(
		{
			...mediaRequestOptions,
			...transcriptionOptions,
			binaryPropertyOutput: {
				...outputFileField,
				description: 'Name of the output binary field to put the subtitle file in',
			},
			enableStreaming: streamingField,
			translate: {
				kind: 'switch',
				label: 'Translate to English',
				default: true,
				description: 'Whether to translate the text to English, whatever language is spoken',
			},
		},
		1,
	),
} as const satisfies FieldTable;

export const audioTranscribe: LocalLlamaOperation = withOutput({
	name: 'Transcribe',
	value: 'transcribe',
	action: 'Transcribe a recording',
	description: 'Convert speech to text: GPUStack, vLLM, speaches, whisper.cpp and others',
	fields,
	execute: async (call) => {
		const { context, itemIndex, server, values } = call;
		const { binaryPropertyName: inputField, responseFormat: format, options } = values;
		const request = {
			format,
			translate: options.translate ?? false,
			language: options.language ?? '',
			prompt: options.prompt ?? '',
			temperature: options.temperature,
			granularities: options.timestamps ?? [],
			extraBody: options.extraBody ?? {},
		};
		const outputField = options.binaryPropertyOutput || outputFileField.default;
		const file = await createFileSource(context, itemIndex, inputField);
		assertRecording(file);
		file.warnings?.forEach(call.hint);
		const settings = await resolveModelRequestSettings(call, 'transcription');
		const transcript = await transcribe(server, settings, { ...request, file });
		await call.chatStream?.write(transcript.text);
		transcript.warnings.forEach(call.hint);
		const { text, extraFields, subtitles } = transcript;
		if (text === '') call.losses.add('silentRecording', { name: file.name, itemIndex });
		// The text, or an object with its times; other fields of the server are metadata.
		const isTimed = format === 'verbose_json';
		const entries = await runInSteps(roundFields(extraFields));
		const { times = [], others = [] } = Object.groupBy(entries, ([name]) =>
			isTimed && OUTPUT_FACTS.includes(name) ? 'times' : 'others',
		);
		const output = isTimed ? { text, ...Object.fromEntries(times) } : text;
		const metadata = { ...omitEmpty({ model: settings.model }), ...Object.fromEntries(others) };
		if (!subtitles) return [{ output, metadata }];
		const { facts, binary } = await storeFile(call, outputField, {
			content: Buffer.from(subtitles.content),
			fileName: `${baseName(file.name, 'subtitles')}.${subtitles.format}`,
			mimeType: subtitles.format === 'srt' ? 'application/x-subrip' : 'text/vtt',
		});
		const subtitleFacts = { subtitles: subtitles.content, ...facts };
		return [{ output, metadata: { ...subtitleFacts, ...metadata }, binary }];
	},
});

/** Fields of the format verbose_json. */
const OUTPUT_FACTS = ['language', 'duration', 'segments', 'words'];

const TIME_FIELDS = new Set(['start', 'end', 'duration']);

/** Fields with their numbers rounded, in steps: a day of speech has 200,000 words with their times. */
function* roundFields(fields: JsonRecord): Steps<Array<[name: string, field: unknown]>> {
	const entries: Array<[name: string, field: unknown]> = [];
	for (const [name, field] of Object.entries(fields)) {
		if (!Array.isArray(field)) {
			entries.push([name, roundNumbers(field, name)]);
			continue;
		}
		const list: unknown[] = [];
		for (const entry of field) {
			list.push(roundNumbers(entry, name));
			yield;
		}
		entries.push([name, list]);
	}
	return entries;
}

/** Rounds times to milliseconds and all other numbers, such as probabilities, to 6 decimals. */
function roundNumbers(value: unknown, name?: string): unknown {
	if (typeof value === 'number' && !Number.isInteger(value))
		return round(value, TIME_FIELDS.has(name ?? '') ? 3 : 6);
	if (Array.isArray(value)) return value.map((entry) => roundNumbers(entry, name));
	if (!isRecord(value)) return value;
	return Object.fromEntries(
		Object.entries(value).map(([key, entry]) => [key, roundNumbers(entry, key)]),
	);
}
