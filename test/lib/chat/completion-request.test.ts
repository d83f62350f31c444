import fc from 'fast-check';
import { toGrammarSchema, assertDepth } from '../../../lib/chat/body/grammar-schema';
import { unwrapSchema } from '../../../nodes/shared/chat/json-schema';
import { toToolDefinition } from '../../../lib/langchain/host-data';
import { readCases } from '../../support/rows';

test.each(
	readCases<[string, Record<string, unknown>, object, string[]]>(
		'test/lib/chat/grammar-schemas.tsv',
	),
)('%s', (_name, source, schema, removedPaths) => {
	expect(toGrammarSchema(source)).toEqual({ schema, removedPaths });
});

test('a minimum above the maximum removes both, because llama-server would run out of memory', () => {
	const { schema, removedPaths } = toGrammarSchema({ type: 'array', minItems: 5, maxItems: 4 });
	expect([schema, removedPaths.length]).toEqual([{ type: 'array' }, 2]);
});

test('converting a converted schema changes nothing', () => {
	fc.assert(
		fc.property(fc.object({ key: fc.constantFrom('type', 'items', 'a', 'enum') }), (schema) => {
			const converted = toGrammarSchema(schema).schema;
			expect(toGrammarSchema(converted).schema).toEqual(converted);
		}),
	);
});

/** A schema of nested lists and alternatives. */
function nested(levels: number): Record<string, unknown> {
	let schema: Record<string, unknown> = { type: 'string' };
	for (let level = 1; level < levels; level++)
		schema = level % 2 === 0 ? { anyOf: [schema] } : { type: 'array', items: schema };
	return schema;
}

const unchanged = (tool: { inputSchema: object }) => tool.inputSchema;

test.each([1, 100, 300])('a schema of %d levels is accepted', (levels) => {
	expect(() => assertDepth(nested(levels), 'The JSON schema')).not.toThrow();
});

test.each([600, 3_000, 50_000])(
	'a schema of %d levels is rejected, also as the schema of a tool',
	(levels) => {
		const tool = { name: 'find', description: 'Finds', schema: nested(levels) };
		const openAiTool = { type: 'function', function: { name: 'find', parameters: nested(levels) } };
		const converter = unchanged as unknown as Parameters<typeof toToolDefinition>[1];
		expect(() => unwrapSchema(nested(levels))).toThrow(
			'The JSON schema is nested too deeply (maximum 500',
		);
		for (const each of [tool, openAiTool])
			expect(() => toToolDefinition(each, converter)).toThrow('tool "find" is nested too deeply');
	},
);
