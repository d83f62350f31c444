import * as fc from 'fast-check';
import { runAtOnce } from '../../../lib/http/steps';
import { getCueHints, parseCueLine } from '../../../lib/tasks/cue-times';
import { parseTranscript } from '../../../lib/tasks/transcript';
import { getTranscriptHints } from '../../../lib/tasks/transcript-hints';
import { getWavSeconds } from '../../../lib/tasks/wav-header';

test.each<[string, ReturnType<typeof parseCueLine>]>([
	['00:00:01,500 --> 00:01:02,250', { start: 1.5, end: 62.25 }],
	['00:01.500 --> 01:02.250 align:start', { start: 1.5, end: 62.25 }],
	['2677777:46:40,000 --> 2677777:46:41,000', { start: 9_640_000_000, end: 9_640_000_001 }],
	['20810.32 --> 18890.42', { start: 20_810.32, end: 18_890.42 }],
	['He drew an arrow --> there', undefined],
	['1 --> 2', undefined],
])('the times of a line: %s', (line, cue) => {
	expect(parseCueLine(line)).toEqual(cue);
});

/** The hints of a response for a recording of a minute. */
function getHints(body: string | object, format: 'srt' | 'verbose_json' = 'srt'): string[] {
	const text = typeof body === 'string' ? body : JSON.stringify(body);
	return getTranscriptHints(runAtOnce(parseTranscript(text, format))!, 60);
}

test.each<[string, string | object, RegExp[]]>([
	[
		'all right',
		'1\n00:00:00,000 --> 00:00:02,000\nHi\n\n2\n00:00:02,000 --> 00:01:00,500\nyou\n',
		[],
	],
	[
		'ends before it begins',
		'1\n20810.32 --> 18890.42\nHi\n',
		[/1 of 1 times end before they begin \(5:46:50 to 5:14:50\)/, /1 of 1 times are after the end/],
	],
	[
		'after days',
		'1\n2677777:46:40,000 --> 2677777:46:41,000\nHi\n',
		[/1 of 1 times are after the end of the recording of 60 s/],
	],
	[
		'before the one above',
		'1\n00:00:09,000 --> 00:00:10,000\nHi\n\n2\n00:00:02,000 --> 00:00:03,000\nyou\n',
		[/1 of 2 times begin before the one above \(0:00:02\)/],
	],
	[
		'segments',
		{ text: 'Hi', segments: [{ text: 'Hi', start: 9, end: 4 }] },
		[/end before they begin/],
	],
	[
		'a duration of the server',
		{ text: 'Hi', duration: 5, segments: [{ text: 'Hi', start: 9, end: 10 }] },
		[/recording of 5 s/],
	],
	['segments without times', { text: 'Hi', segments: [{ text: 'Hi' }] }, []],
	['the limit of tokens', { text: 'Hi', finish_reason: 'max_tokens' }, [/token limit/]],
	['… of a choice', { text: 'Hi', choices: [{ finish_reason: 'length' }] }, [/token limit/]],
	['a usual end', { text: 'Hi', finish_reason: 'stop' }, []],
])('wrong times and a cut end are told: %s', (_name, body, hints) => {
	const format = typeof body === 'string' ? 'srt' : 'verbose_json';
	expect(getHints(body, format)).toEqual(
		hints.map((hint) => expect.stringMatching(hint) as string),
	);
});

test('cues in order within the recording have no hint, and a swapped one has', () => {
	const times = fc.uniqueArray(fc.integer({ min: 0, max: 3_600_000 }), {
		minLength: 2,
		maxLength: 20,
	});
	fc.assert(
		fc.property(times, (list) => {
			const sorted = list.toSorted((a, b) => a - b).map((ms) => ms / 1000);
			const cues = sorted.slice(1).map((end, at) => ({ start: sorted[at]!, end }));
			const wrong = cues.map(({ start, end }) => ({ start: end, end: start }));
			expect(getCueHints(cues, sorted.at(-1))).toEqual([]);
			expect(getCueHints(wrong)).toHaveLength(1);
		}),
	);
});

test('the length of a WAV file', () => {
	const header = Buffer.alloc(44);
	header.write('RIFF', 0, 'latin1');
	header.write('WAVEfmt ', 8, 'latin1');
	header.writeUInt32LE(16, 16);
	header.writeUInt32LE(32_000, 28);
	header.write('data', 36, 'latin1');
	expect(getWavSeconds({ head: header, size: 44 + 64_000 })).toBe(2);
	expect(getWavSeconds({ head: header.subarray(0, 20), size: 99 })).toBeUndefined();
	expect(getWavSeconds({ head: Buffer.from('ID3'), size: 99 })).toBeUndefined();
});
