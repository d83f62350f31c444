/** Calls on their way between server and n8n: how they are collected, named and kept. */
import { ToolCallAccumulator } from '../../../lib/chat/read/tool-call-accumulator';
import { cacheToolCalls, toolCallCache } from '../../../lib/chat/tools/tool-call-cache';
import { createToolNames, toValidName, withWireNames } from '../../../lib/chat/tools/tool-names';
import {
	createServerToolCallId,
	createToolCallIds,
	toServerToolCallId,
	getResponseKey,
} from '../../../lib/chat/tools/tool-call-ids';
import { normalizeArguments } from '../../../lib/chat/tools/arguments';
import type { ToolDefinition } from '../../../lib/chat/tool-definition';
import type { ChatMessage } from '../../../lib/chat/chat-message';
import fc from 'fast-check';

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
	interface Case {
		name: string;
		/** As servers send them, one event each. */
		deltas: unknown[];
		/** Name and arguments of each call. */
		calls: string[];
	}

	test.each<Case>([
		{
			name: 'with an index belong together by it',
			deltas: [
				call('a', '{', { index: 0, id: 'x' }),
				call('b', '[', { index: 1, id: 'y' }),
				call(undefined, '}', { index: 0 }),
				call(undefined, ']', { index: 1 }),
			],
			calls: ['a {}', 'b []'],
		},
		{
			name: 'with an ID belong together by it',
			deltas: [
				call('a', '{', { id: 'x' }),
				call('b', '[', { id: 'y' }),
				call(undefined, '}', { id: 'x' }),
				call('b', ']', { id: 'y' }),
			],
			calls: ['a {}', 'b []'],
		},
		{
			name: 'with neither continue the last call, and with a name begin one',
			deltas: [call('a', '{'), call(undefined, '}'), call('a', '{}')],
			calls: ['a {}', 'a {}'],
		},
		{
			name: 'with one index for all are complete calls',
			deltas: [call('a', '{}', { index: 0, id: 'x' }), call('b', '{}', { index: 0, id: 'y' })],
			calls: ['a {}', 'b {}'],
		},
		{
			name: 'with one index and ID for all continue their call',
			deltas: [
				call('a', '{', { index: 0, id: 'x' }),
				call('a', '}', { index: 0, id: 'x' }),
				call('a', ' ', { index: 0, id: 'x' }),
			],
			calls: ['a {} '],
		},
		{
			name: 'with a name before any arguments continue their call',
			deltas: [call('a', '', { index: 0 }), call('a', '{}', { index: 0, id: 'x' })],
			calls: ['a {}'],
		},
		{
			name: 'may have an index as text',
			deltas: [call('a', '{', { index: '0' }), call('', '}', { index: 0 })],
			calls: ['a {}'],
		},
		{
			name: 'may have no function around them',
			deltas: [{ name: 'a', arguments: '{}' }],
			calls: ['a {}'],
		},
		{
			name: 'may have an object as arguments',
			deltas: [call('a', { x: 1 })],
			calls: ['a {"x":1}'],
		},
		{
			name: 'may have no arguments',
			deltas: [call('a', null), call('b', undefined)],
			calls: ['a ', 'b '],
		},
		{
			name: 'may have tokens of a template in the name',
			deltas: [call(' ls <|channel|>x', '{}')],
			calls: ['ls {}'],
		},
		{
			name: 'that are not objects are ignored',
			deltas: ['a', 7, null, call('a', '{}')],
			calls: ['a {}'],
		},
	])('deltas $name', ({ deltas, calls }) => {
		const input = JSON.stringify(deltas);
		expect({ input, calls: collect(...deltas) }).toEqual({ input, calls });
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
		expect(accumulator.runaway.state).toBe('normal');
		for (let at = 0; at < 9; at++)
			accumulator.add([call(undefined, ' '.repeat(1000), { index: 0 })]);
		expect(accumulator.runaway.state).not.toBe('normal');
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

describe('tool call IDs', () => {
	it('differ in each response even if the server repeats its IDs (vLLM issue 50295, SGLang)', () => {
		const ids = [0, 1, 2].flatMap(() => createToolCallIds(['call_0', 'call_1']));
		expect(new Set(ids).size).toBe(6);
		expect(new Set(ids.map((id) => toServerToolCallId(id, 'get_weather'))).size).toBe(6);
	});

	it('show which calls belong to one response', () => {
		const [a, b] = createToolCallIds(['0', '1']);
		const [c] = createToolCallIds(['0']);
		expect(getResponseKey(a!)).toBe(getResponseKey(b!));
		expect(getResponseKey(a!)).not.toBe(getResponseKey(c!));
		expect(getResponseKey('call_0')).toBeUndefined();
	});

	it('encode the ID that Kimi K2 expects in characters that every provider accepts (vLLM issue 20789)', () => {
		const [id] = createToolCallIds(['functions.get_weather:0']);
		expect(id).toMatch(/^n8n[0-9a-z]{9}0_functions-2Eget_weather-3A0$/);
		expect(toServerToolCallId(id!, 'get_weather')).toBe('functions.get_weather:0');
		expect(toServerToolCallId(id!, 'get_time')).toMatch(/^[a-z0-9]{9}$/);
	});

	it("contain the server's ID, unless it is long", () => {
		const [kept, long, none] = createToolCallIds(['a'.repeat(200), 'a'.repeat(201), '']);
		expect(kept).toMatch(/^n8n[0-9a-z]{9}0_a{200}$/);
		expect([long, none]).toEqual([
			expect.stringMatching(/^n8n[0-9a-z]{9}1$/),
			expect.stringMatching(/^n8n[0-9a-z]{9}2$/),
		]);
	});

	it('are within the length that OpenAI accepts, because n8n may send the conversation there', () => {
		const [llama, vllm] = createToolCallIds(['a'.repeat(32), `chatcmpl-tool-${'0'.repeat(32)}`]);
		expect(llama!.length).toBe(46);
		expect(vllm!.length).toBe(64);
	});

	it.each([
		'',
		'call_0',
		'n8n012345678',
		'n8n0123456780_-ZZ',
		'n8n0123456780_-FF',
		'n8n0123456780_call_0',
		`n8n0123456780_chatcmpl-2Dtool-2D${'0'.repeat(32)}`,
		...createToolCallIds([undefined, '', 'x'.repeat(201)]),
	])('reach the server as nine letters and digits, the same in each round: %j', (id) => {
		expect(toServerToolCallId(id, 'get_weather')).toMatch(/^[a-zA-Z0-9]{9}$/);
		expect(toServerToolCallId(id, 'get_weather')).toBe(toServerToolCallId(id, 'get_weather'));
	});

	it('of that form, and those of Kimi in a history of another node, reach it unchanged', () => {
		for (const id of ['a1B2c3D4e', 'functions.get_weather:1'])
			expect(toServerToolCallId(id, 'get_weather')).toBe(id);
	});

	it('are valid for a call without a name', () => {
		expect(toServerToolCallId('call_0', '')).toMatch(/^[a-z0-9]{9}$/);
	});

	it('can be decoded to any ID of a server', () => {
		fc.assert(
			fc.property(
				fc.array(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 })),
				(serverIds) => {
					const ids = createToolCallIds(serverIds);
					expect(ids.map((id, index) => toServerToolCallId(id, serverIds[index]!))).toEqual(
						serverIds,
					);
					for (const id of ids) expect(id).toMatch(/^[\w-]+$/);
					expect(new Set(ids).size).toBe(ids.length);
				},
			),
		);
	});
});
