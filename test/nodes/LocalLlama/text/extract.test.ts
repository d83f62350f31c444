import type { Usage } from '../../../../lib/chat/chat-result';
import { asRecord } from '../../../../lib/values/records';
import fc from 'fast-check';

import { examples } from '../../../support/jest/properties';
import { reply } from '../../../simulators/llama-server';
import type { GenerationOptions } from '../../../simulators/llama-server/reply';
import { useLocalLlama } from '../run-node';

const { serve, prepare, executeIn, json, getError, getBodies } = useLocalLlama();
const EXTRACT = { resource: 'text', operation: 'extract', text: 'Invoice 7 of ACME, 12.50 EUR' };
const FIELDS = {
	field: [
		{ name: 'number', type: 'integer', required: true },
		{ name: 'company', type: 'text', description: 'Who wrote it' },
	],
};
const RIGHT = '{"number":7,"company":"ACME"}';
const getChats = () =>
	getBodies('/chat/completions') as Array<
		{ messages: Array<{ role: string; content: string }> } & Record<string, unknown>
	>;

test('fields as a table: the schema is a constraint and part of the prompt, the text comes last', async () => {
	const sim = await serve();
	sim.script(reply.text(RIGHT));
	const options = { simplify: false, instructions: 'Amounts are in euros.' };
	expect(await json({ ...EXTRACT, fields: FIELDS, options })).toMatchObject({
		output: { number: 7, company: 'ACME' },
		metadata: {
			finishReason: 'stop',
			usage: { promptTokens: expect.any(Number) as number },
			model: 'sim-model',
			server: 'llamaServer',
		},
	});
	const [body] = getChats();
	expect(body).toMatchObject({
		temperature: 0,
		stream: true,
		chat_template_kwargs: { enable_thinking: false },
		response_format: {
			type: 'json_schema',
			json_schema: { schema: { required: ['number', 'company'] } },
		},
	});
	for (const text of ['Who wrote it', options.instructions])
		expect(body!.messages[0]!.content).toContain(text);
	// The prompt cache holds for all items.
	expect(body!.messages[0]!.content).not.toContain(EXTRACT.text);
	expect(body!.messages.at(-1)).toEqual({ role: 'user', content: EXTRACT.text });
});

test('a JSON schema, also in the wrapper of OpenAI', async () => {
	const sim = await serve();
	const schema = {
		type: 'array',
		items: { type: 'object', properties: { name: { type: 'string' } } },
	};
	for (const jsonSchema of [schema, JSON.stringify(schema), { name: 'people', schema }]) {
		sim.script(reply.text('[{"name":"Ann"}]'));
		expect((await json({ ...EXTRACT, options: { jsonSchema } })).output).toEqual([{ name: 'Ann' }]);
	}
});

test('any values of any fields come out as the model wrote them, also zero, false and an empty text', async () => {
	const VALUES = {
		text: ['', '0', 'ACME'],
		number: [0, -0.5, 12.5],
		integer: [0, -1, 7],
		boolean: [false, true],
		date: ['2026-12-31'],
		list: [[], [''], ['a', 'b']],
		choice: ['low', 'high'],
	};
	const sim = await serve();
	const types = Object.keys(VALUES) as Array<keyof typeof VALUES>;
	const fields = types.map((type) => ({ name: `a ${type}`, type, choices: 'low, high' }));
	const valueOf = (type: keyof typeof VALUES): fc.Arbitrary<[string, unknown]> =>
		fc.constantFrom<unknown>(...VALUES[type], null).map((value) => [`a ${type}`, value]);
	await fc.assert(
		fc.asyncProperty(fc.tuple(...types.map(valueOf)), async (entries) => {
			const written = Object.fromEntries(entries);
			sim.script(reply.text(JSON.stringify(written)));
			const { output } = await json({ ...EXTRACT, fields: { field: fields } });
			expect(output).toEqual(written);
		}),
		examples(20),
	);
});

test('a server that ignores the format: JSON in a code block is found', async () => {
	const sim = await serve({ profile: 'fastapi' });
	sim.script(reply.text(`Sure!\n\`\`\`json\n${RIGHT}\n\`\`\``));
	expect((await json({ ...EXTRACT, fields: FIELDS })).output).toEqual({
		number: 7,
		company: 'ACME',
	});
});

test('an invalid response is sent back once, with its issues', async () => {
	const sim = await serve();
	sim.script(reply.text('{"number":"seven","company":"ACME"}'), reply.text(RIGHT));
	const { output, metadata } = await json({
		...EXTRACT,
		fields: FIELDS,
		options: { simplify: false },
	});
	expect(output).toEqual({ number: 7, company: 'ACME' });
	expect(metadata).toMatchObject({ repaired: true });
	const [first, second] = getChats();
	expect(second!.messages.slice(0, 2)).toEqual(first!.messages);
	expect(second!.messages.at(-1)!.content).toContain('does not match the JSON schema: number: ');
	expect((metadata as { usage: Usage }).usage.promptTokens).toBeGreaterThan(
		JSON.stringify(first!.messages).length,
	);
});

test('invalid data is never returned: wrong each time is an error with the response in its details', async () => {
	const sim = await serve();
	sim.script(reply.text('{"number":"seven"}'), reply.text('[]'), reply.text('I cannot.'));
	const error = await getError({ ...EXTRACT, fields: FIELDS });
	expect(error.message).toBe('The response is not the requested JSON');
	expect(error.description).toMatch(/^Issues: not valid JSON\./);
	expect(error.context.data).toMatchObject({ type: 'invalidResponse', partialText: 'I cannot.' });
	expect(getChats()).toHaveLength(3);
});

describe('a response that the token limit cut off is an error at once', () => {
	test.each<[name: string, options: object, given: GenerationOptions]>([
		['the limit of tokens', {}, { finish: 'length' }],
		['its name in other APIs', {}, { finish: 'MAX_TOKENS' }],
		['the end of the context', {}, { finish: 'model_context_window_exceeded' }],
		['the end of the context of LM Studio', {}, { finish: 'contextLengthReached' }],
		['the number of tokens', { maxTokens: 8 }, { finish: 'stop', completionTokens: 8 }],
		[
			'the number of tokens, without a reason',
			{ maxTokens: 8 },
			{ finish: '', completionTokens: 9 },
		],
	])('by %s', async (_name, options, given) => {
		const sim = await serve();
		for (const text of ['{"number":', 'The number is', '{"number":"sev'])
			sim.script(reply.text(text, given));
		const error = await getError({ ...EXTRACT, fields: FIELDS, options });
		expect(error.message).toBe('The JSON was cut off at the token limit');
		expect(error.description).toMatch(/(?:Raise|Set) Maximum Tokens/);
		expect(error.context.data).toMatchObject({ partialText: '{"number":' });
		expect(getChats()).toHaveLength(1);
	});

	test.each(['length', 'max_tokens', 'model_context_window_exceeded'])(
		"by Ollama's done_reason %s",
		async (finish) => {
			const sim = await serve({ profile: 'ollama' });
			sim.script(reply.text('{"number":', { finish }), reply.text(RIGHT));
			const options = { contextSize: 2048 };
			const error = await getError({ ...EXTRACT, fields: FIELDS, options });
			expect(error.message).toBe('The JSON was cut off at the token limit');
			expect(getBodies('/api/chat')).toHaveLength(1);
		},
	);

	test('valid JSON that used all tokens is the result', async () => {
		const sim = await serve();
		sim.script(reply.text(RIGHT, { finish: 'length' }));
		expect((await json({ ...EXTRACT, fields: FIELDS })).output).toEqual(JSON.parse(RIGHT));
	});

	test('below the limit, it is corrected', async () => {
		const sim = await serve();
		sim.script(
			reply.text('{"number":', { finish: 'stop', completionTokens: 7 }),
			reply.text(RIGHT),
		);
		const options = { maxTokens: 8 };
		expect((await json({ ...EXTRACT, fields: FIELDS, options })).output).toEqual(JSON.parse(RIGHT));
	});
});

describe('a server that rejects response formats', () => {
	const reject = reply.error(400, {
		error: { message: "'response_format' is not supported", type: 'invalid_request_error' },
	});
	/** The schema, any JSON, and none: a server that names the field rejects the schema in each of its forms. */
	const ALL_FORMATS = ['json_schema', 'json_object', undefined];
	const rejections = ALL_FORMATS.slice(1).map(() => reject);
	const ONE_EXECUTION = { executionId: 'one execution' };
	const getFormats = () => getChats().map(({ response_format: format }) => asRecord(format).type);

	test('gets the request without one, and later requests of the execution omit it', async () => {
		const sim = await serve();
		sim.script(...rejections, reply.text(RIGHT), reply.text(RIGHT));
		expect((await json({ ...EXTRACT, fields: FIELDS }, ONE_EXECUTION)).output).toEqual({
			number: 7,
			company: 'ACME',
		});
		expect(getFormats()).toEqual(ALL_FORMATS);
		await json({ ...EXTRACT, fields: FIELDS }, ONE_EXECUTION);
		expect(getFormats()).toEqual([...ALL_FORMATS, undefined]);
	});

	test('does not change what chats send', async () => {
		const sim = await serve();
		sim.script(...rejections, reply.text(RIGHT), reply.text('{}'));
		await json({ ...EXTRACT, fields: FIELDS }, ONE_EXECUTION);
		const options = { responseFormat: 'jsonObject' };
		await json({ resource: 'text', operation: 'chat', prompt: 'A', options }, ONE_EXECUTION);
		expect(getFormats()).toEqual([...ALL_FORMATS, 'json_object']);
	});
});

test('fields from an expression, as names, objects, or JSON text', async () => {
	const sim = await serve();
	for (const fieldList of [FIELDS.field, JSON.stringify(FIELDS.field)]) {
		sim.script(reply.text(RIGHT));
		const item = await json({ ...EXTRACT, options: { fieldList } });
		expect(item.output).toEqual({ number: 7, company: 'ACME' });
	}
	sim.script(reply.text('{"company":"ACME"}'));
	expect(
		(await json({ ...EXTRACT, fields: FIELDS, options: { fieldList: ['company'] } })).output,
	).toEqual({
		company: 'ACME',
	});
});

test.each([[[{ type: 'number' }]], [[{ name: null }]], [[null]]])(
	'a field without a name, %j, is an error before anything is sent',
	async (fieldList) => {
		const sim = await serve();
		const { message } = await getError({ ...EXTRACT, options: { fieldList } });
		expect(message).toBe('The field "Field List" has a field without a name');
		expect(sim.requests).toEqual([]);
	},
);

test.each(['number, company', 'number;company', 'number\ncompany'])(
	'fields from one text: %j',
	async (fieldList) => {
		const sim = await serve();
		sim.script(reply.text('{"number":"7","company":"ACME"}'));
		const item = await json({ ...EXTRACT, options: { fieldList } });
		expect(item.output).toEqual({ number: '7', company: 'ACME' });
	},
);

test('an optional field may be missing and is null then; the model must write all fields', async () => {
	const sim = await serve();
	sim.script(reply.text('{"number":7}'));
	expect((await json({ ...EXTRACT, fields: FIELDS })).output).toEqual({ number: 7, company: null });
	expect(getChats()[0]).toMatchObject({
		response_format: { json_schema: { schema: { required: ['number', 'company'] } } },
	});
	sim.script(reply.text('{"company":"ACME"}'), reply.text(RIGHT));
	expect(await json({ ...EXTRACT, fields: FIELDS, options: { simplify: false } })).toMatchObject({
		metadata: { repaired: true },
	});
});

test('a number with more digits than JavaScript supports is a number, as requested', async () => {
	const sim = await serve();
	sim.script(reply.text('{"amount":119.0000000000000001}'));
	const fields = { field: [{ name: 'amount', type: 'number' }] };
	const fake = prepare({ parameters: { ...EXTRACT, fields } });
	const [item] = await executeIn(fake);
	expect(item!.json.output).toEqual({ amount: 119 });
	expect(fake.hints).toEqual([]);
});

test.each([
	['999999999999999', 999_999_999_999_999, 0],
	['9007199254740993', '9007199254740993', 1],
])(
	'a whole number of 15 digits is a number, one of 16 may be text: %s',
	async (getBodies, number, hints) => {
		const sim = await serve();
		sim.script(reply.text(`{"number":${getBodies}}`));
		const fields = { field: [{ name: 'number', type: 'integer' }] };
		const fake = prepare({ parameters: { ...EXTRACT, fields } });
		const [item] = await executeIn(fake);
		expect(item!.json.output).toEqual({ number });
		expect(fake.hints).toHaveLength(hints);
	},
);

test('a number whose digits say nothing is a number without a hint, also beside a text', async () => {
	const sim = await serve();
	sim.script(reply.text('{"amount":119.0000000000000001,"note":"paid"}'));
	const fields = {
		field: [
			{ name: 'amount', type: 'number' },
			{ name: 'note', type: 'text' },
		],
	};
	const fake = prepare({ parameters: { ...EXTRACT, fields } });
	const [item] = await executeIn(fake);
	expect(item!.json.output).toEqual({ amount: 119, note: 'paid' });
	expect(fake.hints).toEqual([]);
});

test('a number that JavaScript cannot represent is text, with a hint', async () => {
	const sim = await serve();
	sim.script(reply.text('{"number":12345678901234567890,"company":null}'));
	expect((await json({ ...EXTRACT, fields: FIELDS })).output).toEqual({
		number: '12345678901234567890',
		company: null,
	});
});

test('data that cannot be validated is returned', async () => {
	const sim = await serve();
	const schema = {
		type: 'object',
		properties: { a: { type: ['string', 'null'], pattern: '^(?=a)' } },
		required: ['a'],
	};
	sim.script(reply.text('{"a":null}'), reply.text('{"a":"b"}'));
	for (const a of [null, 'b']) {
		const item = await json({ ...EXTRACT, options: { jsonSchema: schema } });
		expect(item.output).toEqual({ a });
	}
});

test.each([
	['an empty text', { text: ' ', fields: FIELDS }, 'This item has no text'],
	['no fields', { fields: {} }, '"Fields" is empty'],
	['a field without a name', { fields: { field: [{ name: ' ' }] } }, 'without a name'],
	[
		'a type of an expression',
		{ fields: { field: [{ name: 'a', type: 'picture' }] } },
		'"Type" must be one of boolean, choice, date, list, number, text, integer, but is "picture"',
	],
	[
		'two of one name',
		{ fields: { field: [{ name: 'a' }, { name: 'a' }] } },
		'two fields named "a"',
	],
	[
		'fields by the thousand',
		{
			options: { fieldList: Array.from({ length: 20_000 }, (_, at) => `field ${at}`) },
		},
		'The JSON schema is too long',
	],
	[
		'a choice of nothing',
		{ fields: { field: [{ name: 'a', type: 'choice', choices: ' , ' }] } },
		'no choices for "a"',
	],
	['an empty schema', { options: { jsonSchema: '{}' } }, '"JSON Schema" is empty'],
	[
		'a reference deep inside that leads nowhere',
		{ options: { jsonSchema: { properties: { a: { $ref: '#/x' } } } } },
		'JSON schema is invalid',
	],
	['a broken schema', { options: { jsonSchema: { $ref: '#/none' } } }, 'JSON schema is invalid'],
	[
		'two options that replace the fields',
		{ options: { fieldList: ['a'], jsonSchema: '{"type":"object"}' } },
		'The options "Field List" and "JSON Schema" cannot be combined',
	],
	[
		'a field list whose expression returns nothing',
		{ fields: FIELDS, options: { fieldList: undefined } },
		'This item has no fields',
	],
])('%s is an error before anything is sent', async (_name, parameters, message) => {
	const sim = await serve();
	expect((await getError({ ...EXTRACT, ...parameters })).message).toContain(message);
	expect(sim.requests).toHaveLength(0);
});

test('S26: a scanned invoice without a text', async () => {
	const sim = await serve({ vision: true });
	sim.script(reply.text(RIGHT));
	const data = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1').toString('base64');
	const item = await json(
		{ ...EXTRACT, text: '', fields: FIELDS, options: { binaryFields: ['scan'] } },
		{ items: [{ json: {}, binary: { scan: { mimeType: 'image/png', data } } }] },
	);
	expect(item).toMatchObject({ output: { number: 7 } });
	expect(getChats()[0]!.messages.at(-1)!.content).toEqual([
		{ type: 'image_url', image_url: { url: `data:image/png;base64,${data}` } },
	]);
});

test('a field whose name every object inherits is null if the text does not contain it', async () => {
	const inheritedName = Object.getOwnPropertyNames(Object.prototype);
	const field = inheritedName.map((name) => ({ name, type: 'text' }));
	const sim = await serve();
	for (const isPresent of inheritedName) {
		sim.script(reply.text(`{${JSON.stringify(isPresent)}:"x"}`));
		const { output } = await json({ ...EXTRACT, fields: { field } });
		const expected = inheritedName.map((name) => [name, name === isPresent ? 'x' : null]);
		expect(Object.entries(output as object)).toEqual(expected);
	}
});
