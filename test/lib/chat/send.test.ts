import { ChatClient } from '../../../lib/chat/client';
import type { ChatParameters } from '../../../lib/chat/types';
import type { ChatCall } from '../../../lib/chat/request/request';
import { closeChannels } from '../../../lib/http/dispatcher';
import { connectTo } from '../../../lib/servers/connect';
import { type LlamaServerSim, reply, startLlamaServerSim } from '../../servers/llama-server';
import { httpFixture } from '../../support/streams';
import { PLAIN_SETTINGS } from './chat-settings';

let sim: LlamaServerSim;

beforeEach(async () => {
	sim = await startLlamaServerSim({ profile: 'fastapi' });
});
afterEach(async () => {
	await closeChannels();
	await sim.close();
});

const bodies = () =>
	sim.requests
		.filter(({ path }) => path.endsWith('/chat/completions'))
		.map(({ body }) => body as Record<string, unknown>);

async function run(parameters: ChatParameters, call: Partial<ChatCall> = {}) {
	const client = new ChatClient(connectTo({ baseUrl: sim.url, chosenKind: 'other' }), {
		...PLAIN_SETTINGS,
		parameters,
	});
	const pieces = client.generate({
		messages: [{ type: 'human', content: 'Hi' }],
		...call,
	});
	for (;;) {
		const { value, done } = await pieces.next();
		if (done) return value;
	}
}

const forbidden = (...fields: string[]) =>
	reply.error(422, {
		detail: fields.map((field) => ({
			type: 'extra_forbidden',
			loc: ['body', field],
			msg: 'Extra inputs are not permitted',
			input: 1,
		})),
	});

describe('a FastAPI server that forbids fields it does not know', () => {
	it('and names another one each time is not asked for ever', async () => {
		sim.route('POST /v1/chat/completions', () => forbidden(`field_${bodies().length}`));
		await expect(run({})).rejects.toMatchObject({ kind: 'badRequest' });
		expect(bodies()).toHaveLength(65);
	});

	it('top_k and stream_options, as recorded: asked again without them, and the note names the option', async () => {
		const recorded = httpFixture('fastapi-0.165.0/strict-extra-422.http');
		const refusal = () => reply.error(422, JSON.parse(recorded.body.toString('utf8')) as object);
		sim.script(refusal(), reply.text('Hello'));
		const answer = await run({ topK: 5, temperature: 0.5 });
		expect(answer.text).toBe('Hello');
		expect(answer.notes).toEqual([
			'This server refuses fields that it does not know, so these options were left out: top_k',
		]);
		expect(bodies().at(-1)).toMatchObject({ temperature: 0.5, stream: true });
		expect(bodies().at(-1)).not.toHaveProperty('top_k');
		expect(bodies().at(-1)).not.toHaveProperty('stream_options');
		expect(bodies()).toHaveLength(2);
	});

	it('pydantic 1 says it in its own words', async () => {
		sim.script(
			reply.error(422, {
				detail: [
					{ loc: ['body', 'min_p'], msg: 'extra fields not permitted', type: 'value_error.extra' },
				],
			}),
			reply.text('Hello'),
		);
		expect((await run({ minP: 0.1 })).text).toBe('Hello');
		expect(bodies().map((body) => 'min_p' in body)).toEqual([true, false]);
	});

	it.each<[string, ChatParameters, string]>([
		['a grammar', { responseFormat: { type: 'grammar', grammar: 'root ::= "a"' } }, 'grammar'],
		['JSON', { responseFormat: { type: 'jsonObject' } }, 'response_format'],
		['a field of Extra Body', { extraBody: { mine: 1 } }, 'mine'],
	])('fields that the answer depends on are not left out: %s', async (_what, parameters, field) => {
		sim.script(forbidden(field), reply.text('never'));
		await expect(run(parameters)).rejects.toMatchObject({ status: 422 });
		expect(bodies()).toHaveLength(1);
	});

	it("a schema where only json_object is taken, in the words of Triton's frontend: asked again with that", async () => {
		const detail = [
			{ loc: ['body', 'response_format', 'type'], msg: "Input should be 'text' or 'json_object'" },
		];
		sim.script(reply.error(422, { detail }), reply.text('{"a":1}'));
		const answer = await run({ responseFormat: { type: 'jsonSchema', schema: {} } });
		expect(answer).toMatchObject({
			text: '{"a":1}',
			notes: [expect.stringContaining('takes no JSON Schema') as string],
		});
		expect(bodies().map(({ response_format }) => response_format)).toEqual([
			expect.objectContaining({ type: 'json_schema' }),
			{ type: 'json_object' },
		]);
	});

	it('json_object where only a schema is taken, in the words of LM Studio: asked again with that of any object', async () => {
		const error = "'response_format.type' must be 'json_schema' or 'text'";
		sim.script(reply.error(400, { error }), reply.text('{"a":1}'));
		expect(await run({ responseFormat: { type: 'jsonObject' } })).toMatchObject({
			text: '{"a":1}',
			notes: [],
		});
		expect(bodies().map(({ response_format }) => response_format)).toEqual([
			{ type: 'json_object' },
			{
				type: 'json_schema',
				json_schema: { name: 'answer', strict: true, schema: { type: 'object' } },
			},
		]);
	});

	it.each([
		['Kong', 'response streaming is not enabled for this LLM'],
		['agentgateway', 'todo: streaming is not currently supported for this provider'],
	])('a gateway that streams nothing, in the words of %s, is asked without', async (_, error) => {
		sim.script(reply.error(400, { error: { message: error } }), reply.text('Hello'));
		await run({});
		expect(bodies().map(({ stream }) => stream)).toEqual([true, false]);
	});

	describe('a gateway that streams no response format, in the words of any-llm', () => {
		const refused = () =>
			reply.error(500, { detail: 'The request could not be completed by the provider' });

		it('is asked without a stream', async () => {
			sim.script(refused(), reply.text('{}'));
			await run({ responseFormat: { type: 'jsonObject' } });
			expect(bodies().map(({ stream }) => stream)).toEqual([true, false]);
		});

		it('but once, and not where no format is requested', async () => {
			sim.script(refused(), refused(), refused());
			await expect(run({ responseFormat: { type: 'jsonObject' } })).rejects.toThrow();
			await expect(run({})).rejects.toThrow();
			expect(bodies()).toHaveLength(3);
		});
	});

	it('the same refusal of a request in Extra Body is an error', async () => {
		const error = "'response_format.type' must be 'json_schema' or 'text'";
		sim.script(reply.error(400, { error }), reply.text('never'));
		const extraBody = { response_format: { type: 'json_object' } };
		await expect(run({ extraBody })).rejects.toMatchObject({ status: 400 });
		expect(bodies()).toHaveLength(1);
	});

	describe('values that a server lists in place of the one that was sent', () => {
		const notOf = (field: string, values: string[]) =>
			reply.error(422, {
				detail: [
					{
						loc: ['body', field],
						msg: `Input should be ${values.map((one) => `'${one}'`).join(' or ')}`,
					},
				],
			});
		const tool = { name: 'f', parameters: { type: 'object', properties: {} } };

		it('a tool that must be called is forced by "any"', async () => {
			sim.script(
				notOf('tool_choice', ['auto', 'none', 'any']),
				reply.toolCalls([{ name: 'f', arguments: '{}' }]),
			);
			expect((await run({}, { tools: [tool], toolChoice: 'required' })).toolCalls).toHaveLength(1);
			expect(bodies().map(({ tool_choice }) => tool_choice)).toEqual(['required', 'any']);
		});

		it('a server that knows neither word is told', async () => {
			sim.script(notOf('tool_choice', ['auto', 'none']), reply.text('never'));
			await expect(run({}, { tools: [tool], toolChoice: 'required' })).rejects.toMatchObject({
				status: 422,
			});
		});

		it('an effort that it does not know becomes "low", with a note', async () => {
			sim.script(notOf('reasoning_effort', ['low', 'medium', 'high']), reply.text('Hello'));
			const answer = await run({ thinking: { mode: 'effort', effort: 'minimal' } });
			expect(answer.notes).toEqual([expect.stringContaining('"low"')]);
			expect(bodies().map(({ reasoning_effort }) => reasoning_effort)).toEqual(['minimal', 'low']);
		});

		it('but only once', async () => {
			const refusal = () => notOf('reasoning_effort', ['low']);
			sim.script(refusal(), refusal(), reply.text('never'));
			await expect(run({ thinking: { mode: 'effort', effort: 'high' } })).rejects.toMatchObject({
				status: 422,
			});
			expect(bodies()).toHaveLength(2);
		});
	});

	it('a second refusal is an error', async () => {
		sim.script(forbidden('top_k'), forbidden('top_k'), reply.text('never'));
		await expect(run({ topK: 5, temperature: 0.5 })).rejects.toMatchObject({ status: 422 });
		expect(bodies()).toHaveLength(2);
	});

	it('that names one field after the other gets the request without both', async () => {
		sim.script(forbidden('top_k'), forbidden('min_p'), reply.text('Hello'));
		expect((await run({ topK: 5, minP: 0.1 })).notes).toEqual([
			'This server refuses fields that it does not know, so these options were left out: top_k, min_p',
		]);
		expect(bodies()).toHaveLength(3);
	});

	it('is remembered: the next request has none of them, and the note comes again', async () => {
		sim.script(forbidden('top_k', 'stream_options'), reply.text('Hello'));
		await run({ topK: 5 });
		const again = await run({ topK: 5, minP: 0.1 });
		expect(bodies()).toHaveLength(3);
		expect(bodies().at(-1)).toMatchObject({ min_p: 0.1 });
		expect(bodies().at(-1)).not.toHaveProperty('top_k');
		expect(again.notes).toEqual([
			'This server refuses fields that it does not know, so these options were left out: top_k',
		]);
		expect((await run({})).notes).toEqual([]);
	});

	it.each([
		[
			'OpenAI',
			400,
			{ error: { message: "Unsupported parameter: 'top_k' is not supported with this model." } },
		],
		['a gateway', 400, { error: { message: 'Unrecognized request arguments supplied: top_k' } }],
		[
			'LiteLLM',
			400,
			{
				error: {
					message:
						"litellm.UnsupportedParamsError: vllm does not support parameters: ['top_k'], for model=m",
				},
			},
		],
		[
			'a function of Python',
			500,
			{ error: "generate() got an unexpected keyword argument 'top_k'" },
		],
		[
			'a server of Rust',
			422,
			'Failed to deserialize: unknown field `top_k`, expected one of `model`, `messages`',
		],
		['a server of Go', 400, { error: 'json: unknown field "top_k"' }],
		[
			'a JSON schema',
			400,
			{ error: "Additional properties are not allowed ('top_k' was unexpected)" },
		],
	])('%s says it in its own words', async (_who, status, body) => {
		sim.script(reply.error(status, body), reply.text('Hello'));
		expect((await run({ topK: 5, temperature: 0.5 })).text).toBe('Hello');
		expect(bodies().map((sent) => 'top_k' in sent)).toEqual([true, false]);
		expect(bodies().at(-1)).toMatchObject({ temperature: 0.5 });
	});

	it('tools are never left out: the error says that it takes none', async () => {
		const recorded = httpFixture('fastapi-0.165.0/strict-extra-tools-422.http');
		sim.script(reply.error(422, JSON.parse(recorded.body.toString('utf8')) as object));
		const client = new ChatClient(connectTo({ baseUrl: sim.url, chosenKind: 'other' }), {
			...PLAIN_SETTINGS,
		});
		const call = {
			messages: [{ type: 'human' as const, content: 'Hi' }],
			tools: [{ name: 'f', parameters: {} }],
		};
		await expect(client.generate(call).next()).rejects.toMatchObject({
			kind: 'toolsUnsupported',
			status: 422,
		});
		expect(bodies()).toHaveLength(1);
	});
});
