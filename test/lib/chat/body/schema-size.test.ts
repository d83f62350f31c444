/** Schemas are counted in linear time, whatever made them, and the count ends at a limit. */
import fc from 'fast-check';
import { isExcess, measureSchema } from '../../../../lib/chat/body/schema-size';
import type { SchemaLimit } from '../../../../lib/chat/body/schema-size';
import type { JsonRecord } from '../../../../lib/values/records';
import { testLimit } from '../../../support/jest/limits';
import { fromRoot } from '../../../support/n8n/chat-model';

type Type = Record<string, (...given: unknown[]) => unknown> & object;
type Zod = Record<string, (...given: unknown[]) => Type>;
const ZODS: ReadonlyArray<[name: string, zod: Zod]> = [
	['zod 3', fromRoot('zod/v3') as Zod],
	['zod 4', fromRoot('zod/v4') as Zod],
	['zod 4 mini', fromRoot('zod/v4-mini') as Zod],
];
const zod3 = ZODS[0]![1];

const toRecord = <T>(count: number, make: (at: number) => T): Record<string, T> =>
	Object.fromEntries(Array.from({ length: count }, (_none, at) => [`f${at}`, make(at)]));
const getLimit = (schema: unknown): SchemaLimit | undefined => {
	const size = measureSchema(schema);
	return isExcess(size) ? size.limit : undefined;
};
const getHash = (schema: unknown): string => {
	const size = measureSchema(schema);
	return isExcess(size) ? size.limit : size.hash();
};

testLimit('lib/chat/body/schema-size.ts#MAX_FIELDS', {
	limit: 500,
	of: 'fields of JSON, some within others',
	outcome: (count) =>
		getLimit({
			properties: {
				...toRecord(count - 11, () => ({})),
				own: { properties: toRecord(10, () => ({})) },
			},
		}),
	within: undefined,
	beyond: 'fields',
});
testLimit('lib/chat/body/schema-size.ts#MAX_CHOICES', {
	limit: 3_000,
	of: 'choices of zod, in two enumerations of a union',
	outcome: (count) => {
		const [all, first] = [Object.keys(toRecord(count, () => 0)), 10];
		return getLimit(zod3.union!([zod3.enum!(all.slice(0, first)), zod3.enum!(all.slice(first))]));
	},
	within: undefined,
	beyond: 'choices',
});

describe.each(ZODS)('%s', (_name, zod) => {
	testLimit('lib/chat/body/schema-size.ts#MAX_FIELDS', {
		limit: 500,
		outcome: (count) => getLimit(zod.object!(toRecord(count, () => zod.string!()))),
		within: undefined,
		beyond: 'fields',
	});

	test('a type that contains itself is counted once', () => {
		const node: Type = zod.object!({
			name: zod.string!(),
			next: zod.optional!(zod.lazy!(() => node)),
		});
		expect(getLimit(node)).toBeUndefined();
	});

	test('a type that contains new ones without end is nested too deeply', () => {
		const make = (): Type => zod.object!({ next: zod.lazy!(make) });
		expect(getLimit(make())).toBe('depth');
	});

	test('a type that occurs often counts each time: a converter reads it as often', () => {
		let type = zod.union!([zod.string!(), zod.number!()]);
		for (let level = 0; level < 30; level++) type = zod.union!([type, type]);
		expect(getLimit(type)).toBe('values');
	});

	test('the same content has the same hash, and other content another one', () => {
		const make = (change: JsonRecord = {}): Type => {
			const {
				text = 'What',
				max = 5,
				choice = 'a',
				fallback = 'b',
				name = 'a',
			} = change as {
				text?: string;
				max?: number;
				choice?: string;
				fallback?: string;
				name?: string;
			};
			const string = zod.string!();
			const limited = string.max?.(max) ?? string;
			return zod.object!({
				[name]: (limited as Type).describe?.(text) ?? string,
				b: zod.enum!(['x', choice]),
				c: zod._default?.(zod.string!(), fallback) ?? (string.default!(fallback) as Type),
			});
		};
		const hashes = [
			make(),
			make({ choice: 'z' }),
			make({ fallback: 'z' }),
			make({ name: 'z' }),
			...(zod.string!().max === undefined ? [] : [make({ text: 'z' }), make({ max: 6 })]),
		].map(getHash);
		expect(getHash(make())).toBe(hashes[0]);
		expect(new Set(hashes).size).toBe(hashes.length);
	});
});

testLimit('lib/chat/body/schema-size.ts#MAX_VALUES', {
	limit: 10_000,
	// The schema, its `enum` and the list of types around it.
	outcome: (count) => getLimit({ enum: Array.from({ length: count - 2 }, (_none, at) => at % 10) }),
	within: undefined,
	beyond: 'values',
});

testLimit('lib/chat/body/schema-size.ts#MAX_LENGTH', {
	limit: 200_000,
	of: 'characters, also wide ones',
	outcome: (length) => getLimit({ description: '界'.repeat(length - '"description'.length) }),
	within: undefined,
	beyond: 'length',
});

test.each<{ what: string; schema: () => unknown; limit: SchemaLimit }>([
	{
		what: 'ten thousand fields',
		schema: () => ({ properties: toRecord(10_000, () => ({})) }),
		limit: 'fields',
	},
	{
		what: 'a hundred thousand choices',
		schema: () => ({ enum: Object.keys(toRecord(100_000, () => 0)) }),
		limit: 'values',
	},
	{
		what: 'a description of 1 MB',
		schema: () => ({ description: 'x'.repeat(1_000_000) }),
		limit: 'length',
	},
	{
		what: 'a name of 1 MB',
		schema: () => ({ properties: { ['x'.repeat(1_000_000)]: {} } }),
		limit: 'length',
	},
	{
		what: 'a hundred thousand levels',
		schema: () => {
			let schema: JsonRecord = {};
			for (let level = 0; level < 100_000; level++) schema = { not: schema };
			return schema;
		},
		limit: 'depth',
	},
	{
		what: 'an object that contains itself',
		schema: () => {
			const schema: JsonRecord = {};
			schema.not = schema;
			return schema;
		},
		limit: 'depth',
	},
	{
		what: 'alternatives that double with each level',
		schema: () => {
			let schema: JsonRecord = {};
			for (let level = 0; level < 60; level++) schema = { allOf: [schema, schema] };
			return schema;
		},
		limit: 'values',
	},
	{
		what: 'a getter that always gives something new',
		schema: () => {
			const make = (): object => ({
				get not() {
					return make();
				},
			});
			return make();
		},
		limit: 'depth',
	},
	{
		what: 'JSON that looks like a type of zod, beside ten thousand fields',
		schema: () => ({
			properties: {
				_def: { type: 'string', typeName: 'ZodString' },
				...toRecord(10_000, () => ({})),
			},
		}),
		limit: 'fields',
	},
	{
		what: 'JSON that looks like a type of zod, beside many levels',
		schema: () => {
			let schema: JsonRecord = {};
			for (let level = 0; level < 1_000; level++)
				schema = { _zod: { def: { type: 'any' } }, not: schema };
			return schema;
		},
		limit: 'depth',
	},
])('$what: beyond $limit', ({ schema, limit }) => {
	expect(getLimit(schema())).toBe(limit);
});

test('a getter that throws is no part of a schema', () => {
	const schema = {
		get type(): string {
			throw new Error('no');
		},
	};
	expect(getLimit(schema)).toBeUndefined();
});

test('defaults and dates of zod 3 are a part of its content', () => {
	const hashes = [1, 2].flatMap((value) => [
		getHash(zod3.number!().default!(value)),
		getHash(zod3.date!().min!(new Date(value))),
		getHash(zod3.string!().regex!(new RegExp(`a{${value}}`))),
	]);
	expect(new Set(hashes).size).toBe(6);
});

test('property: JSON has the same hash only as JSON with the same content', () => {
	fc.assert(
		fc.property(fc.jsonValue(), fc.jsonValue(), (first, second) => {
			expect(getHash(structuredClone(first))).toBe(getHash(first));
			const isSame = JSON.stringify(first) === JSON.stringify(second);
			expect({ first, second, isSame: getHash(first) === getHash(second) }).toEqual({
				first,
				second,
				isSame,
			});
		}),
	);
});
