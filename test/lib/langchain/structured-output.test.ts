import fc from 'fast-check';
import { forgetAll } from '../../../lib/kept';
import { parseStructuredOutput } from '../../../lib/langchain/structured-output';
import { reply } from '../../simulators/llama-server';
import { fromRoot, useChatModel } from '../../support/n8n/chat-model';

const { server, supplied, chatRequests } = useChatModel({ nCtx: 65_536 });
beforeEach(forgetAll);

/** What the test uses of zod 3 and 4. */
interface Zod {
	object(shape: object): {
		refine(check: (value: { score: number }) => boolean, why: string): object;
	};
	string(): { describe(text: string): object; default(text: string): object };
	number(): { int(): { min(least: number): { max(most: number): object } } };
}

const { z: zod3 } = fromRoot('zod') as { z: Zod };
const { z: zod4 } = fromRoot('zod/v4') as { z: Zod };

/** The schema by which n8n's Evaluation gets a score. */
const judge = (z: Zod) =>
	z.object({
		reasoning_summary: z.string().describe('one sentence'),
		score: z.number().int().min(1).max(5),
	});

const JUDGE = {
	type: 'object',
	properties: {
		reasoning_summary: { type: 'string', description: 'one sentence' },
		score: { type: 'integer', minimum: 1, maximum: 5 },
	},
	required: ['reasoning_summary', 'score'],
};
const VERDICT = { reasoning_summary: 'Equal.', score: 5 };

const systemTexts = () =>
	chatRequests().map(({ messages }) =>
		messages.filter(({ role }) => role === 'system').map(({ content }) => String(content)),
	);

describe('a schema', () => {
	it.each([
		{ what: 'of zod 3', schema: judge(zod3) },
		{ what: 'of zod 4', schema: judge(zod4) },
		{ what: 'as JSON schema', schema: { title: 'Verdict of a judge', ...JUDGE } },
		{ what: 'within a function', schema: { name: 'judge', parameters: JUDGE } },
	])('$what is the format of the response, and part of the prompt', async ({ schema }) => {
		server().script(reply.text(JSON.stringify(VERDICT)));
		const { model } = await supplied();
		const structured = model.withStructuredOutput(schema);
		const messages = [
			['system', 'You are a judge.'],
			['human', 'Compare A with B.'],
		];
		expect(await structured.invoke(messages)).toEqual(VERDICT);
		const [body] = chatRequests();
		expect(body).not.toHaveProperty('tools');
		expect(body!.response_format).toMatchObject({
			type: 'json_schema',
			json_schema: {
				name: 'answer',
				schema: { properties: { score: {} }, required: ['reasoning_summary', 'score'] },
			},
		});
		expect(systemTexts()).toEqual([
			[
				expect.stringMatching(
					/^You are a judge\.\n\nAnswer with JSON .*\n\{.*"description":"one sentence"/s,
				),
			],
		]);
	});

	it('replaces the format of the options, and has a name if all servers accept it', async () => {
		const { model } = await supplied({ responseFormat: 'grammar', grammar: 'root ::= "yes"' });
		for (const name of ['verdict', 'Urteil über A']) {
			server().script(reply.text(JSON.stringify(VERDICT)));
			await model.withStructuredOutput(JUDGE, { name }).invoke('Hi');
		}
		expect(chatRequests().map(({ grammar, response_format: format }) => [grammar, format])).toEqual(
			['verdict', 'answer'].map((name) => [
				undefined,
				expect.objectContaining({
					json_schema: expect.objectContaining({ name }) as unknown,
				}) as unknown,
			]),
		);
	});

	it('that cannot be read is an error before anything is sent', async () => {
		const { model } = await supplied();
		for (const schema of [
			{ '~standard': { version: 1, vendor: 'other' } },
			{ type: 'object', properties: { a: { $ref: '#/nowhere' } } },
		])
			await expect(model.withStructuredOutput(schema).invoke('Hi')).rejects.toThrow(/schema/);
		expect(chatRequests()).toEqual([]);
	});

	it('of 500 fields is sent once', async () => {
		const names = Array.from({ length: 500 }, (_, at) => `field_${at}`);
		const properties = Object.fromEntries(names.map((name) => [name, { type: 'number' }]));
		const value = Object.fromEntries(names.map((name, at) => [name, at]));
		server().script(reply.text(JSON.stringify(value)));
		const { model } = await supplied();
		const schema = { type: 'object', properties, required: names };
		expect(await model.withStructuredOutput(schema).invoke('Hi')).toEqual(value);
		expect(chatRequests()).toHaveLength(1);
	});
});

it('works with a chat template without tools', async () => {
	server().route('GET /props', reply.json({ chat_template_caps: { supports_tools: false } }));
	server().script(reply.text(JSON.stringify(VERDICT)));
	const { model } = await supplied();
	expect(await model.withStructuredOutput(JUDGE).invoke('Hi')).toEqual(VERDICT);
});

it('a response that does not match is corrected by the model', async () => {
	server().script(
		reply.text('The score is five.'),
		reply.text('{"reasoning_summary":"Equal.","score":6}'),
		reply.text(JSON.stringify(VERDICT)),
	);
	const { model } = await supplied();
	expect(await model.withStructuredOutput(JUDGE).invoke('Hi')).toEqual(VERDICT);
	expect(chatRequests().at(-1)!.messages.at(-1)).toMatchObject({
		role: 'user',
		content: expect.stringContaining('does not match the JSON schema') as string,
	});
});

it('a server that rejects every format gets the schema in the prompt only', async () => {
	const rejection = reply.error(400, {
		error: { message: 'response_format is not supported', param: 'response_format' },
	});
	server().script(rejection, rejection, reply.text(JSON.stringify(VERDICT)));
	const { model } = await supplied();
	expect(await model.withStructuredOutput(JUDGE).invoke('Hi')).toEqual(VERDICT);
	const formats = chatRequests().map(({ response_format: format, tools }) => [format, tools]);
	expect(formats).toEqual([
		[expect.objectContaining({ type: 'json_schema' }), undefined],
		[{ type: 'json_object' }, undefined],
		[undefined, undefined],
	]);
});

describe('includeRaw', () => {
	interface RawOutput {
		raw: { content: unknown };
		parsed: unknown;
	}
	const invokeRaw = async (schema: unknown) => {
		const { model } = await supplied();
		const structured = model.withStructuredOutput(schema, { includeRaw: true });
		const { raw, parsed } = (await structured.invoke('Hi')) as RawOutput;
		return { content: raw.content, parsed };
	};

	it('returns the message beside its value', async () => {
		const content = JSON.stringify(VERDICT);
		server().script(reply.text(content));
		expect(await invokeRaw(judge(zod3))).toEqual({ content, parsed: VERDICT });
	});

	it.each(['The score is five.', '{"score":9}'])(
		'returns null beside a message that never matches: %s',
		async (content) => {
			for (const schema of [judge(zod3), JUDGE]) {
				server().script(...Array.from({ length: 3 }, () => reply.text(content)));
				expect(await invokeRaw(schema)).toEqual({ content, parsed: null });
			}
		},
	);
});

describe('the value', () => {
	const schema = zod4
		.object({ score: zod4.number(), reason: zod4.string().default('none') })
		.refine(({ score }) => score !== 3, 'three is no verdict');

	it('has the defaults of a library', async () => {
		server().script(reply.text('{"score":4}'));
		const { model } = await supplied();
		const structured = model.withStructuredOutput(schema);
		expect(await structured.invoke('Hi')).toEqual({ score: 4, reason: 'none' });
	});

	it('is corrected by what only the library can check, and an error if that does not help', async () => {
		const { model } = await supplied();
		const structured = model.withStructuredOutput(schema);
		server().script(reply.text('{"score":3}'), reply.text('{"score":4}'));
		expect(await structured.invoke('Hi')).toMatchObject({ score: 4 });
		expect(JSON.stringify(chatRequests().at(-1)!.messages.at(-1))).toContain('three is no verdict');
		server().script(...Array.from({ length: 3 }, () => reply.text('{"score":3}')));
		await expect(structured.invoke('Hi')).rejects.toMatchObject({
			description: expect.stringContaining('three is no verdict') as string,
		});
	});

	it('is an error if a library finds its issue late', async () => {
		const late = {
			'~standard': { validate: async () => ({ issues: [{ message: 'late', path: ['a', 0] }] }) },
		};
		await expect(parseStructuredOutput(late, { content: '{}' })).rejects.toThrow('a.0: late');
	});

	it('is the JSON of the message, whatever it is', async () => {
		await fc.assert(
			fc.asyncProperty(fc.jsonValue(), async (value) => {
				const content = JSON.stringify(value);
				const expected = JSON.parse(content) as unknown;
				expect(await parseStructuredOutput({ type: 'object' }, { content })).toEqual(expected);
			}),
		);
	});
});

it('a caller that requires a tool gets one, and the call is required', async () => {
	server().script(reply.toolCalls([{ name: 'extract', arguments: VERDICT }]));
	const { model } = await supplied();
	const structured = model.withStructuredOutput(judge(zod3), { method: 'functionCalling' });
	expect(await structured.invoke('Hi')).toEqual(VERDICT);
	expect(chatRequests()[0]).toMatchObject({
		tool_choice: 'required',
		tools: [{ function: { name: 'extract' } }],
	});
});
