/** What LangChain asks of the model, and what it gets: with a generator in the place of a server. */
import type { ChatRequest } from '../../../lib/chat/chat-request';
import type { ChatResult } from '../../../lib/chat/chat-result';
import { FORMAT_TOOL_NAME } from '../../../lib/chat/tools/format-tool';
import { findHostClasses, loadSdk } from '../../../lib/langchain/host-classes';
import { getLocalChatModelClass } from '../../../lib/langchain/local-chat-model';
import type { JsonRecord } from '../../../lib/values/records';
import { fromRoot } from '../../support/n8n/chat-model';
import { fakeContext } from '../../support/n8n/context';

/** The part of LangChain's chat model that is called here. */
interface Model {
	metadata?: JsonRecord;
	invoke(text: string, config?: object): Promise<JsonRecord>;
	stream(text: string, config?: object): Promise<AsyncIterable<JsonRecord>>;
	bindTools(tools: object[], kwargs?: object): Model;
	_llmType(): string;
}

const RESULT: ChatResult = {
	text: 'Hello you',
	reasoning: '',
	toolCalls: [],
	finishReason: 'stop',
	model: 'served-model',
	warnings: [],
	url: 'http://host/v1/chat/completions',
	totalMs: 5,
	corrections: 0,
	usage: { promptTokens: 11, completionTokens: 7, totalTokens: 18 },
} as unknown as ChatResult;

/** A model whose turns all have this result, with the requests that it got. */
async function createModel(
	result: Partial<ChatResult> = {},
	{ jsonOutput = false, settings = { model: 'm' } as JsonRecord } = {},
) {
	const sdk = loadSdk();
	const found = await findHostClasses(fakeContext({}, {}).context, sdk);
	if (found.type === 'missing') throw new Error(found.missing);
	const requests: ChatRequest[] = [];
	const Model = getLocalChatModelClass(found.classes);
	const model = new Model({
		generate: async (createRequest, onDelta) => {
			requests.push(await createRequest());
			for (const text of ['Hello', ' you']) {
				onDelta?.(text);
				await Promise.resolve();
			}
			return { ...RESULT, ...result };
		},
		toJsonSchema: sdk.getParametersJsonSchema,
		callbacks: [],
		settings,
		jsonOutput,
	});
	return { model: model as Model, requests };
}

/** Callbacks with these methods, as n8n's agent adds them. */
const createCallbacks = (methods: object): unknown[] => {
	const { BaseCallbackHandler } = fromRoot('@langchain/core/callbacks/base') as {
		BaseCallbackHandler: { fromMethods(own: object): unknown };
	};
	return [BaseCallbackHandler.fromMethods(methods)];
};

async function collectTexts(chunks: AsyncIterable<JsonRecord>): Promise<string> {
	let text = '';
	for await (const { content } of chunks) text += String(content);
	return text;
}

const tool = (name: string) => ({
	type: 'function',
	function: { name, parameters: { type: 'object', properties: {} } },
});

const handleLLMNewToken = () => {};

test.each([
	{ name: 'without tools', tools: [], callbacks: {}, isNeededOnlyAtEnd: false },
	{ name: 'with tools', tools: [tool('search')], callbacks: {}, isNeededOnlyAtEnd: false },
	{
		name: 'for an output parser whose text nobody sees',
		tools: [tool('search'), tool(FORMAT_TOOL_NAME)],
		callbacks: {},
		isNeededOnlyAtEnd: true,
	},
	{
		name: 'for an output parser, if somebody sees the tokens',
		tools: [tool('search'), tool(FORMAT_TOOL_NAME)],
		callbacks: { handleLLMNewToken },
		isNeededOnlyAtEnd: false,
	},
])(
	'a stream $name: needed only at its end: $isNeededOnlyAtEnd',
	async ({ tools, callbacks, isNeededOnlyAtEnd }) => {
		const { model, requests } = await createModel();
		const bound = tools.length === 0 ? model : model.bindTools(tools);
		await collectTexts(await bound.stream('Hi', { callbacks: createCallbacks(callbacks) }));
		expect(requests).toMatchObject([{ isNeededOnlyAtEnd }]);
	},
);

test('a stream has the whole text, and an invocation as well', async () => {
	const { model, requests } = await createModel();
	expect(await collectTexts(await model.stream('Hi'))).toBe('Hello you');
	expect(await model.invoke('Hi')).toMatchObject({ content: 'Hello you' });
	expect(requests.map(({ isNeededOnlyAtEnd }) => isNeededOnlyAtEnd)).toEqual([false, true]);
});

test('tokens go to the callbacks that handle them, each with its chunk', async () => {
	const { model } = await createModel();
	const tokens: Array<{ text: string; indexes: unknown; chunkText: unknown }> = [];
	const callbacks = createCallbacks({
		handleLLMNewToken: (text: string, indexes: unknown, ...rest: unknown[]) => {
			const { chunk } = rest.at(-1) as { chunk: { text: string } };
			tokens.push({ text, indexes, chunkText: chunk.text });
		},
	});
	await collectTexts(await model.stream('Hi', { callbacks }));
	expect(tokens.map(({ text }) => text).join('')).toBe('Hello you');
	for (const { text, indexes, chunkText } of tokens)
		expect({ indexes, chunkText }).toEqual({
			indexes: { prompt: 0, completion: 0 },
			chunkText: text,
		});
});

test.each([
	{ usage: RESULT.usage, counts: { promptTokens: 11, completionTokens: 7, totalTokens: 18 } },
	{ usage: undefined, counts: { promptTokens: 0, completionTokens: 0, totalTokens: 0 } },
])('callbacks get the counts $counts', async ({ usage, counts }) => {
	const { model } = await createModel({ usage });
	const outputs: unknown[] = [];
	const handleLLMEnd = (output: { llmOutput: unknown }) => outputs.push(output.llmOutput);
	await model.invoke('Hi', { callbacks: createCallbacks({ handleLLMEnd }) });
	expect(outputs).toEqual([{ tokenUsage: counts }]);
});

test.each([
	{ reasoning: 'Hm.', kwargs: { reasoning_content: 'Hm.' } },
	{ reasoning: '', kwargs: {} },
])(
	'a message has the thinking $reasoning, and what the server says of it',
	async ({ reasoning, kwargs }) => {
		const { model } = await createModel({ reasoning });
		expect(await model.invoke('Hi')).toMatchObject({
			additional_kwargs: kwargs,
			response_metadata: { finish_reason: 'stop', model_name: 'served-model' },
			usage_metadata: { input_tokens: 11, output_tokens: 7, total_tokens: 18 },
		});
	},
);

test.each([
	{ jsonOutput: true, format: 'json' },
	{ jsonOutput: false, format: undefined },
])('chains parse the response as JSON: $jsonOutput', async ({ jsonOutput, format }) => {
	const { model } = await createModel({}, { jsonOutput });
	expect(model.metadata?.output_format).toBe(format);
});

test('the log knows the model by its name, with its settings', async () => {
	const settings = { model: 'm', baseUrl: 'http://host', serverType: 'vllm', options: { topK: 1 } };
	const { model } = await createModel({}, { settings });
	expect(model._llmType()).toBe('local-llama');
	expect(JSON.parse(JSON.stringify(model))).toMatchObject({
		type: 'constructor',
		id: ['n8n-nodes-local-llama', 'chat_models', 'LocalChatModel'],
		kwargs: { model: 'm' },
	});
});

/** The part of LangChain's chat model that gives structured output. */
interface StructuredModel {
	withStructuredOutput(schema: object, config?: object): { invoke(text: string): Promise<unknown> };
}

test('a schema of structured output that is too large never reaches a converter', async () => {
	const { model } = await createModel();
	const properties = Object.fromEntries(
		Array.from({ length: 1_001 }, (_none, at) => [`f${at}`, { type: 'string' }]),
	);
	const bind = (schema: object, config?: object) =>
		(model as unknown as StructuredModel).withStructuredOutput(schema, config);
	const large = { type: 'object', properties };
	const title = 'The schema of the response has more than 500 fields';
	expect(() => bind(large, { method: 'functionCalling' })).toThrow(title);
	await expect(bind(large).invoke('Hi')).rejects.toThrow(title);
	expect(() => bind({ ...large, properties: {} }, { method: 'functionCalling' })).not.toThrow();
});
