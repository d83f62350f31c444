import type { INodeProperties } from 'n8n-workflow';

import { transcribe, type TranscriptionRequest } from '../../../lib/media/transcribe';
import type { TranscriptFormat } from '../../../lib/media/transcript';
import {
	choiceField,
	choices,
	longTextField,
	numberField,
	outputFileField,
} from '../../shared/field-kinds';
import { wrongField } from '../../shared/field-values';
import { modelField } from '../../shared/model-field';
import { filesIn, inputFileField, mediaFields, mediaOptions } from '../media-options';
import type { OperationItem } from '../../shared/run/operations';
import type { LlamaCall } from '../operation';
import { streamingField } from '../options';
import { baseName, notStored, storeFile } from '../../shared/store-file';
import { withModel } from '../../shared/search-models';

/** Fields of transcription and translation. */
export const transcriptionFields: INodeProperties[] = [
	modelField(
		{
			description:
				'The model that transcribes. Leave it empty for a server that has only one, such as whisper.cpp.',
		},
		{ search: 'searchTranscriptionModels', example: 'whisper-large-v3' },
	),
	inputFileField('The recording. It is sent as it is read, so it may be of any length.'),
	choiceField('Response Format', 'responseFormat', 'json', {
		options: choices({
			srt: ['SRT', 'The text, and a file with subtitles'],
			json: ['Text', 'What was said'],
			text: ['Text (Plain)', 'For servers that know no JSON'],
			verbose_json: [
				'Text with Segments',
				'The text with language, duration and the times of its segments',
			],
			vtt: ['VTT', 'The text, and a file with subtitles for web pages'],
		}),
		description: 'What the server sends',
	}),
];

/** Options of transcription and translation. */
export const transcriptionOptions: INodeProperties[] = [
	...mediaFields,
	{
		...outputFileField,
		description: 'The name of the field of the item that the file with subtitles is put into',
	},
	longTextField('Prompt', 'prompt', 2, {
		description:
			'Names and terms that are spoken, or the text that comes before, in the language of the recording',
	}),
	streamingField,
	numberField('Temperature', 'temperature', 0, {
		typeOptions: { minValue: 0, maxValue: 1, numberPrecision: 2 },
		description:
			'How freely the model guesses what it does not understand. Leave it at 0 for what was said.',
	}),
];

/** Transcribes or translates the recording of the item. */
export async function transcribeItem(
	call: LlamaCall,
	more: Pick<TranscriptionRequest, 'task'> &
		Partial<Pick<TranscriptionRequest, 'language' | 'granularities' | 'hotwords'>>,
): Promise<OperationItem[]> {
	const { servers, parameters } = call;
	const [file] = await filesIn(call, 'binaryPropertyName');
	if (file === undefined)
		throw wrongField('Input Binary Field', 'is empty', 'Name the field that holds the recording.');
	const format = parameters.choice<TranscriptFormat>('responseFormat', 'json');
	const options = mediaOptions(call);
	const settings = { model: parameters.name('model'), ...options };
	const { model } = await withModel(settings, servers, 'transcription', call.signal);
	const request: TranscriptionRequest = {
		language: '',
		granularities: [],
		hotwords: '',
		...more,
		model,
		file,
		format,
		prompt: parameters.freeText('options.prompt'),
		temperature: parameters.number('options.temperature', undefined),
		extra: parameters.object('options.extraBody', {}),
	};
	let isTyped = false;
	const onText = async (text: string) => {
		isTyped = true;
		await call.typing?.type(text);
	};
	const transcript = await transcribe(servers, request, {
		...options,
		...(call.typing === undefined ? {} : { onText }),
	});
	if (!isTyped) await call.typing?.type(transcript.text);
	transcript.remarks.forEach((remark) => call.hint(remark));
	const { text, subtitles, more: serverFields } = transcript;
	const facts = { ...(model === '' ? {} : { model }), ...serverFields };
	if (subtitles === undefined) return [{ json: { text, ...facts } }];
	const json = { text, subtitles: subtitles.content, ...facts };
	try {
		const stored = await storeFile(call, 'options.binaryPropertyOutput', {
			content: Buffer.from(subtitles.content),
			fileName: `${baseName(file.name, 'subtitles')}.${subtitles.format}`,
			mimeType: subtitles.format === 'srt' ? 'application/x-subrip' : 'text/vtt',
		});
		return [{ json: { ...json, ...stored.facts }, binary: stored.binary }];
	} catch (error) {
		// What was said has been paid for, and is not lost because of a file.
		call.hint(notStored('the file with subtitles', error));
		return [{ json }];
	}
}
