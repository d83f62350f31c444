import { validateAgainstSchema } from '../../../lib/chat/validate-json';
import { cpuMilliseconds, LINEAR_CPU_MS } from '../../support/cpu-time';

const schemaFaults = (schema: Record<string, unknown>, value: unknown) =>
	validateAgainstSchema(schema, value).issues;

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
	['no object', [], /^The response: .*object/],
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
	['a unresolved reference', { $ref: '#/$defs/nothing' }],
	['a reference to another file', { $ref: 'other.json' }],
])('%s is told as a broken schema', (_name, schema) => {
	expect(() => schemaFaults(schema, 'text')).toThrow(
		expect.objectContaining({
			type: 'invalidInput',
			message: 'The JSON schema is invalid',
		}) as Error,
	);
});

test('older drafts of JSON schema', () => {
	const pair = {
		$schema: 'http://json-schema.org/draft-07/schema#',
		items: [{ type: 'number' }, { type: 'string' }],
	};
	expect(schemaFaults(pair, [1, 'a'])).toEqual([]);
	expect(schemaFaults(pair, ['a', 1])).not.toEqual([]);
});

describe('a check has a bound', () => {
	const took = (work: () => unknown) => cpuMilliseconds(() => void work());

	it.each([
		['pattern', { type: 'string', pattern: '^(a+)+$' }, `${'a'.repeat(50)}!`],
		['uniqueItems', { type: 'array', uniqueItems: true }, [1, 1]],
		['format: url', { type: 'string', format: 'url' }, `http://${'a'.repeat(100)}`],
		[
			'patternProperties',
			{ patternProperties: { '^(a+)+$': {} }, additionalProperties: false },
			{ aaa: 1 },
		],
	])('%s is not checked, which is said', (name, schema, value) => {
		expect(validateAgainstSchema(schema, value)).toEqual({ issues: [], unchecked: [name] });
	});

	it('what stands beside it is checked', () => {
		const schema = { type: 'string', pattern: '^a', maxLength: 2 };
		expect(validateAgainstSchema(schema, 'aaa').issues).toHaveLength(1);
		const closed = { patternProperties: { '^a': {} }, unevaluatedProperties: false };
		expect(validateAgainstSchema(closed, { b: 1 }).issues).toEqual([]);
	});

	it('a field that is called like such a keyword is a field', () => {
		const schema = { properties: { pattern: { type: 'string' }, uniqueItems: { type: 'number' } } };
		expect(validateAgainstSchema(schema, { pattern: 1, uniqueItems: 'a' })).toMatchObject({
			issues: [expect.stringContaining('pattern'), expect.stringContaining('uniqueItems')],
			unchecked: [],
		});
	});

	it.each([
		'uri',
		'email',
		'hostname',
		'date-time',
		'uri-template',
		'ipv6',
		'json-pointer',
		'duration',
	])('the format %s', (format) => {
		for (const text of [
			'a',
			'0',
			'/',
			'a-',
			'::',
			'a.',
			'%20',
			'1.1.',
			'{a}',
			'http://a',
			'2026-01-01T',
		])
			expect(
				took(() => validateAgainstSchema({ format }, `http://${text.repeat(20_000)}!`)),
			).toBeLessThan(LINEAR_CPU_MS);
	});

	it('an answer beyond it is unchecked, which is said', () => {
		const many = Array.from({ length: 50_000 }, (_none, index) => index);
		const check = validateAgainstSchema({ items: { type: 'string' } }, many);
		expect(check).toEqual({
			issues: [],
			unchecked: [expect.stringContaining('the complete response') as string],
		});
		const twice = (name: string) => ({
			allOf: Array.from({ length: 30 }, () => ({ $ref: `#/$defs/${name}` })),
		});
		const doubling = {
			$defs: { a: twice('b'), b: twice('c'), c: twice('d'), d: {} },
			$ref: '#/$defs/a',
		};
		expect(validateAgainstSchema(doubling, 1).unchecked).toHaveLength(1);
	});
});

test('a unresolved reference is told before there is an answer, wherever it stands', () => {
	for (const at of [
		{ properties: { a: { $ref: '#/$defs/no' } } },
		{ items: { anyOf: [{ $ref: 'other.json#/x' }] } },
	])
		expect(() => validateAgainstSchema(at, null)).toThrow('The JSON schema is invalid');
});

test('times without a zone are times', () => {
	const when = (format: string, text: string) =>
		validateAgainstSchema({ format }, text).issues.length === 0;
	expect([
		when('date-time', '2026-01-31T10:00:00'),
		when('time', '10:00:00'),
		when('date-time', '2026-01-31T10:00:00Z'),
	]).toEqual([true, true, true]);
	expect(when('date-time', '2026-02-31T10:00:00')).toBe(false);
});

describe('a schema from outside', () => {
	it('of very many fields is an error before anything is sent', () => {
		const names = Array.from({ length: 100_000 }, (_none, index) => `field${index}`);
		const properties = Object.fromEntries(names.map((name) => [name, { type: 'string' }]));
		expect(() => validateAgainstSchema({ type: 'object', properties }, null)).toThrow(
			/The JSON schema is too long: [\d,]+ characters \(maximum 200,000\)/,
		);
	});
});
