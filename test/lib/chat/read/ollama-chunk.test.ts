/** Ollama sends each call whole, and in some releases all with the index 0: calls of several lines stay apart. An empty error is none. */
import { CompletionReader } from '../../../../lib/chat/read/completion-reader';
import type { HttpResponse } from '../../../../lib/http/types';

const line = (second: number, names: string[], isDone = false) => ({
	model: 'm',
	created_at: `2026-01-01T00:00:0${second}Z`,
	message: {
		role: 'assistant',
		content: '',
		tool_calls: names.map((name) => ({ function: { index: 0, name, arguments: { city: name } } })),
	},
	done: isDone,
});

async function readLines(lines: object[]) {
	const response = {
		parts: async function* () {
			yield lines.map((one) => ({ type: 'event', text: JSON.stringify(one) }));
		},
		errorContext: {},
		markContent: () => {},
		expectEnd: () => {},
	} as unknown as HttpResponse;
	return await new CompletionReader().receive(response);
}

async function readCalls(lines: object[]) {
	const { toolCalls } = await readLines(lines);
	return toolCalls.map(({ name, arguments: args }) => [name, args]);
}

const toCalls = (names: string[]) => names.map((name) => [name, JSON.stringify({ city: name })]);

test.each([
	{ what: 'one line', lines: [line(1, ['a', 'b', 'c'])] },
	{ what: 'a line each', lines: [line(1, ['a']), line(2, ['b']), line(3, ['c'])] },
	{ what: 'two lines', lines: [line(1, ['a', 'b']), line(2, ['c'])] },
	{ what: 'the last line, too', lines: [line(1, ['a', 'b']), line(2, ['c'], true)] },
])('three calls in $what', async ({ lines }) => {
	const end = { ...line(9, [], true), done_reason: 'stop' };
	expect(await readCalls([...lines, end])).toEqual(toCalls(['a', 'b', 'c']));
});

test.each(['', null, {}, false])('an error that says nothing is none: %j', async (error) => {
	const message = { role: 'assistant', content: 'Hello.' };
	const { text, failure } = await readLines([{ model: 'm', message, error, done: true }]);
	expect({ text, failure }).toEqual({ text: 'Hello.', failure: undefined });
});
