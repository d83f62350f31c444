import * as fc from 'fast-check';
import { checkToolCalls } from '../../../../lib/chat/check/check-tool-calls';
import { parseFormatCall } from '../../../../lib/chat/check/format-call';
import { FORMAT_TOOL_NAME } from '../../../../lib/chat/tools/format-tool';
import { ArgumentCoercer } from '../../../../lib/chat/check/argument-coercer';
import type { ToolDefinition } from '../../../../lib/chat/tool-definition';
import { asRecord } from '../../../../lib/values/records';
import type { JsonRecord } from '../../../../lib/values/records';

/** Coerced arguments as JSON text. */
function coerceText(
	json: string,
	schema: JsonRecord,
	options?: Parameters<ArgumentCoercer['coerce']>[2],
	coercer: ArgumentCoercer = new ArgumentCoercer(),
): string {
	const value = asRecord(JSON.parse(json));
	return coercer.coerce({ json, value }, schema, options).json;
}

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
	{ args: '{"flag":"True"}', expected: '{"flag":true}' },
	{ args: '{"flag":"false"}', expected: '{"flag":false}' },
	{ args: '{"count":"5"}', expected: '{"count":5}' },
	{ args: '{"count":"1234567890123456"}', expected: '{"count":1234567890123456}' },
	{ args: '{"size":"2.5e3"}', expected: '{"size":2500}' },
	{ args: '{"list":"[1, 2]"}', expected: '{"list":[1,2]}' },
	{ args: '{"list":["1",2]}', expected: '{"list":[1,2]}' },
	{ args: '{"of":"{\\"deep\\":\\"TRUE\\"}"}', expected: '{"of":{"deep":true}}' },
	{ args: '{"level":"2"}', expected: '{"level":2}' },
	{ args: '{"flag":null}', expected: '{}' },
])('the arguments $args become $expected', ({ args, expected }) => {
	expect(coerceText(args, schema)).toBe(expected);
});

test.each([
	'{"text":"true"}',
	'{"text":"5"}',
	'{"text":"[1]"}',
	'{"flag":"maybe"}',
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
])('the arguments %s stay as they are', (args) => {
	expect(coerceText(args, schema)).toBe(args);
});

interface CoercedValue {
	name: string;
	/** Schema of the argument. */
	field: object;
	isRequired?: boolean;
	/** As the model wrote it. */
	given: unknown;
	expected: unknown;
}

test.each<CoercedValue>([
	{
		name: 'a null that is required',
		field: { type: 'string' },
		isRequired: true,
		given: null,
		expected: null,
	},
	{ name: 'a null without a type', field: {}, given: null, expected: null },
	{ name: 'an integer for a number', field: { type: 'number' }, given: '5', expected: 5 },
	{ name: 'a number for an integer', field: { type: 'integer' }, given: '5.5', expected: '5.5' },
	{ name: 'a word for an enum', field: { enum: ['1', true] }, given: '1', expected: '1' },
	{ name: 'a list for an enum', field: { enum: [[1], null] }, given: '[1]', expected: [1] },
	{ name: 'a list that is no list', field: { type: 'object' }, given: '[1]', expected: '[1]' },
	{ name: 'an object that is none', field: { type: 'array' }, given: '{}', expected: '{}' },
	{
		name: 'one branch of several',
		field: { oneOf: [{ type: 'integer' }, { type: 'null' }] },
		given: '5',
		expected: 5,
	},
	{ name: 'a boolean with blanks', field: { type: 'boolean' }, given: ' FALSE ', expected: false },
	{ name: 'no boolean for a number', field: { type: 'number' }, given: 'true', expected: 'true' },
	{ name: 'a long number', field: { type: 'number' }, given: '1e999', expected: '1e999' },
	{ name: 'digits', field: { type: 'number' }, given: '1.50', expected: 1.5 },
	{ name: 'a text in a text', field: { type: 'integer' }, given: '"5"', expected: '"5"' },
	{
		name: 'items of any type',
		field: { type: 'array', items: true },
		given: ['5'],
		expected: ['5'],
	},
	{ name: 'a null of an enum', field: { enum: ['x', null] }, given: null, expected: null },
	{
		name: 'a branch that accepts everything',
		field: { anyOf: [true, { type: 'integer' }] },
		given: '5',
		expected: '5',
	},
	{
		name: 'one of two branches that accepts everything',
		field: { oneOf: [{ type: 'boolean' }, true] },
		given: 'true',
		expected: 'true',
	},
	{
		name: 'a branch that accepts nothing',
		field: { anyOf: [false, { type: 'integer' }] },
		given: '5',
		expected: 5,
	},
	{
		name: 'a null for a branch that accepts everything',
		field: { anyOf: [{ type: 'integer' }, true] },
		given: null,
		expected: null,
	},
	{
		name: 'a null as text for a number or null',
		field: { type: ['number', 'null'] },
		given: 'null',
		expected: null,
	},
	{
		name: 'a null as text in capitals',
		field: { anyOf: [{ type: 'integer' }, { type: 'null' }] },
		given: 'NULL',
		expected: null,
	},
	{
		name: 'a word for a number or null',
		field: { type: ['number', 'null'] },
		given: 'none',
		expected: 'none',
	},
	{
		name: 'a null as text for a number',
		field: { type: 'number' },
		given: 'null',
		expected: 'null',
	},
	{
		name: 'a text null for a text or null',
		field: { type: ['string', 'null'] },
		given: 'null',
		expected: 'null',
	},
	{ name: 'a text null without a type', field: {}, given: 'null', expected: 'null' },
])('$name: $given becomes $expected', ({ field, isRequired, given, expected }) => {
	const coerced = coerceText(JSON.stringify({ a: given }), {
		type: 'object',
		properties: { a: field },
		required: isRequired ? ['a'] : [],
	});
	const input = JSON.stringify({ field, given });
	expect({ input, ...(JSON.parse(coerced) as object) }).toEqual({
		input,
		a: expected,
	});
});

describe('a call that has only texts', () => {
	const coerce = (value: unknown, field: object, others: object = {}) =>
		JSON.parse(
			coerceText(
				JSON.stringify({ a: value }),
				{ type: 'object', properties: { a: field }, ...others },
				{ hasNullTexts: true },
			),
		) as unknown;

	test.each<[string, object]>([
		['null', {}],
		['Null', { type: ['string', 'null'] }],
		['NULL', { anyOf: [{ type: 'string' }, { type: 'null' }] }],
		['null', { type: ['integer', 'null'] }],
		['null', { enum: ['x', null] }],
		['null', { description: 'Anything' }],
	])('%s is null where the schema allows it: %j', (text, field) => {
		expect(coerce(text, field)).toEqual({ a: null });
		expect(coerce([text], { type: 'array', items: field })).toEqual({ a: [null] });
		expect(coerce({ b: text }, { properties: { b: field } })).toEqual({ a: { b: null } });
	});

	test.each<[string, object]>([
		['null', { type: 'string' }],
		['null', { type: 'integer' }],
		['null', { enum: ['null', 'x'] }],
		['none', {}],
		['nil', { type: ['string', 'null'] }],
		[' null', {}],
		['nULL', {}],
		['null and void', {}],
	])('%s stays a text: %j', (text, field) => {
		expect(coerce(text, field)).toEqual({ a: text });
	});

	test('null is one in what has no schema of its own, unless other fields are not allowed', () => {
		expect(coerce({ b: ['null'] }, {})).toEqual({ a: { b: [null] } });
		const strict = { properties: {}, additionalProperties: false };
		expect(coerce({ b: 'null' }, strict)).toEqual({ a: { b: 'null' } });
		const texts = { additionalProperties: { type: 'string' } };
		expect(coerce({ b: 'null' }, texts)).toEqual({ a: { b: 'null' } });
	});
});

test('values of more than twenty levels are not changed', () => {
	const nest = (levels: number, value: unknown): unknown =>
		levels === 0 ? value : { a: nest(levels - 1, value) };
	const nestSchema = (levels: number): Record<string, unknown> =>
		levels === 0
			? { type: 'integer' }
			: { type: 'object', properties: { a: nestSchema(levels - 1) } };
	const coerce = (levels: number) =>
		coerceText(JSON.stringify(nest(levels, '5')), nestSchema(levels));
	expect(JSON.parse(coerce(20))).toEqual(nest(20, 5));
	expect(JSON.parse(coerce(21))).toEqual(nest(21, '5'));

	const lists = (levels: number): object =>
		levels === 0 ? { type: 'integer' } : { items: lists(levels - 1) };
	const coerceLists = (levels: number) =>
		coerceText(`{"a":${'['.repeat(levels)}"5"${']'.repeat(levels)}}`, {
			properties: { a: lists(levels) },
		});
	expect(coerceLists(19)).not.toContain('"5"');
	expect(coerceLists(20)).toContain('"5"');
});

describe('calls and the connected tools', () => {
	const tool = (name: string, more: Partial<ToolDefinition> = {}): ToolDefinition => ({
		name,
		origin: 'foreign',
		schema: { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] },
		...more,
	});
	const check = (calls: Array<[name: string, args: string]>, tools: ToolDefinition[]) => {
		const rawCalls = calls.map(([name, args]) => ({ id: 'i', name, arguments: args }));
		const { validCalls, issues } = checkToolCalls(rawCalls, tools);
		return {
			valid: validCalls.map(({ id, name, arguments: args }) => `${id} ${name} ${args}`),
			issues: issues.map(({ toolCall, type, details }) => [toolCall.name, type, ...details]),
		};
	};

	test('each call is valid, or has an issue', () => {
		const calls: Array<[string, string]> = [
			['look', '{"n":"5"}'],
			['invented', '{}'],
			['look', '{"n":'],
			['look', '{"m":1}'],
			['look', '{"n":6}'],
		];
		expect(check(calls, [tool('look')])).toEqual({
			valid: ['i look {"n":5}', 'i look {"n":6}'],
			issues: [
				['invented', 'unknownTool'],
				['look', 'brokenArguments'],
				['look', 'missingArguments', 'n'],
			],
		});
	});

	test.each<[name: string, runs: string | undefined]>([
		['look', 'Notes_look'],
		['a.file', 'Notes_a_file'],
		['a_file', 'Notes_a_file'],
		['same', undefined],
	])('%s without the prefix of an MCP client runs %s, but not from text', (name, runs) => {
		const tools = [
			tool('Notes_look', { shortName: 'look' }),
			tool('Notes_a_file', { shortName: 'a.file' }),
			tool('Notes_same', { shortName: 'same' }),
			tool('Mail_same', { shortName: 'same' }),
		];
		const { valid } = check([[name, '{"n":1}']], tools);
		expect(valid).toEqual(runs === undefined ? [] : [`i ${runs} {"n":1}`]);
	});

	test('behind an approval, arguments of the tool are required, those of n8n are not', () => {
		const parameters = {
			type: 'object',
			properties: {
				toolParameters: { type: 'object', properties: {}, required: ['to'] },
				hitlParameters: { type: 'object' },
			},
			required: ['toolParameters', 'hitlParameters', 'why'],
		};
		const missing = (args: string, changes: object = {}) =>
			check([['send', args]], [tool('send', { schema: { ...parameters, ...changes } })]).issues[0];
		expect(missing('{"toolParameters":{"to":"a"},"why":1}')).toBeUndefined();
		expect(missing('{"toolParameters":{}}')).toEqual([
			'send',
			'missingArguments',
			'why',
			'toolParameters.to',
		]);
		expect(missing('{}')).toEqual(['send', 'missingArguments', 'toolParameters', 'why']);
		expect(missing('{"toolParameters":"{\\"to\\":1}","why":1}')).toBeUndefined();
		expect(missing('{"toolParameters":null,"why":1}')?.at(-1)).toBe('toolParameters.to');
		const ownTool = { properties: { toolParameters: { required: ['to'] } } };
		expect(missing('{"toolParameters":{},"why":1}', ownTool)).toEqual([
			'send',
			'missingArguments',
			'hitlParameters',
		]);
		expect(missing('{"toolParameters":{"to":1}}', { required: [7] })).toBeUndefined();
	});

	const mails = (more: object = {}) =>
		tool('mails', {
			schema: {
				type: 'object',
				properties: {
					folder: { type: 'string' },
					order: { type: 'number' },
					count: { type: 'integer' },
					any: { type: ['integer', 'string'] },
					list: { type: 'array', items: { type: 'number' } },
				},
				...more,
			},
		});
	const checkMails = (args: string, more: object = {}) => {
		const { validCalls, issues, warnings } = checkToolCalls(
			[{ name: 'mails', arguments: args }],
			[mails(more)],
		);
		return {
			runs: validCalls.map((call) => call.arguments).join(),
			issue: issues.map(({ type, details }) => [type, ...details].join()).join(),
			warnings,
		};
	};

	test.each([
		{ args: '{"folder":"A","folder":"B"}', names: 'folder' },
		{ args: '{"folder":"A","fold\\u0065r":"A"}', names: 'folder' },
		{ args: '{"folder":"A","list":[{"a":1,"b":2,"a":3}]}', names: 'a' },
		{ args: '{"order":9007199254740993,"order":1}', names: 'order' },
		{ args: "{'folder':'A','folder':'B'}", names: 'folder' },
		{ args: '{"any":1,"any":1,"folder":"x","folder":"y"}', names: 'any,folder' },
		{ args: '{"__proto__":1,"__proto__":2}', names: '__proto__' },
	])('$args has two values for $names, and does not run', ({ args, names }) => {
		expect(checkMails(args)).toEqual({
			runs: '',
			issue: `ambiguousArguments,${names}`,
			warnings: [],
		});
	});

	test.each([
		{ args: '{"folder":"a: {\\"folder\\":1}","any":"x:y"}' },
		{ args: '{"list":[{"a":1},{"a":1}]}' },
		{ args: '{"folder":":::"}' },
	])('$args has each key once', ({ args }) => {
		expect(checkMails(args)).toEqual({ runs: args, issue: '', warnings: [] });
	});

	test.each([
		{ args: '{"foldr":"Spam"}', names: 'foldr' },
		{ args: '{"__proto__":"x"}', names: '__proto__' },
		{ args: '{"constructor":"x"}', names: 'constructor' },
		{ args: '{"Folder":"x","FOLDER":"y"}', names: 'Folder,FOLDER' },
		{ args: '{"input":{"folder":"x"}}', names: 'input' },
	])('$args has no argument that the tool defines, and does not run', ({ args, names }) => {
		const issue = `unknownArguments,${names}`;
		expect(checkMails(args)).toEqual({ runs: '', issue, warnings: [] });
		const strict = { additionalProperties: false };
		expect(checkMails(args, strict)).toEqual({ runs: '', issue, warnings: [] });
	});

	test.each([
		{ title: 'no properties', more: { properties: {} } },
		{ title: 'no known properties', more: { properties: undefined } },
		{ title: 'other properties', more: { additionalProperties: true } },
		{ title: 'a schema of others', more: { additionalProperties: { type: 'string' } } },
		{ title: 'patterns', more: { patternProperties: { '^f': {} } } },
		{ title: 'a reference', more: { $ref: '#/$defs/a' } },
		{ title: 'all of several', more: { allOf: [{ properties: { foldr: {} } }] } },
		{ title: 'any of several', more: { anyOf: [{}] } },
		{ title: 'one of several', more: { oneOf: [{}] } },
	])('an unknown argument runs for a tool with $title', ({ more }) => {
		const args = '{"foldr":"x"}';
		expect(checkMails(args, more)).toEqual({ runs: args, issue: '', warnings: [] });
	});

	test.each([
		{ args: '{"folder":"x","foldr":"y"}', names: 'foldr' },
		{ args: '{"folder":"x","__proto__":{"dry":false}}', names: '__proto__' },
		{ args: '{"folder":"x","a":1,"b":2,"c":3,"d":4,"e":5}', names: 'a, b, c, d, e' },
		{ args: '{"folder":"x","a":1,"b":2,"c":3,"d":4,"e":5,"f":6}', names: 'a, b, c, d, e, …' },
	])('$args runs, and a hint names $names', ({ args, names }) => {
		expect(checkMails(args)).toEqual({
			runs: args,
			issue: '',
			warnings: [
				`The model called the tool "mails" with arguments that it does not define (${names}). n8n may ignore them.`,
			],
		});
	});

	test.each([
		{ args: '{"order":9007199254740993}', digits: '9007199254740993' },
		{ args: '{"count":2512292042121000001}', digits: '2512292042121000001' },
		{ args: '{"order":-9007199254740993}', digits: '-9007199254740993' },
		{ args: '{"count":"9007199254740993"}', digits: '9007199254740993' },
		{ args: '{"order":0.12345678901234567890123}', digits: '0.12345678901234567890123' },
		{ args: '{"order":1e400}', digits: '1e400' },
		{ args: '{"list":[1,9007199254740993]}', digits: '9007199254740993' },
	])('$args keeps its digits as text, and a hint says so', ({ args, digits }) => {
		const { runs, issue, warnings } = checkMails(args);
		expect(issue).toBe('');
		expect(runs).toContain(`"${digits}"`);
		expect(warnings).toEqual([
			`The model called the tool "mails" with ${digits}, which exceeds number precision and was kept as text, so n8n may reject it. Let the tool accept a string for this argument.`,
		]);
	});

	test.each([
		{ args: '{"any":9007199254740993}', runs: '{"any":"9007199254740993"}' },
		{ args: '{"folder":"9007199254740993"}', runs: '{"folder":"9007199254740993"}' },
		{ args: '{"order":9007199254740991}', runs: '{"order":9007199254740991}' },
		{ args: '{"order":9007199254740992}', runs: '{"order":9007199254740992}' },
		{ args: '{"order":"a9007199254740993"}', runs: '{"order":"a9007199254740993"}' },
		{ args: '{"order":0.1}', runs: '{"order":0.1}' },
	])('$args runs as $runs without a hint', ({ args, runs }) => {
		expect(checkMails(args)).toEqual({ runs, issue: '', warnings: [] });
	});

	const format = tool(FORMAT_TOOL_NAME, {
		schema: {
			type: 'object',
			properties: {
				output: { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] },
			},
			required: ['output'],
			additionalProperties: false,
		},
	});

	test.each([
		['{"output":{"n":1}}', '{"output":{"n":1}}'],
		['{"n":"1"}', '{"output":{"n":1}}'],
		['{"output":{"output":{"n":1}}}', '{"output":{"n":1}}'],
	])('the final response %s fits as %s', (args, fitted) => {
		expect(check([[FORMAT_TOOL_NAME, args]], [format]).valid).toEqual([
			`i ${FORMAT_TOOL_NAME} ${fitted}`,
		]);
	});

	test('one that does not fit has an issue', () => {
		const [issue] = check([[FORMAT_TOOL_NAME, '{"m":1}']], [format]).issues;
		expect(issue!.slice(0, 2)).toEqual([FORMAT_TOOL_NAME, 'invalidArguments']);
		expect(issue!.length).toBeGreaterThan(2);
	});

	test.each<[string, string | undefined]>([
		['{"output":{"n":1}}', '{"output":{"n":1}}'],
		['Here:\n```json\n{"n":1}\n```', '{"output":{"n":1}}'],
		['Not {"m":1}, but {"n":1}', '{"output":{"n":1}}'],
		[`{"name":"${FORMAT_TOOL_NAME}","arguments":{"n":1}}`, '{"output":{"n":1}}'],
		[`{"name":"${FORMAT_TOOL_NAME}","parameters":{"n":1}}`, '{"output":{"n":1}}'],
		['{"name":"other","arguments":{"n":1}}', undefined],
		['{"m":1}', undefined],
		['no JSON', undefined],
		['[1]', undefined],
	])('in the text %j it is %j', (text, args) => {
		const call = args && { name: FORMAT_TOOL_NAME, arguments: args };
		expect(parseFormatCall(text, [tool('look'), format])).toEqual(call);
		expect(parseFormatCall(text, [tool('look')])).toBeUndefined();
	});
});

test('names of prototype properties are ignored', () => {
	const args = '{"__proto__":"5","constructor":"5"}';
	expect(coerceText(args, { type: 'object', properties: { a: { type: 'integer' } } })).toBe(args);
});

test('for any schema and arguments, valid strings are unchanged and nothing throws', () => {
	fc.assert(
		fc.property(fc.jsonValue(), fc.object(), (value, any) => {
			const args = JSON.stringify(value);
			const texts = { type: 'object', additionalProperties: { type: 'string' } };
			expect(coerceText(args, texts)).toBe(args);
			expect(() => coerceText(args, any)).not.toThrow();
		}),
	);
});

test('an object as text becomes that object, unless a key in it occurs twice: a value would be lost', () => {
	const members = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.integer()), {
		maxLength: 4,
	});
	fc.assert(
		fc.property(members, fc.constantFrom('', '[', '{"in":'), (entries, opening) => {
			const object = `{${entries.map(([key, value]) => `"${key}":${value}`).join(',')}}`;
			const closing = { '': '', '[': ']', '{"in":': '}' }[opening];
			const text = opening + object + closing;
			const keys = entries.map(([key]) => key);
			const coerced = coerceText(JSON.stringify({ value: text }), {
				properties: { value: { type: ['object', 'array'] } },
			});
			const isUnique = new Set(keys).size === keys.length;
			expect(JSON.parse(coerced)).toEqual({ value: isUnique ? JSON.parse(text) : text });
		}),
	);
});

describe('the number of steps per response', () => {
	const listOf = (count: number) => JSON.stringify({ list: Array<string>(count).fill('1') });
	/** jest would need minutes to print the difference between two such lists. */
	const isNumbers = (args: string, count: number) =>
		args === JSON.stringify({ list: Array<number>(count).fill(1) });

	test('is small for many values of one schema with many branches', () => {
		const anyOf = Array<object>(1000).fill({ type: 'integer' });
		const branches = {
			properties: { list: { items: { anyOf: anyOf.map((one) => ({ ...one })) } } },
		};
		const coerced = coerceText(listOf(3000), branches);
		expect(isNumbers(coerced, 3000)).toBe(true);
	});

	test('has a limit, after which arguments are unchanged', () => {
		const coercer = new ArgumentCoercer();
		expect(coerceText(listOf(60_000), schema, {}, coercer)).toBe(listOf(60_000));
		expect(coerceText('{"flag":"true"}', schema, {}, coercer)).toBe('{"flag":"true"}');
		const anyOf = Array.from({ length: 100_000 }, () => ({ type: 'integer' }));
		const branches = { properties: { n: { anyOf } } };
		expect(coerceText('{"n":"5"}', branches)).toBe('{"n":"5"}');
		expect(isNumbers(coerceText(listOf(30_000), schema), 30_000)).toBe(true);
	});

	describe('is exceeded', () => {
		const items = (count: number, item: object | string) =>
			Array<object | string>(count).fill(item);
		const tool = (itemSchema: object): ToolDefinition => ({
			name: 'store',
			description: '',
			origin: 'foreign',
			schema: {
				type: 'object',
				properties: { items: { type: 'array', items: itemSchema }, flag: { type: 'boolean' } },
			},
		});
		const check = (calls: readonly object[], itemSchema: object = { type: 'object' }) =>
			checkToolCalls(
				calls.map((args) => ({ name: 'store', arguments: JSON.stringify(args) })),
				[tool(itemSchema)],
			);
		const WARNING =
			'The arguments of the tool "store" are too large to convert all texts in them to the types of its schema. n8n may reject them.';

		test.each([
			{ what: 'a list of objects as text', args: { items: JSON.stringify(items(100_000, {})) } },
			{ what: 'a list of objects', args: { items: items(100_001, { a: '1' }), flag: 'true' } },
			{ what: 'a list of texts', args: { items: items(60_000, '1') }, schema: { type: 'integer' } },
		])('by $what: the call runs as it is, and a hint says so', ({ args, schema: itemSchema }) => {
			const { validCalls, issues, warnings } = check([args], itemSchema);
			expect(validCalls[0]?.arguments === JSON.stringify(args)).toBe(true);
			expect({ count: validCalls.length, issues, warnings }).toEqual({
				count: 1,
				issues: [],
				warnings: [WARNING],
			});
		});

		test('by the first call: the hint is there once', () => {
			const large = { items: JSON.stringify(items(100_000, {})) };
			const { validCalls, warnings } = check([large, { flag: 'true' }, large]);
			expect(validCalls).toHaveLength(3);
			expect(warnings).toEqual([WARNING]);
		});

		test('not by a little less', () => {
			const args = { items: JSON.stringify(items(90_000, {})) };
			const { validCalls, warnings } = check([args]);
			expect(validCalls[0]?.arguments === JSON.stringify({ items: items(90_000, {}) })).toBe(true);
			expect(warnings).toEqual([]);
		});
	});
});

const order: ToolDefinition = {
	name: 'order',
	origin: 'foreign',
	schema: { type: 'object', properties: { id: { type: 'integer' } } },
};
const warningsOf = (...calls: string[]) => {
	const toolCalls = calls.map((args) => ({ name: 'order', arguments: args }));
	return checkToolCalls(toolCalls, [order]).warnings;
};

test('each call has the hint about its own numbers', () => {
	const warnings = warningsOf('{"id":9007199254740993}', '{"id":7,"note":"x"}');
	expect(warnings).toEqual([
		expect.stringContaining('with 9007199254740993, which exceeds'),
		expect.stringContaining('that it does not define (note)'),
	]);
});

test.each([
	{ calls: 10, shown: 10 },
	{ calls: 11, shown: 10 },
])('of the hints of $calls calls, $shown are shown', ({ calls, shown }) => {
	const args = Array.from({ length: calls }, (_none, at) => `{"id":1,"n${at}":1}`);
	expect(warningsOf(...args)).toHaveLength(shown);
});
