/** Bodies of transcription responses, and what is read from them. */

export interface TranscriptCase {
	name: string;
	/** A text as it is, an object as JSON. */
	body: string | object;
	/** As requested. */
	format: 'json' | 'text' | 'srt' | 'vtt';
	/** Part of the transcript. */
	expected: object;
}

export interface NoTranscript {
	name: string;
	body: string;
}

export interface MarkedText {
	name: string;
	/** With the marks of its model. */
	text: string;
	expected: { text: string; extraFields?: object };
}

const SRT = [
	'1',
	'00:00:00,000 --> 00:00:02,000',
	' Hello',
	'',
	'2',
	'00:00:02,000 --> 00:01:00,500',
	' <i>there</i>',
	'',
	'',
].join('\n');
const VTT = [
	'WEBVTT',
	'',
	'NOTE by a machine',
	'',
	'00:00.000 --> 00:02.000',
	'Hello',
	'',
	'00:02.000 --> 00:03.500',
	'there',
	'',
].join('\n');

export const TRANSCRIPTS: TranscriptCase[] = [
	{
		name: 'JSON',
		body: { text: ' Hello there\n' },
		format: 'json',
		expected: { text: 'Hello there', extraFields: {} },
	},
	{
		name: 'the bare words (whisper.cpp, text/html)',
		body: ' Hello\n there\n',
		format: 'json',
		expected: { text: 'Hello\n there', extraFields: {} },
	},
	{
		name: 'a JSON string (FastAPI)',
		body: '"Hello"',
		format: 'json',
		expected: { text: 'Hello', extraFields: {} },
	},
	{
		name: 'null for silence',
		body: { text: null },
		format: 'json',
		expected: { text: '', extraFields: {} },
	},
	{
		name: 'a segment without a text',
		body: { text: 'Hello', segments: [{ start: 0, end: 1 }] },
		format: 'json',
		expected: { text: 'Hello', extraFields: { segments: [{ start: 0, end: 1 }] } },
	},
	{ name: 'nothing', body: '', format: 'text', expected: { text: '', extraFields: {} } },
	{
		name: 'SRT',
		body: SRT,
		format: 'srt',
		expected: { text: 'Hello\nthere', subtitles: { format: 'srt', content: SRT } },
	},
	{
		name: 'VTT',
		body: VTT,
		format: 'vtt',
		expected: { text: 'Hello\nthere', subtitles: { format: 'vtt', content: VTT } },
	},
	{
		name: 'SRT inside JSON (LiteLLM)',
		body: { text: SRT },
		format: 'srt',
		expected: { text: 'Hello\nthere', subtitles: { format: 'srt', content: SRT } },
	},
	{
		name: 'text instead of VTT',
		body: { text: 'Hello' },
		format: 'vtt',
		expected: { text: 'Hello', extraFields: {} },
	},
	{
		name: 'verbose fields as given',
		body: {
			task: 'transcribe',
			language: 'german',
			duration: 1,
			text: '',
			segments: [],
			words: null,
		},
		format: 'json',
		expected: {
			text: '',
			extraFields: {
				task: 'transcribe',
				language: 'german',
				duration: 1,
				segments: [],
				words: null,
			},
		},
	},
	{
		name: 'speech that begins with a bracket',
		body: '[Music] Hello',
		format: 'text',
		expected: { text: '[Music] Hello' },
	},
	{
		name: 'speech that begins with a quotation mark',
		body: '"Hello", she said',
		format: 'text',
		expected: { text: '"Hello", she said' },
	},
	{
		name: 'a text that is only thinking',
		body: '<think>Someone says',
		format: 'text',
		expected: { text: '<think>Someone says' },
	},
	{ name: 'empty thinking', body: '<think></think>', format: 'text', expected: { text: '' } },
];

export const NO_TRANSCRIPTS: NoTranscript[] = [
	{ name: 'JSON that was cut', body: '{"text": "Hel' },
	{ name: 'JSON with a page behind it', body: '{"text"<!doctype html><html>' },
	{ name: 'bytes that are no text', body: '\u0001\ufffd\u0002\ufffd Hello' },
	{ name: 'a page', body: '<!DOCTYPE html><html><title>nginx</title></html>' },
	{ name: 'an error inside a 200', body: '{"error":{"message":"out of memory"}}' },
	{ name: 'something else', body: '{"status":"ok"}' },
	{ name: 'nothing', body: ' \n' },
	{ name: 'data without a text', body: '{"data":{}}' },
	{ name: 'a list', body: '[{"text":"Hello"}]' },
	{ name: 'a job in a queue', body: '{"result":{"status":"queued"}}' },
	{ name: 'lists of lists', body: '[[[[[[[[[[[["a"]]]]]]]]]]]]' },
	{ name: 'an event', body: 'data: {"delta":"Hel"}' },
	{ name: 'lines, one of which is no JSON', body: '{"text": "Hel"}\n{"text": "lo' },
	{ name: 'lines without a text', body: '{"status": "queued"}\n{"status": "running"}\n' },
];

export const MARKED_TEXTS: MarkedText[] = [
	{
		name: 'whisper.cpp, of silence',
		text: '[BLANK_AUDIO]\n',
		expected: { text: '', extraFields: {} },
	},
	{
		name: 'whisper.cpp, between words',
		text: '[BLANK_AUDIO] Hello',
		expected: { text: 'Hello', extraFields: {} },
	},
	{
		name: 'Qwen3-ASR',
		text: 'language English<asr_text>Hello there.',
		expected: { text: 'Hello there.', extraFields: { language: 'English' } },
	},
	{
		name: 'Qwen3-ASR, of silence',
		text: 'language None<asr_text>',
		expected: { text: '', extraFields: {} },
	},
	{
		name: 'Whisper',
		text: '<|startoftranscript|><|en|><|transcribe|> Hello',
		expected: { text: 'Hello', extraFields: { language: 'en' } },
	},
	{
		name: 'Whisper, with times',
		text: '<|startoftranscript|><|de|><|translate|><|0.00|> Hello<|2.40|><|endoftext|>',
		expected: { text: 'Hello' },
	},
	{ name: 'words in bars', text: 'a c |d| [e]', expected: { text: 'a c |d| [e]' } },
	{
		name: 'words of a language',
		text: 'The language English is spoken.',
		expected: { text: 'The language English is spoken.' },
	},
];
