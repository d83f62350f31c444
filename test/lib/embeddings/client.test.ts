import { EmbeddingsClient, type EmbeddingSettings } from '../../../lib/embeddings/client';
import type { ServerError } from '../../../lib/errors/server-error';
import { connectTo } from '../../../lib/servers/connect';
import {
	type LlamaServerSim,
	reply,
	startLlamaServerSim,
	type WireRequest,
} from '../../servers/llama-server';
import { useSimulator } from '../../servers/use-simulator';
import { gate } from '../../support/gate';

const start = useSimulator(startLlamaServerSim);

const SETTINGS: EmbeddingSettings = {
	model: 'sim-model',
	prefixes: {},
	longTexts: 'fail',
	blankTexts: 'refuse',
	batchSize: 32,
	limits: {},
	retries: 3,
};

const clientOf = (
	server: LlamaServerSim,
	settings: Partial<EmbeddingSettings> = {},
	baseUrl = server.url,
) => new EmbeddingsClient(connectTo({ baseUrl }), { ...SETTINGS, ...settings });

type Body = Record<string, unknown> & { input: unknown[]; inputs: unknown[] };
const bodies = (server: LlamaServerSim, path: string) =>
	server.requests.filter((request) => request.path === path).map(({ body }) => body as Body);
const failureOf = async (promise: Promise<unknown>) =>
	await promise.then(
		() => {
			throw new Error('no failure');
		},
		(error: unknown) => error as ServerError,
	);
const length = (vector: number[]) => Math.hypot(...vector);
const V1 = '/v1/embeddings';

describe('llama-server', () => {
	test('100 texts go in requests of 32 and come back in order', async () => {
		const server = await start({ embeddings: true });
		const texts = Array.from({ length: 100 }, (_none, index) => `text ${index}`);
		const { vectors, requests, tokens } = await clientOf(server).embed(texts, 'document');
		expect(bodies(server, V1).map(({ input }) => input.length)).toEqual([32, 32, 32, 4]);
		expect(bodies(server, V1)[0]).toMatchObject({ encoding_format: 'base64' });
		const [last] = (await clientOf(server).embed(['text 99'], 'query')).vectors;
		expect(vectors.at(-1)).toEqual(last);
		expect({ requests, tokens }).toEqual({ requests: 4, tokens: texts.join('').length });
	});

	test.each(['', ' \n', null, 5])(
		'%j is refused with its place, before any request',
		async (text) => {
			const server = await start({ embeddings: true });
			const failed = await failureOf(clientOf(server).embed(['a', text], 'document'));
			expect(failed).toMatchObject({
				kind: 'invalidInput',
				message: expect.stringContaining('Text 2') as string,
			});
			expect(server.requests).toHaveLength(0);
			expect((await clientOf(server).embed([], 'document')).vectors).toEqual([]);
			expect(server.requests).toHaveLength(0);
		},
	);

	test('a blank text as a space', async () => {
		const server = await start({ embeddings: true });
		await clientOf(server, { blankTexts: 'space' }).embed([''], 'document');
		expect(bodies(server, V1)[0]).toMatchObject({ input: [' '] });
	});

	test('a text above -ub is found by halving and named with both numbers', async () => {
		const server = await start({ embeddings: { batch: 20 } });
		const texts = Array.from({ length: 32 }, (_none, index) =>
			index === 21 ? 'x'.repeat(31) : `t${index}`,
		);
		const failed = await failureOf(clientOf(server).embed(texts, 'document'));
		expect(failed).toMatchObject({
			kind: 'contextOverflow',
			facts: { index: 21, tokens: 31, limit: 20 },
		});
		expect(`${failed.meaning} ${failed.remedy}`).toMatch(
			/Text 22 of 31 tokens .*at most 20 tokens.*-ub/s,
		);
		expect(bodies(server, V1).length).toBeLessThanOrEqual(8);
	});

	test('Truncate sends the beginning that fits', async () => {
		const server = await start({ embeddings: { batch: 20 } });
		const { truncated } = await clientOf(server, { longTexts: 'truncate' }).embed(
			['short', 'x'.repeat(31)],
			'document',
		);
		expect(truncated).toBe(1);
		expect(bodies(server, V1).at(-1)!.input).toEqual(['x'.repeat(18)]);
	});

	test('the limit of a text is remembered', async () => {
		const server = await start({ embeddings: { batch: 20 } });
		const client = clientOf(server, { longTexts: 'truncate' });
		await client.embed(['short', 'many words '.repeat(6)], 'document');
		const before = bodies(server, V1).length;
		await client.embed(['a', 'b', 'x'.repeat(41)], 'document');
		expect(bodies(server, V1)[before]).toMatchObject({ input: ['a', 'b'] });
	});

	test('fewer dimensions than the server sends: cut, length 1, both numbers known', async () => {
		const server = await start({ embeddings: { dimensions: 8 } });
		const { vectors, received } = await clientOf(server, { dimensions: 3 }).embed(
			['hello'],
			'query',
		);
		expect(vectors[0]).toHaveLength(3);
		expect(length(vectors[0]!)).toBeCloseTo(1);
		expect(received).toBe(8);
	});

	test('other dimensions than expected fail after the first request', async () => {
		const server = await start({ embeddings: { dimensions: 8 } });
		const texts = Array.from({ length: 64 }, () => 'test');
		const failed = await failureOf(
			clientOf(server, { expectedDimensions: 768 }).embed(texts, 'query'),
		);
		expect(failed.message).toMatch(/8 numbers, not of 768/);
		expect(bodies(server, V1)).toHaveLength(1);
	});

	test('not started for embeddings, and pooling none', async () => {
		const off = await failureOf(clientOf(await start()).embed(['a'], 'query'));
		expect(off).toMatchObject({
			kind: 'notSupported',
			remedy: expect.stringContaining('--embeddings') as string,
		});
		const none = await failureOf(
			clientOf(await start({ embeddings: { pooling: 'none' } })).embed(['a'], 'query'),
		);
		expect(none.remedy).toContain('--pooling');
	});

	test('a vector of another length in a later call is never handed on', async () => {
		const server = await start({ embeddings: true });
		const client = clientOf(server);
		await client.embed(['a'], 'document');
		server.route(`POST ${V1}`, reply.json({ data: [{ index: 0, embedding: [1, 2] }] }));
		expect((await failureOf(client.embed(['b'], 'query'))).message).toMatch(
			/2 numbers where the others have 8/,
		);
	});

	test('NaN and zeros name the text', async () => {
		const server = await start({ embeddings: true });
		server.route(`POST ${V1}`, reply.json({ data: [{ embedding: [1] }, { embedding: [null] }] }));
		const failed = await failureOf(clientOf(server).embed(['fine', 'bad text'], 'document'));
		expect(failed.meaning).toContain('text 2: "bad text"');
		server.route(`POST ${V1}`, reply.json({ data: [{ embedding: [0, 0] }] }));
		expect((await failureOf(clientOf(server).embed(['a'], 'query'))).remedy).toContain('reranker');
	});

	describe('a text that the server refuses among others', () => {
		const texts = Array.from({ length: 32 }, (_none, index) => `t${index}`);
		const refusing =
			(bad: string, answer: ReturnType<typeof reply.error>) => async (request: WireRequest) => {
				const { input } = request.body as Body;
				await Promise.resolve();
				return input.includes(bad)
					? answer
					: reply.json({ data: input.map((_text, index) => ({ index, embedding: [1, 2] })) });
			};

		test.each(['t0', 't13', 't31'])(
			'is found by dividing, where a plain 500 does not name it: %s',
			async (bad) => {
				const server = await start({ embeddings: true });
				server.route(
					`POST ${V1}`,
					refusing(bad, reply.error(500, { error: 'Internal Server Error' })),
				);
				const failed = await failureOf(clientOf(server).embed(texts, 'document'));
				expect(failed).toMatchObject({
					message: `The server refuses text ${Number(bad.slice(1)) + 1}`,
					facts: { index: Number(bad.slice(1)) },
				});
				expect(bodies(server, V1).length).toBeLessThanOrEqual(9);
			},
		);

		test('is used if the server names it', async () => {
			const server = await start({ embeddings: true });
			const detail = [
				{ type: 'string_type', loc: ['body', 'input', 7], msg: 'Input should be a valid string' },
			];
			server.route(`POST ${V1}`, refusing('t7', reply.error(422, { detail })));
			const failed = await failureOf(clientOf(server).embed(texts, 'document'));
			expect(failed).toMatchObject({
				facts: { index: 7 },
				meaning: expect.stringContaining('"t7"') as string,
			});
			expect(bodies(server, V1)).toHaveLength(1);
		});

		test('if it refuses all of them, no single text is blamed', async () => {
			const server = await start({ embeddings: true });
			server.route(`POST ${V1}`, reply.error(500, { error: 'Internal Server Error' }));
			const failed = await failureOf(clientOf(server).embed(texts, 'document'));
			expect(failed.facts.index).toBeUndefined();
			expect(failed.kind).toBe('serverError');
			expect(bodies(server, V1).length).toBeLessThanOrEqual(8);
		});
	});

	test('an error with status 200, and a page', async () => {
		const server = await start({ embeddings: true });
		server.route(
			`POST ${V1}`,
			reply.json({ error: 'Unexpected endpoint or method. (POST /v1/embeddings)' }),
		);
		expect((await failureOf(clientOf(server).embed(['a'], 'query'))).serverText).toContain(
			'Unexpected endpoint',
		);
		const words = 'The model does not support Embeddings API';
		for (const body of [{ object: 'error', message: words, code: 400 }, { detail: words }]) {
			server.route(`POST ${V1}`, reply.json(body));
			expect((await failureOf(clientOf(server).embed(['a'], 'query'))).serverText).toContain(words);
		}
		server.route(`POST ${V1}`, reply.html(200, '<html><body>Sign in</body></html>'));
		expect((await failureOf(clientOf(server).embed(['a'], 'query'))).kind).toBe('notAnApi');
	});

	test('prefixes by method and model; those of the user come first', async () => {
		const server = await start({ embeddings: true });
		const client = clientOf(server, { model: 'nomic-embed-text', prefixes: { document: 'D ' } });
		await client.embed(['a'], 'query');
		await client.embed(['a'], 'document');
		expect(bodies(server, V1).map(({ input }) => input)).toEqual([['search_query: a'], ['D a']]);
	});
});

describe('retries', () => {
	const once = (server: LlamaServerSim, path: string, first: ReturnType<typeof reply.error>) => {
		let calls = 0;
		server.route(`POST ${path}`, (request: WireRequest) => {
			calls++;
			if (calls === 1) return first;
			return reply.json({
				data: (request.body as Body).input.map((_text, index) => ({ index, embedding: [1, 2] })),
			});
		});
		return () => calls;
	};

	test.each([
		['429', reply.error(429, 'slow down')],
		['502', reply.error(502, '')],
		['503', reply.error(503, 'no slot')],
		['504', reply.error(504, '')],
		['a reset connection', reply.reset()],
		[
			'Ollama: its runner died',
			reply.error(400, {
				error: 'do embedding request: Post "http://127.0.0.1:33503/embedding": EOF',
			}),
		],
		[
			'an answer that was cut off',
			reply.error(200, '{"data":[', { cut: { at: 3, how: 'rst' } } as never),
		],
	])('%s', async (_case, first) => {
		const server = await start({ embeddings: true });
		const calls = once(server, V1, first);
		const { vectors } = await clientOf(server).embed(['a'], 'query');
		expect(vectors).toEqual([[1, 2]]);
		expect(calls()).toBe(2);
	});

	test.each([400, 401, 404, 422, 500, 501])('never after %i', async (status) => {
		const server = await start({ embeddings: true });
		const calls = once(server, V1, reply.error(status, { error: 'no' }));
		await failureOf(clientOf(server).embed(['a'], 'query'));
		expect(calls()).toBe(1);
	});

	test('a model that is loading is waited for', async () => {
		const server = await start({ embeddings: true });
		const calls = once(server, V1, reply.loading());
		await clientOf(server, { retries: 0 }).embed(['a'], 'query');
		expect(calls()).toBe(2);
	});

	test('Stop closes the socket and sends nothing more', async () => {
		const server = await start({ embeddings: true });
		server.route(`POST ${V1}`, reply.silence());
		const stop = new AbortController();
		const texts = Array.from({ length: 64 }, () => 'a');
		const failed = failureOf(clientOf(server).embed(texts, 'document', stop.signal));
		await server.until(() => bodies(server, V1).length === 1);
		stop.abort();
		expect((await failed).kind).toBe('aborted');
		await server.until(() => server.requests.at(-1)!.signal.aborted);
		expect(bodies(server, V1)).toHaveLength(1);
	});
});

const vectorsOf = (texts: readonly unknown[]) =>
	reply.json({ data: texts.map((_text, index) => ({ index, embedding: [1, index] })) });
const NOTHING_THERE = reply.error(404, '404 page not found');

describe('what several requests at once learn, each of them is sent again for', () => {
	test.each([
		[
			'a field that is refused',
			'fastapi',
			V1,
			({ body }: WireRequest) =>
				'encoding_format' in (body as Body)
					? reply.error(400, { detail: 'Unsupported parameter: encoding_format' })
					: vectorsOf((body as Body).input),
		],
		[
			'a list of texts that is refused',
			'fastapi',
			V1,
			({ body }: WireRequest) =>
				Array.isArray((body as Body).input)
					? reply.error(422, {
							detail: [{ loc: ['body', 'input'], msg: 'Input should be a valid string' }],
						})
					: vectorsOf([0]),
		],
		['its own route that is missing', 'ollama', '/api/embed', () => NOTHING_THERE],
	] as const)('%s', async (_what, profile, path, answer) => {
		const server = await start({ profile });
		const allAsked = gate();
		let asked = 0;
		// The first four are answered together.
		server.route(`POST ${path}`, async (request: WireRequest) => {
			if (++asked === 4) allAsked.open();
			await allAsked.wait;
			return answer(request);
		});
		const client = clientOf(server);
		const all = [['a'], ['b', 'bb'], ['c'], ['d', 'dd']].map(
			async (texts) => await client.embed(texts, 'document'),
		);
		const vectors = (await Promise.all(all)).map((embeddings) => embeddings.vectors.length);
		expect(vectors).toEqual([1, 2, 1, 2]);
	});
});

describe('other servers', () => {
	test('Ollama by its own route, told not to cut', async () => {
		const server = await start({ profile: 'ollama' });
		const { vectors } = await clientOf(server, { keepAlive: 120, dimensions: 8 }).embed(
			['a', 'b'],
			'document',
		);
		expect(vectors).toHaveLength(2);
		expect(bodies(server, '/api/embed')).toEqual([
			{ model: 'sim-model', input: ['a', 'b'], truncate: false, dimensions: 8, keep_alive: 120 },
		]);
	});

	test('Ollama behind a proxy that passes on the routes of OpenAI only: by these, from the second request on', async () => {
		const server = await start({ profile: 'ollama' });
		server.route('POST /api/embed', reply.error(404, '404 page not found'));
		const client = clientOf(server);
		for (const texts of [['a', 'b'], ['c']])
			expect((await client.embed(texts, 'document')).vectors).toHaveLength(texts.length);
		expect(bodies(server, '/api/embed')).toHaveLength(1);
		expect(bodies(server, V1)).toMatchObject([{ input: ['a', 'b'] }, { input: ['c'] }]);
	});

	test('Ollama: told to cut only the text that it refused, so that every cut is counted', async () => {
		const server = await start({ profile: 'ollama' });
		const long = 'word '.repeat(602);
		server.route('POST /api/embed', ({ body }: WireRequest) => {
			const { input, truncate } = body as Body;
			return truncate !== true && input.includes(long)
				? reply.error(400, { error: 'the input length exceeds the context length' })
				: reply.json({
						embeddings: input.map((_text, index) => [1, index]),
						prompt_eval_count: 512,
					});
		});
		const client = clientOf(server, { longTexts: 'truncate' });
		const { vectors, truncated } = await client.embed(['a', long, 'b', long], 'document');
		expect(vectors).toHaveLength(4);
		expect(truncated).toBe(2);
		const cut = bodies(server, '/api/embed').filter(({ truncate }) => truncate === true);
		expect(cut.map(({ input }) => input)).toEqual([[long], [long]]);
	});

	test('Ollama: NaN in one of 32 texts is found in at most ten requests', async () => {
		const server = await start({ profile: 'ollama' });
		server.route('POST /api/embed', ({ body }: WireRequest) =>
			(body as Body).input.includes('t13')
				? reply.error(500, { error: 'failed to encode response: json: unsupported value: NaN' })
				: reply.json({ embeddings: (body as Body).input.map(() => [1, 2]) }),
		);
		const texts = Array.from({ length: 32 }, (_none, index) => `t${index}`);
		const failed = await failureOf(clientOf(server).embed(texts, 'document'));
		expect(failed).toMatchObject({
			facts: { index: 13 },
			remedy: expect.stringContaining('num_gpu 0') as string,
		});
		expect(bodies(server, '/api/embed').length).toBeLessThanOrEqual(10);
	});

	test('Ollama: a text that is too long is named', async () => {
		const server = await start({ profile: 'ollama' });
		server.route('POST /api/embed', ({ body }: WireRequest) =>
			(body as Body).input.some((text) => String(text).length > 10)
				? reply.error(400, { error: 'the input length exceeds the context length' })
				: reply.json({ embeddings: (body as Body).input.map(() => [3, 4]) }),
		);
		const texts = ['short', 'longer than ten characters'];
		expect((await failureOf(clientOf(server).embed(texts, 'document'))).facts).toMatchObject({
			index: 1,
		});
	});

	test('Ollama does not have the model: how to fetch it', async () => {
		const server = await start({ profile: 'ollama' });
		const failed = await failureOf(clientOf(server, { model: 'bge-m3' }).embed(['a'], 'query'));
		expect(failed.remedy).toContain('ollama pull bge-m3');
	});

	test.each([1, 2, 5])(
		"Triton's frontend takes one text and no list: %i texts go one by one, and so from then on",
		async (count) => {
			const server = await start({ profile: 'fastapi' });
			const refusal = {
				detail: [
					{ loc: ['body', 'input', 'str'], msg: 'Input should be a valid string' },
					{ loc: ['body', 'input', 'list[int]', 0], msg: 'Input should be a valid integer' },
				],
			};
			server.route('POST /v1/embeddings', ({ body }: WireRequest) => {
				const { input } = body as { input: unknown };
				if (typeof input !== 'string') return reply.error(422, refusal);
				return reply.json({ data: [{ index: 0, embedding: [input.length, 1] }] });
			});
			const texts = Array.from({ length: count }, (_none, index) => 'a'.repeat(index + 1));
			const client = clientOf(server);
			const { vectors } = await client.embed(texts, 'document');
			expect(vectors.map(([first]) => first)).toEqual(texts.map(({ length: size }) => size));
			await client.embed(['b'], 'query');
			expect(bodies(server, V1).map(({ input }) => input)).toEqual([texts, ...texts, 'b']);
		},
	);

	test('vLLM, and GPUStack at its old address', async () => {
		const vllm = await start({ profile: 'vllm' });
		vllm.route(`POST ${V1}`, ({ body }: WireRequest) =>
			(body as Body).truncate_prompt_tokens === undefined
				? reply.error(
						400,
						"This model's maximum context length is 512 tokens. However, you requested 602 tokens in the input",
					)
				: reply.json({ data: [{ index: 0, embedding: [1, 2] }] }),
		);
		expect(await clientOf(vllm, { longTexts: 'truncate' }).embed(['a'], 'query')).toMatchObject({
			truncated: 1,
		});
		expect(
			bodies(vllm, V1).map(({ encoding_format: format, truncate_prompt_tokens: tokens }) => [
				format,
				tokens,
			]),
		).toEqual([
			['base64', undefined],
			['base64', -1],
		]);
		const gpustack = await start({ profile: 'gpustack' });
		const connection = connectTo({
			baseUrl: `${gpustack.url}/v1-openai`,
			headers: { authorization: 'Bearer gpustack-key' },
		});
		const { vectors } = await new EmbeddingsClient(connection, SETTINGS).embed(['a'], 'query');
		expect(vectors).toHaveLength(1);
		expect(bodies(gpustack, '/v1-openai/embeddings')[0]).toMatchObject({
			encoding_format: 'float',
		});
	});
});
