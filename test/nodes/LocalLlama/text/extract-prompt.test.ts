import { toGrammarSchema } from '../../../../lib/chat/body/grammar-schema';
import { buildObjectSchema } from '../../../../nodes/LocalLlama/text/extract-prompt';
import type { ExtractField } from '../../../../nodes/LocalLlama/text/extract-prompt';
import { validateAgainstSchema } from '../../../../lib/chat/check/validate-against-schema';

const findSchemaIssues = (schema: Record<string, unknown>, value: unknown) =>
	validateAgainstSchema(schema, value).issues;

const field = (
	name: string,
	type: ExtractField['type'],
	overrides: Partial<ExtractField> = {},
): ExtractField => ({
	name,
	type,
	required: false,
	...overrides,
});
const ALL = [
	field('a', 'text', { description: ' The name ' }),
	field('b', 'number'),
	field('c', 'integer', { required: true }),
	field('d', 'boolean'),
	field('e', 'date'),
	field('f', 'list'),
	field('g', 'choice', { choices: ['x', 'y'] }),
];

test('the fields to extract as a JSON schema', () => {
	expect(buildObjectSchema(ALL)).toEqual({
		type: 'object',
		properties: {
			a: { type: ['string', 'null'], description: 'The name' },
			b: { type: ['number', 'null'] },
			c: { type: 'integer' },
			d: { type: ['boolean', 'null'] },
			e: { type: ['string', 'null'], format: 'date' },
			f: { type: ['array', 'null'], items: { type: 'string' } },
			g: { enum: ['x', 'y', null] },
		},
		required: ['a', 'b', 'c', 'd', 'e', 'f', 'g'],
		additionalProperties: false,
	});
});

test('null is valid for missing values, but not in required fields', () => {
	const emptyValues = { a: null, b: null, c: 1, d: null, e: null, f: null, g: null };
	expect(findSchemaIssues(buildObjectSchema(ALL), emptyValues)).toEqual([]);
	expect(findSchemaIssues(buildObjectSchema(ALL), { ...emptyValues, c: null }).join()).toContain(
		'c: ',
	);
	expect(findSchemaIssues(buildObjectSchema(ALL), { ...emptyValues, c: 1.5 }).join()).toContain(
		'c: ',
	);
});

test('llama.cpp can convert the whole schema to a grammar', () => {
	expect(toGrammarSchema(buildObjectSchema(ALL)).removedPaths).toEqual([]);
});
