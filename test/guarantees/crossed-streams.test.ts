/**
 * Every recorded stream with each of its lines spoiled in turn, as gateways do it: the result is that of the recording, or an
 * error with the text that was shown. It is never a success with less text.
 */
import { CompletionReader } from '../../lib/chat/read/completion-reader';
import { StreamParser } from '../../lib/http/stream-parser';
import { everyExchange } from '../recordings/support/catalog';
import { bodyOf, pathOf } from '../recordings/support/exchange';
import { isNightly } from '../support/jest/properties';

/** A recorded stream, in its lines. */
interface Recording {
	name: string;
	lines: readonly string[];
	isNative: boolean;
}

/** What a reader of the stream gets. */
interface Outcome {
	text: string;
	reasoning: string;
	calls: readonly string[];
	failure: string | undefined;
	/** All text that was shown, in its order. */
	shown: string;
}

/** How a line is spoiled, and what must come out. */
interface Spoiling {
	title: string;
	/** Undefined if it makes no difference to this line. */
	spoil(line: string, whole: readonly string[]): readonly string[] | undefined;
	/**
	 * `same`: the result of the recording. `sameOrError`: or an error. `more`: or more text, which may be the model's. `sameAtEnd`:
	 * an error before the finish reason, the result after it.
	 */
	outcome: 'same' | 'sameOrError' | 'more' | 'sameAtEnd';
}

const MAX_LENGTH = 2 * 1024 * 1024;
const CHAT_PATHS = ['/v1/chat/completions', '/api/chat'];

function read(body: string, isNative: boolean): Outcome {
	const parser = new StreamParser(isNative ? 'lines' : 'events', MAX_LENGTH);
	const reader = new CompletionReader();
	const parts = [...parser.push(new TextEncoder().encode(body)), ...parser.end()];
	const shown = parts.map(({ text, type }) => reader.push(text, type).text);
	const { rest, completion } = reader.end();
	return {
		text: completion.text,
		reasoning: completion.reasoning,
		calls: completion.toolCalls.map(({ name, arguments: args }) => `${name} ${args}`),
		failure: completion.failure && JSON.stringify(completion.failure),
		shown: [...shown, rest.text].join(''),
	};
}

const RECORDINGS: readonly Recording[] = [
	...everyExchange().map(({ file, name, request, answer }) => ({
		name: `${file} ${name}`,
		path: pathOf(request),
		body: answer.toString('latin1').startsWith('HTTP/1.1 200') ? bodyOf(answer) : '',
	})),
]
	.filter(({ path, body }) => CHAT_PATHS.includes(path) && /\n\s*\S/.test(body))
	.map(({ name, path, body }) => {
		const lines = withoutChunkSizes(body).split(/\r?\n/);
		return { name, lines: lines.filter((line) => line !== ''), isNative: path === '/api/chat' };
	})
	.filter(
		({ lines, isNative }) => lines.length > 2 && read(join(lines), isNative).failure === undefined,
	);

/** Lines of a raw body that are the size of a chunk. */
function withoutChunkSizes(body: string): string {
	return body.replace(/^[\da-f]+\r\n|\r\n(?=[\da-f]+\r\n)/gm, '');
}

function join(lines: readonly string[]): string {
	return lines.map((line) => `${line}\n\n`).join('');
}

const after = (extra: string) => (line: string) => [line, extra];

const SPOILINGS: readonly Spoiling[] = [
	{
		title: 'without its `data: `',
		spoil: (line) => (line.startsWith('data:') ? [line.replace(/^data: */, '')] : undefined),
		outcome: 'same',
	},
	{ title: 'twice', spoil: (line) => [line, line], outcome: 'more' },
	{
		title: 'cut in the middle',
		spoil: (line) => (line.includes('{') ? [line.slice(0, line.length / 2)] : undefined),
		outcome: 'sameOrError',
	},
	{
		title: 'cut before its end, without its `data: `',
		spoil: (line) => (line.includes('{') ? [line.replace(/^data: */, '').slice(0, -2)] : undefined),
		outcome: 'sameOrError',
	},
	{ title: 'followed by garbage', spoil: after('%PDF-1.4 }{'), outcome: 'same' },
	{ title: 'followed by data that is garbage', spoil: after('data: %PDF-1.4 }{'), outcome: 'same' },
	{
		title: 'followed by a log line',
		spoil: after('{"level":"info","msg":"Done"}'),
		outcome: 'same',
	},
	{ title: 'followed by a ping', spoil: after('{"type":"ping"}'), outcome: 'same' },
	{ title: 'followed by a comment', spoil: after(': keep-alive'), outcome: 'same' },
	{ title: 'followed by a list', spoil: after('["llama_perf", 12]'), outcome: 'same' },
	{ title: 'followed by a number', spoil: after('200'), outcome: 'same' },
	{
		title: 'followed by data of something else',
		spoil: after('data: {"ok":true}'),
		outcome: 'same',
	},
	{
		title: 'followed by the answer again',
		spoil: (line, whole) => [line, ...whole],
		outcome: 'more',
	},
	{
		title: 'followed by an error',
		spoil: after('data: {"error":{"message":"It broke","code":500}}'),
		outcome: 'sameAtEnd',
	},
	{
		title: 'followed by two errors',
		spoil: (line) => [
			line,
			'data: {"error":{"message":"It broke","code":500}}',
			'data: {"error":{"message":"No more","code":400}}',
		],
		outcome: 'sameAtEnd',
	},
	{
		title: 'followed by an event that is not JSON',
		spoil: after('data: {"id":"a","choices":[],"usage":,{'),
		outcome: 'sameAtEnd',
	},
];

/** Whether a text has all characters of another one, in their order. */
function hasAll(text: string, expected: string): boolean {
	let at = 0;
	for (const character of expected) {
		at = text.indexOf(character, at) + character.length;
		if (at < character.length) return false;
	}
	return true;
}

/** Lines of a recording that are spoiled: the first and the last ones, each night all. */
function pickLines(lines: readonly string[]): number[] {
	const all = lines.map((_line, at) => at);
	return isNightly ? all : all.filter((at) => at < 6 || at >= lines.length - 6);
}

function isAllowed(outcome: Outcome, whole: Outcome, rule: Spoiling['outcome']): boolean {
	const { failure, shown: _shown, ...result } = outcome;
	if (failure !== undefined) return rule !== 'same' && hasAll(outcome.shown, outcome.text);
	const { shown: _all, failure: _none, ...expected } = whole;
	if (JSON.stringify(result) === JSON.stringify(expected)) return true;
	// A tag that is spoiled is text.
	const [all, less] = [outcome, whole].map(({ reasoning, text }) => reasoning + text);
	return rule === 'more' && hasAll(all!, less!);
}

test('there are recordings to spoil', () => {
	expect(RECORDINGS.length).toBeGreaterThan(20);
});

describe.each(SPOILINGS)('a recorded stream with a line $title', ({ spoil, outcome: rule }) => {
	test('has the result of the recording, or an error with the shown text', () => {
		const wrong = RECORDINGS.flatMap(({ name, lines, isNative }) => {
			const whole = read(join(lines), isNative);
			return pickLines(lines).flatMap((at) => {
				const spoiled = spoil(lines[at]!, lines);
				if (spoiled === undefined) return [];
				const body = join([...lines.slice(0, at), ...spoiled, ...lines.slice(at + 1)]);
				const outcome = read(body, isNative);
				return isAllowed(outcome, whole, rule) ? [] : [{ name, line: lines[at]!, outcome, whole }];
			});
		});
		expect(wrong.slice(0, 3)).toEqual([]);
	});
});

describe('1 MB in one line', () => {
	const MB = 1024 * 1024;
	const words = Array.from({ length: MB / 10 }, (_none, at) => `word ${at},`).join(' ');
	const toEvent = (content: string, finish: string | null = null) =>
		JSON.stringify({ choices: [{ index: 0, delta: { content }, finish_reason: finish }] });
	const end = `data: ${toEvent('', 'stop')}`;
	const message = { role: 'assistant', content: words };
	const whole = JSON.stringify({ choices: [{ index: 0, message, finish_reason: 'stop' }] });

	test.each([
		{ what: 'an event', lines: [`data: ${toEvent(words)}`, end], expected: words },
		{ what: 'an event without its `data: `', lines: [toEvent(words), end], expected: words },
		{ what: 'one document', lines: [whole], expected: words },
		{
			what: 'a log beside a text',
			lines: [`data: ${toEvent('Hi')}`, JSON.stringify({ level: 'info', msg: words }), end],
			expected: 'Hi',
		},
		{
			what: 'garbage beside a text',
			lines: [`data: ${toEvent('Hi')}`, `}{${words}`, end],
			expected: 'Hi',
		},
		{
			what: 'data that is garbage, after the end',
			lines: [`data: ${toEvent('Hi')}`, end, `data: {${words}`],
			expected: 'Hi',
		},
	])('$what', ({ lines, expected }) => {
		const { text, failure } = read(join(lines), false);
		expect({ length: text.length, isEqual: text === expected, failure }).toEqual({
			length: expected.length,
			isEqual: true,
			failure: undefined,
		});
	});

	test('before the end, an event that is broken is an error with the text that was shown', () => {
		const outcome = read(join([`data: ${toEvent('Hi')}`, `data: {${words}`, end]), false);
		expect(outcome).toMatchObject({
			shown: 'Hi',
			failure: expect.stringContaining('streamBroken') as string,
		});
	});
});
