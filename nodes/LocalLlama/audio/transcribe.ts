import type { TranscriptFormat } from '../../../lib/tasks/transcript';
import type { Steps } from '../../../lib/http/steps';
import { runInSteps } from '../../../lib/http/steps';
import { transcribe } from '../../../lib/tasks/transcribe';
import { assertRecording } from '../../../lib/files/recording';
import type { JsonRecord } from '../../../lib/values/records';
import { isRecord, omitEmpty } from '../../../lib/values/records';
import { round } from '../../../lib/values/numbers';
import {
	streamingField,
	booleanField,
	choiceField,
	multiChoiceField,
	longTextField,
	numberField,
	outputFileField,
	stringField,
} from '../../shared/field-builders';
import { modelField } from '../../shared/model-selection';
import { baseName, createFileSource, storeFile } from '../../shared/binary';
import { createOptionsField, inputFileField } from '../operation-fields';
import { mediaFields } from '../media-fields';
import { resolveModelRequestSettings } from '../model-request-settings';
import { withOutput } from '../output';
import type { LocalLlamaOperation } from '../run-local-llama';

export const audioTranscribe: LocalLlamaOperation = withOutput({
	name: 'Transcribe',
	value: 'transcribe',
	action: 'Transcribe a recording',
	description: 'Convert speech to text: GPUStack, vLLM, speaches, whisper.cpp and others',
	fields: [
		modelField('The model that transcribes the recording', {
			search: 'searchTranscriptionModels',
			example: 'whisper-large-v3',
		}),
		inputFileField('The recording, of any length'),
		choiceField(
			'Response Format',
			'responseFormat',
			'json',
			{
				srt: ['SRT', 'The text, and a subtitle file'],
				json: ['Text', 'The text of the recording'],
				text: ['Text (Plain)', 'For servers that do not support JSON'],
				verbose_json: ['Text with Segments', 'The text with language, duration and timed segments'],
				vtt: ['VTT', 'The text, and a subtitle file for web pages'],
			},
			'The format the server returns',
		),
		createOptionsField(
			[
				...mediaFields,
				{
					...outputFileField,
					description: 'Name of the output binary field to put the subtitle file in',
				},
				longTextField(
					'Prompt',
					'prompt',
					2,
					'Names and terms in the recording, or the text before it, in the language of the recording',
				),
				streamingField,
				stringField('Language', 'language', {
					placeholder: 'e.g. de',
					description: 'Code of the spoken language. If empty, the model detects it.',
				}),
				numberField('Temperature', 'temperature', 0, {
					typeOptions: { minValue: 0, maxValue: 1, numberPrecision: 2 },
					description:
						'How freely the model guesses unclear words; 0 stays closest to the recording',
				}),
				multiChoiceField(
					'Timestamps',
					'timestamps',
					{
						segment: 'Segments',
						word: 'Words',
					},
					{
						default: ['segment'],
						description: 'What to timestamp in the format Text with Segments',
					},
				),
				booleanField(
					'Translate to English',
					'translate',
					true,
					'Whether to translate the text to English, whatever language is spoken',
				),
			],
			1,
		),
	],
	execute: async (call) => {
		const { context, itemIndex, parameters, server } = call;
		const field = parameters.requiredString(
			'binaryPropertyName',
			'Enter the field that contains the recording.',
		);
		const file = await createFileSource(context, itemIndex, field);
		assertRecording(file);
		file.warnings?.forEach(call.hint);
		const settings = await resolveModelRequestSettings(call, 'transcription');
		const format = parameters.choice<TranscriptFormat>('responseFormat', 'json');
		const transcript = await transcribe(server, settings, {
			file,
			format,
			translate: parameters.boolean('options.translate', false),
			language: parameters.string('options.language'),
			prompt: parameters.rawString('options.prompt'),
			temperature: parameters.number('options.temperature', undefined),
			granularities: parameters.choices('options.timestamps'),
			extraBody: parameters.objectToSend('options.extraBody', {}),
		});
		await call.chatStream?.write(transcript.text);
		transcript.warnings.forEach(call.hint);
		const { text, extraFields, subtitles } = transcript;
		// The text, or an object with its times; other fields of the server are metadata.
		const isTimed = format === 'verbose_json';
		const entries = await runInSteps(roundFields(extraFields));
		const { times = [], others = [] } = Object.groupBy(entries, ([name]) =>
			isTimed && OUTPUT_FACTS.includes(name) ? 'times' : 'others',
		);
		const output = isTimed ? { text, ...Object.fromEntries(times) } : text;
		const metadata = { ...omitEmpty({ model: settings.model }), ...Object.fromEntries(others) };
		if (!subtitles) return [{ output, metadata }];
		const { facts, binary } = await storeFile(call, 'options.binaryPropertyOutput', {
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
