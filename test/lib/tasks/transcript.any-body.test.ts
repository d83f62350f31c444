/** Transcripts from bodies of any form, also cut off, their subtitles and hints. */
import { readCutTranscript, parseTranscript } from '../../../lib/tasks/transcript';
import type { TranscriptFormat } from '../../../lib/tasks/transcript';
import { getTranscriptHints, withSubtitles } from '../../../lib/tasks/transcript-hints';
import { runAtOnce } from '../../../lib/http/steps';
import { MAX_DEPTH } from '../../../lib/values/json';
import { expectApproved, joinPlaces } from '../../support/approved/approved-table';
import path from 'node:path';

const segment = (text: unknown, start: unknown = 0, end: unknown = 1.5, more: object = {}) => ({
	text,
	start,
	end,
	...more,
});
const BODIES: Readonly<Record<string, string>> = {
	nothing: '',
	blanks: ' \n',
	text: ' Hello there. \n',
	'a text in brackets': '[Music] Hello',
	'a text in quotation marks': '"Hello" he said',
	'JSON text': '"Hello"',
	object: '{"text":" Hello "}',
	'no text': '{"text":null}',
	'empty text and an error': '{"text":"","error":{"message":"No"}}',
	'a text and a detail': '{"text":"Hello","detail":"cut"}',
	'another object': '{"task":"x"}',
	'a number as text': '{"text":5}',
	list: '[1]',
	'cut object': '{"text":"Hello th',
	event: 'data: {"text":"Hello"}',
	page: '<html><body>Hello',
	'a tag that is speech': '<b>Hello</b>',
	bytes: '\u0000\u0001',
	language: 'language German<asr_text>Hallo<asr_text>',
	whisper: '<|startoftranscript|><|en|><|0.00|> Hello<|1.00|> there<|endoftext|>',
	silence: '[BLANK_AUDIO]',
	'silence between': 'Hello\n[BLANK_AUDIO]\nthere',
	srt: '1\n00:00:00,000 --> 00:00:01,500\nHello <i>you</i>\n\n2\n00:00:02,000 --> 00:01:03,000\nthere\n',
	'srt without numbers': '00:00:00,000 --> 00:00:01,500\nHello\n',
	vtt: 'WEBVTT\n\nNOTE a note\n\n00:00.000 --> 00:01.500\n[BLANK_AUDIO]\n\n00:02.000 --> 00:03.000\nthere\n',
	segments: JSON.stringify({
		text: 'Hello there',
		language: 'en',
		segments: [segment(' Hello'), segment('there', 61.0015, 3_661.5)],
	}),
	'segments with silence': JSON.stringify({
		text: 'Hello [BLANK_AUDIO] there',
		segments: [segment('Hello'), segment(' [BLANK_AUDIO]'), segment('there')],
	}),
	'segments with marks': JSON.stringify({
		text: 'language English<asr_text>Hello',
		segments: [segment('<|en|>Hello<|endoftext|>'), segment(5)],
	}),
	'a segment without a time': JSON.stringify({
		text: 'Hello',
		segments: [segment('Hello', 0, 1), segment('you', undefined, null)],
	}),
	'segments with arrows and blanks': JSON.stringify({
		text: 'a',
		segments: [segment('a --> b', -1, 0.0004), segment('  '), segment('c\nd', 1, 2)],
	}),
	'subtitles with other segments': JSON.stringify({
		text: '1\n00:00:00,000 --> 00:00:01,500\nHello\n',
		segments: [segment('there', 2, 3)],
	}),
	'probably silent segments': JSON.stringify({
		text: 'Hello',
		segments: [0.59, 0.6, 0.61, 'x'].map((no_speech_prob) =>
			segment('a', 0, 1, { no_speech_prob }),
		),
	}),
	'cut off': '{"text":"Hello","finish_reason":"length"}',
	ended: '{"text":"Hello","finish_reason":"stop"}',
};
const FORMATS: readonly TranscriptFormat[] = ['json', 'text', 'verbose_json', 'srt', 'vtt'];

test('each body in each format', () => {
	const outcomes = Object.entries(BODIES).flatMap(([subject, body]) => {
		const places = FORMATS.map((format) => {
			const parsed = runAtOnce(parseTranscript(body, format));
			const transcript = parsed && runAtOnce(withSubtitles(parsed, format));
			const hints = transcript ? getTranscriptHints(transcript) : [];
			const { text, subtitles, extraFields } = transcript ?? {};
			const outcome = transcript
				? [
						JSON.stringify(text),
						JSON.stringify(extraFields),
						subtitles && `${subtitles.format} ${subtitles.content}`,
						...hints,
					]
						.filter((part) => part !== undefined && part !== '{}')
						.join(' ; ')
				: 'no transcript';
			return { subject, place: format, outcome };
		});
		return [...places, { subject, place: 'cut', outcome: JSON.stringify(readCutTranscript(body)) }];
	});
	expectApproved(
		path.join(__dirname, 'transcript.any-body.approved.txt'),
		joinPlaces(outcomes),
		'A transcript is read from any form, and what is missing is told',
	);
});

test.each([
	['with the deepest lists that are read', MAX_DEPTH, 'Hello'],
	['nested more deeply', MAX_DEPTH + 1, undefined],
])('a transcript %s', (_title, depth, text) => {
	// The object around the lists is one level.
	const lists = '['.repeat(depth - 1) + ']'.repeat(depth - 1);
	const body = `{"text":"Hello","words":${lists}}`;
	expect(runAtOnce(parseTranscript(body, 'json'))?.text).toBe(text);
});
