import { reply } from '../../../simulators/llama-server';
import { useLocalLlama } from '../run-node';

const { serve, prepare, executeIn, execute, json, getError, getBodies } = useLocalLlama();
const CHAT = { resource: 'text', operation: 'chat', prompt: 'Hi' };
const getChats = () => getBodies('/chat/completions');
const SCHEMA = { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] };
const PNG = 'iVBORw0KGgo=';
const WAV = Buffer.from('RIFF1234WAVE').toString('base64');
const binary = (mimeType: string, data: string) => ({ data, mimeType, fileName: 'file' });

test('a prompt with a system message: streamed from the server, with the facts of the response in the item', async () => {
	await serve();
	const fake = prepare({
		parameters: {
			...CHAT,
			system: 'Be brief.',
			options: { simplify: false, temperature: 0.5, maxTokens: '50' },
		},
	});
	const [item] = await executeIn(fake);
	expect(item).toMatchObject({
		json: {
			output: 'You said: Hi',
			metadata: {
				finishReason: 'stop',
				usage: { promptTokens: expect.any(Number) as number },
				timings: { predicted_ms: expect.any(Number) as number },
				model: 'sim-model',
				server: 'llamaServer',
			},
		},
		pairedItem: { item: 0 },
	});
	expect(getChats()).toMatchObject([
		{
			stream: true,
			temperature: 0.5,
			max_tokens: 50,
			messages: [
				{ role: 'system', content: 'Be brief.' },
				{ role: 'user', content: 'Hi' },
			],
		},
	]);
	expect(fake.metadata.tokenUsage).toMatchObject({ inputTokens: expect.any(Number) as number });
});

test('messages from the form and from JSON; a last message of the assistant is continued', async () => {
	await serve();
	const rows = [
		{ role: 'user', content: 'Count' },
		{ role: 'user', content: '' },
		{ role: 'assistant', content: '1, 2,' },
	];
	await json({ ...CHAT, system: 'S', options: { messages: { message: rows } } });
	await json({ ...CHAT, options: { messagesJson: JSON.stringify([rows[0]]) } });
	expect(getChats().map(({ messages }) => messages)).toEqual([
		[{ role: 'system', content: 'S' }, rows[0], rows[2]],
		[rows[0]],
	]);
});

test('images, audio and text files from binary fields, by names or by a list of names', async () => {
	await serve({ vision: true, audio: true });
	const items = [
		{
			json: {},
			binary: {
				a: binary('image/png', PNG),
				b: binary('audio/wav', WAV),
				c: binary('text/plain', 'aGk='),
			},
		},
	];
	for (const binaryFields of ['a, b,c', ['a', 'b', 'c']])
		await execute({ items, parameters: { ...CHAT, options: { binaryFields } } });
	const [a, b] = getChats();
	expect(a!.messages).toEqual([
		{
			role: 'user',
			content: [
				{ type: 'text', text: 'Hi' },
				{ type: 'image_url', image_url: { url: `data:image/png;base64,${PNG}` } },
				{ type: 'input_audio', input_audio: { data: WAV, format: 'wav' } },
				{ type: 'text', text: 'hi' },
			],
		},
	]);
	expect(b!.messages).toEqual(a!.messages);
});

test.each<[string, object]>([
	['own API', { contextSize: 2048 }],
	['route of OpenAI', {}],
])('parts of a JSON schema that crash Ollama are not sent: %s', async (_name, furtherOptions) => {
	await serve({ profile: 'ollama' });
	// Seen with Ollama 0.17.4: the first crashed its runner, the second the server, and the third never got a response.
	const properties = {
		number: { type: 'string', pattern: String.raw`^[A-Z]{2}\d{4}$` },
		word: { type: 'string', pattern: '^(?!x)a+$' },
		list: { type: 'array', items: { type: 'string' }, minItems: 5, maxItems: 2 },
	};
	const jsonSchema = JSON.stringify({ type: 'object', properties });
	const prompts = {
		...CHAT,
		options: { responseFormat: 'jsonSchema', jsonSchema, ...furtherOptions },
	};
	const fake = prepare({ parameters: prompts });
	await executeIn(fake).catch(() => []);
	const bodies = JSON.stringify([...getBodies('/api/chat'), ...getChats()]);
	expect(bodies).toContain('"number":{"type":"string"}');
	expect(bodies).not.toMatch(/pattern|minItems/);
});

test('an image without a prompt is sent', async () => {
	await serve({ vision: true });
	await execute({
		items: [{ json: {}, binary: { data: binary('image/png', PNG) } }],
		parameters: { ...CHAT, prompt: '', options: { binaryFields: 'data' } },
	});
	expect(getChats()[0]!.messages).toMatchObject([
		{ role: 'user', content: [{ type: 'image_url' }] },
	]);
});

const MP4 = Buffer.from('\0\0\0\x18ftypisom', 'latin1').toString('base64');
const VIDEO = [{ json: {}, binary: { data: binary('video/mp4', MP4) } }];

test('a video is sent to a model that supports videos', async () => {
	await serve({ vision: true, video: true });
	await execute({ items: VIDEO, parameters: { ...CHAT, options: { binaryFields: 'data' } } });
	expect(getChats()[0]!.messages).toEqual([
		{
			role: 'user',
			content: [
				{ type: 'text', text: 'Hi' },
				{ type: 'input_video', input_video: { data: MP4 } },
			],
		},
	]);
});

test.each<[string, object]>([
	['chat', { prompt: 'Hi' }],
	['extract', { fields: { field: [{ name: 'what' }] } }],
	['classify', { labels: { label: [{ name: 'cat' }, { name: 'dog' }] } }],
])('a rejection names the files of %s, by content and size', async (operation, fields) => {
	const sim = await serve({ vision: true });
	const message =
		'video input is not supported - hint: if this is unexpected, you may need to provide the mmproj';
	sim.route('POST /v1/chat/completions', reply.llamaError(500, message));
	const parameters = {
		resource: 'text',
		operation,
		text: 'Hi',
		options: { binaryFields: 'data' },
		...fields,
	};
	const error = await getError(parameters, { items: VIDEO });
	expect(error.description).toContain('File sent: "file" (video/mp4, 12 bytes)');
});

test('reasoning is separate from the text', async () => {
	const sim = await serve({ template: 'thinking' });
	sim.script(reply.reasoning('Let me see.', 'Four.'));
	expect(await json({ ...CHAT, options: { simplify: false, thinking: 'on' } })).toMatchObject({
		output: 'Four.',
		metadata: { reasoning: 'Let me see.' },
	});
	expect(getChats()[0]).toMatchObject({ chat_template_kwargs: { enable_thinking: true } });
});

test('JSON is parsed in the item and validated by the node: llama.cpp with llguidance accepts an invalid schema', async () => {
	const sim = await serve();
	sim.script(
		reply.text('{"n":4}'),
		reply.text('{"n":"four"}'),
		reply.text('{"n":'),
		reply.text('[1]'),
	);
	const options = { responseFormat: 'jsonSchema', jsonSchema: JSON.stringify(SCHEMA) };
	const prompts = { ...CHAT, options };
	expect(await json(prompts)).toEqual({ output: { n: 4 } });
	const error = await getError(prompts);
	expect(error.message).toBe('The response is not the requested JSON');
	expect(error.context.data).toMatchObject({ type: 'invalidResponse', partialText: '[1]' });
});

test.each([
	['model_context_window_exceeded', {}],
	['max_output_tokens', {}],
	['stop', { maxTokens: 8 }],
])('JSON that the token limit cut off is an error at once: %s', async (finish, limit) => {
	const sim = await serve();
	for (const responseFormat of ['jsonSchema', 'jsonObject']) {
		const before = getChats().length;
		sim.script(reply.text('{"n":', { finish, completionTokens: 8 }));
		const options = { responseFormat, jsonSchema: JSON.stringify(SCHEMA), ...limit };
		const error = await getError({ ...CHAT, options });
		expect(error.message).toBe('The JSON was cut off at the token limit');
		expect(getChats()).toHaveLength(before + 1);
	}
});

test('JSON that was cut off beside a call that nothing asked for is an error that says so', async () => {
	const sim = await serve();
	const given = { text: '{"n":', finish: 'stop', completionTokens: 8 };
	sim.script(reply.toolCalls([{ name: 'any', arguments: '{}' }], given));
	const options = { responseFormat: 'jsonObject', maxTokens: 8 };
	expect((await getError({ ...CHAT, options })).message).toBe(
		'The JSON was cut off at the token limit',
	);
	expect(getChats()).toHaveLength(1);
});

test('a warning about the responses of two items, which are truncated, is shown at the node once', async () => {
	const sim = await serve();
	sim.script(reply.text('a', { finish: 'length' }), reply.text('b', { finish: 'length' }));
	const parameters = { ...CHAT, options: { simplify: false } };
	const fake = prepare({ items: [{ json: {} }, { json: {} }], parameters });
	expect((await executeIn(fake)).map((item) => item.json.metadata)).toMatchObject([
		{ finishReason: 'length' },
		{ finishReason: 'length' },
	]);
	expect(fake.hints.map(({ message }) => message)).toEqual([expect.stringContaining('cut off')]);
});

test.each([
	['an empty prompt', { prompt: ' ' }, 'This item has no chatInput'],
	['an empty list', { options: { messages: {} } }, '"Messages" has no messages'],
	['no JSON', { options: { messagesJson: '[' } }, 'The messages are not a JSON array'],
	[
		'an expression that returns no messages',
		{ options: { messagesJson: undefined } },
		'The messages are not a JSON array',
	],
	[
		'two options that replace the prompt',
		{ options: { messages: {}, messagesJson: '[]' } },
		'The options "Messages" and "Messages (JSON)" cannot be combined',
	],
	[
		'an empty schema',
		{ options: { responseFormat: 'jsonSchema', jsonSchema: '{}' } },
		'"JSON Schema" is empty',
	],
	['no schema', { options: { responseFormat: 'jsonSchema' } }, '"JSON Schema" is empty'],
	['no grammar', { options: { responseFormat: 'grammar' } }, '"Grammar" is empty'],
	['a wrong option', { options: { topP: 2 } }, 'Top P'],
	['a binary field that is not there', { options: { binaryFields: 'nothing' } }, 'nothing'],
])('%s is an error before anything is sent', async (_name, parameters, message) => {
	const sim = await serve();
	expect((await getError({ ...CHAT, ...parameters })).message).toContain(message);
	expect(sim.requests).toHaveLength(0);
});

test.each(['x', 0, 1000, 1.5e9])(
	'Max Concurrent Items %j is an error that names the field',
	async (maxConcurrentItems) => {
		const sim = await serve();
		const error = await getError({ ...CHAT, options: { maxConcurrentItems } });
		expect(error.message).toContain('"Max Concurrent Items"');
		expect(sim.requests).toHaveLength(0);
	},
);
