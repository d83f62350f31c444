import {
	assertSchema,
	validateAgainstSchema,
} from '../../../../lib/chat/check/validate-against-schema';
import { cpuMilliseconds, LINEAR_CPU_MS } from '../../../support/measures/cpu-time';

const getIssues = (schema: Record<string, unknown>, value: unknown) =>
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

test('a valid value has no issues, and the schema is not modified', () => {
	const before = structuredClone(INVOICE);
	expect(getIssues(INVOICE, { total: 1.5, currency: 'EUR', due: null })).toEqual([]);
	expect(INVOICE).toEqual(before);
});

test.each([
	['a wrong type', { total: '1.5' }, /^total: .*number/],
	['a missing field', { currency: 'EUR' }, /total/],
	['a value that is not in the enum', { total: 1, currency: 'GBP' }, /^currency: /],
	['an invalid date', { total: 1, due: 'tomorrow' }, /^due: .*date/],
	['an additional field', { total: 1, extra: 1 }, /extra/],
	['not an object', [], /^The response: .*object/],
])('%s is reported with its path', (_name, value, issue) => {
	expect(getIssues(INVOICE, value).join('\n')).toMatch(issue);
});

test('at most five issues are reported', () => {
	const list = { type: 'array', items: { type: 'number' } };
	expect(
		getIssues(
			list,
			Array.from({ length: 50 }, () => 'x'),
		),
	).toHaveLength(5);
});

test('references into the schema and to its root', () => {
	const tree = {
		type: 'object',
		properties: { child: { $ref: '#' }, leaf: { $ref: '#/$defs/leaf' } },
		$defs: { leaf: { type: 'string' } },
	};
	expect(getIssues(tree, { child: { leaf: 'a' } })).toEqual([]);
	expect(getIssues(tree, { child: { leaf: 1 } })[0]).toMatch(/^child.leaf: /);
});

test.each([
	['an unresolved reference', { $ref: '#/$defs/nothing' }],
	['a reference to another file', { $ref: 'other.json' }],
])('%s is reported as an invalid schema', (_name, schema) => {
	expect(() => getIssues(schema, 'text')).toThrow(
		expect.objectContaining({
			type: 'invalidInput',
			message: 'The JSON schema is invalid',
		}) as Error,
	);
});

test('older drafts of JSON Schema are supported', () => {
	const pair = {
		$schema: 'http://json-schema.org/draft-07/schema#',
		items: [{ type: 'number' }, { type: 'string' }],
	};
	expect(getIssues(pair, [1, 'a'])).toEqual([]);
	expect(getIssues(pair, ['a', 1])).not.toEqual([]);
});

describe('the validation time is bounded', () => {
	const took = (work: () => unknown) => cpuMilliseconds(() => void work());

	it.each([
		['pattern', { type: 'string', pattern: '^(a+)+$' }, `${'a'.repeat(50)}!`],
		['format: url', { type: 'string', format: 'url' }, `http://${'a'.repeat(100)}`],
		[
			'patternProperties',
			{ patternProperties: { '^(a+)+$': {} }, additionalProperties: false },
			{ aaa: 1 },
		],
	])('%s is not checked, and reported as unchecked', (name, schema, value) => {
		expect(validateAgainstSchema(schema, value)).toEqual({ issues: [], unchecked: [name] });
	});

	it('keywords next to pattern are checked', () => {
		const schema = { type: 'string', pattern: '^a', maxLength: 2 };
		expect(validateAgainstSchema(schema, 'aaa').issues).toHaveLength(1);
		const closed = { patternProperties: { '^a': {} }, unevaluatedProperties: false };
		expect(validateAgainstSchema(closed, { b: 1 }).issues).toEqual([]);
	});

	it('a field with the name of such a keyword is checked', () => {
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

	it('a response that takes too long is reported as unchecked', () => {
		const list = Array.from({ length: 50_000 }, (_none, index) => index);
		const check = validateAgainstSchema({ items: { type: 'number' } }, list);
		expect(check).toEqual({
			issues: [],
			unchecked: [expect.stringContaining('the complete response') as string],
		});
		const referTo = (name: string) => ({
			allOf: Array.from({ length: 30 }, () => ({ $ref: `#/$defs/${name}` })),
		});
		const doubling = {
			$defs: { a: referTo('b'), b: referTo('c'), c: referTo('d'), d: {} },
			$ref: '#/$defs/a',
		};
		expect(validateAgainstSchema(doubling, 1).unchecked).toHaveLength(1);
	});
});

test('an unresolved reference is reported before there is a response, at any level', () => {
	for (const at of [
		{ properties: { a: { $ref: '#/$defs/no' } } },
		{ items: { anyOf: [{ $ref: 'other.json#/x' }] } },
	])
		expect(() => assertSchema(at)).toThrow('The JSON schema is invalid');
});

test('times without a time zone are valid', () => {
	const isValid = (format: string, text: string) =>
		validateAgainstSchema({ format }, text).issues.length === 0;
	expect([
		isValid('date-time', '2026-01-31T10:00:00'),
		isValid('time', '10:00:00'),
		isValid('date-time', '2026-01-31T10:00:00Z'),
	]).toEqual([true, true, true]);
	expect(isValid('date-time', '2026-02-31T10:00:00')).toBe(false);
});

it('a schema of the user: with very many fields is an error before anything is sent', () => {
	const names = Array.from({ length: 100_000 }, (_none, index) => `field${index}`);
	const properties = Object.fromEntries(names.map((name) => [name, { type: 'string' }]));
	expect(() => assertSchema({ type: 'object', properties })).toThrow(
		/The JSON schema is too long: [\d,]+ characters \(maximum 200,000\)/,
	);
});
