/**
 * The simulator in cases 15 to 32 of docs/protocols/llama-server.md: plain chat. Tests are numbered by case.
 */
import {
	CHAT,
	chunksOf,
	errorOf,
	finishesOf,
	headerOf,
	HI,
	jsonOf,
	textOf,
	type WireChunk,
	type WireDelta,
} from '../support/chat-wire';
import { type RawAnswer, rawAsk } from '../support/raw-client';
import { sseData } from '../support/streams';
import { type LlamaServerSim, reply, type SimOptions, startLlamaServerSim } from './llama-server';
import { useSimulator } from './use-simulator';

const startServer = useSimulator(startLlamaServerSim);

let server: LlamaServerSim;
const start = async (options: SimOptions = {}): Promise<void> => {
	server = await startServer(options);
};
const post = async (
	path: string,
	body: unknown,
	headers?: Record<string, string>,
): Promise<RawAnswer> => await rawAsk(server.url, { path, body, headers });
const chat = async (fields: object = {}, headers?: Record<string, string>): Promise<RawAnswer> =>
	await post(CHAT, { messages: HI, ...fields }, headers);
const stream = async (fields: object = {}): Promise<RawAnswer> =>
	await chat({ stream: true, ...fields });

describe('plain chat', () => {
	beforeEach(async () => {
		await start({ nCtx: 9000 });
	});

	test('15. an answer in one piece, with usage, cached tokens and timings', async () => {
		const body = jsonOf(await chat()) as unknown as WireChunk & {
			choices: Array<{ message: WireDelta; finish_reason: string }>;
		};
		expect(Object.keys(body)).toEqual([
			'choices',
			'created',
			'model',
			'system_fingerprint',
			'object',
			'usage',
			'id',
			'timings',
		]);
		expect(body.choices[0]).toEqual({
			finish_reason: 'stop',
			index: 0,
			message: { role: 'assistant', content: 'You said: Hi' },
		});
		expect(body.usage!.prompt_tokens_details).toEqual({ cached_tokens: 0 });
		expect(body.timings).toMatchObject({ cache_n: 0, predicted_n: body.usage!.completion_tokens });
	});

	test('16. role with null content, contents, finish, [DONE]', async () => {
		server.script(reply.chunks(['Hello', ' there']));
		const answer = await stream();
		expect(chunksOf(answer).map(({ choices }) => choices[0]!.delta)).toEqual([
			{ role: 'assistant', content: null },
			{ content: 'Hello' },
			{ content: ' there' },
			{},
		]);
		expect(sseData(answer.body).at(-1)).toBe('[DONE]');
		expect(headerOf(answer, 'content-type')).toBe('text/event-stream');
	});

	test('17. no role chunk when the first token is part of a character', async () => {
		server.script(reply.text('🦙 says hi'));
		const answer = await stream();
		expect(chunksOf(answer)[0]!.choices[0]!.delta).toEqual({ content: '🦙' });
		expect(textOf(answer)).toBe('🦙 says hi');
	});

	test('18. three role chunks with progress', async () => {
		const progress = (
			processed: number,
		): { progress: { total: number; cache: number; processed: number; time_ms: number } } => ({
			progress: { total: 20, cache: 0, processed, time_ms: 1 },
		});
		server.script(reply.chunks([progress(0), progress(20), 'Hi']));
		const chunks = chunksOf(await stream());
		expect(chunks.filter(({ choices }) => choices[0]!.delta.role === 'assistant')).toHaveLength(3);
		expect(chunks[1]!.prompt_progress).toEqual({ total: 20, cache: 0, processed: 20, time_ms: 1 });
		const asked = chunksOf(await stream({ return_progress: true }));
		expect(asked.filter(({ prompt_progress: shown }) => shown)).toHaveLength(2);
	});

	test('19. include_usage: finish without usage, then no choices but usage and timings', async () => {
		const chunks = chunksOf(await stream({ stream_options: { include_usage: true } }));
		const [finish, usage] = chunks.slice(-2);
		expect(finish).not.toHaveProperty('usage');
		expect(finish).not.toHaveProperty('timings');
		expect(usage).toMatchObject({
			choices: [],
			usage: { completion_tokens: 5 },
			timings: { predicted_n: 5 },
		});
	});

	test('20. usage in the finish chunk: older builds, or as scripted', async () => {
		const old = await startServer({ profile: 'old-llama-server' });
		const answer = await rawAsk(old.url, { path: CHAT, body: { messages: HI, stream: true } });
		await old.close();
		const chunks = chunksOf(answer);
		expect(chunks[0]!.choices[0]!.delta).toEqual({ content: 'You' });
		expect(chunks.at(-1)).toMatchObject({
			choices: [{ finish_reason: 'stop' }],
			usage: { completion_tokens: 5 },
		});
		expect(chunks.at(-1)!.timings).not.toHaveProperty('cache_n');
		server.script(reply.text('Hi', { usageIn: 'both' }));
		const both = chunksOf(await stream());
		expect(both.filter(({ usage }) => usage)).toHaveLength(2);
	});

	test('21. an empty answer', async () => {
		server.script(reply.empty());
		const chunks = chunksOf(await stream());
		expect(chunks.map(({ choices }) => choices[0]!.delta)).toEqual([
			{ role: 'assistant', content: null },
			{},
		]);
	});

	test('22. the token limit', async () => {
		const answer = await stream({ max_tokens: 2 });
		expect([textOf(answer), finishesOf(answer)]).toEqual(['You said', ['length']]);
	});

	test('23. max_tokens 0 gives one token', async () => {
		const answer = await stream({ max_tokens: 0 });
		expect([textOf(answer), finishesOf(answer)]).toEqual(['You', ['length']]);
	});

	test('24. max_completion_tokens before max_tokens, n_predict before both', async () => {
		expect(textOf(await stream({ max_tokens: 3, max_completion_tokens: 1 }))).toBe('You');
		expect(textOf(await stream({ max_tokens: 3, max_completion_tokens: 1, n_predict: 2 }))).toBe(
			'You said',
		);
	});

	test('25. wrong type', async () => {
		const answer = await stream({ temperature: '0.7' });
		expect(answer.status).toBe(400);
		expect(errorOf(answer).message).toBe(
			"Field 'temperature': [json.exception.type_error.302] type must be number, but is string",
		);
		expect((await chat({ temperature: null, top_p: 7, unknown_field: {} })).status).toBe(200);
	});

	test('26. too many choices; two at once, told apart by index', async () => {
		expect(errorOf(await chat({ n: 9 })).message).toBe(
			"Field 'n': Value must be between 1 <= value <= 4, but got 9",
		);
		const indexes = chunksOf(await stream({ n: 2 })).map(({ choices }) => choices[0]!.index);
		expect(indexes.filter((index) => index === 0)).toHaveLength(indexes.length / 2);
		const choice = (index: number): object => ({
			choices: [{ index, delta: { content: 'x' }, finish_reason: null }],
		});
		server.script(reply.chunks([{ event: choice(1) }, { event: choice(0) }]));
		expect(chunksOf(await stream())[0]!.choices[0]!.index).toBe(1);
	});

	test('27. malformed JSON is 500', async () => {
		const answer = await post(CHAT, '{"messages": [');
		expect(answer.status).toBe(500);
		expect(errorOf(answer).message).toContain(
			'[json.exception.parse_error.101] parse error at line 1, column 15',
		);
	});

	test('28. too long a prompt, with the numbers', async () => {
		const answer = await stream({ messages: [{ role: 'user', content: 'x'.repeat(9000) }] });
		expect(answer.status).toBe(400);
		expect(jsonOf(answer)).toEqual({
			error: {
				code: 400,
				message:
					'request (9108 tokens) exceeds the available context size (9000 tokens), try increasing it',
				type: 'exceed_context_size_error',
				n_prompt_tokens: 9108,
				n_ctx: 9000,
			},
		});
		expect(server.slots().some(({ busy }) => busy)).toBe(false);
	});

	test('29. unknown model: answered by the only one, 400, 404, 404', async () => {
		expect(jsonOf(await chat({ model: 'nope' })).model).toBe('sim-model');
		const seen: unknown[] = [];
		for (const profile of ['router', 'ollama', 'gpustack', 'vllm'] as const) {
			const other = await startServer({ profile, apiKey: 'k' });
			const headers = { Authorization: 'Bearer k' };
			const answer = await rawAsk(other.url, {
				path: CHAT,
				body: { model: 'nope', messages: HI },
				headers,
			});
			seen.push([profile, answer.status, errorOf(answer).message]);
			await other.close();
		}
		expect(seen).toEqual([
			['router', 400, "model 'nope' not found"],
			['ollama', 404, "model 'nope' not found"],
			['gpustack', 404, 'Model not found'],
			['vllm', 404, 'The model `nope` does not exist.'],
		]);
	});

	test('30. a router without a model name', async () => {
		const router = await startServer({ profile: 'router' });
		const answer = await rawAsk(router.url, { path: CHAT, body: { messages: HI } });
		await router.close();
		expect([answer.status, errorOf(answer).message]).toEqual([
			400,
			'model name is missing from the request',
		]);
	});

	test('31. a trailing assistant message is repeated at the start of the answer', async () => {
		const messages = [...HI, { role: 'assistant', content: 'Well, ' }];
		expect(textOf(await stream({ messages }))).toBe('Well, You said: Hi');
		const twice = [...messages, { role: 'assistant', content: 'and' }];
		expect(errorOf(await chat({ messages: twice })).message).toContain(
			'Cannot have 2 or more assistant messages',
		);
	});

	test('32. a template that refuses the roles', async () => {
		const strict = await startServer({ template: 'strict' });
		const answer = await rawAsk(strict.url, { path: CHAT, body: { messages: [...HI, ...HI] } });
		await strict.close();
		expect(answer.status).toBe(400);
		expect(errorOf(answer).message).toMatch(/^Unable to generate parser for this template\./);
		expect(errorOf(answer).message).toMatch(
			/Jinja Exception: Conversation roles must alternate [a-z/.]+$/,
		);
	});
});
