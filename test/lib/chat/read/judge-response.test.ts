/** What a response means, by what arrived and what was sent: complete, or why it cannot be used. */
import { CompletionReader } from '../../../../lib/chat/read/completion-reader';
import type { ReaderOptions } from '../../../../lib/chat/read/completion-reader';
import { fitsSchema } from '../../../../lib/chat/check/validate-json';
import { describeIgnoredEnd } from '../../../../lib/chat/read/ignored-end';
import type { StreamPart } from '../../../../lib/http/types';

type Received = string | StreamPart;

const event = (delta: object, finish: string | null = null) =>
	JSON.stringify({ choices: [{ index: 0, delta, finish_reason: finish }] });
const text = (content: string) => event({ content });
const thinking = (content: string) => event({ reasoning_content: content });
const call = (args: string) =>
	event({ tool_calls: [{ index: 0, id: '1', function: { name: 'store', arguments: args } }] });
const end = (reason: string) => event({}, reason);
const line = (data: string): StreamPart => ({ type: 'line', text: data });
const ERROR = '{"error":{"message":"It broke","code":500}}';
const BROKEN = '{"id":"a","choices":[],"usage":,{';

const SCHEMA = {
	type: 'object',
	properties: { answer: { type: 'string' } },
	required: ['answer'],
};
const WITH_SCHEMA: ReaderOptions = {
	isJson: true,
	fitsSchema: (json) => fitsSchema(json, { type: 'jsonSchema', schema: SCHEMA }),
};
const JSON_TEXT = '{"answer":"42"}';

function judge(received: readonly Received[], options?: ReaderOptions) {
	const reader = new CompletionReader(options);
	const shown = received.map((part) =>
		typeof part === 'string' ? reader.push(part).text : reader.push(part.text, part.type).text,
	);
	const { rest, completion } = reader.end();
	const { failure, toolCalls, ignoredEnd, hasAnswerInThinking } = completion;
	return {
		text: completion.text,
		shown: shown.join('') + rest.text,
		calls: toolCalls.length,
		failure: failure && (failure.errorType ?? 'reported'),
		ignored: describeIgnoredEnd(ignoredEnd)?.replace(/ after the complete response.*/, ''),
		inThinking: hasAnswerInThinking === true,
	};
}

interface Row {
	title: string;
	received: readonly Received[];
	failure?: string;
	text?: string;
	calls?: number;
	ignored?: string;
	inThinking?: boolean;
}

const HELLO: Row['received'] = [text('Hello')];
const UNREADABLE = 'The server sent data';
const REPORTED = 'The server reported an error';

describe('the end of a response', () => {
	const ROWS: readonly Row[] = [
		{ title: 'is its finish reason', received: [...HELLO, end('stop')] },
		{
			title: 'stays its end before an event that is broken',
			received: [...HELLO, end('stop'), BROKEN, '[DONE]'],
			ignored: UNREADABLE,
		},
		{
			title: 'stays its end before a line that is broken',
			received: [...HELLO, end('stop'), line(BROKEN), '[DONE]'],
			ignored: UNREADABLE,
		},
		{
			title: 'stays its end before an error',
			received: [...HELLO, end('stop'), ERROR],
			ignored: REPORTED,
		},
		{
			title: 'stays its end before a line of a log',
			received: [...HELLO, end('stop'), line('{"level":"info"}')],
		},
		{
			title: 'is followed by text that counts',
			received: [...HELLO, end('stop'), BROKEN, text(' you')],
			text: 'Hello you',
			ignored: UNREADABLE,
		},
		{
			title: 'is followed by a call that counts',
			received: [...HELLO, end('stop'), call('{"a":1}')],
			calls: 1,
		},
		{
			title: 'is not a limit before a broken event',
			received: [...HELLO, end('length'), BROKEN],
			failure: 'streamBroken',
		},
		{
			title: 'is not a limit before an error',
			received: [...HELLO, end('length'), ERROR],
			failure: 'reported',
		},
		{
			title: 'is not a failure before an error',
			received: [...HELLO, end('content_filter'), ERROR],
			failure: 'reported',
		},
		{
			title: 'makes nothing of no text',
			received: [end('stop'), BROKEN],
			failure: 'emptyResponse',
			text: '',
		},
		{
			title: 'without text is explained by the error after it',
			received: [end('stop'), ERROR],
			failure: 'reported',
			text: '',
		},
		{
			title: 'after thinking alone is explained by the error after it',
			received: [thinking('Hm'), end('stop'), ERROR],
			failure: 'reported',
			text: '',
		},
		{
			title: 'does not complete a broken call',
			received: [call('{"a":'), end('tool_calls'), BROKEN],
			failure: 'invalidToolCall',
			text: '',
			calls: 1,
		},
	];

	test.each(ROWS)('$title', ({ title: _title, received, ...expected }) => {
		const { shown, ...outcome } = judge(received);
		const whole = { text: 'Hello', calls: 0, failure: undefined, ignored: undefined };
		expect(outcome).toEqual({ ...whole, inThinking: false, ...expected });
		expect(shown).toBe(outcome.text);
	});
});

describe('a line without its `data: `', () => {
	const ROWS: readonly Row[] = [
		{
			title: 'is an event',
			received: [...HELLO, line(text(' you')), end('stop')],
			text: 'Hello you',
		},
		{ title: 'may be the end', received: [...HELLO, line(end('stop'))] },
		{
			title: 'may be the marker of the end',
			received: [...HELLO, line('[DONE]')],
			failure: undefined,
		},
		{
			title: 'is no event if it is a log',
			received: [...HELLO, line('{"text":" you","level":"info"}'), end('stop')],
		},
		{
			title: 'that is cut is lost text',
			received: [...HELLO, line('{"choices":[{"del'), text('!'), end('stop')],
			failure: 'streamBroken',
		},
		{
			title: 'that begins with a bracket of a log is none',
			received: [...HELLO, line('[INFO] {"a'), line('{INFO} a'), end('stop')],
		},
		{
			title: 'has the error of a stream without an end',
			received: [...HELLO, line(ERROR)],
			failure: 'reported',
		},
	];

	test.each(ROWS)('$title', ({ received, text: expected = 'Hello', failure }) => {
		expect(judge(received)).toMatchObject({ text: expected, failure });
	});

	test('is an event of Ollama', () => {
		const received = line('{"message":{"role":"assistant","content":"Hi"},"done":false}');
		expect(judge([received, end('stop')]).text).toBe('Hi');
	});
});

test.each([
	[
		'an object with a delta, and null as its reason',
		{ delta: { content: 'Hi' } },
		'streamEndedEarly',
	],
	['an object with a message, and null as its reason', { message: { content: 'Hi' } }, undefined],
])('one document is its own end if it is whole: %s', (_title, output, failure) => {
	const document = JSON.stringify({ choices: [{ ...output, finish_reason: null }] });
	expect(judge([{ type: 'document', text: document }])).toMatchObject({ text: 'Hi', failure });
});

describe('JSON that fits the schema that was sent', () => {
	const ROWS: readonly Row[] = [
		{ title: 'is complete without an end', received: [text(JSON_TEXT)] },
		{ title: 'is complete before an error', received: [text(JSON_TEXT), ERROR], ignored: REPORTED },
		{
			title: 'is complete before a broken event',
			received: [text(JSON_TEXT), BROKEN],
			ignored: UNREADABLE,
		},
		{ title: 'is complete at a limit', received: [text(JSON_TEXT), end('length')] },
		{
			title: 'is complete at a limit before an error',
			received: [text(JSON_TEXT), end('length'), ERROR],
			ignored: REPORTED,
		},
		{ title: 'is complete after a failure', received: [text(JSON_TEXT), end('content_filter')] },
		{
			title: 'is the answer in the field for thinking',
			received: [thinking(JSON_TEXT), end('stop')],
			inThinking: true,
		},
		{
			title: 'is the answer in the tags of thinking',
			received: [text(`<think>${JSON_TEXT}`), end('stop')],
			inThinking: true,
		},
		{
			title: 'is thinking beside an answer',
			received: [thinking('{"answer":"no"}'), text(JSON_TEXT), end('stop')],
		},
		{
			title: 'is not a part of the thinking',
			received: [thinking(`I say ${JSON_TEXT}`), end('stop')],
			text: '',
			failure: 'onlyThinking',
		},
		{
			title: 'is not cut',
			received: [text('{"answer":"4'), ERROR],
			text: '{"answer":"4',
			failure: 'reported',
		},
		{
			title: 'has all required fields',
			received: [text('{"other":"42"}'), ERROR],
			text: '{"other":"42"}',
			failure: 'reported',
		},
		{
			title: 'does not complete a call',
			received: [text(JSON_TEXT), call('{"a":'), ERROR],
			calls: 1,
			failure: 'reported',
		},
	];

	test.each(ROWS)('$title', ({ title: _title, received, ...expected }) => {
		const { shown, ...outcome } = judge(received, WITH_SCHEMA);
		const whole = { text: JSON_TEXT, calls: 0, failure: undefined, ignored: undefined };
		expect(outcome).toEqual({ ...whole, inThinking: false, ...expected });
		expect(shown).toBe(outcome.text);
	});

	test('is no number, which may be the beginning of another', () => {
		expect(fitsSchema('4', { type: 'jsonSchema', schema: { type: 'number' } })).toBe(false);
	});

	test('in the field for thinking is no answer without a schema', () => {
		expect(judge([thinking(JSON_TEXT), end('stop')]).failure).toBe('onlyThinking');
	});
});
