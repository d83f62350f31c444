import { transcribe, type TranscribeRequest } from '../../../lib/tasks/transcribe';
import type { TranscriptFormat } from '../../../lib/tasks/transcript';
import { omitEmpty } from '../../../lib/values';
import {
	booleanField,
	choiceField,
	toOptions,
	multiChoiceField,
	longTextField,
	numberField,
	outputFileField,
	stringField,
} from '../../shared/field-builders';
import { modelField } from '../../shared/model-field';
import type { OperationItem } from '../../shared/run/operations';
import { withResolvedModel } from '../../shared/resolve-model';
import { baseName, createFileSource, storeFile } from '../../shared/binary';
import { inputFileField, mediaFields, readMediaSettings } from '../media-options';
import type { LlamaCall, LocalLlamaOperation } from '../operation';
import { createOptionsField, streamingField } from '../options';

export const audioTranscribe: LocalLlamaOperation = {
	option: {
		name: 'Transcribe',
		value: 'transcribe',
		action: 'Transcribe a recording',
		description: 'Convert speech to text: GPUStack, vLLM, LocalAI, speaches, whisper.cpp',
	},
	fields: [
		modelField('The model that transcribes the recording', {
			search: 'searchTranscriptionModels',
			example: 'whisper-large-v3',
		}),
		inputFileField('The recording, of any length'),
		choiceField('Response Format', 'responseFormat', 'json', {
			options: toOptions({
				srt: ['SRT', 'The text, and a subtitle file'],
				json: ['Text', 'The text of the recording'],
				text: ['Text (Plain)', 'For servers that do not support JSON'],
				verbose_json: ['Text with Segments', 'The text with language, duration and timed segments'],
				vtt: ['VTT', 'The text, and a subtitle file for web pages'],
			}),
			description: 'The format the server returns',
		}),
		booleanField('Translate to English', 'translate', false, {
			description: 'Whether to translate the text to English, whatever language is spoken',
		}),
		createOptionsField(
			[
				...mediaFields,
				{
					...outputFileField,
					description: 'Name of the output binary field to put the subtitle file in',
				},
				longTextField('Prompt', 'prompt', 2, {
					description:
						'Names and terms in the recording, or the text before it, in the language of the recording',
				}),
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
				multiChoiceField('Timestamps', 'timestamps', {
					default: ['segment'],
					options: toOptions({
						segment: 'Segments',
						word: 'Words',
					}),
					description: 'What to timestamp in the format Text with Segments',
				}),
			],
			1,
		),
	],
	run: async (call) => {
		const { context, itemIndex, parameters, server } = call;
		const field = parameters.requiredString(
			'binaryPropertyName',
			'Enter the field that contains the recording.',
		);
		const file = await createFileSource(context, itemIndex, field);
		const settings = await withResolvedModel(
			readMediaSettings(call),
			server,
			'transcription',
			call.signal,
		);
		const transcript = await transcribe(server, settings, { ...readRequest(call), file });
		await call.typing?.write(transcript.text);
		transcript.warnings.forEach((warning) => call.hint(warning));
		const { text, subtitles, extraFields } = transcript;
		const facts = { ...omitEmpty({ model: settings.model }), ...extraFields };
		if (subtitles === undefined) return [{ json: { text, ...facts } }];
		const json = { text, subtitles: subtitles.content, ...facts };
		return [await withSubtitleFile(call, { json }, subtitles, file.name)];
	},
};

function readRequest({ parameters }: LlamaCall): Omit<TranscribeRequest, 'file'> {
	return {
		translate: parameters.boolean('translate', false),
		format: parameters.choice<TranscriptFormat>('responseFormat', 'json'),
		language: parameters.string('options.language'),
		prompt: parameters.rawString('options.prompt'),
		temperature: parameters.number('options.temperature', undefined),
		granularities: parameters.choices('options.timestamps'),
		extraBody: parameters.object('options.extraBody', {}),
	};
}

async function withSubtitleFile(
	call: LlamaCall,
	item: OperationItem,
	{ format, content }: { format: 'srt' | 'vtt'; content: string },
	recordingName: string,
): Promise<OperationItem> {
	const stored = await storeFile(call, 'options.binaryPropertyOutput', {
		content: Buffer.from(content),
		fileName: `${baseName(recordingName, 'subtitles')}.${format}`,
		mimeType: format === 'srt' ? 'application/x-subrip' : 'text/vtt',
	});
	return { json: { ...item.json, ...stored.facts }, binary: stored.binary };
}
