import { ToolCallAccumulator } from '../../../../lib/chat/read/tool-call-accumulator';

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
			name: 'with another index than the one that began their call belong to it',
			deltas: [
				call('a', '', { index: 1, id: 'x' }),
				call(undefined, '{"b":', { index: 0 }),
				call(undefined, '1}', { index: 0 }),
			],
			calls: ['a {"b":1}'],
		},
		{
			name: 'with a new index after a complete call do not belong to it',
			deltas: [call('a', '{}', { index: 0, id: 'x' }), call(undefined, '{}', { index: 1 })],
			calls: ['a {}', ' {}'],
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
			name: 'with a name in pieces have all of it',
			deltas: [
				call('get', undefined, { index: 0, id: 'x' }),
				call('_weather', undefined, { index: 0 }),
				call(undefined, '{}', { index: 0 }),
			],
			calls: ['get_weather {}'],
		},
		{
			name: 'with a name in pieces and the same ID have all of it',
			deltas: [
				call('wipe', '', { index: 0, id: 'x' }),
				call('_', '', { index: 0, id: 'x' }),
				call('cache', '{}', { index: 0, id: 'x' }),
			],
			calls: ['wipe_cache {}'],
		},
		{
			name: 'with a name that grows have the last one',
			deltas: [
				call('get', '', { index: 0, id: 'x' }),
				call('get_weather', '', { index: 0 }),
				call('get_weather', '{}', { index: 0 }),
			],
			calls: ['get_weather {}'],
		},
		{
			name: 'with another name after their arguments began keep theirs',
			deltas: [call('a', '{', { index: 0, id: 'x' }), call('"}', '}', { index: 0 })],
			calls: ['a {}'],
		},
		{
			name: 'with one index for all are calls without arguments, by their IDs and names',
			deltas: [
				call('ping', '', { index: 0, id: '0' }),
				call('pong', '', { index: 0, id: '1' }),
				call('a', '{}', { index: 0, id: '2' }),
			],
			calls: ['ping ', 'pong ', 'a {}'],
		},
		{
			name: 'with an ID of their own for each delta continue their call',
			deltas: [
				call('a', '', { index: 0, id: '0' }),
				call('a', '{', { index: 0, id: '1' }),
				call(undefined, '}', { index: 0, id: '2' }),
			],
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

describe('arguments that a server sends again when they are complete', () => {
	interface Case {
		name: string;
		/** Arguments, one delta each. */
		deltas: string[];
		/** Those of the ended call. */
		args: string;
	}

	test.each<Case>([
		{ name: 'the last delta has all', deltas: ['{"a"', ':1}', '{"a":1}'], args: '{"a":1}' },
		{ name: 'the second delta has all', deltas: ['{"a"', '{"a":1}'], args: '{"a":1}' },
		{ name: 'blanks follow', deltas: ['{"a"', '{"a":1}', ' '], args: '{"a":1}' },
		{
			name: 'blanks follow, after no more than the same again',
			deltas: ['{"a":1}', '{"a":1}', ' '],
			args: '{"a":1}',
		},
		{
			name: 'something else follows',
			deltas: ['{"a"', '{"a":1}', '}'],
			args: '{"a"{"a":1}}',
		},
		{
			name: 'what follows begins in another way',
			deltas: ['{"a"', '{"b":1}'],
			args: '{"a"{"b":1}',
		},
		{ name: 'what follows is no object', deltas: ['[', '[1]'], args: '[[1]' },
		{ name: 'only blanks came before', deltas: [' ', ' {"a":1}'], args: '  {"a":1}' },
		{
			name: 'with the keys in another order',
			deltas: ['{"a":1,"b":2}{"b":2,', '"a":1}'],
			args: '{"a":1,"b":2}',
		},
		{ name: 'another object', deltas: ['{"a":1}{"a":', '2}'], args: '{"a":1}{"a":2}' },
		{ name: 'a list', deltas: ['[1][', '1]'], args: '[1][1]' },
		{
			name: 'ten times the same object',
			deltas: ['{"a":1}'.repeat(10)],
			args: '{"a":1}',
		},
		{
			name: 'eleven times the same object',
			deltas: ['{"a":1}'.repeat(11)],
			args: '{"a":1}'.repeat(11),
		},
		{ name: 'an object after half of it', deltas: ['{"a":1}{"a"'], args: '{"a":1}{"a"' },
	])('$name', ({ deltas, args }) => {
		const accumulator = new ToolCallAccumulator();
		for (const [at, delta] of deltas.entries())
			accumulator.add(call(at === 0 ? 'store' : undefined, delta, { index: 0 }));
		expect(accumulator.end().map((one) => one.arguments)).toEqual([args]);
	});

	test('what its reader understands stays as it came', () => {
		const accumulator = new ToolCallAccumulator();
		accumulator.add(call('store', '{"a":1}{"a":1}'));
		expect(accumulator.end((args) => args)).toMatchObject([{ arguments: '{"a":1}{"a":1}' }]);
	});
});

test.each([
	{
		what: 'an index as text is that number',
		deltas: [call('a', '{', { index: 0 }), call(undefined, '}', { index: '0' })],
		calls: ['a {}'],
	},
	{
		what: 'a long text is no index',
		deltas: [call('a', '{', { index: '0'.repeat(21) }), call('b', '{}', { index: '0'.repeat(21) })],
		calls: ['a {', 'b {}'],
	},
	{
		what: 'a text of twenty characters is an index',
		deltas: [
			call('a', '{', { index: '0'.repeat(20) }),
			call('b', '[]', { index: 1 }),
			call(undefined, '}', { index: '0'.repeat(20) }),
		],
		calls: ['a {}', 'b []'],
	},
	{
		what: 'an object is no index',
		deltas: [call('a', '{}', { index: {} }), call('b', '{}', { index: {} })],
		calls: ['a {}', 'b {}'],
	},
	{
		what: 'a complete call is repeated with its ID',
		deltas: [
			call('a', '{"b":1}', { index: 0, id: 'x' }),
			call('a', '{"b":1}', { index: 0, id: 'x' }),
		],
		calls: ['a {"b":1}{"b":1}'],
	},
	{
		what: 'other arguments after a complete call with its ID are another call',
		deltas: [
			call('a', '{"b":1}', { index: 0, id: 'x' }),
			call('a', '{"b":2}', { index: 0, id: 'x' }),
		],
		calls: ['a {"b":1}', 'a {"b":2}'],
	},
	{
		what: 'a name after a complete call without an ID, with arguments, is another call',
		deltas: [call('a', '{}', { index: 0 }), call('b', '{"c":1}', { index: 0 })],
		calls: ['a {}', 'b {"c":1}'],
	},
	{
		what: 'the same call again without an ID is another call',
		deltas: [call('a', '{"b":1}', { index: 0 }), call('a', '{"b":1}', { index: 0 })],
		calls: ['a {"b":1}', 'a {"b":1}'],
	},
	{
		what: 'a name and blanks after a complete call continue it',
		deltas: [call('a', '{}', { index: 0, id: 'x' }), call('a', ' ', { index: 0 })],
		calls: ['a {} '],
	},
	{
		what: 'a name that comes later',
		deltas: [call(undefined, '{', { index: 0 }), call('a', '}', { index: 0 })],
		calls: ['a {}'],
	},
	{
		what: "gpt-oss's tokens behind a name",
		deltas: [call(' ls <|channel|>commentary', '{}')],
		calls: ['ls {}'],
	},
	{
		what: 'arguments after an empty object',
		deltas: [call('a', '{}', { index: 0 }), call(undefined, '{"b":1}', { index: 0 })],
		calls: ['a {"b":1}'],
	},
	{
		what: 'blanks after an empty object',
		deltas: [call('a', '{}', { index: 0 }), call(undefined, ' ', { index: 0 })],
		calls: ['a {} '],
	},
	{
		what: 'arguments as an object, under other names, and none',
		deltas: [
			{ function: { name: 'a', parameters: { b: 1 } } },
			{ name: 'c', input: { d: 2 } },
			call('e', null),
			{ name: 'f', input: null },
		],
		calls: ['a {"b":1}', 'c {"d":2}', 'e ', 'f '],
	},
])('$what', ({ deltas, calls }) => {
	expect(collect(...deltas)).toEqual(calls);
});

test('an ID that comes later finds its call, and the first one stays', () => {
	const accumulator = new ToolCallAccumulator();
	accumulator.add(call('a', '{', { index: 0 }));
	accumulator.add(call(undefined, '"b"', { index: 0, id: 'x' }));
	accumulator.add(call(undefined, ':1', { id: 'x' }));
	accumulator.add(call(undefined, '}', { index: 0, id: 'y' }));
	expect(accumulator.calls).toEqual([{ id: 'x', name: 'a', arguments: '{"b":1}' }]);
});

test('digits without end in arguments are runaway', () => {
	const accumulator = new ToolCallAccumulator();
	accumulator.add(call('a', `{"n":${'1'.repeat(1_200)}`));
	expect(accumulator.runaway.state).toBe('runaway');
});

test('equal arguments of many calls are no repetition', () => {
	const accumulator = new ToolCallAccumulator();
	const args = JSON.stringify({ text: 'x1'.repeat(500) });
	for (let index = 0; index < 200; index++) accumulator.add(call('a', args, { index }));
	expect(accumulator.runaway.state).toBe('normal');
});
