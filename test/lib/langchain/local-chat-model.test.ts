import { collect, fromRoot, useChatModel, weather } from '../../support/chat-model';
import { reply } from '../../simulators/llama-server';

const { server, supplied, chatRequests } = useChatModel();

describe('the chat model', () => {
	it('counts tokens without a request', async () => {
		const { model } = await supplied();
		expect(await model.getNumTokens('Hello, how are you today?')).toBe(7);
		expect(await model.getNumTokens('今天天气很好')).toBe(6);
		expect(await model.getNumTokens([{ type: 'text', text: 'abcdefgh' }, 'abcd'])).toBe(3);
		// The agent trims its memory by these counts: an image must not empty it.
		const image = {
			type: 'image_url',
			image_url: { url: `data:image/png;base64,${'A'.repeat(1_000_000)}` },
		};
		expect(await model.getNumTokens([image, { type: 'text', text: 'abcd' }])).toBe(1001);
		expect(await model.getNumTokens([{ type: 'tool_use', name: 'f', input: { x: 1 } }])).toBe(12);
		expect(await model.getNumTokens(undefined)).toBe(0);
		expect(server().requests).toHaveLength(0);
	});

	it('returns JSON in a code block without the fence', async () => {
		const response = '```json\n{"n": 4}\n```';
		const settings = { responseFormat: 'jsonSchema', jsonSchema: '{"type":"object"}' };
		const { model } = await supplied(settings);
		server().script(reply.text(response), reply.text(response));
		expect((await model.invoke('Hi')).content).toBe('{"n": 4}');
		const streamed = await collect(model, 'Hi');
		expect(streamed.map(({ content }) => content).join('')).toBe('{"n": 4}');
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
});

describe('generated', () => {
	it('has structured output through a tool', async () => {
		server().script(reply.toolCalls([{ name: 'extract', arguments: { a: 5 } }]));
		const { model } = await supplied();
		const structured = model.withStructuredOutput({
			title: 'extract',
			type: 'object',
			properties: { a: { type: 'number' } },
		});
		expect(await structured.invoke('Hi')).toEqual({ a: 5 });
		expect(chatRequests()[0]).toMatchObject({
			tool_choice: 'required',
			tools: [{ function: { name: 'extract' } }],
		});
	});
});

describe('tools', () => {
	it('turns "any" into "required", and the choice survives a second binding', async () => {
		server().script(reply.toolCalls([{ name: 'get_weather', arguments: { city: 'Rome' } }]));
		const { model } = await supplied();
		const once = model.bindTools([weather], { tool_choice: 'any' });
		expect(typeof once.bindTools).not.toBe('function');
		await once.invoke('Hi');
		expect(chatRequests()[0]).toMatchObject({ tool_choice: 'required' });
	});
});
