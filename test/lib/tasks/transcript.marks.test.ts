import { runAtOnce } from '../../../lib/http/steps';
import { parseTranscript } from '../../../lib/tasks/transcript';
import type { TranscriptFormat } from '../../../lib/tasks/transcript';
import type { Transcript } from '../../../lib/tasks/transcript-hints';

const read = (body: string, format: TranscriptFormat): Transcript | undefined =>
	runAtOnce(parseTranscript(body, format));
const readText = (body: string): string | undefined => read(body, 'text')?.text;

/** Marks that somebody speaks about. */
const MENTIONS = [
	'The mark <asr_text> stands for speech.',
	'The model writes language English<asr_text> first.',
	'Whisper calls silence [BLANK_AUDIO] in its output.',
	'It begins with <|startoftranscript|> and ends with a token.',
	'The token <|0.00|> is a time.',
	'The tag </think> closes the thinking.',
	'He said stop. </think> is the closing tag.',
];

describe('marks in the middle of a transcript stay', () => {
	test.each(MENTIONS)('a mark in the middle of a transcript stays: %s', (text) => {
		expect(readText(text)).toBe(text);
		expect(read(JSON.stringify({ text }), 'json')).toEqual({ text, extraFields: {} });
		const segments = [{ id: 0, text }];
		expect(read(JSON.stringify({ text, segments }), 'verbose_json')).toEqual({
			text,
			extraFields: { segments },
		});
	});

	test('a mark in the middle stays behind the marks of the model itself', () => {
		const text = 'language English<asr_text>The mark <asr_text> stands for speech.';
		expect(read(text, 'text')).toEqual({
			text: 'The mark <asr_text> stands for speech.',
			extraFields: { language: 'English' },
		});
		expect(readText('<|en|> The token <|endoftext|> ends it.<|endoftext|>')).toBe(
			'The token <|endoftext|> ends it.',
		);
	});
});

test.each([
	['times between segments', '<|0.00|> One.<|1.00|><|1.00|> Two.<|2.00|>', 'One. Two.'],
	[
		'parts of a long recording',
		'language English<asr_text>One.language English<asr_text>Two.',
		'One.Two.',
	],
	['of SenseVoice', '<|zh|><|NEUTRAL|><|Speech|><|woitn|>你好<|NEUTRAL|>', '你好'],
	['an event', '<|BGM|>One.<|/BGM|>', 'One.'],
	['silence between segments', ' One.\n [BLANK_AUDIO]\n Two.\n', 'One.\n\n Two.'],
])('marks at the place where a model writes them: %s', (_name, marked, text) => {
	expect(readText(marked)).toBe(text);
});

test('JSON that somebody spoke is a text', () => {
	expect(readText('{"a":1}')).toBe('{"a":1}');
	expect(read('{"text":"{\\"a\\":1}"}', 'json')?.text).toBe('{"a":1}');
	expect(readText('{"error":{"message":"x"}}')).toBeUndefined();
	expect(read('{"a":1}', 'json')).toBeUndefined();
});

test('a silent segment is also removed from the text', () => {
	const body = {
		text: 'One. [BLANK_AUDIO] Two.',
		segments: [{ text: 'One.' }, { text: '[BLANK_AUDIO]' }, { text: 'Two.' }],
	};
	expect(read(JSON.stringify(body), 'verbose_json')?.text).toBe('One.  Two.');
});
