import * as fc from 'fast-check';
import { ArgumentCoercer } from '../../../lib/chat/check-tool-calls';

const schema = {
	type: 'object',
	properties: {
		text: { type: 'string' },
		flag: { type: 'boolean' },
		count: { type: 'integer' },
		size: { type: ['number', 'null'] },
		list: { type: 'array', items: { type: 'integer' } },
		of: { type: 'object', properties: { deep: { type: 'boolean' } } },
		either: { anyOf: [{ type: 'integer' }, { type: 'string' }] },
		any: {},
		level: { enum: [1, 2] },
	},
	required: ['count'],
};

test.each([
	['{"flag":"True"}', { flag: true }],
	['{"flag":"false"}', { flag: false }],
	['{"count":"5"}', { count: 5 }],
	['{"size":"2.5e3"}', { size: 2500 }],
	['{"list":"[1, 2]"}', { list: [1, 2] }],
	['{"list":["1",2]}', { list: [1, 2] }],
	['{"of":"{\\"deep\\":\\"TRUE\\"}"}', { of: { deep: true } }],
	['{"level":"2"}', { level: 2 }],
	['{"flag":null}', {}],
])('%s is coerced to %j', (args, expected) => {
	expect(JSON.parse(new ArgumentCoercer().coerce(args, schema))).toEqual(expected);
});

test.each([
	'{"text":"true"}',
	'{"text":"5"}',
	'{"text":"[1]"}',
	'{"count":""}',
	'{"count":"five"}',
	'{"count":"2.5"}',
	'{"count":"12345678901234567890"}',
	'{"count":null}',
	'{"size":null}',
	'{"either":"5"}',
	'{"any":"5"}',
	'{"unknown":"true"}',
	'{"count":12345678901234567890}',
	'no JSON',
])('%s is unchanged', (args) => {
	expect(new ArgumentCoercer().coerce(args, schema)).toBe(args);
});

test('names of prototype properties are ignored', () => {
	const args = '{"__proto__":"5","constructor":"5"}';
	expect(
		new ArgumentCoercer().coerce(args, { type: 'object', properties: { a: { type: 'integer' } } }),
	).toBe(args);
});

test('for any schema and arguments, valid strings are unchanged and nothing throws', () => {
	fc.assert(
		fc.property(fc.jsonValue(), fc.object(), (value, any) => {
			const args = JSON.stringify(value);
			const texts = { type: 'object', additionalProperties: { type: 'string' } };
			expect(new ArgumentCoercer().coerce(args, texts)).toBe(args);
			expect(() => new ArgumentCoercer().coerce(args, any)).not.toThrow();
		}),
	);
});

describe('the number of steps per response', () => {
	const listOf = (count: number) => JSON.stringify({ list: Array<string>(count).fill('1') });
	const numbers = (count: number) => ({ list: Array<number>(count).fill(1) });

	test('is small for many values of one schema with many branches', () => {
		const anyOf = Array<object>(1000).fill({ type: 'integer' });
		const branches = {
			properties: { list: { items: { anyOf: anyOf.map((one) => ({ ...one })) } } },
		};
		const coerced = new ArgumentCoercer().coerce(listOf(3000), branches);
		expect(JSON.parse(coerced)).toEqual(numbers(3000));
	});

	test('has a limit, after which arguments are unchanged', () => {
		const coercer = new ArgumentCoercer();
		expect(coercer.coerce(listOf(60_000), schema)).toBe(listOf(60_000));
		expect(coercer.coerce('{"flag":"true"}', schema)).toBe('{"flag":"true"}');
		expect(JSON.parse(new ArgumentCoercer().coerce(listOf(30_000), schema))).toEqual(
			numbers(30_000),
		);
	});
});
