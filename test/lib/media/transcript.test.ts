import * as fc from 'fast-check';

import { subtitleFormat } from '../../../lib/media/subtitles';
import { readTranscript } from '../../../lib/media/transcript';

const SRT =
	'1\n00:00:00,000 --> 00:00:02,000\n Hello\n\n2\n00:00:02,000 --> 00:01:00,500\n <i>there</i>\n\n';
const VTT =
	'WEBVTT\n\nNOTE by a machine\n\n00:00.000 --> 00:02.000\nHello\n\n00:02.000 --> 00:03.500\nthere\n';

describe('transcripts of every type', () => {
	test.each<[string, string, 'json' | 'text' | 'srt' | 'vtt', object]>([
		['JSON', '{"text":" Hello there\\n"}', 'json', { text: 'Hello there', more: {} }],
		[
			'the bare words (whisper.cpp, text/html)',
			' Hello\n there\n',
			'json',
			{ text: 'Hello\n there', more: {} },
		],
		['a page', '<!DOCTYPE html><html><title>nginx</title></html>', 'json', { fault: 'page' }],
		['a JSON string (FastAPI)', '"Hello"', 'json', { text: 'Hello', more: {} }],
		['null for silence', '{"text":null}', 'json', { text: '', more: {} }],
		['nothing', '', 'text', { text: '', more: {} }],
		[
			'segments alone',
			'{"segments":[{"text":" Hello"},{"text":" there"}]}',
			'json',
			{ text: 'Hello there' },
		],
		['an error inside a 200', '{"error":{"message":"out of memory"}}', 'json', { fault: 'error' }],
		['something else', '{"status":"ok"}', 'json', { fault: 'noText' }],
		['SRT', SRT, 'srt', { text: 'Hello\nthere', subtitles: { format: 'srt', content: SRT } }],
		['VTT', VTT, 'vtt', { text: 'Hello\nthere', subtitles: { format: 'vtt', content: VTT } }],
		[
			'SRT inside JSON (LiteLLM)',
			JSON.stringify({ text: SRT }),
			'srt',
			{ text: 'Hello\nthere', subtitles: { format: 'srt', content: SRT } },
		],
		['text in place of VTT', '{"text":"Hello"}', 'vtt', { text: 'Hello', more: {} }],
		[
			'verbose fields as given',
			'{"task":"transcribe","language":"german","duration":1,"text":"","segments":[],"words":null}',
			'json',
			{
				text: '',
				more: { task: 'transcribe', language: 'german', duration: 1, segments: [], words: null },
			},
		],
	])('%s', (_name, body, format, expected) => {
		expect(readTranscript(body, format)).toMatchObject(expected);
	});

	test('whatever comes is read or refused, never thrown over', () => {
		fc.assert(
			fc.property(fc.oneof(fc.string(), fc.json()), (body) => {
				expect(() => readTranscript(body, 'srt')).not.toThrow();
			}),
		);
	});

	test('a year is no subtitle', () => {
		expect(subtitleFormat('1999\nwas a year')).toBeUndefined();
	});
});

test.each([
	['JSON that was cut', '{"text": "Hel'],
	['JSON with a page behind it', '{"text"<!doctype html><html>'],
	['bytes that are no text', '\u0001\ufffd\u0002\ufffd Hello'],
])('no transcript: %s', (_name, body) => {
	expect(readTranscript(body, 'json')).toEqual({ fault: 'noText' });
});

test('speech that begins with a bracket or a quotation mark is a transcript', () => {
	expect(readTranscript('[Music] Hello', 'text')).toMatchObject({ text: '[Music] Hello' });
	expect(readTranscript('"Hello", she said', 'text')).toMatchObject({ text: '"Hello", she said' });
});

test('whisper.cpp marks silence, which is no text', () => {
	expect(readTranscript('[BLANK_AUDIO]\n', 'text')).toMatchObject({ text: '' });
	expect(readTranscript('{"text":" [BLANK_AUDIO]\\n"}', 'json')).toMatchObject({ text: '' });
	expect(readTranscript('[BLANK_AUDIO] Hello', 'text')).toMatchObject({ text: 'Hello' });
});

test('an empty answer is silence as text only', () => {
	expect(readTranscript('', 'text')).toMatchObject({ text: '' });
	expect(readTranscript(' \n', 'json')).toEqual({ fault: 'empty' });
	expect(readTranscript('', 'verbose_json')).toEqual({ fault: 'empty' });
});
