import * as fc from 'fast-check';

import { SseDecoder } from '../../../lib/http/sse';
import { subtitleFormat, subtitlesFrom, wordsOfSubtitles } from '../../../lib/media/subtitles';
import { readTranscript } from '../../../lib/media/transcript';
import { TranscriptStream } from '../../../lib/media/transcript-stream';
import { anySplit } from '../../support/streams';

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
		[
			'segments in place of SRT',
			'{"text":"Hello","segments":[{"start":0,"end":3661.5,"text":" Hello"}]}',
			'srt',
			{ subtitles: { format: 'srt', content: '1\n00:00:00,000 --> 01:01:01,500\nHello\n' } },
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

	test('subtitles that are made are read back', () => {
		const seconds = fc.nat(100_000).map((ms) => ms / 1000);
		const segment = fc.record({
			start: seconds,
			end: seconds,
			text: fc.stringMatching(/^[a-z ]{0,10}[a-z]$/),
		});
		fc.assert(
			fc.property(
				fc.array(segment, { minLength: 1 }),
				fc.constantFrom('srt', 'vtt'),
				(all, format) => {
					const made = subtitlesFrom(all, format)!;
					expect(subtitleFormat(made)).toBe(format);
					expect(wordsOfSubtitles(made)).toBe(all.map(({ text }) => text.trim()).join('\n'));
				},
			),
		);
		expect(subtitleFormat('1999\nwas a year')).toBeUndefined();
	});
});

describe('streamed transcripts', () => {
	const play = (pieces: Iterable<Uint8Array>) => {
		const decoder = new SseDecoder();
		const stream = new TranscriptStream();
		const shown: string[] = [];
		for (const piece of pieces)
			for (const { data } of decoder.push(piece)) shown.push(stream.push(data));
		for (const { data } of decoder.end()) shown.push(stream.push(data));
		return {
			text: stream.text,
			shown: shown.join(''),
			complete: stream.isComplete,
			error: stream.error,
		};
	};
	const events = (...all: Array<object | string>) =>
		Buffer.from(
			all.map((one) => `data: ${typeof one === 'string' ? one : JSON.stringify(one)}\n\n`).join(''),
		);
	const delta = (text: string) => ({ type: 'transcript.text.delta', delta: text, logprobs: null });

	test.each<[string, Buffer, object]>([
		[
			'speaches: deltas, and the whole text in the end',
			events(delta(' Hällo'), delta(' there'), {
				type: 'transcript.text.done',
				text: ' Hällo there',
			}),
			{ text: 'Hällo there', shown: ' Hällo there', complete: true },
		],
		[
			'speaches 870e1e1: the last event is empty',
			events(delta(' Hello'), delta(' there'), { type: 'transcript.text.done', text: '' }),
			{ text: 'Hello there', shown: ' Hello there', complete: true },
		],
		[
			'the last event has more than the deltas',
			events(delta('Hello'), { type: 'transcript.text.done', text: 'Hello there' }),
			{ text: 'Hello there', shown: 'Hello there', complete: true },
		],
		[
			'vLLM',
			events(
				{
					object: 'transcription.chunk',
					choices: [{ delta: { content: 'Hello' }, finish_reason: null }],
				},
				{ choices: [{ delta: { content: ' there' }, finish_reason: 'stop' }] },
				{ choices: [], usage: { total_tokens: 7 } },
				'[DONE]',
			),
			{ text: 'Hello there', complete: true },
		],
		[
			'segments, as before OpenAI had events',
			events({ text: 'Hello' }, { text: ' there' }),
			{ text: 'Hello there', complete: true },
		],
		['without its end', events(delta('Hello')), { text: 'Hello', complete: false }],
		[
			'an error in the midst',
			events(delta('Hello'), { error: { message: 'CUDA' } }),
			{ error: 'CUDA', complete: false },
		],
	])('%s', (_name, body, expected) => {
		expect(play([body])).toMatchObject(expected);
		fc.assert(
			fc.property(anySplit(body), (pieces) => expect(play(pieces)).toEqual(play([body]))),
			{ numRuns: 30 },
		);
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
