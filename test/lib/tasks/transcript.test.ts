import * as fc from 'fast-check';
import { parseTranscript } from '../../../lib/tasks/transcribe';

const SRT =
	'1\n00:00:00,000 --> 00:00:02,000\n Hello\n\n2\n00:00:02,000 --> 00:01:00,500\n <i>there</i>\n\n';
const VTT =
	'WEBVTT\n\nNOTE by a machine\n\n00:00.000 --> 00:02.000\nHello\n\n00:02.000 --> 00:03.500\nthere\n';

describe('transcripts of every type', () => {
	test.each<[string, string, 'json' | 'text' | 'srt' | 'vtt', object]>([
		['JSON', '{"text":" Hello there\\n"}', 'json', { text: 'Hello there', extraFields: {} }],
		[
			'the bare words (whisper.cpp, text/html)',
			' Hello\n there\n',
			'json',
			{ text: 'Hello\n there', extraFields: {} },
		],
		['a JSON string (FastAPI)', '"Hello"', 'json', { text: 'Hello', extraFields: {} }],
		['null for silence', '{"text":null}', 'json', { text: '', extraFields: {} }],
		['nothing', '', 'text', { text: '', extraFields: {} }],
		[
			'segments alone',
			'{"segments":[{"text":" Hello"},{"text":" there"}]}',
			'json',
			{ text: 'Hello there' },
		],
		['SRT', SRT, 'srt', { text: 'Hello\nthere', subtitles: { format: 'srt', content: SRT } }],
		['VTT', VTT, 'vtt', { text: 'Hello\nthere', subtitles: { format: 'vtt', content: VTT } }],
		[
			'SRT inside JSON (LiteLLM)',
			JSON.stringify({ text: SRT }),
			'srt',
			{ text: 'Hello\nthere', subtitles: { format: 'srt', content: SRT } },
		],
		['text instead of VTT', '{"text":"Hello"}', 'vtt', { text: 'Hello', extraFields: {} }],
		[
			'verbose fields as given',
			'{"task":"transcribe","language":"german","duration":1,"text":"","segments":[],"words":null}',
			'json',
			{
				text: '',
				extraFields: {
					task: 'transcribe',
					language: 'german',
					duration: 1,
					segments: [],
					words: null,
				},
			},
		],
	])('%s', (_name, body, format, expected) => {
		expect(parseTranscript(body, format)).toMatchObject(expected);
	});

	test('any response is parsed or undefined, and never throws', () => {
		fc.assert(
			fc.property(fc.oneof(fc.string(), fc.json()), (body) => {
				expect(() => parseTranscript(body, 'srt')).not.toThrow();
			}),
		);
	});

	test('a year is not a subtitle', () => {
		expect(parseTranscript('1999\nwas a year', 'srt')).toEqual({
			text: '1999\nwas a year',
			extraFields: {},
		});
	});
});

test.each([
	['JSON that was cut', '{"text": "Hel'],
	['JSON with a page behind it', '{"text"<!doctype html><html>'],
	['bytes that are no text', '\u0001\ufffd\u0002\ufffd Hello'],
	['a page', '<!DOCTYPE html><html><title>nginx</title></html>'],
	['an error inside a 200', '{"error":{"message":"out of memory"}}'],
	['something else', '{"status":"ok"}'],
	['nothing', ' \n'],
])('no transcript: %s', (_name, body) => {
	expect(parseTranscript(body, 'json')).toBeUndefined();
});

test('speech that begins with a bracket or a quotation mark is a transcript', () => {
	expect(parseTranscript('[Music] Hello', 'text')).toMatchObject({ text: '[Music] Hello' });
	expect(parseTranscript('"Hello", she said', 'text')).toMatchObject({ text: '"Hello", she said' });
});

test.each([
	[{ text: ['Hello', 'there'] }],
	[{ transcription: 'Hello there' }],
	[{ transcription: [{ text: ' Hello' }, { text: ' there' }] }],
	[{ transcript: 'Hello there' }],
	[{ result: 'Hello there' }],
	[{ code: 0, data: [{ text: 'Hello' }, { text: 'there' }] }],
	[{ data: { text: 'Hello there' } }],
	[{ text: '<s> Hello there</s>' }],
])('the text under another name: %j', (json) => {
	expect(parseTranscript(JSON.stringify(json), 'json')).toMatchObject({ text: 'Hello there' });
});

test.each([
	'{"data":{}}',
	'{"result":{"status":"queued"}}',
	'[[[[[[[[[[[["a"]]]]]]]]]]]]',
	'data: {"delta":"Hel"}',
])('%s is not a transcript', (body) => {
	expect(parseTranscript(body, 'json')).toBeUndefined();
});

const MARKS = /asr_text|BLANK|think>|<\|\w|_BEG/;

test.each([
	['whisper.cpp, of silence', '[BLANK_AUDIO]\n', { text: '', extraFields: {} }],
	['and between words', '[BLANK_AUDIO] Hello', { text: 'Hello', extraFields: {} }],
	[
		'Qwen3-ASR',
		'language English<asr_text>Hello there.',
		{ text: 'Hello there.', extraFields: { language: 'English' } },
	],
	['Qwen3-ASR, of silence', 'language None<asr_text>', { text: '', extraFields: {} }],
	[
		'SenseVoice',
		'<|zh|><|NEUTRAL|><|Speech|><|withitn|>你好',
		{ text: '你好', extraFields: { language: 'zh' } },
	],
	['SenseVoice, of silence', '<|nospeech|><|EMO_UNKNOWN|><|BGM|>', { text: '', extraFields: {} }],
	[
		'Whisper',
		'<|startoftranscript|><|en|><|transcribe|> Hello',
		{ text: 'Hello', extraFields: { language: 'en' } },
	],
	[
		'Whisper, with times',
		'<|startoftranscript|><|de|><|translate|><|0.00|> Hello<|2.40|><|endoftext|>',
		{ text: 'Hello' },
	],
	['whisper.cpp, with special tokens', '[_BEG_] Hello[_TT_120]', { text: 'Hello' }],
	['words in bars', 'a c |d| [e]', { text: 'a c |d| [e]' }],
	[
		'words of a language',
		'The language English is spoken.',
		{ text: 'The language English is spoken.' },
	],
])('markers around the text are removed: %s', (_name, markedText, expected) => {
	expect(parseTranscript(markedText, 'text')).toMatchObject(expected);
	expect(parseTranscript(JSON.stringify({ text: markedText }), 'json')).toMatchObject(expected);
	const segments = [{ id: 0, text: markedText }];
	expect(parseTranscript(JSON.stringify({ segments }), 'verbose_json')).toMatchObject({
		text: expected.text,
		extraFields: {
			segments: [{ id: 0, text: expect.not.stringMatching(MARKS) as string }],
		},
	});
	for (const format of ['srt', 'vtt'] as const) {
		const times = '00:00:00,000 --> 00:00:02,000';
		const file =
			format === 'srt'
				? `1\n${times}\n${markedText}\n`
				: `WEBVTT\n\n${times.replaceAll(',', '.')}\n${markedText}\n`;
		const { text, subtitles } = parseTranscript(file, format)!;
		expect([text, subtitles?.format]).toEqual([expected.text, format]);
		expect(subtitles!.content).not.toMatch(MARKS);
	}
});

test.each([
	['an empty block of thinking', '<think>\n\n</think>\n\nHello there.', { text: 'Hello there.' }],
	['thinking', '<think>Two people.</think>Hello, and hi.', { text: 'Hello, and hi.' }],
	['thinking without its start', 'Two people.\n</think>\n\nHello.', { text: 'Hello.' }],
	['channels', '<|channel>thought\nNoise.<channel|>Hello.', { text: 'Hello.' }],
])('thinking is not part of the text: %s', (_name, response, expected) => {
	expect(parseTranscript(response, 'text')).toMatchObject(expected);
	expect(parseTranscript(JSON.stringify({ text: response }), 'json')).toMatchObject(expected);
});

test('a text that is only thinking stays', () => {
	expect(parseTranscript('<think>Someone says', 'text')?.text).toBe('<think>Someone says');
	expect(parseTranscript('<think></think>', 'text')?.text).toBe('');
});

test('the language field of the server takes precedence', () => {
	const json = JSON.stringify({ text: 'language German<asr_text>Ja.', language: 'de' });
	expect(parseTranscript(json, 'json')).toEqual({ text: 'Ja.', extraFields: { language: 'de' } });
});
