/** Tools as an agent binds them: which are offered, and what n8n's converter gets to see. */
import { runAtOnce, runInSteps } from '../../../lib/http/steps';
import { readTools } from '../../../lib/langchain/tool-definitions';
import type { ToolList } from '../../../lib/langchain/tool-definitions';
import { forgetAll } from '../../../lib/kept';
import { MAX_TEXT_BYTES } from '../../../lib/task-limits';
import type { JsonRecord } from '../../../lib/values/records';
import { testLimit, textOfBytes } from '../../support/jest/limits';
import { fromRoot } from '../../support/n8n/chat-model';
import { asItIs } from '../../support/n8n/tools';
import type { ToJsonSchema } from '../../support/n8n/tools';

const { getParametersJsonSchema } = fromRoot('@n8n/ai-node-sdk') as {
	getParametersJsonSchema: ToJsonSchema;
};

interface Type {
	describe(text: string): Type;
	optional(): Type;
}
const { z } = fromRoot('zod') as { z: { object(shape: object): Type; string(): Type } };

const toRecord = <T>(count: number, make: (at: number) => T): Record<string, T> =>
	Object.fromEntries(Array.from({ length: count }, (_none, at) => [`f${at}`, make(at)]));

/** A tool as n8n's MCP client makes one. */
const createTool = (name: string, fields: number, text = 'A field') => ({
	name,
	description: 'Does it',
	schema: z.object(toRecord(fields, (at) => z.string().describe(`${text} ${at}`).optional())),
	invoke() {},
});

/** n8n's converter, with the numbers of fields of the zod schemas that it converted. */
const createConverter = () => {
	const converted: number[] = [];
	const toJsonSchema = ((tool: Parameters<ToJsonSchema>[0]) => {
		const json = getParametersJsonSchema(tool);
		if (json !== (tool as { inputSchema?: unknown }).inputSchema)
			converted.push(Object.keys(json.properties ?? {}).length);
		return json;
	}) as ToJsonSchema;
	return { toJsonSchema, converted };
};

const read = (tools: readonly unknown[], toJsonSchema: ToJsonSchema = asItIs) =>
	runAtOnce<ToolList>(readTools(tools, toJsonSchema));
const getNames = ({ tools }: ToolList) => tools.map(({ name }) => name);

beforeEach(forgetAll);

test('a tool that is too large never reaches the converter, and the others stay', () => {
	const { toJsonSchema, converted } = createConverter();
	const tools = [createTool('a', 3), createTool('big', 10_000), createTool('b', 3)];
	const list = read(tools, toJsonSchema);
	expect(getNames(list)).toEqual(['a', 'b']);
	expect(list.unusableTools).toEqual([{ name: 'big', problem: 'fields' }]);
	expect(converted).toEqual([3]);
});

describe('a schema of n8n', () => {
	test('is converted once, also as a new object with the same content and for another tool', () => {
		const { toJsonSchema, converted } = createConverter();
		const rounds = Array.from({ length: 5 }, () =>
			read([createTool('a', 3), createTool('b', 3)], toJsonSchema),
		);
		expect(converted).toEqual([3]);
		expect(rounds.at(-1)).toEqual(rounds[0]);
		expect(Object.keys(rounds[0]!.tools[1]!.schema.properties as object)).toEqual([
			'f0',
			'f1',
			'f2',
		]);
	});

	test('is converted again if its content has changed', () => {
		const { toJsonSchema } = createConverter();
		read([createTool('a', 1, 'Before')], toJsonSchema);
		const { tools } = read([createTool('a', 1, 'After')], toJsonSchema);
		expect(tools[0]!.schema.properties).toEqual({
			f0: { type: 'string', description: 'After 0' },
		});
	});

	test('of another converter is not taken from it', () => {
		const { toJsonSchema } = createConverter();
		const [tool] = [createTool('a', 1)];
		expect(read([tool], toJsonSchema).tools[0]!.schema).toHaveProperty('additionalProperties');
		expect(read([tool]).tools[0]!.schema).not.toHaveProperty('additionalProperties');
	});
});

test.each<{ what: string; tool: object; problem: string }>([
	{
		what: 'description',
		tool: { description: 'x'.repeat(MAX_TEXT_BYTES + 1) },
		problem: 'description',
	},
	{ what: 'name', tool: { name: 'x'.repeat(MAX_TEXT_BYTES + 1) }, problem: 'description' },
	{ what: 'schema', tool: { schema: { title: 'x'.repeat(200_001) } }, problem: 'length' },
	{
		what: 'schema, whose characters are escaped in JSON,',
		tool: { schema: { title: '"'.repeat(150_000) } },
		problem: 'length',
	},
	{
		what: 'schema of a library',
		tool: {
			schema: {
				'~standard': { jsonSchema: { input: () => ({ properties: toRecord(2_000, () => ({})) }) } },
			},
		},
		problem: 'fields',
	},
])('a tool with a long $what is not offered, in either form', ({ tool, problem }) => {
	const {
		name,
		description,
		schema: parameters,
	} = { name: 'look_up', description: '', schema: {}, ...tool };
	const forms = [
		{ name, description, schema: parameters },
		{ type: 'function', function: { name, description, parameters } },
	];
	for (const form of forms)
		expect(read([form, { name: 'a', schema: {} }])).toMatchObject({
			tools: [{ name: 'a' }],
			unusableTools: [{ name, problem }],
		});
});

test.each([
	{ what: 'a text', schema: 'text' },
	{ what: '`true`', schema: true },
	{ what: 'a list', schema: [{ type: 'object' }] },
	{ what: 'a function', schema: () => 1 },
	{ what: 'an object with methods', schema: { parse: () => 1 } },
	{ what: 'JSON with the key of another library', schema: { type: 'object', '~standard': {} } },
	{ what: 'a Standard Schema without JSON', schema: { '~standard': { validate: () => ({}) } } },
	{
		what: 'of a library that cannot convert it',
		schema: {
			toJSONSchema: () => {
				throw new Error('Custom types cannot be represented');
			},
		},
	},
])('a tool whose schema is $what is not offered, and the others stay', ({ schema }) => {
	const list = read([{ name: 'odd', schema }, createTool('a', 1)]);
	expect(getNames(list)).toEqual(['a']);
	expect(list.unusableTools).toEqual([{ name: 'odd', problem: 'form' }]);
});

test('a tool that n8n cannot convert is not offered, and the others stay', () => {
	const fail = (({ inputSchema }: { inputSchema: object }) => {
		if ('odd' in inputSchema) throw new TypeError('Cannot read properties of undefined');
		return inputSchema;
	}) as unknown as ToJsonSchema;
	const list = read([{ name: 'odd', schema: { odd: 1 } }, createTool('a', 1)], fail);
	expect(getNames(list)).toEqual(['a']);
});

const isAllOffered = (tools: readonly unknown[]) =>
	read(tools).unusableTools.every(({ problem }) => problem !== 'together');

testLimit('lib/langchain/tool-definitions.ts#MAX_TOOLS', {
	limit: 1_000,
	outcome: (count) =>
		isAllOffered(Object.values(toRecord(count, (at) => ({ name: `t${at}`, schema: {} })))),
	within: true,
	beyond: false,
});
testLimit('lib/langchain/tool-definitions.ts#MAX_VALUES_TOGETHER', {
	limit: 30_000,
	outcome: (count) => {
		// Each schema counts, and its list.
		const createEnum = (values: number): JsonRecord => ({
			name: 't',
			schema: { enum: Array.from({ length: values - 2 }, () => 1) },
		});
		return isAllOffered([
			...Array.from({ length: 3 }, () => createEnum(9_000)),
			createEnum(count - 27_000),
		]);
	},
	within: true,
	beyond: false,
});
testLimit('lib/task-limits.ts#MAX_TEXT_BYTES', {
	limit: 2 * 1024 * 1024,
	of: 'bytes of a description',
	outcome: (bytes) =>
		read([{ name: 'a', description: textOfBytes(bytes), schema: {} }]).unusableTools.length,
	within: 0,
	beyond: 1,
});
testLimit('lib/task-limits.ts#MAX_CONVERSATION_BYTES', {
	limit: 4 * 1024 * 1024,
	of: 'bytes of all names, descriptions and schemas',
	outcome: (bytes) => {
		const create = (size: number) => ({
			name: 't',
			description: textOfBytes(size),
			schema: { type: 'object' },
		});
		// A name, and the schema as JSON.
		const besides = 1 + '{"type":"object"}'.length;
		const half = 2_000_000;
		return isAllOffered([create(half), create(half), create(bytes - 2 * half - 3 * besides)]);
	},
	within: true,
	beyond: false,
});

test('a tool that fits comes after one for which there is no room', () => {
	const big = { name: 'big', schema: { enum: Array.from({ length: 9_500 }, () => 1) } };
	const list = read([big, big, big, { ...big, name: 'last' }, { name: 'small', schema: {} }]);
	expect(getNames(list)).toEqual(['big', 'big', 'big', 'small']);
	expect(list.unusableTools).toEqual([{ name: 'last', problem: 'together' }]);
});

test('of hundreds of large tools, only as many are read as converted schemas are kept', () => {
	const { toJsonSchema, converted } = createConverter();
	const createTools = () => [
		// The converter needs time with the square of a tool's fields.
		...Array.from({ length: 180 }, (_none, at) => createTool(`big${at}`, 300, `Field of ${at}`)),
		createTool('last', 3),
	];
	const first = read(createTools(), toJsonSchema);
	expect(first.unusableTools.at(-1)).toEqual({ name: 'last', problem: 'together' });
	expect(converted.length).toBeLessThan(120);
	const count = converted.length;
	expect(read(createTools(), toJsonSchema)).toEqual(first);
	expect(converted).toHaveLength(count);
});

/** Whether a tool is read after others with these schemas. */
const isReadAfter = (schemas: readonly JsonRecord[]) => {
	const toJSONSchema = jest.fn(() => ({}));
	const others = schemas.map((schema) => ({ name: 'a', schema }));
	read([...others, { name: 'b', schema: { toJSONSchema } }]);
	return toJSONSchema.mock.calls.length > 0;
};

testLimit('lib/langchain/tool-definitions.ts#MAX_VALUES_READ', {
	limit: 100_000,
	outcome: (values) => {
		const create = (count: number): JsonRecord => ({
			enum: Array.from({ length: count - 2 }, () => 1),
		});
		return isReadAfter([
			...Array.from({ length: 9 }, () => create(10_000)),
			create(values - 90_000),
		]);
	},
	within: true,
	beyond: false,
});
testLimit('lib/langchain/tool-definitions.ts#MAX_BYTES_READ', {
	limit: 10 * 1024 * 1024,
	outcome: (bytes) => {
		// A name, and the schema as JSON.
		const create = (count: number): JsonRecord => ({
			title: 'x'.repeat(count - 1 - '{"title":""}'.length),
		});
		const count = Math.floor(bytes / 100_000);
		return isReadAfter([
			...Array.from({ length: count }, () => create(100_000)),
			create(bytes - count * 100_000),
		]);
	},
	within: true,
	beyond: false,
});
test('tools beyond a limit count as much as was read of them', () => {
	const long = (at: number): JsonRecord => ({
		title: 'x'.repeat(199_000),
		[`n${at}`]: 'x'.repeat(2_000),
	});
	expect(isReadAfter(Object.values(toRecord(50, long)))).toBe(true);
	expect(isReadAfter(Object.values(toRecord(60, long)))).toBe(false);
});

test('n8n does its other work between tools', async () => {
	const work = jest.fn();
	const timer = setInterval(work, 1);
	const wait = () => {
		const end = performance.now() + 30;
		while (performance.now() < end);
		return {};
	};
	await runInSteps(
		readTools(
			Object.values(toRecord(5, () => ({ name: 'a', schema: { toJSONSchema: wait } }))),
			asItIs,
		),
	);
	clearInterval(timer);
	expect(work.mock.calls.length).toBeGreaterThan(1);
});
