import { CompletionReader } from '../../../../lib/chat/read/completion-reader';

const read = (received: string) => {
	const reader = new CompletionReader();
	const parse = jest.spyOn(JSON, 'parse');
	try {
		reader.pushBeginning(received);
		return { text: reader.output.text, parsed: parse.mock.calls.length };
	} finally {
		parse.mockRestore();
	}
};

const BEGINNING = '{\n  "choices": [\n    {\n      "message": {\n        "content": "Hello there';
const MAX_PARSED = 300;

test.each<[string, string, string]>([
	['a document over many lines', BEGINNING, 'Hello there'],
	['in one line', BEGINNING.replace(/\n\s*/g, ''), 'Hello there'],
	[
		'with lines before the text',
		`{\n${'  "a": 1,\n'.repeat(5_000)}${BEGINNING.slice(2)}`,
		'Hello there',
	],
	[
		'events',
		'{"choices":[{"delta":{"content":"Hello"}}]}\n\ndata: {"choices":[{"delta":{"content":" there',
		'Hello there',
	],
	[
		'lines',
		'{"choices":[{"delta":{"content":"Hello"}}]}\n{"choices":[{"delta":{"content":" there"}}]}\n{"cho',
		'Hello there',
	],
	['a document of numbers', `{\n${'  "a": 1,\n'.repeat(20_000)}`, ''],
	['a list of broken objects', `[\n${'  {"a": x\n'.repeat(20_000)}`, ''],
	['words', 'no JSON at all,\n'.repeat(20_000), ''],
	['only brackets', '{\n'.repeat(20_000), ''],
])('what arrived of %s is kept, and parsed in few steps', (_name, received, text) => {
	const result = read(received);
	expect(result.text).toBe(text);
	expect(result.parsed).toBeLessThan(MAX_PARSED);
});
