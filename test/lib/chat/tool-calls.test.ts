/** Calls on their way between server and n8n: how they are collected, named and kept. IDs: tool-call-ids.test.ts. */
import {
	cacheToolCalls,
	createServerToolCallId,
	createToolNames,
	normalizeArguments,
	ToolCallAccumulator,
	toolCallCache,
	toValidName,
	withWireNames,
} from '../../../lib/chat/tool-calls';
import type { ChatMessage, ToolDefinition } from '../../../lib/chat/types';

const call = (name: string | undefined, args: unknown, more: object = {}) => ({
	function: { name, arguments: args },
	...more,
});

/** The calls of these deltas, as "name arguments". */
function collect(...deltas: unknown[]) {
	const accumulator = new ToolCallAccumulator();
	for (const delta of deltas) accumulator.add([delta]);
	return accumulator.calls.map(({ name, arguments: args }) => `${name} ${args}`);
}

describe('deltas of calls', () => {
	test.each<[string, unknown[], string[]]>([
		[
			'belong together by index',
			[
				call('a', '{', { index: 0, id: 'x' }),
				call('b', '[', { index: 1, id: 'y' }),
				call(undefined, '}', { index: 0 }),
				call(undefined, ']', { index: 1 }),
			],
			['a {}', 'b []'],
		],
		[
			'belong together by ID',
			[
				call('a', '{', { id: 'x' }),
				call('b', '[', { id: 'y' }),
				call(undefined, '}', { id: 'x' }),
				call('b', ']', { id: 'y' }),
			],
			['a {}', 'b []'],
		],
		[
			'with neither continue the last call, and with a name begin one',
			[call('a', '{'), call(undefined, '}'), call('a', '{}')],
			['a {}', 'a {}'],
		],
		[
			'with one index for all are complete calls',
			[call('a', '{}', { index: 0, id: 'x' }), call('b', '{}', { index: 0, id: 'y' })],
			['a {}', 'b {}'],
		],
		[
			'with one index and ID for all continue their call',
			[
				call('a', '{', { index: 0, id: 'x' }),
				call('a', '}', { index: 0, id: 'x' }),
				call('a', ' ', { index: 0, id: 'x' }),
			],
			['a {} '],
		],
		[
			'with a name before any arguments continue their call',
			[call('a', '', { index: 0 }), call('a', '{}', { index: 0, id: 'x' })],
			['a {}'],
		],
		[
			'may have an index as text',
			[call('a', '{', { index: '0' }), call('', '}', { index: 0 })],
			['a {}'],
		],
		['may have no function around them', [{ name: 'a', arguments: '{}' }], ['a {}']],
		['may have an object as arguments', [call('a', { x: 1 })], ['a {"x":1}']],
		['may have no arguments', [call('a', null), call('b', undefined)], ['a ', 'b ']],
		['may have tokens of a template in the name', [call(' ls <|channel|>x', '{}')], ['ls {}']],
		['that are not objects are ignored', ['a', 7, null, call('a', '{}')], ['a {}']],
	])('%s', (_name, deltas, calls) => {
		expect(collect(...deltas)).toEqual(calls);
	});

	test('the first name and ID count', () => {
		const accumulator = new ToolCallAccumulator();
		accumulator.add([call('a', '{', { index: 0, id: 'x' })]);
		accumulator.add([call('', '}', { index: 0, id: 'z' })]);
		expect(accumulator.calls).toEqual([{ id: 'x', name: 'a', arguments: '{}' }]);
		accumulator.add('no list');
		expect(accumulator.calls).toHaveLength(1);
	});

	test('1,000 calls are read, and one more is too many', () => {
		const accumulator = new ToolCallAccumulator();
		accumulator.add(Array.from({ length: 1000 }, () => call('a', '{}')));
		expect(accumulator.hasTooMany).toBe(false);
		accumulator.add(Array.from({ length: 9 }, () => call('a', '{}')));
		expect(accumulator.hasTooMany).toBe(true);
		expect(accumulator.calls).toHaveLength(1001);
	});

	test('their text is counted, and ends if it repeats itself', () => {
		const counted: number[] = [];
		const accumulator = new ToolCallAccumulator({
			add: (length: number) => counted.push(length),
		} as never);
		accumulator.add([
			call('ab', '{', { index: 0, id: 'xyz' }),
			call(undefined, '}}', { index: 0 }),
		]);
		expect(counted).toEqual([6, 2]);
		expect(accumulator.runawayState).toBe('normal');
		for (let at = 0; at < 9; at++)
			accumulator.add([call(undefined, ' '.repeat(1000), { index: 0 })]);
		expect(accumulator.runawayState).not.toBe('normal');
	});
});

test.each([
	['', '{}'],
	[' null ', '{}'],
	['""', '{}'],
	['[]', '{}'],
	[' {"a":1} ', '{"a":1}'],
	['{"a":1.50}', '{"a":1.50}'],
	['{"a":9007199254740993}', '{"a":"9007199254740993"}'],
	[JSON.stringify('{"a":1}'), '{"a":1}'],
	['[1]', undefined],
	['"text"', undefined],
	['{"a":', undefined],
	['7', undefined],
])('the arguments %j are %j', (source, expected) => {
	expect(normalizeArguments(source)).toBe(expected);
});

test('an ID for the server has nine letters and digits', () => {
	const ids = Array.from({ length: 200 }, createServerToolCallId);
	for (const id of ids) expect(id).toMatch(/^[0-9a-z]{9}$/);
	expect(new Set(ids).size).toBe(200);
});

describe('names of tools', () => {
	const named = (...names: string[]) =>
		createToolNames(names.map((name) => ({ name }) as ToolDefinition));

	test.each([
		['get-weather_2', 'get-weather_2'],
		['get weather.now', 'get_weather_now'],
		['天气', '__'],
		['', '_'],
		['x'.repeat(65), 'x'.repeat(64)],
	])('%j is valid as %j', (name, valid) => {
		expect(toValidName(name)).toBe(valid);
	});

	test('stay if they are valid, and others never take them', () => {
		const names = named('a b', 'a.b', 'a_b', 'a_b_3');
		expect(['a b', 'a.b', 'a_b', 'a_b_3'].map(names.toWire)).toEqual([
			'a_b_2',
			'a_b_4',
			'a_b',
			'a_b_3',
		]);
		expect(['a_b_2', 'a_b_4', 'a_b', 'unknown'].map(names.toOriginal)).toEqual([
			'a b',
			'a.b',
			'a_b',
			'unknown',
		]);
		expect(names.toWire('not offered')).toBe('not_offered');
	});

	test('stay within the length that servers accept', () => {
		const long = 'x'.repeat(64);
		const names = named(long, `${long}y`, `${long}z`);
		expect([`${long}y`, `${long}z`].map(names.toWire)).toEqual([
			`${'x'.repeat(60)}_2`,
			`${'x'.repeat(60)}_3`,
		]);
	});

	test('are those of the server in calls and their results, and nowhere else', () => {
		const toolCalls = [{ id: '1', name: 'a b', arguments: '{}' }];
		const messages: ChatMessage[] = [
			{ role: 'user', content: 'a b' },
			{ role: 'assistant', content: 'a b' },
			{ role: 'assistant', content: '', toolCalls },
			{ role: 'tool', toolCallId: '1', name: 'a b', content: 'a b' },
		];
		expect(withWireNames(messages, named('a b'))).toEqual([
			messages[0],
			messages[1],
			{ ...messages[2], toolCalls: [{ ...toolCalls[0], name: 'a_b' }] },
			{ ...messages[3], name: 'a_b' },
		]);
	});
});

test('calls are kept with the text and thinking before them, unless all of it is long', () => {
	const toolCalls = [{ id: 'one', name: 'a', arguments: '{ }' }];
	const keep = (id: string, length: number) => {
		const half = 'x'.repeat(length / 2 - 8);
		const kept = { text: half, reasoning: half };
		cacheToolCalls({ ...kept, toolCalls: [{ id, name: 'b', arguments: 'y'.repeat(16) }] });
		return toolCallCache.get(id);
	};
	cacheToolCalls({ text: 'Look', reasoning: 'Hm', toolCalls });
	expect(toolCallCache.get('one')).toEqual({
		text: 'Look',
		reasoning: 'Hm',
		name: 'a',
		arguments: '{ }',
	});
	expect(keep('longest', 64 * 1024)).toBeDefined();
	expect(keep('too long', 64 * 1024 + 2)).toBeUndefined();
});
