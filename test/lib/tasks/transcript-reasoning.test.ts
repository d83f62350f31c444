import { runAtOnce } from '../../../lib/http/steps';
import { parseTranscript } from '../../../lib/tasks/transcript';

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
