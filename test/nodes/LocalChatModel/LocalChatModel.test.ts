import type { NodeOperationError } from 'n8n-workflow';

import type { LocalChatModel as Model } from '../../../lib/langchain/local-chat-model';
import { forgetServerKinds } from '../../../lib/servers/identify';
import { LocalChatModel } from '../../../nodes/LocalChatModel/LocalChatModel.node';
import { reply, startLlamaServerSim } from '../../servers/llama-server';
import { fakeContext, type FakeContext } from '../../support/context';
import { createRequire, delay, process } from '../../support/node';
import { useSimulator } from '../../servers/use-simulator';

const startServer = useSimulator(startLlamaServerSim);

type Sim = Awaited<ReturnType<typeof startLlamaServerSim>>;
interface Messages {
	HumanMessage: new (content: unknown) => unknown;
	SystemMessage: new (content: unknown) => unknown;
	AIMessage: new (fields: object) => unknown;
	ToolMessage: new (fields: object) => unknown;
}

const fromRoot = createRequire(`${process.cwd()}/package.json`);
const { HumanMessage, AIMessage, ToolMessage } = fromRoot('@langchain/core/messages') as Messages;
const { z } = fromRoot('zod') as {
	z: { object(shape: object): unknown; string(): { describe(text: string): unknown } };
};
const { tool } = fromRoot('@langchain/core/tools') as {
	tool(run: (input: unknown) => unknown, fields: object): unknown;
};

let sim: Sim;

beforeEach(async () => {
	sim = await startServer({ apiKey: 'secret-key-123' });
	forgetServerKinds();
});
/** The model as n8n gets it from the node. */
async function supplied(
	parameters: Record<string, unknown> = {},
	credentials: Record<string, string> = {},
): Promise<FakeContext & { model: Model }> {
	const fake = fakeContext(
		{ model: { __rl: true, mode: 'id', value: 'sim-model' }, ...parameters },
		{ baseUrl: sim.url, apiKey: 'secret-key-123', authentication: 'bearer', ...credentials },
	);
	const { response } = await new LocalChatModel().supplyData.call(fake.context, 0);
	return { ...fake, model: response as Model };
}

function chatRequests() {
	return sim.requests
		.filter(({ path }) => path.endsWith('/chat/completions'))
		.map(({ body }) => body as Record<string, unknown> & { messages: Array<Record<string, unknown>> });
}

async function collect(model: Model, input: unknown, options?: object) {
	const chunks = [];
	for await (const chunk of await model.stream(input, options)) chunks.push(chunk);
	return chunks;
}

const weather = tool(() => 'sunny', {
	name: 'get_weather',
	description: 'Weather of a city',
	schema: z.object({ city: z.string().describe('A city') }),
});
const time = {
	type: 'function',
	function: {
		name: 'get_time',
		description: 'Time',
		parameters: { type: 'object', properties: { tz: { type: 'string' } } },
	},
};

describe('what n8n looks at before it takes the model', () => {
	it('is a chat model that can bind tools', async () => {
		const { model } = await supplied();
		const looked = model as unknown as {
			lc_namespace: string[];
			_modelType(): string;
			_llmType(): string;
			bindTools: unknown;
		};
		expect(looked.lc_namespace).toContain('chat_models');
		expect(looked._modelType()).toBe('base_chat_model');
		expect(looked._llmType()).toBe('local-llama');
		expect(typeof looked.bindTools).toBe('function');
	});

	it('counts tokens without the network and at once', async () => {
		const { model } = await supplied();
		expect(await model.getNumTokens('Hello, how are you today?')).toBe(7);
		expect(await model.getNumTokens('今天天气很好')).toBe(6);
		expect(await model.getNumTokens([{ type: 'text', text: 'abcdefgh' }, 'abcd'])).toBe(3);
		// The agent trims its memory by these counts: a picture must not empty it.
		const picture = { type: 'image_url', image_url: { url: `data:image/png;base64,${'A'.repeat(1_000_000)}` } };
		expect(await model.getNumTokens([picture, { type: 'text', text: 'abcd' }])).toBe(1001);
		expect(await model.getNumTokens([{ type: 'tool_use', name: 'f', input: { x: 1 } }])).toBe(12);
		expect(await model.getNumTokens(undefined)).toBe(0);
		expect(sim.requests).toHaveLength(0);
	});

	it('tells chains to read JSON where JSON was asked for', async () => {
		expect((await supplied({ responseFormat: 'jsonObject' })).model.metadata).toMatchObject({ output_format: 'json' });
		expect(
			(await supplied({ responseFormat: 'jsonSchema', jsonSchema: '{"type":"object"}' })).model.metadata,
		).toMatchObject({ output_format: 'json' });
		expect((await supplied()).model.metadata?.output_format).toBeUndefined();
	});
});

describe('streamed', () => {
	it('yields plain text, and usage, reason and timings on exactly one chunk', async () => {
		sim.script(reply.text('Hello from the simulator'));
		const { model, outputs } = await supplied();
		const chunks = await collect(model, 'Hi');
		expect(chunks.map(({ content }) => content).join('')).toBe('Hello from the simulator');
		expect(chunks.every(({ content }) => typeof content === 'string')).toBe(true);
		expect(chunks.filter(({ usage_metadata: usage }) => usage !== undefined)).toHaveLength(1);
		const last = chunks.at(-1)!;
		expect(last.response_metadata).toMatchObject({ finish_reason: 'stop', model_name: 'sim-model' });
		const { tokenUsage, response } = outputs[0] as {
			tokenUsage: { promptTokens: number; completionTokens: number };
			response: { generations: Array<Array<{ text: string; generationInfo: Record<string, unknown> }>> };
		};
		expect(tokenUsage.completionTokens).toBe((last.usage_metadata as { output_tokens: number }).output_tokens);
		expect(response.generations[0]![0]!.text).toBe('Hello from the simulator');
		expect(response.generations[0]![0]!.generationInfo).toMatchObject({
			finish_reason: 'stop',
			timings: { predicted_n: expect.any(Number) as number },
			tokensPerSecond: expect.any(Number) as number,
			cachedTokens: expect.any(Number) as number,
			firstTokenMs: expect.any(Number) as number,
		});
	});

	it('hands over parallel calls with their own arguments, however they were interleaved', async () => {
		sim.script(
			reply.toolCalls(
				[
					{ name: 'get_weather', arguments: { city: 'Paris' } },
					{ name: 'get_time', arguments: { tz: 'UTC' } },
				],
				{ style: 'interleaved' },
			),
		);
		const { model } = await supplied();
		const chunks = await collect(model.bindTools([weather, time]), 'Hi');
		expect(chunks.at(-1)!.tool_calls).toEqual([
			{ name: 'get_weather', args: { city: 'Paris' }, id: expect.any(String) as string, type: 'tool_call' },
			{ name: 'get_time', args: { tz: 'UTC' }, id: expect.any(String) as string, type: 'tool_call' },
		]);
	});

	it('keeps thinking out of the text and where the agent carries it', async () => {
		sim.script(reply.reasoning('Let me think.', 'Forty-two.'));
		const { model } = await supplied();
		const chunks = await collect(model, 'Hi');
		expect(chunks.map(({ content }) => content).join('')).toBe('Forty-two.');
		expect(chunks.map(({ additional_kwargs: kwargs }) => kwargs.reasoning_content ?? '').join('')).toBe(
			'Let me think.',
		);
	});

	it('closes the connection when the reader stops early', async () => {
		// LangChain reads one chunk ahead, and can only be told to stop when that one is there.
		sim.script(reply.chunks(['a', { wait: 200 }, 'b', { wait: 60_000 }, 'c']));
		const { model } = await supplied();
		for await (const chunk of await model.stream('Hi')) {
			if (chunk.content === 'a') break;
		}
		await sim.until(() => sim.requests.at(-1)?.endedBy === 'client-abort');
	});
});

describe('generated', () => {
	it('streams from the server all the same and returns one whole message', async () => {
		sim.script(reply.text('One answer'));
		const { model, outputs } = await supplied();
		const message = await model.invoke([new HumanMessage('Hi')]);
		expect(message.content).toBe('One answer');
		expect(message.constructor.name).toBe('AIMessageChunk');
		expect(chatRequests()[0]).toMatchObject({ stream: true, stream_options: { include_usage: true } });
		expect(outputs[0]).toMatchObject({
			tokenUsage: { completionTokens: expect.any(Number) as number, promptTokens: expect.any(Number) as number },
		});
		expect(outputs[0]).not.toHaveProperty('tokenUsageEstimate');
	});

	it('gives structured output through a tool', async () => {
		sim.script(reply.toolCalls([{ name: 'extract', arguments: { a: 5 } }]));
		const { model } = await supplied();
		const structured = model.withStructuredOutput({
			title: 'extract',
			type: 'object',
			properties: { a: { type: 'number' } },
		});
		expect(await structured.invoke('Hi')).toEqual({ a: 5 });
		expect(chatRequests()[0]).toMatchObject({ tool_choice: 'required', tools: [{ function: { name: 'extract' } }] });
	});
});

describe('tools', () => {
	it('turns "any" into "required", and the choice survives a second binding', async () => {
		sim.script(reply.toolCalls([{ name: 'get_weather', arguments: { city: 'Rome' } }]));
		const { model } = await supplied();
		const once = model.bindTools([weather], { tool_choice: 'any' });
		expect(typeof once.bindTools).not.toBe('function');
		await once.invoke('Hi');
		expect(chatRequests()[0]).toMatchObject({ tool_choice: 'required' });
	});

	it('sends the schema of a zod tool once, without $schema', async () => {
		const { model } = await supplied();
		await model.bindTools([weather]).invoke('Hi');
		const [sent] = chatRequests()[0]!.tools as Array<{ function: { parameters: Record<string, unknown> } }>;
		expect(chatRequests()[0]!.tools).toHaveLength(1);
		expect(sent!.function.parameters).toMatchObject({
			type: 'object',
			properties: { city: { type: 'string', description: 'A city' } },
			required: ['city'],
		});
		expect(sent!.function.parameters).not.toHaveProperty('$schema');
	});

	it('sends back a turn of two calls as one message, with its thinking and without the injected id', async () => {
		sim.script(
			reply.toolCalls(
				[
					{ name: 'get_weather', arguments: '{"city": "Paris"}', id: 'functions.get_weather:0' },
					{ name: 'get_time', arguments: '{"tz":"UTC"}', id: 'functions.get_time:1' },
				],
				{ reasoning: 'I need both.' },
			),
		);
		sim.script(reply.text('Done'));
		const { model } = await supplied();
		const bound = model.bindTools([weather, time]);
		const first = await bound.invoke('Both?');
		const [a, b] = first.tool_calls!;
		// What n8n's agent makes of it (docs/protocols/n8n.md 2.4).
		const replayed = [a!, b!].flatMap((call) => [
			new AIMessage({
				content: [],
				tool_calls: [{ ...call, args: { ...call.args, id: call.id } }],
				additional_kwargs: { reasoning_content: 'I need both.' },
			}),
			new ToolMessage({ tool_call_id: call.id, name: call.name, content: 'ok' }),
		]);
		await bound.invoke([new HumanMessage('Both?'), ...replayed]);
		expect(chatRequests()[1]!.messages).toEqual([
			{ role: 'user', content: 'Both?' },
			{
				role: 'assistant',
				content: '',
				reasoning_content: 'I need both.',
				tool_calls: [
					{
						id: 'functions.get_weather:0',
						type: 'function',
						function: { name: 'get_weather', arguments: '{"city": "Paris"}' },
					},
					{ id: 'functions.get_time:1', type: 'function', function: { name: 'get_time', arguments: '{"tz":"UTC"}' } },
				],
			},
			{ role: 'tool', tool_call_id: 'functions.get_weather:0', name: 'get_weather', content: 'ok' },
			{ role: 'tool', tool_call_id: 'functions.get_time:1', name: 'get_time', content: 'ok' },
		]);
	});
});

describe('the execution log', () => {
	it('shows readable settings and no secret', async () => {
		const { model, inputs } = await supplied({ options: { temperature: 0.2, maxTokens: 50 } }, { extraHeaders: '' });
		await model.invoke('Hi');
		expect(inputs[0]).toMatchObject({
			options: { model: 'sim-model', base_url: `${sim.url}/v1`, options: { temperature: 0.2, maxTokens: 50 } },
		});
		expect(JSON.stringify(inputs)).not.toContain('secret-key-123');
		expect(JSON.stringify(model.toJSON())).not.toContain('secret-key-123');
	});

	it('keeps callbacks that are appended later, as the Model Selector does', async () => {
		const { model } = await supplied();
		const seen: string[] = [];
		const { BaseCallbackHandler } = fromRoot('@langchain/core/callbacks/base') as {
			BaseCallbackHandler: { fromMethods(methods: object): unknown };
		};
		model.callbacks.push(BaseCallbackHandler.fromMethods({ handleLLMEnd: () => seen.push('end') }));
		await model.bindTools([weather]).invoke('Hi');
		expect(seen).toEqual(['end']);
	});

	it('gives the user hints about an answer that is usable all the same', async () => {
		sim.script(reply.text('cut off', { finish: 'length' }));
		const { model, hints } = await supplied();
		await model.invoke('Hi');
		expect(hints.map(({ message }) => message)).toEqual([
			expect.stringContaining('cut off by the token limit') as string,
		]);
	});
});

describe('failures', () => {
	async function failureOf(run: Promise<unknown>): Promise<NodeOperationError> {
		return await run.then(
			() => {
				throw new Error('it succeeded');
			},
			(error: unknown) => error as NodeOperationError,
		);
	}

	it.each([
		['only thinking', () => reply.reasoning('hmm', ''), 'onlyThinking'],
		[
			'a call cut by the token limit',
			() => reply.toolCalls([{ name: 'get_weather', arguments: '{"city":"Pa' }], { finish: 'length' }),
			'toolCallCut',
		],
		[
			'arguments that are no JSON',
			() => reply.toolCalls([{ name: 'get_weather', arguments: '{"city":' }]),
			'toolCallInvalid',
		],
		['an empty answer', () => reply.empty(), 'emptyAnswer'],
		['an early end', () => reply.chunks(['half'], { finish: false, done: false }), 'streamEndedEarly'],
		['an error in the stream', () => reply.chunks(['half'], { error: { message: 'Compute error.' } }), 'streamError'],
	])('%s is a node error, streamed and generated', async (_name, scripted, kind) => {
		sim.script(scripted());
		sim.script(scripted());
		const { model } = await supplied();
		const bound = model.bindTools([weather]);
		for (const run of [bound.invoke('Hi'), collect(bound, 'Hi')]) {
			const error = await failureOf(run);
			expect(error.constructor.name).toBe('NodeOperationError');
			expect(error.context.data).toMatchObject({ kind });
			expect(error.message).not.toContain(sim.url);
			expect(error.description).toContain(`${sim.url}/v1/chat/completions`);
		}
	});

	it('keeps the text that had arrived', async () => {
		sim.script(reply.chunks(['half of ', 'an answer'], { finish: false, done: false }));
		const { model } = await supplied();
		const error = await failureOf(collect(model, 'Hi'));
		expect(error.context.data).toMatchObject({ partialText: 'half of an answer' });
	});

	it('names a wrong key and never shows it', async () => {
		const { model, outputs } = await supplied({}, { apiKey: 'wrong-key-987' });
		const error = await failureOf(model.invoke('Hi'));
		expect(error.message).toContain('refuses the API key');
		expect(JSON.stringify([error, error.message, error.description, outputs])).not.toContain('wrong-key-987');
	});

	it('stops for the signal of the call and for that of the node', async () => {
		for (const which of ['call', 'node'] as const) {
			sim.script(reply.chunks(['a', { wait: 60_000 }]));
			const { model, cancel } = await supplied();
			const own = new AbortController();
			const run = failureOf(model.invoke('Hi', { signal: own.signal }));
			await sim.until(() => chatRequests().length === (which === 'call' ? 1 : 2));
			await delay(30);
			(which === 'call' ? own : cancel).abort();
			await run;
			await sim.until(() => sim.requests.at(-1)?.endedBy === 'client-abort');
		}
	});

	it('lets a fallback model take over', async () => {
		sim.script(reply.error(500, { error: { message: 'boom', code: 500, type: 'server_error' } }));
		sim.script(reply.text('second'));
		const first = (await supplied()).model as Model & { withFallbacks(models: unknown[]): Model };
		const second = (await supplied()).model;
		expect((await first.withFallbacks([second]).invoke('Hi')).content).toBe('second');
	});

	it('refuses a model that was not chosen before anything is sent', async () => {
		const error = await failureOf(supplied({ model: { __rl: true, mode: 'list', value: '' } }));
		expect(error.message).toContain('No model is chosen');
		expect(sim.requests).toHaveLength(0);
	});
});
