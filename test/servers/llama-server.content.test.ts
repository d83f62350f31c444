/**
 * The simulator's side of the contract's test cases 62 to 100: thinking, tools, embeddings, vision, monitoring.
 * Each test has the number of its case.
 */
import { rawAsk, RawConnection, type RawAnswer } from '../support/raw-client';
import { sseData, sseJson } from '../support/streams';
import {
	type Delta,
	type LlamaServerSim,
	reply,
	type SimOptions,
	startLlamaServerSim,
	type ToolCallDelta,
} from './llama-server';

const CHAT = '/v1/chat/completions';
const HI = [{ role: 'user', content: 'Hi' }];
const WEATHER = {
	type: 'function',
	function: {
		name: 'get_weather',
		parameters: { type: 'object', properties: { city: { type: 'string' }, days: { type: 'integer', minimum: 3 } } },
	},
};

interface Chunk {
	choices: Array<{ delta: Delta; finish_reason: string | null }>;
	usage?: { prompt_tokens: number; prompt_tokens_details: { cached_tokens: number } };
}

let server: LlamaServerSim;
const start = async (options: SimOptions = {}): Promise<void> => {
	server = await startLlamaServerSim(options);
};
afterEach(async () => {
	await server.close();
});

const get = async (path: string, headers?: Record<string, string>): Promise<RawAnswer> =>
	await rawAsk(server.url, { path, headers });
const post = async (path: string, body: unknown, headers?: Record<string, string>): Promise<RawAnswer> =>
	await rawAsk(server.url, { path, body, headers });
const chat = async (fields: object = {}): Promise<RawAnswer> => await post(CHAT, { messages: HI, ...fields });
const json = ({ body }: RawAnswer): Record<string, unknown> => JSON.parse(body.toString()) as Record<string, unknown>;
const errorOf = (answer: RawAnswer): { code: number; message: string; type: string } =>
	json(answer).error as { code: number; message: string; type: string };
const deltas = async (fields: object = {}): Promise<Delta[]> =>
	sseJson<Chunk>((await chat({ stream: true, ...fields })).body).map(({ choices }) => choices[0]?.delta ?? {});
const calls = async (): Promise<ToolCallDelta[]> => (await deltas()).flatMap(({ tool_calls: list }) => list ?? []);
/** Arguments by index, in the order in which they came. */
const joined = (list: ToolCallDelta[]): Record<number, string> => {
	const byIndex: Record<number, string> = {};
	for (const { index = 0, function: call } of list) {
		byIndex[index] = (byIndex[index] ?? '') + ((call?.arguments as string | undefined) ?? '');
	}
	return byIndex;
};
const ROME = { name: 'get_weather', arguments: { city: 'Rome' } };
const OSLO = { name: 'get_weather', arguments: { city: 'Oslo' } };

describe('thinking and tools', () => {
	beforeEach(async () => {
		await start();
	});

	test('62. thinking deltas, then content', async () => {
		server.script(reply.reasoning('need it\n', 'Hello'));
		expect((await deltas()).slice(1)).toEqual([
			{ reasoning_content: 'need' },
			{ reasoning_content: ' it' },
			{ reasoning_content: '\n' },
			{ content: 'Hello' },
			{},
		]);
		server.script(reply.reasoning('need it\n', 'Hello'));
		expect(json(await chat())).toMatchObject({
			choices: [{ message: { role: 'assistant', content: 'Hello', reasoning_content: 'need it\n' } }],
		});
	});

	test.each(['ollama', 'vllm'] as const)('63. %s calls it reasoning', async (profile) => {
		const other = await startLlamaServerSim({ profile });
		other.script(reply.reasoning('need', 'Hello'), reply.reasoning('need', 'Hello'));
		const body = { model: 'sim-model', messages: HI };
		const streamed = await rawAsk(other.url, { path: CHAT, body: { ...body, stream: true } });
		const whole = await rawAsk(other.url, { path: CHAT, body });
		await other.close();
		expect(sseJson<Chunk>(streamed.body).map(({ choices }) => choices[0]!.delta)).toEqual([
			{ role: 'assistant', content: '' },
			{ reasoning: 'need' },
			{ content: 'Hello' },
			{},
		]);
		expect(json(whole)).toMatchObject({ choices: [{ message: { content: 'Hello', reasoning: 'need' } }] });
	});

	test('64. raw tags in the content, split anywhere', async () => {
		server.script(reply.chunks(['<th', 'ink>so', '</', 'think>\n\nHello']));
		expect((await deltas()).map(({ content }) => content ?? '').join('')).toBe('<think>so</think>\n\nHello');
	});

	test('65. nothing but thinking', async () => {
		server.script(reply.reasoning('on and on', '', { finish: 'length' }));
		const answer = await chat({ stream: true });
		const chunks = sseJson<Chunk>(answer.body);
		expect(chunks.some(({ choices }) => choices[0]!.delta.content)).toBe(false);
		expect(chunks.at(-1)!.choices[0]!.finish_reason).toBe('length');
	});

	test('66. arguments a character at a time', async () => {
		const args = '{"text": "Grüß \\"dich\\""}';
		server.script(reply.toolCalls([{ name: 'say', arguments: args }], { style: 'characters' }));
		const list = await calls();
		expect(list).toHaveLength([...args].length);
		expect(list[0]).toMatchObject({ index: 0, type: 'function', function: { name: 'say', arguments: '{' } });
		expect(list[0]!.id).toMatch(/^\w{32}$/);
		expect(list[1]).toEqual({ index: 0, function: { arguments: '"' } });
		expect(joined(list)).toEqual({ 0: args });
	});

	test('67. a first delta without arguments', async () => {
		server.script(reply.toolCalls([ROME], { style: 'late-arguments' }));
		const list = await calls();
		expect(list[0]!.function).toEqual({ name: 'get_weather' });
		expect(joined(list)).toEqual({ 0: '{"city":"Rome"}' });
	});

	test('68. two calls, one after the other', async () => {
		server.script(reply.toolCalls([ROME, OSLO]));
		const list = await calls();
		expect(list.map(({ index }) => index)).toEqual([...list.map(({ index }) => index)].sort());
		expect(joined(list)).toEqual({ 0: '{"city":"Rome"}', 1: '{"city":"Oslo"}' });
		expect(new Set(list.flatMap(({ id }) => id ?? [])).size).toBe(2);
	});

	test('69. two calls, interleaved', async () => {
		server.script(reply.toolCalls([ROME, OSLO], { style: 'interleaved' }));
		const list = await calls();
		expect(list.slice(0, 4).map(({ index }) => index)).toEqual([0, 1, 0, 1]);
		expect(joined(list)).toEqual({ 0: '{"city":"Rome"}', 1: '{"city":"Oslo"}' });
	});

	test('70. and 71. ids repeated or empty, a name sent twice: whatever is scripted', async () => {
		const pieces: ToolCallDelta[] = [
			{ index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: '{' } },
			{ index: 0, id: '', function: { name: 'f', arguments: '}' } },
		];
		server.script(reply.chunks(pieces.map((piece) => ({ tool_calls: [piece] }))));
		expect(await calls()).toEqual(pieces);
	});

	test('72. whole calls in one delta: as scripted, and always from Ollama', async () => {
		server.script(reply.toolCalls([ROME, OSLO], { style: 'whole' }));
		expect((await deltas()).flatMap(({ tool_calls: list }) => (list ? [list.length] : []))).toEqual([2]);
		const ollama = await startLlamaServerSim({ profile: 'ollama' });
		ollama.script(reply.toolCalls([ROME, OSLO]));
		const body = { model: 'sim-model', messages: HI, tools: [WEATHER], stream: true };
		const answer = await rawAsk(ollama.url, { path: CHAT, body });
		await ollama.close();
		const [, delta, finish] = sseJson<Chunk>(answer.body);
		expect(delta!.choices[0]!.delta.tool_calls).toMatchObject([
			{ index: 0, function: { arguments: '{"city":"Rome"}' } },
			{ index: 1, function: { arguments: '{"city":"Oslo"}' } },
		]);
		expect(finish!.choices[0]).toEqual({ index: 0, delta: {}, finish_reason: 'tool_calls' });
	});

	test('73. no id, or the same one twice', async () => {
		server.script(
			reply.toolCalls([{ ...ROME, id: null }]),
			reply.toolCalls([
				{ ...ROME, id: 'x' },
				{ ...OSLO, id: 'x' },
			]),
		);
		expect((await calls())[0]).not.toHaveProperty('id');
		expect((await calls()).flatMap(({ id }) => id ?? [])).toEqual(['x', 'x']);
	});

	test('74. text before the call', async () => {
		server.script(reply.toolCalls([ROME], { text: 'Let me check.\n' }));
		const list = await deltas();
		expect(list[1]).toEqual({ content: 'Let me check.\n' });
		expect(list[2]!.tool_calls).toBeDefined();
	});

	test('75. and 76. cut by the limit, or finished with "stop" although there are calls', async () => {
		server.script(
			reply.toolCalls([{ name: 'f', arguments: '{"city": "Ro' }], { finish: 'length' }),
			reply.toolCalls([ROME], { finish: 'stop' }),
		);
		const finish = async (): Promise<string | null> =>
			sseJson<Chunk>((await chat({ stream: true })).body).at(-1)!.choices[0]!.finish_reason;
		expect([await finish(), await finish()]).toEqual(['length', 'stop']);
	});

	test('77. and 78. arguments empty, missing, or an object', async () => {
		server.script(
			reply.toolCalls([{ name: 'f', arguments: '' }]),
			reply.chunks([{ tool_calls: [{ index: 0, id: 'a', function: { name: 'f' } }] }]),
			reply.chunks([{ tool_calls: [{ index: 0, id: 'a', function: { name: 'f', arguments: { city: 'Rome' } } }] }]),
		);
		expect((await calls())[0]!.function).toEqual({ name: 'f' });
		expect((await calls())[0]!.function).toEqual({ name: 'f' });
		expect((await calls())[0]!.function!.arguments).toEqual({ city: 'Rome' });
	});

	test('79. a named tool_choice is taken for auto; "required" calls', async () => {
		const named = { type: 'function', function: { name: 'get_weather' } };
		const auto = json(await chat({ tools: [WEATHER], tool_choice: named }));
		expect(auto).toMatchObject({ choices: [{ finish_reason: 'stop', message: { content: 'You said: Hi' } }] });
		const required = json(await chat({ tools: [WEATHER], tool_choice: 'required' }));
		expect(required).toMatchObject({
			choices: [
				{
					finish_reason: 'tool_calls',
					message: {
						content: '',
						tool_calls: [
							{ type: 'function', function: { name: 'get_weather', arguments: '{"city":"text","days":3}' } },
						],
					},
				},
			],
		});
	});

	test('80. invalid arguments in the history', async () => {
		const call = { id: 'a', type: 'function', function: { name: 'f', arguments: '{"city": "Ro' } };
		const messages = [
			...HI,
			{ role: 'assistant', tool_calls: [call] },
			{ role: 'tool', tool_call_id: 'a', content: '' },
		];
		const answer = await chat({ messages });
		expect(answer.status).toBe(500);
		expect(errorOf(answer).message).toMatch(/^Failed to parse tool call arguments as JSON: \[json\.exception/);
	});

	test('81. a template that wants ids of nine alphanumerics', async () => {
		const strict = await startLlamaServerSim({ template: 'strict' });
		const ask = async (id: string): Promise<number> => {
			const call = { id, type: 'function', function: { name: 'f', arguments: '{}' } };
			const messages = [
				...HI,
				{ role: 'assistant', tool_calls: [call] },
				{ role: 'tool', tool_call_id: id, content: '1' },
			];
			return (await rawAsk(strict.url, { path: CHAT, body: { messages } })).status;
		};
		expect([await ask('call_123'), await ask('abcDEF123')]).toEqual([400, 200]);
		await strict.close();
	});

	test('82. a schema counts where it belongs, and nowhere else', async () => {
		const schema = { type: 'object', properties: { city: { type: 'string' } } };
		const said = async (format: object): Promise<unknown> => {
			const { choices } = json(await chat({ response_format: format })) as { choices: Array<{ message: Delta }> };
			return JSON.parse(choices[0]!.message.content ?? '');
		};
		expect(await said({ type: 'json_schema', json_schema: { name: 'x', schema } })).toEqual({ city: 'text' });
		expect(await said({ type: 'json_object', schema })).toEqual({ city: 'text' });
		expect(await said({ type: 'json_schema', schema })).toEqual({});
	});

	test('83. markup in the content', async () => {
		const markup = '<tool_call>\n{"name": "f", "arguments": {}}\n</tool_call>';
		server.script(reply.text(markup));
		const list = await deltas({ tools: [WEATHER], tool_choice: 'none' });
		expect(list.map(({ content }) => content ?? '').join('')).toBe(markup);
		expect(list.some(({ tool_calls: found }) => found)).toBe(false);
	});
});

describe('embeddings and reranking', () => {
	interface Vectors {
		data: Array<{ index: number; embedding: number[] | string }>;
	}

	test('84. three vectors by index, shuffled when a test says so', async () => {
		await start({ embeddings: true });
		const { data } = json(await post('/v1/embeddings', { input: ['a', 'b', 'a'] })) as unknown as Vectors;
		expect(data.map(({ index }) => index)).toEqual([0, 1, 2]);
		expect(data[0]!.embedding).toEqual(data[2]!.embedding);
		expect(data[0]!.embedding).not.toEqual(data[1]!.embedding);
		expect(Math.hypot(...(data[0]!.embedding as number[]))).toBeCloseTo(1);
		server.route('POST /v1/embeddings', reply.json({ data: [...data].reverse() }));
		const shuffled = json(await post('/v1/embeddings', { input: 'a' })) as unknown as Vectors;
		expect(shuffled.data.map(({ index }) => index)).toEqual([2, 1, 0]);
	});

	test('85. base64 holds the same floats', async () => {
		await start({ embeddings: { dimensions: 5 } });
		const ask = async (format: string): Promise<number[] | string> =>
			(json(await post('/v1/embeddings', { input: 'Hello', encoding_format: format })) as unknown as Vectors).data[0]!
				.embedding;
		const bytes = Buffer.from((await ask('base64')) as string, 'base64');
		const floats = Array.from({ length: 5 }, (_, index) => bytes.readFloatLE(index * 4));
		expect(floats).toEqual(await ask('float'));
	});

	test('86. one long text fails the batch', async () => {
		await start({ embeddings: true });
		const answer = await post('/v1/embeddings', { input: ['short', 'x'.repeat(601)] });
		expect([answer.status, errorOf(answer).message]).toEqual([
			500,
			'input (601 tokens) is too large to process. increase the physical batch size (current batch size: 512)',
		]);
	});

	test('87. nothing to embed', async () => {
		await start({ embeddings: true });
		const status = async (input: unknown): Promise<number> => (await post('/v1/embeddings', { input })).status;
		expect([await status([]), await status(''), await status(null), await status(['a', ''])]).toEqual([
			500, 400, 500, 400,
		]);
	});

	test('88. not started for it', async () => {
		await start();
		const vectors = await post('/v1/embeddings', { input: 'a' });
		const ranking = await post('/v1/rerank', { query: 'a', documents: ['b'] });
		expect([vectors.status, errorOf(vectors).message]).toEqual([
			501,
			'This server does not support embeddings. Start it with `--embeddings`',
		]);
		expect([ranking.status, errorOf(ranking).message]).toEqual([
			501,
			'This server does not support reranking. Start it with `--reranking`',
		]);
	});

	test('89. and 90. scores, limits, the other form, negative top_n', async () => {
		await start({ rerank: true });
		const documents = ['nothing here', 'llamas eat grass', 'grass'];
		const ask = async (fields: object): Promise<RawAnswer> =>
			await post('/v1/rerank', { query: 'what do llamas eat', ...fields });
		const { results } = json(await ask({ documents, top_n: 9 })) as { results: Array<Record<string, number>> };
		expect(results.map(({ index }) => index)).toEqual([1, 2, 0]);
		expect(results[0]!.relevance_score).toBeGreaterThan(0);
		expect(results[2]!.relevance_score).toBeLessThan(0);
		expect(Object.keys(results[0]!)).toEqual(['index', 'relevance_score']);
		expect(json(await ask({ documents, top_n: 0 }))).toMatchObject({ results: [] });
		const tei = json(await ask({ texts: documents, return_text: true })) as unknown as Array<Record<string, unknown>>;
		expect(tei[0]).toEqual({ index: 1, score: results[0]!.relevance_score, text: 'llamas eat grass' });
		expect((await ask({ documents: [{ text: 'a' }] })).status).toBe(400);
		const negative = await ask({ documents, top_n: -1 });
		expect([negative.status, errorOf(negative).message]).toEqual([500, 'vector::_M_default_append']);
	});

	test('91. GPUStack reranks under /v1 only, with the documents', async () => {
		await start({ profile: 'gpustack' });
		const body = { model: 'sim-model', query: 'a', documents: ['b', 'a'] };
		const headers = { Authorization: 'Bearer gpustack-key' };
		expect((await post('/v1-openai/rerank', body, headers)).status).toBe(404);
		expect(json(await post('/v1/rerank', body, headers))).toMatchObject({
			results: [
				{ index: 1, document: { text: 'a' } },
				{ index: 0, document: { text: 'b' } },
			],
		});
	});
});

describe('vision, monitoring and the rest', () => {
	const PNG = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex').toString('base64');
	const picture = (url: string): object => ({
		messages: [
			{
				role: 'user',
				content: [
					{ type: 'text', text: 'What?' },
					{ type: 'image_url', image_url: { url } },
				],
			},
		],
	});

	test('92. a picture for a model without eyes', async () => {
		await start();
		const answer = await chat(picture(`data:image/png;base64,${PNG}`));
		expect([answer.status, errorOf(answer).message]).toEqual([
			500,
			'image input is not supported - hint: if this is unexpected, you may need to provide the mmproj',
		]);
		expect(json(await get('/props'))).toMatchObject({ modalities: { vision: false } });
	});

	test('93. line ends in base64 cut the picture off', async () => {
		await start({ vision: true });
		const status = async (url: string): Promise<number> => (await chat(picture(url))).status;
		expect(await status(`data:image/png;base64,${PNG}`)).toBe(200);
		expect(await status(`data:image/png;base64,${PNG.slice(0, 8)}\n${PNG.slice(8)}`)).toBe(400);
		expect(await status(`data:text/plain;base64,${PNG}`)).toBe(400);
		expect(await status(`data:image/png,${PNG}`)).toBe(400);
		expect(await status('file:///etc/passwd')).toBe(400);
		expect(await status('http://pictures.invalid/a.png')).toBe(500);
		expect(json(await get('/props'))).toMatchObject({ modalities: { vision: true } });
		expect(json(await get('/v1/models'))).toMatchObject({ models: [{ capabilities: ['completion', 'multimodal'] }] });
	});

	test('94. too large as a form, fine as JSON', async () => {
		await start({ nCtx: 2_000_000 });
		const body = JSON.stringify({ messages: [{ role: 'user', content: 'x'.repeat(1_200_000) }], max_tokens: 1 });
		const form = await post(CHAT, body, { 'Content-Type': 'application/x-www-form-urlencoded' });
		expect([form.status, form.body.length]).toEqual([413, 0]);
		expect((await post(CHAT, body)).status).toBe(200);
	});

	test('95. no metrics, healthy all the same; with them, the counters move', async () => {
		await start();
		expect([(await get('/metrics')).status, (await get('/health')).status]).toEqual([501, 200]);
		const measured = await startLlamaServerSim({ metrics: true });
		await rawAsk(measured.url, { path: CHAT, body: { messages: HI } });
		const { body, headers } = await rawAsk(measured.url, { path: '/metrics' });
		await measured.close();
		expect(body.toString()).toMatch(/\nllamacpp:tokens_predicted_total 5\n/);
		expect(headers).toContainEqual(['Content-Type', 'text/plain; version=0.0.4']);
	});

	test('96. asleep until something needs the model', async () => {
		await start({ sleeping: true });
		for (const path of ['/health', '/props', '/models', '/v1/models', '/metrics']) await get(path);
		expect(server.sleeping).toBe(true);
		expect(json(await get('/props'))).toMatchObject({ is_sleeping: true });
		await get('/slots');
		expect(server.sleeping).toBe(false);
		expect(json(await get('/props'))).toMatchObject({ is_sleeping: false });
	});

	test('97. three requests, two slots: the third has no byte until one is free', async () => {
		await start({ slots: 2 });
		const gates = [0, 1, 2].map(() => {
			let open = (): void => undefined;
			const wait = new Promise<void>((resolve) => {
				open = resolve;
			});
			return { wait, open: () => open() };
		});
		server.script(...gates.map(({ wait }, index) => reply.chunks([`a${index}`, { wait }, `b${index}`])));
		const connections: RawConnection[] = [];
		const answers: Array<Promise<RawAnswer>> = [];
		for (const index of [0, 1, 2]) {
			const connection = await RawConnection.open(server.url);
			connections.push(connection);
			answers.push(connection.ask({ path: CHAT, body: { messages: HI, stream: true } }));
			await server.until(() => server.requests.length === index + 1);
		}
		await server.until(() => server.queued === 1);
		await connections[1]!.until((bytes) => bytes.includes('a1'));
		expect(connections[2]!.bytes).toHaveLength(0);
		expect(json(await get('/slots'))).toMatchObject([{ is_processing: true }, { is_processing: true }]);
		expect((await get('/slots?fail_on_no_slot=1')).status).toBe(503);
		gates[1]!.open();
		await connections[2]!.until((bytes) => bytes.includes('a2'));
		gates[0]!.open();
		gates[2]!.open();
		const texts = (await Promise.all(answers)).map(({ body }) =>
			sseJson<Chunk>(body)
				.map(({ choices }) => choices[0]!.delta.content ?? '')
				.join(''),
		);
		expect(texts).toEqual(['a0b0', 'a1b1', 'a2b2']);
		for (const connection of connections) connection.destroy();
	});

	test('98. a router with a model that cannot be loaded', async () => {
		await start({ profile: 'router', models: [{ id: 'good' }, { id: 'broken', exitCode: 1 }] });
		const answer = await chat({ model: 'broken' });
		expect([answer.status, errorOf(answer).message]).toEqual([500, 'model name=broken failed to load']);
		expect(json(await get('/v1/models'))).toMatchObject({
			data: [{ status: { value: 'unloaded' } }, { status: { value: 'unloaded', failed: true, exit_code: 1 } }],
		});
		expect((await chat({ model: 'good' })).status).toBe(200);
		expect(json(await get('/v1/models'))).toMatchObject({
			data: [{ status: { value: 'loaded' }, meta: { n_ctx: 8192 } }, {}],
		});
	});

	test('99. the same prompt again is read from the cache but for one token; so is a replayed answer', async () => {
		await start({ slots: 1 });
		const usage = async (messages: object[]): Promise<NonNullable<Chunk['usage']>> =>
			(json(await chat({ messages })) as unknown as Chunk).usage!;
		const first = await usage(HI);
		const again = await usage(HI);
		expect(first.prompt_tokens_details.cached_tokens).toBe(0);
		expect(again.prompt_tokens_details.cached_tokens).toBe(again.prompt_tokens - 1);
		const next = await usage([...HI, { role: 'assistant', content: 'You said: Hi' }, { role: 'user', content: 'So?' }]);
		expect(next.prompt_tokens_details.cached_tokens).toBe(first.prompt_tokens + 'You said: Hi'.length);
		const other = await usage([{ role: 'system', content: 'X' }, ...HI]);
		expect(other.prompt_tokens_details.cached_tokens).toBe('<|im_start|>system\n'.length);
	});

	test('100. replacement characters and lone surrogates', async () => {
		await start();
		server.script(reply.chunks(['a\uFFFD', '\ud83d', '\ude00']));
		const data = sseData((await chat({ stream: true })).body).join('\n');
		expect(data).toContain('"content":"a\uFFFD"');
		expect(data).toContain('"content":"\\ud83d"');
		expect(data).toContain('"content":"\\ude00"');
		// The server itself does not read them: a client that sends one gets a parse error.
		const answer = await post(CHAT, '{"messages":[{"role":"user","content":"\\ud83d"}]}');
		expect([answer.status, errorOf(answer).message]).toEqual([
			500,
			expect.stringContaining('surrogate U+D800..U+DBFF must be followed by U+DC00..U+DFFF'),
		]);
	});
});
