/** Any calls of one response are checked as each of them is alone: nothing of a call is told of another one. */
import fc from 'fast-check';
import { checkToolCalls } from '../../../../lib/chat/check/check-tool-calls';
import type { ToolDefinition } from '../../../../lib/chat/tool-definition';

const TOOLS: readonly ToolDefinition[] = ['order', 'store', 'send'].map((name) => ({
	name,
	origin: 'foreign',
	schema: {
		type: 'object',
		properties: { id: { type: 'integer' }, note: { type: 'string' }, done: { type: 'boolean' } },
		...(name === 'send' && { required: ['note'] }),
	},
}));

const args = fc.oneof(
	fc
		.record(
			{
				id: fc.constantFrom<unknown>(7, '8', '9007199254740993', 'x'),
				note: fc.constantFrom<unknown>('a', 1),
				done: fc.constantFrom<unknown>(true, 'false'),
				more: fc.constant(1),
				other: fc.constant({ a: 1 }),
			},
			{ requiredKeys: [] },
		)
		.map((value) => JSON.stringify(value)),
	fc.constantFrom('{"id":9007199254740993}', '{"id":1,"id":2}', '{"id":', ''),
);
const call = fc.record({
	name: fc.constantFrom('order', 'store', 'send', 'unknown'),
	arguments: args,
});

test('any calls', () => {
	fc.assert(
		fc.property(fc.array(call, { maxLength: 4 }), (calls) => {
			const alone = calls.map((one) => checkToolCalls([one], TOOLS));
			const together = checkToolCalls(calls, TOOLS);
			expect(together.validCalls).toEqual(alone.flatMap(({ validCalls }) => validCalls));
			expect(together.issues).toEqual(alone.flatMap(({ issues }) => issues));
			expect(together.warnings).toEqual([...new Set(alone.flatMap(({ warnings }) => warnings))]);
		}),
		{ numRuns: 300 },
	);
});
