import { correctTimes } from '../../../lib/tasks/transcript-times';
import type { Transcript } from '../../../lib/tasks/transcript-hints';

const SEGMENTS = [
	{ id: 0, start: 0, end: 4_000_000_000, text: 'One.' },
	{ id: 1, start: 4_000_000_000, end: 9_640_000_000, text: 'Two.' },
];
const WORDS = [
	{ word: 'One', start: 120_000_000, end: 400_000_000 },
	{ word: 'Two', start: 4_100_000_000, end: 9_600_000_000 },
];
const transcriptOf = (extraFields: object): Transcript => ({
	text: 'One. Two.',
	extraFields: extraFields as Transcript['extraFields'],
});
const correct = (extraFields: object) => correctTimes(transcriptOf(extraFields));

describe('nanoseconds become seconds', () => {
	test('segments and words (LocalAI)', () => {
		const { transcript, hints } = correct({ duration: 9.64, segments: SEGMENTS, words: WORDS });
		expect(transcript.extraFields).toEqual({
			duration: 9.64,
			segments: [
				{ id: 0, start: 0, end: 4, text: 'One.' },
				{ id: 1, start: 4, end: 9.64, text: 'Two.' },
			],
			words: [
				{ word: 'One', start: 0.12, end: 0.4 },
				{ word: 'Two', start: 4.1, end: 9.6 },
			],
		});
		expect(hints).toEqual([expect.stringContaining('nanoseconds')]);
	});

	test('words within segments', () => {
		const segments = [{ ...SEGMENTS[1], words: [WORDS[1]] }];
		const { transcript } = correct({ duration: 9.64, segments });
		expect(transcript.extraFields.segments).toEqual([
			{ id: 1, start: 4, end: 9.64, text: 'Two.', words: [{ word: 'Two', start: 4.1, end: 9.6 }] },
		]);
	});

	test('a duration as text (OpenAI), and times as text', () => {
		const segments = [{ start: '0', end: '9640000000' }];
		const { transcript, hints } = correct({ duration: '9.64', segments });
		expect(transcript.extraFields.segments).toEqual([{ start: 0, end: 9.64 }]);
		expect(hints).toEqual([expect.stringContaining('nanoseconds')]);
	});

	test('words only', () => {
		const segments = [{ start: 0, end: 9.64, text: 'One. Two.' }];
		const { transcript, hints } = correct({ duration: 9.64, segments, words: WORDS });
		expect(transcript.extraFields.segments).toEqual(segments);
		expect(transcript.extraFields.words).toEqual([
			{ word: 'One', start: 0.12, end: 0.4 },
			{ word: 'Two', start: 4.1, end: 9.6 },
		]);
		expect(hints).toHaveLength(1);
	});
});

const HINT = [expect.stringMatching(/^The times of the transcript cannot be right/)];

test.each<[string, object]>([
	['without a duration', { segments: SEGMENTS }],
	[
		'texts that run backwards',
		{
			segments: [
				{ start: '5.0', end: '6.0' },
				{ start: '1.0', end: '2.0' },
			],
		},
	],
	['an end of 400 digits as text', { segments: [{ start: 0, end: '9'.repeat(400) }] }],
	['a duration of 400 digits as text', { duration: '9'.repeat(400), segments: [] }],
	['a text before zero', { words: [{ start: '-5', end: '1' }] }],
	// What JSON makes of a number of 400 digits.
	['an end of 400 digits', { duration: 9.64, segments: [{ start: 0, end: Infinity }] }],
	['a start of 400 digits', { segments: [{ start: -Infinity, end: 1 }] }],
	['a word of 400 digits', { duration: 9.64, words: [{ word: 'One', start: 0, end: Infinity }] }],
	['a duration of 400 digits', { duration: Infinity, segments: [{ start: 0, end: 1 }] }],
	['a duration in nanoseconds, too', { duration: 9_640_000_000, segments: SEGMENTS }],
	[
		'only one entry is far away',
		{
			duration: 9.64,
			segments: [
				{ start: 0, end: 4 },
				{ start: 4, end: 9_640_000_000 },
			],
		},
	],
	['fits in no unit', { duration: 9.64, segments: [{ start: 500, end: 700 }] }],
	['milliseconds', { duration: 9.64, segments: [{ start: 1500, end: 9640 }] }],
	['an end before its start', { duration: 9.64, segments: [{ start: 4, end: 1 }] }],
	['negative', { duration: 9.64, segments: [{ start: -3, end: 1 }] }],
	[
		'starts that run backwards',
		{
			duration: 60,
			segments: [
				{ start: 40, end: 50 },
				{ start: 2, end: 5 },
			],
		},
	],
	[
		'words only',
		{ duration: 9.64, segments: [{ start: 0, end: 9 }], words: [{ start: 9, end: 2 }] },
	],
])('times that cannot be stay, with one hint: %s', (_name, extraFields) => {
	const { transcript, hints } = correct(extraFields);
	expect(transcript).toEqual(transcriptOf(extraFields));
	expect(hints).toEqual(HINT);
});

test.each<[string, object]>([
	['plain', { duration: 9.64, segments: [{ start: 0, end: 9.7 }] }],
	['a window of Whisper', { duration: 9.64, segments: [{ start: 0, end: 30 }] }],
	[
		'speakers that overlap',
		{
			duration: 60,
			segments: [
				{ start: 5, end: 9 },
				{ start: 4.5, end: 7 },
			],
		},
	],
	[
		'a channel after another',
		{
			duration: 60,
			segments: [
				{ channel: 0, start: 5, end: 59 },
				{ channel: 1, start: 1, end: 7 },
			],
		},
	],
	['a long recording', { duration: 86_400, segments: [{ start: 86_000, end: 86_399 }] }],
	['no times', { segments: [{ text: 'Hi' }], words: null }],
	['times as null', { duration: null, segments: [{ start: null, end: null }] }],
])('times that can be stay, without a hint: %s', (_name, extraFields) => {
	expect(correct(extraFields)).toEqual({ transcript: transcriptOf(extraFields), hints: [] });
});

describe('subtitles of the server', () => {
	const subtitlesOf = (times: string, format: 'srt' | 'vtt'): Transcript => ({
		text: 'Hi',
		subtitles: { format, content: `${format === 'vtt' ? 'WEBVTT\n\n' : '1\n'}${times}\nHi\n` },
		extraFields: {},
	});

	test.each([
		['srt', '00:00:00,000 --> 2677777:46:40,000'],
		['vtt', '00:00:00.000 --> 2677777:46:40.000'],
		['srt', '00:00:05,000 --> 00:00:02,000'],
		['vtt', '01:05.000 --> 00:02.000'],
	] as const)('%s that cannot be: %s', (format, times) => {
		const transcript = subtitlesOf(times, format);
		expect(correctTimes(transcript)).toEqual({ transcript, hints: HINT });
	});

	test.each([
		['srt', '00:00:00,000 --> 00:00:02,000'],
		['vtt', '00:00.000 --> 01:02.000 align:start'],
	] as const)('%s that can be: %s', (format, times) => {
		const transcript = subtitlesOf(times, format);
		expect(correctTimes(transcript)).toEqual({ transcript, hints: [] });
	});
});

test.each<[string, object]>([
	['minus zero', { segments: [{ start: -0, end: 1 }] }],
	['a duration as text', { duration: '8.47', segments: [{ start: 0, end: 8.4 }] }],
	['clocks, which are not read', { segments: [{ start: '00:00:05.000', end: '00:00:06.000' }] }],
	['times as text', { duration: 9, segments: [{ start: '1.5', end: '2.5' }] }],
])('%s: no hint, and nothing changes', (_name, extraFields) => {
	const { transcript, hints } = correct(extraFields);
	expect([transcript.extraFields, hints]).toEqual([extraFields, []]);
});
