/**
 * The simulator in cases 84 to 100 of docs/protocols/llama-server.md: embeddings, vision, monitoring. Tests are numbered by
 * case.
 */
import { CHAT, errorOf, gate, HI, jsonOf, textOf, type WireChunk } from '../support/chat-wire';
import { type RawAnswer, rawAsk, RawConnection } from '../support/raw-client';
import { sseData } from '../support/streams';
import { type LlamaServerSim, reply, type SimOptions, startLlamaServerSim } from './llama-server';
import { useSimulator } from './use-simulator';

const startServer = useSimulator(startLlamaServerSim);

let server: LlamaServerSim;
const start = async (options: SimOptions = {}): Promise<void> => {
	server = await startServer(options);
};
const get = async (path: string, headers?: Record<string, string>): Promise<RawAnswer> =>
	await rawAsk(server.url, { path, headers });
const post = async (
	path: string,
	body: unknown,
	headers?: Record<string, string>,
): Promise<RawAnswer> => await rawAsk(server.url, { path, body, headers });
const chat = async (fields: object = {}, headers?: Record<string, string>): Promise<RawAnswer> =>
	await post(CHAT, { messages: HI, ...fields }, headers);

describe('embeddings and reranking', () => {
	interface Vectors {
		data: Array<{ index: number; embedding: number[] | string }>;
	}

	test('84. three vectors by index, shuffled when a test says so', async () => {
		await start({ embeddings: true });
		const { data } = jsonOf(
			await post('/v1/embeddings', { input: ['a', 'b', 'a'] }),
		) as unknown as Vectors;
		expect(data.map(({ index }) => index)).toEqual([0, 1, 2]);
		expect(data[0]!.embedding).toEqual(data[2]!.embedding);
		expect(data[0]!.embedding).not.toEqual(data[1]!.embedding);
		expect(Math.hypot(...(data[0]!.embedding as number[]))).toBeCloseTo(1);
		server.route('POST /v1/embeddings', reply.json({ data: [...data].reverse() }));
		const shuffled = jsonOf(await post('/v1/embeddings', { input: 'a' })) as unknown as Vectors;
		expect(shuffled.data.map(({ index }) => index)).toEqual([2, 1, 0]);
	});

	test('85. base64 holds the same floats', async () => {
		await start({ embeddings: { dimensions: 5 } });
		const ask = async (format: string): Promise<number[] | string> =>
			(
				jsonOf(
					await post('/v1/embeddings', { input: 'Hello', encoding_format: format }),
				) as unknown as Vectors
			).data[0]!.embedding;
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
		const status = async (input: unknown): Promise<number> =>
			(await post('/v1/embeddings', { input })).status;
		expect([
			await status([]),
			await status(''),
			await status(null),
			await status(['a', '']),
		]).toEqual([500, 400, 500, 400]);
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
		const { results } = jsonOf(await ask({ documents, top_n: 9 })) as {
			results: Array<Record<string, number>>;
		};
		expect(results.map(({ index }) => index)).toEqual([1, 2, 0]);
		expect(results[0]!.relevance_score).toBeGreaterThan(0);
		expect(results[2]!.relevance_score).toBeLessThan(0);
		expect(Object.keys(results[0]!)).toEqual(['index', 'relevance_score']);
		expect(jsonOf(await ask({ documents, top_n: 0 }))).toMatchObject({ results: [] });
		const tei = jsonOf(await ask({ texts: documents, return_text: true })) as unknown as Array<
			Record<string, unknown>
		>;
		expect(tei[0]).toEqual({
			index: 1,
			score: results[0]!.relevance_score,
			text: 'llamas eat grass',
		});
		expect((await ask({ documents: [{ text: 'a' }] })).status).toBe(400);
		const negative = await ask({ documents, top_n: -1 });
		expect([negative.status, errorOf(negative).message]).toEqual([
			500,
			'vector::_M_default_append',
		]);
	});

	test('91. GPUStack reranks under /v1 only, with the documents', async () => {
		await start({ profile: 'gpustack' });
		const body = { model: 'sim-model', query: 'a', documents: ['b', 'a'] };
		const headers = { Authorization: 'Bearer gpustack-key' };
		expect((await post('/v1-openai/rerank', body, headers)).status).toBe(404);
		expect(jsonOf(await post('/v1/rerank', body, headers))).toMatchObject({
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

	test('92. a picture for a model without vision', async () => {
		await start();
		const answer = await chat(picture(`data:image/png;base64,${PNG}`));
		expect([answer.status, errorOf(answer).message]).toEqual([
			500,
			'image input is not supported - hint: if this is unexpected, you may need to provide the mmproj',
		]);
		expect(jsonOf(await get('/props'))).toMatchObject({ modalities: { vision: false } });
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
		expect(jsonOf(await get('/props'))).toMatchObject({ modalities: { vision: true } });
		expect(jsonOf(await get('/v1/models'))).toMatchObject({
			models: [{ capabilities: ['completion', 'multimodal'] }],
		});
	});

	test('94. too large as a form, fine as JSON', async () => {
		await start({ nCtx: 2_000_000 });
		const body = JSON.stringify({
			messages: [{ role: 'user', content: 'x'.repeat(1_200_000) }],
			max_tokens: 1,
		});
		const form = await post(CHAT, body, { 'Content-Type': 'application/x-www-form-urlencoded' });
		expect([form.status, form.body.length]).toEqual([413, 0]);
		expect((await post(CHAT, body)).status).toBe(200);
	});

	test('95. no metrics, healthy all the same; with them, the counters move', async () => {
		await start();
		expect([(await get('/metrics')).status, (await get('/health')).status]).toEqual([501, 200]);
		const measured = await startServer({ metrics: true });
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
		expect(jsonOf(await get('/props'))).toMatchObject({ is_sleeping: true });
		await get('/slots');
		expect(server.sleeping).toBe(false);
		expect(jsonOf(await get('/props'))).toMatchObject({ is_sleeping: false });
	});

	test('97. three requests, two slots: the third has no byte until one is free', async () => {
		await start({ slots: 2 });
		const gates = [gate(), gate(), gate()];
		server.script(
			...gates.map(({ wait }, index) => reply.chunks([`a${index}`, { wait }, `b${index}`])),
		);
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
		expect(jsonOf(await get('/slots'))).toMatchObject([
			{ is_processing: true },
			{ is_processing: true },
		]);
		expect((await get('/slots?fail_on_no_slot=1')).status).toBe(503);
		gates[1]!.open();
		await connections[2]!.until((bytes) => bytes.includes('a2'));
		gates[0]!.open();
		gates[2]!.open();
		const texts = (await Promise.all(answers)).map(textOf);
		expect(texts).toEqual(['a0b0', 'a1b1', 'a2b2']);
		for (const connection of connections) connection.destroy();
	});

	test('98. a router with a model that cannot be loaded', async () => {
		await start({ profile: 'router', models: [{ id: 'good' }, { id: 'broken', exitCode: 1 }] });
		const answer = await chat({ model: 'broken' });
		expect([answer.status, errorOf(answer).message]).toEqual([
			500,
			'model name=broken failed to load',
		]);
		expect(jsonOf(await get('/v1/models'))).toMatchObject({
			data: [
				{ status: { value: 'unloaded' } },
				{ status: { value: 'unloaded', failed: true, exit_code: 1 } },
			],
		});
		expect((await chat({ model: 'good' })).status).toBe(200);
		expect(jsonOf(await get('/v1/models'))).toMatchObject({
			data: [{ status: { value: 'loaded' }, meta: { n_ctx: 8192 } }, {}],
		});
	});

	test('99. the same prompt again is read from the cache but for one token; so is a replayed answer', async () => {
		await start({ slots: 1 });
		const usage = async (messages: object[]): Promise<NonNullable<WireChunk['usage']>> =>
			(jsonOf(await chat({ messages })) as unknown as WireChunk).usage!;
		const first = await usage(HI);
		const again = await usage(HI);
		expect(first.prompt_tokens_details!.cached_tokens).toBe(0);
		expect(again.prompt_tokens_details!.cached_tokens).toBe(again.prompt_tokens - 1);
		const next = await usage([
			...HI,
			{ role: 'assistant', content: 'You said: Hi' },
			{ role: 'user', content: 'So?' },
		]);
		expect(next.prompt_tokens_details!.cached_tokens).toBe(
			first.prompt_tokens + 'You said: Hi'.length,
		);
		const other = await usage([{ role: 'system', content: 'X' }, ...HI]);
		expect(other.prompt_tokens_details!.cached_tokens).toBe('<|im_start|>system\n'.length);
	});

	test('100. replacement characters and lone surrogates', async () => {
		await start();
		server.script(reply.chunks(['a\uFFFD', '\ud83d', '\ude00']));
		const data = sseData((await chat({ stream: true })).body).join('\n');
		expect(data).toContain('"content":"a\uFFFD"');
		expect(data).toContain('"content":"\\ud83d"');
		expect(data).toContain('"content":"\\ude00"');
		// The server refuses lone surrogates in requests with a parse error.
		const answer = await post(CHAT, '{"messages":[{"role":"user","content":"\\ud83d"}]}');
		expect([answer.status, errorOf(answer).message]).toEqual([
			500,
			expect.stringContaining('surrogate U+D800..U+DBFF must be followed by U+DC00..U+DFFF'),
		]);
	});
});
