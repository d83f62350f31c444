import { schemaFaults } from '../../../lib/text/schema-check';

const INVOICE = {
	type: 'object',
	properties: {
		total: { type: 'number' },
		currency: { enum: ['EUR', 'USD'] },
		due: { type: ['string', 'null'], format: 'date' },
	},
	required: ['total'],
	additionalProperties: false,
};

test('nothing is wrong with what follows the schema, and the schema stays as it is', () => {
	const before = structuredClone(INVOICE);
	expect(schemaFaults(INVOICE, { total: 1.5, currency: 'EUR', due: null })).toEqual([]);
	expect(INVOICE).toEqual(before);
});

test.each([
	['a wrong type', { total: '1.5' }, /^total: .*number/],
	['a missing field', { currency: 'EUR' }, /total/],
	['a foreign choice', { total: 1, currency: 'GBP' }, /^currency: /],
	['no date', { total: 1, due: 'tomorrow' }, /^due: .*date/],
	['a field too many', { total: 1, extra: 1 }, /extra/],
	['no object', [], /^The answer: .*object/],
])('%s is told with its place', (_name, value, said) => {
	expect(schemaFaults(INVOICE, value).join('\n')).toMatch(said);
});

test('at most five faults are told', () => {
	const list = { type: 'array', items: { type: 'number' } };
	expect(
		schemaFaults(
			list,
			Array.from({ length: 50 }, () => 'x'),
		),
	).toHaveLength(5);
});

test('references into the schema, also to the whole of it', () => {
	const tree = {
		type: 'object',
		properties: { child: { $ref: '#' }, leaf: { $ref: '#/$defs/leaf' } },
		$defs: { leaf: { type: 'string' } },
	};
	expect(schemaFaults(tree, { child: { leaf: 'a' } })).toEqual([]);
	expect(schemaFaults(tree, { child: { leaf: 1 } })[0]).toMatch(/^child.leaf: /);
});

test.each([
	['a reference that leads nowhere', { $ref: '#/$defs/nothing' }],
	['a pattern that is none', { type: 'string', pattern: '(' }],
])('%s is told as a broken schema', (_name, schema) => {
	expect(() => schemaFaults(schema, 'text')).toThrow(
		expect.objectContaining({ kind: 'invalidInput', message: 'The JSON schema cannot be used' }) as Error,
	);
});

test('older drafts of JSON schema', () => {
	const pair = { $schema: 'http://json-schema.org/draft-07/schema#', items: [{ type: 'number' }, { type: 'string' }] };
	expect(schemaFaults(pair, [1, 'a'])).toEqual([]);
	expect(schemaFaults(pair, ['a', 1])).not.toEqual([]);
});
