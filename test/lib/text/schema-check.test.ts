import fc from 'fast-check';

import { checkSchema } from '../../../lib/text/schema-check';
import { canonicalJson } from '../../../lib/json';
import { cpuMilliseconds, LINEAR_CPU_MS } from '../../support/time';

const schemaFaults = (schema: Record<string, unknown>, value: unknown) =>
	checkSchema(schema, value).faults;

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
		expect.objectContaining({
			kind: 'invalidInput',
			message: 'The JSON schema cannot be used',
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
	const texts = (pattern: string, text: string) => checkSchema({ type: 'string', pattern }, text);

	it.each([
		'^(a+)+$',
		'(x+x+)+y',
		'^([a-z0-9])(([.-]|[_]+)?([a-z0-9]+))*@x$',
		'(a|aa)+b',
		'[ab]*a[ab]{20}$',
	])('the pattern %s on pumped text takes no longer for each sign of it', (pattern) => {
		expect(texts(pattern, `${'ax'.repeat(50)}!`).faults).toHaveLength(1);
		for (const sign of ['a', 'x', 'ab'])
			expect(took(() => texts(pattern, `${sign.repeat(100_000)}!`))).toBeLessThan(LINEAR_CPU_MS);
	});

	it('means the same as JavaScript', () => {
		const pattern = fc.constantFrom(
			'^\\s*$',
			'^[^\\s]+$',
			'\\S',
			'^\\w+\\b',
			'^[\\s\\d]+$',
			'\\/',
			'^\\u0041',
			'^\\p{L}+$',
			'^.$',
			'^[^]$',
			'a{,2}',
		);
		fc.assert(
			fc.property(
				pattern,
				fc.string({
					unit: fc.constantFrom(
						'a',
						'A',
						' ',
						'\u00a0',
						'\v',
						'1',
						'/',
						'é',
						'_',
						'{,2}',
						'\u2003',
					),
				}),
				(source, text) => {
					const isRight = new RegExp(source, source.includes('{,') ? '' : 'u').test(text);
					expect([source, text, texts(source, text).faults.length === 0]).toEqual([
						source,
						text,
						isRight,
					]);
				},
			),
		);
	});

	it.each(['^(?=.*\\d)a', '(a)\\1', 'a{1,1001}'])('%s is not checked, which is said', (pattern) => {
		expect(texts(pattern, 'b')).toEqual({
			faults: [],
			unchecked: [expect.stringContaining(pattern) as string],
		});
	});

	it('lists in which nothing may stand twice', () => {
		const tags = { type: 'object', properties: { tags: { type: 'array', uniqueItems: true } } };
		fc.assert(
			fc.property(fc.array(fc.jsonValue({ maxDepth: 1 }), { maxLength: 6 }), (list) => {
				const isUnique = new Set(list.map(canonicalJson)).size === list.length;
				expect(checkSchema(tags, { tags: list }).faults.length === 0).toBe(isUnique);
			}),
		);
		expect(checkSchema(tags, { tags: [1, 2, 1] }).faults.join()).toContain('nothing twice');
		const many = Array.from({ length: 20_000 }, (_none, index) => ({ index }));
		expect(took(() => checkSchema(tags, { tags: many }))).toBeLessThan(LINEAR_CPU_MS);
	});

	it('names that follow patterns', () => {
		const schema = {
			patternProperties: { '^a': { type: 'number' }, '^ab': { minimum: 5 } },
			additionalProperties: false,
		};
		expect(checkSchema(schema, { a1: 1, ab: 7 })).toEqual({ faults: [], unchecked: [] });
		expect(checkSchema(schema, { ab: 3 }).faults).toEqual(['ab: 3 is less than 5.']);
		expect(checkSchema(schema, { 'c.d': 3 }).faults.join()).toContain('c.d');
	});

	it.each([
		['too many names', '^k\\d+$', 1_001],
		['a pattern with look-around', '^k(?=\\d)', 3],
	])('what cannot be checked passes beside additionalProperties: %s', (_why, pattern, count) => {
		const value = Object.fromEntries(Array.from({ length: count }, (_, at) => [`k${at}`, 'v']));
		for (const rest of ['additionalProperties', 'unevaluatedProperties']) {
			const schema = { patternProperties: { [pattern]: { type: 'string' } }, [rest]: false };
			const { faults, unchecked } = checkSchema(schema, value);
			expect(faults).toEqual([]);
			expect(unchecked).toHaveLength(1);
		}
	});

	it.each([
		'uri',
		'url',
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
			expect(took(() => checkSchema({ format }, `http://${text.repeat(20_000)}!`))).toBeLessThan(
				LINEAR_CPU_MS,
			);
	});

	it('an answer beyond it is unchecked, which is said', () => {
		const many = Array.from({ length: 50_000 }, (_none, index) => index);
		const check = checkSchema({ items: { type: 'string' } }, many);
		expect(check).toEqual({
			faults: [],
			unchecked: [expect.stringContaining('the whole answer') as string],
		});
		const twice = (name: string) => ({
			allOf: Array.from({ length: 30 }, () => ({ $ref: `#/$defs/${name}` })),
		});
		const doubling = {
			$defs: { a: twice('b'), b: twice('c'), c: twice('d'), d: {} },
			$ref: '#/$defs/a',
		};
		expect(checkSchema(doubling, 1).unchecked).toHaveLength(1);
	});
});

test('a reference that leads nowhere is told before there is an answer, wherever it stands', () => {
	for (const at of [
		{ properties: { a: { $ref: '#/$defs/no' } } },
		{ items: { anyOf: [{ $ref: 'other.json#/x' }] } },
	])
		expect(() => checkSchema(at, null)).toThrow('The JSON schema cannot be used');
});

test('times without a zone are times', () => {
	const when = (format: string, text: string) => checkSchema({ format }, text).faults.length === 0;
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
		expect(() => checkSchema({ type: 'object', properties }, null)).toThrow(
			/The JSON schema is too long: [\d,]+ characters, and 200,000 are the most/,
		);
	});

	it.each([
		['one very long', ['(?:a|b)'.repeat(27_000)]],
		['very many', Array.from({ length: 900 }, (_none, index) => `^\\w{0,999}${index}$`)],
	])('of %s patterns is checked as far as there is time', (_name, patterns) => {
		const fields = patterns.map((pattern, index) => [`field${index}`, { pattern }]);
		const schema = { required: ['x'], properties: Object.fromEntries(fields) };
		const check = checkSchema(schema, { field0: 1 });
		expect(check.unchecked).toEqual([expect.stringContaining('some patterns') as string]);
		expect(check.faults).toEqual([expect.stringContaining('"x"') as string]);
	});
});
