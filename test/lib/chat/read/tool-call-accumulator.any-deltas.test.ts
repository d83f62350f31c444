/** However a server streams calls, each has its own name and arguments. */
import fc from 'fast-check';

import { CompletionReader } from '../../../../lib/chat/read/completion-reader';
import { ToolCallAccumulator } from '../../../../lib/chat/read/tool-call-accumulator';
import { examples } from '../../../support/jest/properties';

interface Delta {
	index?: number;
	id?: string;
	function: { name?: string; arguments?: string };
}

const call = fc.record({
	name: fc.constantFrom('f', 'g'),
	arguments: fc.oneof(
		fc.constant('{}'),
		fc
			.record({ text: fc.string({ maxLength: 5 }), n: fc.nat(99) })
			.map((args) => JSON.stringify(args)),
	),
	/** Where the arguments are split. */
	cuts: fc.array(fc.nat(20), { maxLength: 3 }),
	/** Whether the first delta has a part of the arguments. */
	beginsWithArguments: fc.boolean(),
	/** Whether each delta has the ID and the name. */
	repeats: fc.boolean(),
});
const calls = fc.array(call, { minLength: 1, maxLength: 4 });
/** `same`: servers exist that name every call `call_0`. */
const ids = fc.constantFrom<'own' | 'same' | 'none'>('own', 'same', 'none');

function toDeltas(
	{
		name,
		arguments: args,
		cuts,
		beginsWithArguments,
		repeats,
	}: typeof calls extends fc.Arbitrary<Array<infer T>> ? T : never,
	id: string | undefined,
	index: number | undefined,
): Delta[] {
	const ends = [...new Set([...cuts.map((cut) => cut % args.length), args.length])].sort(
		(a, b) => a - b,
	);
	const pieces = ends
		.map((end, at) => args.slice(at === 0 ? 0 : ends[at - 1], end))
		.filter(Boolean);
	const all = beginsWithArguments ? pieces : ['', ...pieces];
	return all.map((piece, at) => ({
		...(index !== undefined && { index }),
		...(id !== undefined && (at === 0 || repeats) && { id }),
		function: { ...(at === 0 && { name }), arguments: piece },
	}));
}

/** The deltas of all calls, in an order in which those of each call keep theirs. */
function interleave(lists: readonly Delta[][], choices: readonly number[]): Delta[] {
	const left = lists.map((list) => [...list]);
	const result: Delta[] = [];
	for (let at = 0; left.some((list) => list.length > 0); at++) {
		const open = left.filter((list) => list.length > 0);
		result.push(open[(choices[at] ?? 0) % open.length]!.shift()!);
	}
	return result;
}

function read(deltas: readonly Delta[]): Array<{ name: string; arguments: string }> {
	const reader = new ToolCallAccumulator();
	for (const delta of deltas) reader.add([delta]);
	return reader.calls.map(({ name, arguments: args }) => ({ name, arguments: args }));
}

const idOf = (form: 'own' | 'same' | 'none', at: number) =>
	form === 'none' ? undefined : form === 'same' ? 'call_0' : `call_${at}`;
const sortedByIndex = (deltas: readonly Delta[]) => [...new Set(deltas.map(({ index }) => index!))];

test('with an index, in any order, also if all have one ID', () => {
	fc.assert(
		fc.property(calls, ids, fc.array(fc.nat(9), { maxLength: 30 }), (list, form, choices) => {
			const lists = list.map((each, at) => toDeltas(each, idOf(form, at), at));
			const deltas = interleave(lists, choices);
			expect(read(deltas)).toEqual(
				sortedByIndex(deltas).map((at) => ({
					name: list[at]!.name,
					arguments: list[at]!.arguments,
				})),
			);
		}),
		examples(500),
	);
});

test('without an index, one after another, with their own IDs', () => {
	fc.assert(
		fc.property(calls, (list) => {
			const deltas = list.flatMap((each, at) => toDeltas(each, idOf('own', at), undefined));
			expect(read(deltas)).toEqual(
				list.map(({ name, arguments: args }) => ({ name, arguments: args })),
			);
		}),
	);
});

test('more than 1,000 calls end the response, with an error that says so', () => {
	const reader = new CompletionReader({ callableNames: ['a'] });
	const calls = Array.from({ length: 1_001 }, (_none, index) => ({
		index,
		id: `c${index}`,
		function: { name: 'a', arguments: '{}' },
	}));
	reader.push(JSON.stringify({ choices: [{ delta: { tool_calls: calls } }] }));
	expect(reader.end().completion.failure).toMatchObject({
		errorType: 'invalidToolCall',
		about: { tooManyCalls: 1000 },
	});
});
