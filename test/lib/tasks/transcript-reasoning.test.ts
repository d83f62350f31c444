import { parseTranscript } from '../../../lib/tasks/transcript';

const readText = (body: string) => parseTranscript(body, 'text')?.text;

test.each([
	['channel', 'Some noise, then a voice.<channel|>Hello.', 'Hello.'],
	['channel with its name', 'thought\nTwo people<channel|>Hello.', 'Hello.'],
	['channel on a line', 'They greet\n<channel|>\nHello.', 'Hello.'],
	['empty channel', '<channel|>Hello.', 'Hello.'],
	['tag', 'They greet.</think>hello', 'hello'],
	['Chinese', '两个人在说话。</think>你好', '你好'],
])('thinking of which only the end arrives: %s', (_name, response, text) => {
	expect(readText(response)).toBe(text);
	expect(parseTranscript(JSON.stringify({ text: response }), 'json')?.text).toBe(text);
});
