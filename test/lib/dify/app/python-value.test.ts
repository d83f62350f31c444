import * as fc from 'fast-check';

import { pythonValue } from '../../../../lib/dify/app/python-value';
import { listVariables, updateVariable } from '../../../../lib/dify/app/variables';
import { examples } from '../../../support/properties';
import { clientOf, failureOf, startSim, UNKNOWN_ID } from '../client';
import { cpuMilliseconds } from '../../../support/time';

/** What Python's `repr` writes. */
function repr(value: unknown): string {
	if (value === null) return 'None';
	if (typeof value === 'boolean') return value ? 'True' : 'False';
	if (typeof value === 'string') return reprText(value);
	if (Array.isArray(value)) return `[${value.map(repr).join(', ')}]`;
	if (typeof value === 'object')
		return `{${Object.entries(value)
			.map(([key, each]) => `${reprText(key)}: ${repr(each)}`)
			.join(', ')}}`;
	return Object.is(value, -0) ? '-0.0' : String(value);
}

function reprText(text: string): string {
	const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
	const escaped = [...text].map((letter) => {
		if (letter === '\\' || letter === quote) return `\\${letter}`;
		const simple = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }[letter];
		if (simple !== undefined) return simple;
		const code = letter.codePointAt(0)!;
		if (code < 0x20 || (code >= 0x7f && code < 0xa1))
			return `\\x${code.toString(16).padStart(2, '0')}`;
		if (code >= 0xd800 && code < 0xe000) return `\\u${code.toString(16)}`;
		return code >= 0xe0000 ? `\\U${code.toString(16).padStart(8, '0')}` : letter;
	});
	return quote + escaped.join('') + quote;
}

const values = fc.jsonValue({ maxDepth: 4, stringUnit: 'binary' });

test('what Python writes is read as it was', () => {
	fc.assert(
		fc.property(values, (value) => {
			const read = pythonValue(repr(value));
			// A whole number above 2^53 would be another one.
			if (read === undefined) expect(/\d{16}/.test(repr(value))).toBe(true);
			else expect(read.value).toEqual(value);
		}),
		examples(500),
	);
});

test('JSON is read, too', () => {
	fc.assert(
		fc.property(values, (value) => {
			const source = JSON.stringify(value);
			const read = pythonValue(source);
			if (read === undefined) expect(/\d{16}/.test(source)).toBe(true);
			else expect(read.value).toEqual(JSON.parse(source));
		}),
		examples(500),
	);
});

test('any text is a value or none, never an error', () => {
	const pieces = fc.array(
		fc.constantFrom("'", '"', '[', ']', '{', '}', ':', ',', '\\', 'x41', 'None', '1', '.', ' '),
	);
	fc.assert(
		fc.property(
			fc.oneof(
				fc.string(),
				pieces.map((each) => each.join('')),
			),
			(source) => {
				expect(() => pythonValue(source)).not.toThrow();
			},
		),
		examples(1000),
	);
});

test.each<[string, unknown]>([
	['True', true],
	['False', false],
	['None', null],
	['42', 42],
	['2.5', 2.5],
	['1e-07', 1e-7],
	["{'b': [1, None]}", { b: [1, null] }],
	["['a', 'b']", ['a', 'b']],
	["[{'a': 'it\\'s \"q\"', 'b': None, 'c': True}]", [{ a: 'it\'s "q"', b: null, c: true }]],
	["{'a': {}, 'b': []}", { a: {}, b: [] }],
	["{1: 'x'}", { 1: 'x' }],
	["['\\U0001f600', '\\xe9', '\\ud83d\\ude00']", ['😀', 'é', '😀']],
])('%s', (source, value) => {
	expect(pythonValue(source)).toEqual({ value });
});

test.each([
	'',
	'nan',
	'inf',
	'-inf',
	'12345678901234567890',
	'[12345678901234567890]',
	"[File(id='x')]",
	"['a'",
	"['a']]",
	"{'a'}",
	"{'a': 1",
	"'\\q'",
	"'\\U99999999'",
	'1_000',
	'1.2.3',
	'Truely',
	'[,]',
	`${'['.repeat(5000)}${']'.repeat(5000)}`,
])('%# is left as it is', (source) => {
	expect(pythonValue(source)).toBeUndefined();
});

test('a key that is a property of every object, such as "constructor"', () => {
	const read = pythonValue("{'__proto__': {'x': 1}, 'toString': 2}")!.value as Record<
		string,
		unknown
	>;
	expect(Object.keys(read)).toEqual(['__proto__', 'toString']);
	expect(({} as Record<string, unknown>).x).toBeUndefined();
});

test('a million characters are read in no time', () => {
	const source = `[${"'a\\n', ".repeat(150_000)}]`;
	const taken = cpuMilliseconds(() => {
		expect((pythonValue(source)!.value as unknown[]).length).toBe(150_000);
		expect(pythonValue(`'${'\\'.repeat(1_000_001)}'`)).toBeUndefined();
	});
	expect(taken).toBeLessThan(3_000);
});

describe('variables of Dify 1.12.1', () => {
	const rows = [
		{ id: '1', name: 'flag', value_type: 'boolean', value: 'True' },
		{ id: '2', name: 'fl', value_type: 'number', value: '2.5' },
		{ id: '3', name: 'obj', value_type: 'object', value: "{'b': [1, None]}" },
		{ id: '4', name: 'secret', value_type: 'string', value: '{"json": 1}' },
		{ id: '5', name: 'file', value_type: 'array[file]', value: "[File(id='x')]" },
		{ id: '6', name: 'num', value_type: 'number', value: '42' },
	];

	test('have values of their type', async () => {
		const client = clientOf(await startSim());
		client.get = async () => await Promise.resolve({ data: rows, has_more: false });
		const listed = await listVariables(client, 'u1', UNKNOWN_ID, 'all');
		expect(listed.map(({ value }) => value)).toEqual([
			true,
			2.5,
			{ b: [1, null] },
			'{"json": 1}',
			"[File(id='x')]",
			42,
		]);
	});

	test.each([
		['fl', 3, 'float', 'holds a fraction (2.5), and Dify refuses the whole number 3'],
		['num', 2.5, 'integer', 'holds a whole number (42), and Dify refuses the fraction 2.5'],
	])('%s takes no other kind of number', async (name, value, type, text) => {
		const sim = await startSim();
		const client = clientOf(sim);
		client.get = async () => await Promise.resolve({ data: rows, has_more: false });
		sim.fail({
			method: 'PUT',
			status: 400,
			body: JSON.stringify({
				code: 'bad_request',
				message: `not supported value type ${type}`,
				status: 400,
			}),
			contentType: 'application/json',
		});
		const failed = await failureOf(updateVariable(client, 'u1', UNKNOWN_ID, name, value));
		expect(failed).toMatchObject({ kind: 'invalidParam' });
		expect(failed.message).toContain(text);
	});
});
