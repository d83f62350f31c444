import { parseTranscript } from '../../../lib/tasks/transcript';
import { getTranscriptHints } from '../../../lib/tasks/transcript-hints';

const readText = (body: string) => parseTranscript(body, 'text')?.text;

/** Marks that somebody speaks about. */
const MENTIONS = [
	'The mark <asr_text> stands for speech.',
	'The model writes language English<asr_text> first.',
	'Whisper calls silence [BLANK_AUDIO] in its output.',
	'It begins with <|startoftranscript|> and ends with a token.',
	'The token <|0.00|> is a time.',
	'A sentence begins with <s> in that vocabulary.',
	'Unknown words are <unk> in older models.',
	'The first token [_BEG_] is special.',
	'The tag </think> closes the thinking.',
	'The mark <channel|> ends a channel.',
	'Write "<channel|>" at the end.',
	'He said stop. </think> is the closing tag.',
];

describe('marks in the middle of a transcript stay', () => {
	test.each(MENTIONS)('a mark in the middle of a transcript stays: %s', (text) => {
		expect(readText(text)).toBe(text);
		expect(parseTranscript(JSON.stringify({ text }), 'json')).toEqual({ text, extraFields: {} });
		const segments = [{ id: 0, text }];
		expect(parseTranscript(JSON.stringify({ segments }), 'verbose_json')).toEqual({
			text,
			extraFields: { segments },
		});
	});

	test('a mark in the middle stays behind the marks of the model itself', () => {
		const text = 'language English<asr_text>The mark <asr_text> stands for speech.';
		expect(parseTranscript(text, 'text')).toEqual({
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
	[
		'SenseVoice, several segments',
		'<|zh|><|NEUTRAL|><|Speech|>你好<|zh|><|HAPPY|><|Speech|>世界',
		'你好世界',
	],
	['whisper.cpp, several segments', '[_BEG_] One.[_TT_50]\n Two.[_TT_90]\n', 'One.\n Two.'],
	['silence between segments', ' One.\n [BLANK_AUDIO]\n Two.\n', 'One.\n\n Two.'],
	['fillers', '<pad><pad>Hello<pad><pad>', 'Hello'],
])('marks at the place where a model writes them: %s', (_name, marked, text) => {
	expect(readText(marked)).toBe(text);
});

test('a silent segment is also removed from the text', () => {
	const body = {
		text: 'One. [BLANK_AUDIO] Two.',
		segments: [{ text: 'One.' }, { text: '[BLANK_AUDIO]' }, { text: 'Two.' }],
	};
	expect(parseTranscript(JSON.stringify(body), 'verbose_json')?.text).toBe('One.  Two.');
});

const LENGTH_HINT = expect.stringContaining('stopped at its token limit') as string;

test.each([
	['OpenAI', { choices: [{ message: { content: 'Hello' }, finish_reason: 'length' }] }],
	['completions', { choices: [{ text: 'Hello', finish_reason: 'length' }] }],
	['both', { text: 'Hello', choices: [{ finish_reason: 'length' }] }],
	['its field', { text: 'Hello', finish_reason: 'length' }],
	['Anthropic’s word', { text: 'Hello', stop_reason: 'max_tokens' }],
	['Ollama', { text: 'Hello', done_reason: 'length' }],
])('a transcript that the token limit cut off is reported: %s', (_name, body) => {
	const transcript = parseTranscript(JSON.stringify(body), 'json')!;
	expect(transcript.text).toBe('Hello');
	expect(getTranscriptHints(transcript)).toEqual([LENGTH_HINT]);
});
