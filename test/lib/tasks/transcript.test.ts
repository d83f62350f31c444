import { runAtOnce } from '../../../lib/http/steps';
import { parseTranscript, joinSplitSegments, joinSplitText } from '../../../lib/tasks/transcript';

const readText = (body: string) => runAtOnce(parseTranscript(body, 'text'))?.text;

test.each([
	['tag', 'They greet.</think>hello', 'hello'],
	['Chinese', '两个人在说话。</think>你好', '你好'],
	['of Gemma', 'They greet.<channel|>hello', 'hello'],
	['a mark at the end', 'hello<channel|>', 'hello'],
	['a sentence about the mark', 'The mark <channel|> ends it.', 'The mark <channel|> ends it.'],
])('thinking of which only the end arrives: %s', (_name, response, text) => {
	expect(readText(response)).toBe(text);
	expect(runAtOnce(parseTranscript(JSON.stringify({ text: response }), 'json'))?.text).toBe(text);
});

test.each([
	{ text: ' Hello wor\nld.\n Next line.', joined: ' Hello world.\n Next line.' },
	// A line that begins with a capital letter is a line of its own.
	{ text: ' Hello\nWorld.\n Next line.', joined: ' Hello\nWorld.\n Next line.' },
	{ text: 'Hello wor\nld.', joined: 'Hello wor\nld.' },
	{ text: ' Hello wor\nld.', joined: ' Hello wor\nld.' },
])('the words of $text', ({ text, joined }) => {
	expect(joinSplitText(text)).toBe(joined);
});

test.each([
	{ texts: [' Hello wor', 'ld, this', ' is it.'], joined: [' Hello world,', ' this', ' is it.'] },
	{ texts: ['Hello wor', 'ld, this'], joined: ['Hello wor', 'ld, this'] },
	{ texts: [' Hello.', 'this', ' is it.'], joined: [' Hello.', 'this', ' is it.'] },
	{ texts: [' a', ' b', null, 'c'], joined: [' a', ' b', null, 'c'] },
	{ texts: ['of', ' a', ' b'], joined: ['of', ' a', ' b'] },
])('the rest of a word moves to the segment with its beginning: $texts', ({ texts, joined }) => {
	const segments = texts.map((text, id) => ({ id, text }));
	const before = structuredClone(segments);
	expect(joinSplitSegments(segments)).toEqual(joined.map((text, id) => ({ id, text })));
	expect(segments).toEqual(before);
});
