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
