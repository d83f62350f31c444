/**
 * The simulator's side of the contract's test cases 1 to 61: connections, plain chat, event streams, failures.
 * Each test has the number of its case. What a client makes of it is tested where the client is.
 */
import { net, tls, zlib } from '../support/node';
import { RawConnection, rawAsk, type RawAnswer } from '../support/raw-client';
import { fixture, sseData, sseJson } from '../support/streams';
import {
	type Delta,
	type LlamaServerSim,
	reply,
	type SimOptions,
	startLlamaServerSim,
	startSilentServer,
} from './llama-server';

const CHAT = '/v1/chat/completions';
const HI = [{ role: 'user', content: 'Hi' }];

interface Chunk {
	choices: Array<{ index: number; delta: Delta; finish_reason: string | null }>;
	usage?: { prompt_tokens: number; completion_tokens: number; prompt_tokens_details?: { cached_tokens: number } };
	timings?: Record<string, number>;
	prompt_progress?: object;
	error?: { message: string };
}

let server: LlamaServerSim;
const start = async (options: SimOptions = {}): Promise<void> => {
	server = await startLlamaServerSim(options);
};
const opened: RawConnection[] = [];
const open = async (): Promise<RawConnection> => {
	const connection = await RawConnection.open(server.url);
	opened.push(connection);
	return connection;
};
afterEach(async () => {
	for (const connection of opened.splice(0)) connection.destroy();
	await server.close();
});

const get = async (path: string, headers?: Record<string, string>): Promise<RawAnswer> =>
	await rawAsk(server.url, { path, headers });
const post = async (path: string, body: unknown, headers?: Record<string, string>): Promise<RawAnswer> =>
	await rawAsk(server.url, { path, body, headers });
const chat = async (fields: object = {}, headers?: Record<string, string>): Promise<RawAnswer> =>
	await post(CHAT, { messages: HI, ...fields }, headers);
const stream = async (fields: object = {}): Promise<RawAnswer> => await chat({ stream: true, ...fields });

const json = ({ body }: RawAnswer): Record<string, unknown> => JSON.parse(body.toString()) as Record<string, unknown>;
const errorOf = (answer: RawAnswer): { code: number; message: string; type: string } =>
	json(answer).error as { code: number; message: string; type: string };
const textOf = ({ body }: RawAnswer): string =>
	sseJson<Chunk>(body)
		.map(({ choices }) => choices?.[0]?.delta?.content ?? '')
		.join('');
const finishesOf = ({ body }: RawAnswer): Array<string | null | undefined> =>
	sseJson<Chunk>(body)
		.map(({ choices }) => choices?.[0]?.finish_reason)
		.filter(Boolean);
const header = ({ headers }: RawAnswer, name: string): string | undefined =>
	headers.find(([candidate]) => candidate.toLowerCase() === name)?.[1];

describe('connection and auth', () => {
	test('1. a closed server refuses, and leaves nothing open', async () => {
		await start();
		const idle = await open();
		const { port } = server;
		await server.close();
		expect(await idle.closed()).not.toBe('open');
		const code = await new Promise<string | undefined>((resolve) => {
			net.connect(port, '127.0.0.1').once('error', (error: NodeJS.ErrnoException) => resolve(error.code));
		});
		expect(code).toBe('ECONNREFUSED');
	});

	test('2. FIN before the first byte', async () => {
		await start();
		server.script(reply.closed());
		expect(await chat()).toMatchObject({ bytes: Buffer.alloc(0), end: 'fin' });
	});

	test('3. RST before the first byte, on a reused connection only', async () => {
		await start();
		server.script(({ requestOnConnection }) => (requestOnConnection > 1 ? reply.reset() : undefined), reply.reset());
		const connection = await open();
		expect((await connection.ask({ path: CHAT, body: { messages: HI } })).status).toBe(200);
		expect(await connection.ask({ path: CHAT, body: { messages: HI } })).toMatchObject({
			bytes: Buffer.alloc(0),
			end: 'rst',
		});
		expect((await chat()).status).toBe(200);
		expect(server.requests.map(({ connection: index, requestOnConnection }) => [index, requestOnConnection])).toEqual([
			[0, 1],
			[0, 2],
			[1, 1],
		]);
	});

	test('4. idle connections are closed, and one that served its number of requests', async () => {
		await start({ keepAlive: { idleMs: 30, max: 2 } });
		const idle = await open();
		await idle.ask({ path: '/health' });
		expect(await idle.closed()).toBe('fin');
		const busy = await open();
		expect(header(await busy.ask({ path: '/health' }), 'keep-alive')).toBe('timeout=5, max=100');
		const last = await busy.ask({ path: '/health' });
		expect(header(last, 'connection')).toBe('close');
		expect(await busy.closed()).toBe('fin');
	});

	test('5. key set, none sent: the exact body', async () => {
		await start({ apiKey: 'k' });
		const answer = await chat();
		expect(answer.status).toBe(401);
		expect(answer.body.toString()).toBe(
			'{"error":{"message":"Invalid API Key","type":"authentication_error","code":401}}',
		);
		expect(header(answer, 'www-authenticate')).toBeUndefined();
	});

	test('6. and 7. forms of the key', async () => {
		await start({ apiKey: ['k', 'other'] });
		const status = async (headers: Record<string, string>): Promise<number> =>
			(await get('/v1/models', headers)).status;
		expect(await status({ Authorization: 'bearer k' })).toBe(401);
		expect(await status({ Authorization: 'Bearer  k' })).toBe(401);
		expect(await status({ Authorization: 'Basic k' })).toBe(401);
		expect(await status({ Authorization: 'k' })).toBe(200);
		expect(await status({ Authorization: 'Bearer other' })).toBe(200);
		expect(await status({ 'X-Api-Key': 'k' })).toBe(200);
		expect(await status({ 'X-Api-Key': 'Bearer k' })).toBe(200);
		expect(await status({ Authorization: '', 'X-Api-Key': 'k' })).toBe(200);
		expect(await status({ Authorization: 'Bearer wrong', 'X-Api-Key': 'k' })).toBe(401);
	});

	test('8. what is public', async () => {
		await start({ apiKey: 'k' });
		expect((await get('/health')).status).toBe(200);
		expect((await get('/v1/models')).status).toBe(401);
		expect((await get('/nowhere')).status).toBe(401);
		expect((await get('/nowhere', { Authorization: 'Bearer k' })).status).toBe(404);
	});

	test('9. with a prefix nothing answers outside it, and health needs the key', async () => {
		await start({ apiKey: 'k', apiPrefix: '/p' });
		expect((await get('/health', { Authorization: 'Bearer k' })).status).toBe(404);
		expect((await get('/p/health')).status).toBe(401);
		expect((await get('/p/health', { Authorization: 'Bearer k' })).status).toBe(200);
	});

	test('10. loading: 503 for every path and every key, then ready', async () => {
		await start({ apiKey: 'k', loadingFor: 3 });
		for (const answer of [await get('/health'), await get('/v1/models'), await chat({}, { Authorization: 'wrong' })]) {
			expect(answer.status).toBe(503);
			expect(json(answer)).toEqual({
				error: { message: 'Loading model', type: 'unavailable_error', code: 503 },
			});
		}
		expect((await get('/health')).status).toBe(200);
		server.setLoading({ ms: 20 });
		expect((await get('/health')).status).toBe(503);
		server.setLoading(0);
		expect((await get('/health')).status).toBe(200);
	});

	test('11. 503 twice, then the answer', async () => {
		await start();
		server.script(reply.loading(), reply.loading(), reply.text('Here'));
		expect([(await chat()).status, (await chat()).status]).toEqual([503, 503]);
		expect(textOf(await stream())).toBe('Here');
	});

	test('12. a slash too many is 404, and so is another case', async () => {
		await start();
		for (const path of ['//v1/chat/completions', '/v1/chat/completions/', '/V1/chat/completions', '/v1//models']) {
			expect((await post(path, { messages: HI })).status).toBe(404);
		}
	});

	test('13. https to an http port fails in the handshake', async () => {
		await start({ keepAlive: { idleMs: 50, max: 100 } });
		const failed = await new Promise<boolean>((resolve) => {
			const socket = tls.connect({ port: server.port, host: '127.0.0.1', rejectUnauthorized: false });
			socket.once('error', () => resolve(true));
			socket.once('secureConnect', () => resolve(false));
		});
		expect(failed).toBe(true);
	});

	test('14. wrong key elsewhere: vLLM a string, GPUStack a reason, FastAPI a detail', async () => {
		await start();
		const bodies: unknown[] = [];
		for (const profile of ['vllm', 'gpustack', 'fastapi'] as const) {
			const neighbour = await startLlamaServerSim({ profile, apiKey: 'k' });
			const answer = await rawAsk(neighbour.url, { path: '/v1/models', headers: { Authorization: 'Bearer wrong' } });
			bodies.push([answer.status, json(answer)]);
			await neighbour.close();
		}
		expect(bodies).toEqual([
			[401, { error: 'Unauthorized' }],
			[401, { code: 401, reason: 'Unauthorized', message: 'Invalid authentication credentials' }],
			[401, { detail: 'Invalid API key' }],
		]);
	});
});

describe('plain chat', () => {
	beforeEach(async () => {
		await start({ nCtx: 9000 });
	});

	test('15. an answer in one piece, with usage, cached tokens and timings', async () => {
		const body = json(await chat()) as unknown as Chunk & { choices: Array<{ message: Delta; finish_reason: string }> };
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
		expect(sseJson<Chunk>(answer.body).map(({ choices }) => choices[0]!.delta)).toEqual([
			{ role: 'assistant', content: null },
			{ content: 'Hello' },
			{ content: ' there' },
			{},
		]);
		expect(sseData(answer.body).at(-1)).toBe('[DONE]');
		expect(header(answer, 'content-type')).toBe('text/event-stream');
	});

	test('17. no role chunk when the first token is part of a character', async () => {
		server.script(reply.text('🦙 says hi'));
		const answer = await stream();
		expect(sseJson<Chunk>(answer.body)[0]!.choices[0]!.delta).toEqual({ content: '🦙' });
		expect(textOf(answer)).toBe('🦙 says hi');
	});

	test('18. three role chunks with progress', async () => {
		const progress = (
			processed: number,
		): { progress: { total: number; cache: number; processed: number; time_ms: number } } => ({
			progress: { total: 20, cache: 0, processed, time_ms: 1 },
		});
		server.script(reply.chunks([progress(0), progress(20), 'Hi']));
		const chunks = sseJson<Chunk>((await stream()).body);
		expect(chunks.filter(({ choices }) => choices[0]!.delta.role === 'assistant')).toHaveLength(3);
		expect(chunks[1]!.prompt_progress).toEqual({ total: 20, cache: 0, processed: 20, time_ms: 1 });
		const asked = sseJson<Chunk>((await stream({ return_progress: true })).body);
		expect(asked.filter(({ prompt_progress: shown }) => shown)).toHaveLength(2);
	});

	test('19. include_usage: finish without usage, then no choices but usage and timings', async () => {
		const chunks = sseJson<Chunk>((await stream({ stream_options: { include_usage: true } })).body);
		const [finish, usage] = chunks.slice(-2);
		expect(finish).not.toHaveProperty('usage');
		expect(finish).not.toHaveProperty('timings');
		expect(usage).toMatchObject({ choices: [], usage: { completion_tokens: 5 }, timings: { predicted_n: 5 } });
	});

	test('20. usage in the finish chunk: older builds, or as scripted', async () => {
		const old = await startLlamaServerSim({ profile: 'old-llama-server' });
		const answer = await rawAsk(old.url, { path: CHAT, body: { messages: HI, stream: true } });
		await old.close();
		const chunks = sseJson<Chunk>(answer.body);
		expect(chunks[0]!.choices[0]!.delta).toEqual({ content: 'You' });
		expect(chunks.at(-1)).toMatchObject({ choices: [{ finish_reason: 'stop' }], usage: { completion_tokens: 5 } });
		expect(chunks.at(-1)!.timings).not.toHaveProperty('cache_n');
		server.script(reply.text('Hi', { usageIn: 'both' }));
		const both = sseJson<Chunk>((await stream()).body);
		expect(both.filter(({ usage }) => usage)).toHaveLength(2);
	});

	test('21. an empty answer', async () => {
		server.script(reply.empty());
		const chunks = sseJson<Chunk>((await stream()).body);
		expect(chunks.map(({ choices }) => choices[0]!.delta)).toEqual([{ role: 'assistant', content: null }, {}]);
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
		expect(textOf(await stream({ max_tokens: 3, max_completion_tokens: 1, n_predict: 2 }))).toBe('You said');
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
		expect(errorOf(await chat({ n: 9 })).message).toBe("Field 'n': Value must be between 1 <= value <= 4, but got 9");
		const indexes = sseJson<Chunk>((await stream({ n: 2 })).body).map(({ choices }) => choices[0]!.index);
		expect(indexes.filter((index) => index === 0)).toHaveLength(indexes.length / 2);
		const choice = (index: number): object => ({ choices: [{ index, delta: { content: 'x' }, finish_reason: null }] });
		server.script(reply.chunks([{ event: choice(1) }, { event: choice(0) }]));
		expect(sseJson<Chunk>((await stream()).body)[0]!.choices[0]!.index).toBe(1);
	});

	test('27. malformed JSON is 500', async () => {
		const answer = await post(CHAT, '{"messages": [');
		expect(answer.status).toBe(500);
		expect(errorOf(answer).message).toContain('[json.exception.parse_error.101] parse error at line 1, column 15');
	});

	test('28. too long a prompt, with the numbers', async () => {
		const answer = await stream({ messages: [{ role: 'user', content: 'x'.repeat(9000) }] });
		expect(answer.status).toBe(400);
		expect(json(answer)).toEqual({
			error: {
				code: 400,
				message: 'request (9108 tokens) exceeds the available context size (9000 tokens), try increasing it',
				type: 'exceed_context_size_error',
				n_prompt_tokens: 9108,
				n_ctx: 9000,
			},
		});
		expect(server.slots().some(({ busy }) => busy)).toBe(false);
	});

	test('29. unknown model: answered by the only one, 400, 404, 404', async () => {
		expect(json(await chat({ model: 'nope' })).model).toBe('sim-model');
		const seen: unknown[] = [];
		for (const profile of ['router', 'ollama', 'gpustack', 'vllm'] as const) {
			const other = await startLlamaServerSim({ profile, apiKey: 'k' });
			const headers = { Authorization: 'Bearer k' };
			const answer = await rawAsk(other.url, { path: CHAT, body: { model: 'nope', messages: HI }, headers });
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
		const router = await startLlamaServerSim({ profile: 'router' });
		const answer = await rawAsk(router.url, { path: CHAT, body: { messages: HI } });
		await router.close();
		expect([answer.status, errorOf(answer).message]).toEqual([400, 'model name is missing from the request']);
	});

	test('31. a trailing assistant message is repeated at the start of the answer', async () => {
		const messages = [...HI, { role: 'assistant', content: 'Well, ' }];
		expect(textOf(await stream({ messages }))).toBe('Well, You said: Hi');
		const twice = [...messages, { role: 'assistant', content: 'and' }];
		expect(errorOf(await chat({ messages: twice })).message).toContain('Cannot have 2 or more assistant messages');
	});

	test('32. a template that refuses the roles', async () => {
		const strict = await startLlamaServerSim({ template: 'strict' });
		const answer = await rawAsk(strict.url, { path: CHAT, body: { messages: [...HI, ...HI] } });
		await strict.close();
		expect(answer.status).toBe(400);
		expect(errorOf(answer).message).toMatch(/^Unable to generate parser for this template\./);
		expect(errorOf(answer).message).toMatch(/Jinja Exception: Conversation roles must alternate [a-z/.]+$/);
	});
});

describe('event streams', () => {
	beforeEach(async () => {
		await start();
	});

	test('33. chunks that split characters', async () => {
		server.script(reply.text('a 🦙 ü', { split: 'characters' }));
		const answer = await stream();
		expect(textOf(answer)).toBe('a 🦙 ü');
		const llama = [...Buffer.from('🦙')];
		const inOnePiece = answer.chunks.some((chunk) => llama.every((byte) => chunk.includes(byte)));
		expect(inOnePiece).toBe(false);
	});

	test('34. any split point, one byte at a time, or by a seed', async () => {
		server.script(
			reply.text('Hi', { split: [2, 5] }),
			reply.text('Hi', { split: 1 }),
			reply.text('Hi', { split: { seed: 7 } }),
		);
		const [at, single, seeded] = [await stream(), await stream(), await stream()];
		expect(at.chunks.slice(0, 2).map(String)).toEqual(['da', 'ta:']);
		expect(single.chunks.every((chunk) => chunk.length === 1)).toBe(true);
		expect(seeded.chunks.length).toBeGreaterThan(20);
		expect([textOf(at), textOf(single), textOf(seeded)]).toEqual(['Hi', 'Hi', 'Hi']);
	});

	test('35. other line ends', async () => {
		server.script(reply.text('Hi', { sse: { lineEnd: '\r\n' } }), reply.text('Hi', { sse: { lineEnd: '\r' } }));
		expect((await stream()).body.toString()).toMatch(/^data: \{.*\}\r\n\r\ndata: [^\n]*\r\n\r\n/);
		expect((await stream()).body.toString()).not.toContain('\n');
	});

	test('36. no blank after the colon', async () => {
		server.script(reply.text('Hi', { sse: { noSpace: true } }));
		expect((await stream()).body.toString()).toMatch(/^data:\{/);
	});

	test('37. comments and blank lines', async () => {
		server.script(reply.chunks(['a', { comment: ': keep-alive' }, 'b'], { sse: { comments: [':'], blankLines: 2 } }));
		const text = (await stream()).body.toString();
		expect(text).toMatch(/^:\n\ndata: \{.*\}\n\n\n\n:\n\ndata: /);
		expect(text).toContain(': keep-alive\n\n');
	});

	test('38. other fields before the data', async () => {
		server.script(reply.text('Hi', { sse: { fields: ['event: message', 'id: 7', 'retry: 3000'] } }));
		expect((await stream()).body.toString()).toMatch(/^event: message\nid: 7\nretry: 3000\ndata: \{/);
	});

	test('39. data over several lines', async () => {
		server.script(reply.text('Hi', { sse: { multiline: true } }));
		const [event = ''] = (await stream()).body.toString().split('\n\n');
		const data = event.split('\n').map((line) => line.replace(/^data: /, ''));
		expect(data.length).toBeGreaterThan(5);
		expect(JSON.parse(data.join('\n'))).toMatchObject({ object: 'chat.completion.chunk' });
	});

	test('40. a byte order mark', async () => {
		server.script(reply.text('Hi', { sse: { bom: true } }));
		expect([...(await stream()).body.subarray(0, 4)]).toEqual([0xef, 0xbb, 0xbf, 0x64]);
	});

	test('41. several events in one read, [DONE] with the last chunk', async () => {
		server.script(reply.text('one two three', { join: 100 }));
		const { chunks } = await stream();
		expect(chunks).toHaveLength(1);
		expect(chunks[0]!.toString()).toMatch(/data: \[DONE\]\n\n$/);
	});

	test('42. data after [DONE]', async () => {
		server.script(reply.text('Hi', { sse: { append: 'data: {"late":true}\n\n' } }));
		expect(sseData((await stream()).body).slice(-2)).toEqual(['[DONE]', '{"late":true}']);
	});

	test('43. an event of a megabyte', async () => {
		server.script(reply.chunks(['x'.repeat(1_000_000)]));
		expect(textOf(await stream())).toHaveLength(1_000_000);
	});

	test('44. one JSON body although a stream was asked for', async () => {
		server.script(reply.text('Hi', { asJson: true }));
		const answer = await stream();
		expect(header(answer, 'content-type')).toBe('application/json; charset=utf-8');
		expect(json(answer)).toMatchObject({ choices: [{ message: { content: 'Hi' } }] });
	});

	test('45. other content types, or none', async () => {
		server.script(
			reply.text('Hi', { headers: { 'content-type': 'text/event-stream; charset=utf-8' } }),
			reply.text('Hi', { headers: { 'Content-Type': null } }),
		);
		expect(header(await stream(), 'content-type')).toBe('text/event-stream; charset=utf-8');
		expect(header(await stream(), 'content-type')).toBeUndefined();
	});

	test('46. compressed by a proxy', async () => {
		server.script(reply.text('Hi there', { gzip: true }));
		const answer = await stream();
		expect(header(answer, 'content-encoding')).toBe('gzip');
		expect(textOf({ ...answer, body: zlib.gunzipSync(answer.body) })).toBe('Hi there');
	});
});

describe('stream failures', () => {
	beforeEach(async () => {
		await start({ slots: 2, pingMs: 15 });
	});
	const CONTEXT = { message: 'Context size has been exceeded.' };

	test('47. an error event after text, no finish, no [DONE]', async () => {
		server.script(reply.chunks(['Hal'], { error: CONTEXT }));
		const data = sseData((await stream()).body);
		expect(data.at(-1)).toBe(
			'{"error":{"code":500,"message":"Context size has been exceeded.","type":"server_error"}}',
		);
		expect(data).toHaveLength(3);
	});

	test('48. the same with [DONE]', async () => {
		server.script(reply.chunks(['Hal'], { error: { ...CONTEXT, thenDone: true } }));
		expect(sseData((await stream()).body).at(-1)).toBe('[DONE]');
		const vllm = await startLlamaServerSim({ profile: 'vllm' });
		vllm.script(reply.chunks(['Hal'], { error: CONTEXT }));
		const answer = await rawAsk(vllm.url, { path: CHAT, body: { model: 'sim-model', messages: HI, stream: true } });
		await vllm.close();
		expect(sseData(answer.body).slice(-2)).toEqual([
			'{"error":{"message":"Context size has been exceeded.","type":"InternalServerError","param":null,"code":500}}',
			'[DONE]',
		]);
	});

	test('49. a clean end without finish and [DONE]', async () => {
		server.script(reply.text('Hello you', { finish: false, done: false }));
		const answer = await stream();
		expect([textOf(answer), finishesOf(answer), sseData(answer.body).includes('[DONE]')]).toEqual([
			'Hello you',
			[],
			false,
		]);
		expect(answer.bytes.subarray(-5).toString()).toBe('0\r\n\r\n');
		server.script(reply.text('Hello you', { cut: { at: { event: 2 }, how: 'clean' } }));
		expect(textOf(await stream())).toBe('Hello');
	});

	test('50. finish, but no [DONE]', async () => {
		server.script(reply.text('Hi', { done: false }));
		const answer = await stream();
		expect([finishesOf(answer), sseData(answer.body).includes('[DONE]')]).toEqual([['stop'], false]);
	});

	test('51. [DONE], but no finish', async () => {
		server.script(reply.text('Hi', { finish: false }));
		const answer = await stream();
		expect([finishesOf(answer), sseData(answer.body).at(-1)]).toEqual([[], '[DONE]']);
	});

	test.each(['fin', 'rst'] as const)('52. %s in the middle of a chunk', async (how) => {
		server.script(reply.text('Hello you there', { cut: { at: 600, how } }));
		const answer = await stream();
		expect(answer.end).toBe(how);
		expect(answer.body).toHaveLength(600);
		expect(answer.bytes.toString()).not.toMatch(/\r\n0\r\n\r\n$/);
		expect(server.requests[0]).toMatchObject({ endedBy: 'server' });
	});

	test('53. the raw line of a proxy, then a clean end', async () => {
		server.script(reply.childDiedAfter(['Hel']));
		const answer = await stream();
		expect(answer.body.toString()).toMatch(/\n\nproxy error: Failed to read connection$/);
		expect(answer.bytes.subarray(-5).toString()).toBe('0\r\n\r\n');
	});

	test('54. JSON by its type, plain text by its body', async () => {
		server.script(reply.childDied());
		const answer = await chat();
		expect([answer.status, header(answer, 'content-type'), answer.body.toString()]).toEqual([
			500,
			'application/json; charset=utf-8',
			'proxy error: Failed to read connection',
		]);
	});

	test('55. an error found before the first result is a plain one', async () => {
		const answer = await stream({ tool_choice: 'always' });
		expect([answer.status, header(answer, 'content-type')]).toEqual([400, 'application/json; charset=utf-8']);
	});

	test('56. invalid JSON in one event', async () => {
		server.script(reply.chunks(['a', { event: '{"choices":[{' }, 'b']));
		expect(sseData((await stream()).body)).toContain('{"choices":[{');
	});

	test('57. no byte for as long as wanted, then the answer', async () => {
		let go = (): void => undefined;
		const gate = new Promise<void>((resolve) => {
			go = resolve;
		});
		server.script(reply.text('Hi', { delayHeaders: gate }));
		const connection = await open();
		const answer = connection.ask({ path: CHAT, body: { messages: HI, stream: true } });
		await server.until(() => server.slots()[0]!.busy);
		expect(connection.bytes).toHaveLength(0);
		go();
		expect(textOf(await answer)).toBe('Hi');
	});

	test('58. headers at once, pings while nothing happens, then text', async () => {
		server.script(reply.chunks([{ comment: ':' }, { wait: 50 }, 'Hi']));
		const answer = await stream();
		expect(answer.body.toString().split(':\n\n').length).toBeGreaterThanOrEqual(3);
		expect(textOf(answer)).toBe('Hi');
	});

	test('59. headers at once and no pings, as on a busy server', async () => {
		server.script(reply.text('Hi', { delayBody: 40 }));
		const answer = await stream();
		expect(answer.body.toString()).toMatch(/^data: /);
		const other = stream({ sse_ping_interval: -1 });
		server.script(reply.chunks(['a', { wait: 40 }, 'b']));
		expect((await other).body.toString()).not.toContain(':\n\n');
	});

	test('60. a client that leaves while queued, in the prompt, in the middle: seen, and the slot is free', async () => {
		const forever = new Promise<void>(() => undefined);
		server.script(
			reply.chunks(['a', { wait: forever }]),
			reply.text('x', { delayHeaders: forever }),
			reply.text('queued'),
		);
		const body = { messages: HI, stream: true };
		const connections = [await open(), await open(), await open()];
		for (const [index, connection] of connections.entries()) {
			connection.send({ path: CHAT, body });
			await server.until(() => server.requests.length === index + 1 && (index < 2 || server.queued === 1));
		}
		expect(server.slots().map(({ busy }) => busy)).toEqual([true, true]);
		for (const connection of connections.reverse()) connection.destroy();
		await server.until(() => server.slots().every(({ busy }) => !busy) && server.queued === 0);
		for (const request of server.requests) {
			expect(request.endedBy).toBe('client-abort');
			expect(request.abortedAfterMs).toBeGreaterThanOrEqual(0);
		}
		expect(textOf(await stream())).toBe('You said: Hi');
	});

	test('60. without a stream the server may notice late', async () => {
		const slow = await startLlamaServerSim({ disconnectPollMs: 40, slots: 1 });
		slow.script(reply.chunks([{ wait: new Promise(() => undefined) }, 'never']));
		const connection = await RawConnection.open(slow.url);
		connection.send({ path: CHAT, body: { messages: HI } });
		await slow.until(() => slow.slots()[0]!.busy);
		connection.destroy();
		await slow.until(() => slow.requests[0]!.endedBy === 'client-abort');
		expect(slow.slots()[0]!.busy).toBe(true);
		await slow.until(() => !slow.slots()[0]!.busy);
		await slow.close();
	});

	test('60. a conversation id keeps the run going without its client', async () => {
		server.script(reply.chunks(['a', { wait: 30 }, 'b', 'c']));
		const connection = await open();
		connection.send({ path: CHAT, body: { messages: HI, stream: true }, headers: { 'X-Conversation-Id': 'c1' } });
		await connection.until((bytes) => bytes.includes('"a"'));
		const held = server.slots()[0]!.tokens;
		connection.destroy();
		await server.until(() => server.requests[0]!.endedBy === 'client-abort');
		expect(server.slots()[0]!.busy).toBe(true);
		await server.until(() => !server.slots()[0]!.busy);
		expect(server.slots()[0]!.tokens).toBe(held + 'abc'.length);
	});

	test('61. a half-closed connection counts as a disconnect', async () => {
		server.script(reply.chunks(['a', { wait: new Promise(() => undefined) }]));
		const connection = await open();
		connection.send({ path: CHAT, body: { messages: HI, stream: true } });
		await connection.until((bytes) => bytes.includes('"a"'));
		connection.socket.end();
		expect(await connection.closed()).toBe('fin');
		expect(server.requests[0]).toMatchObject({ endedBy: 'client-abort', halfClosed: true });
		await server.until(() => !server.slots()[0]!.busy);
	});
});

describe('what else can go wrong on the way', () => {
	test('accepted and never read; closed, reset or answered with something else on acceptance', async () => {
		const fates = ['silent', 'fin', 'rst', { greet: 'SSH-2.0-OpenSSH_9.2\r\n' }, 'serve'] as const;
		await start({ connections: (index) => fates[index] ?? 'serve' });
		const silent = await open();
		silent.send({ path: '/health' });
		expect(await (await open()).closed()).toBe('fin');
		expect(await (await open()).closed()).toBe('rst');
		const greeted = await open();
		await greeted.closed();
		expect(greeted.bytes.toString()).toBe('SSH-2.0-OpenSSH_9.2\r\n');
		expect((await get('/health')).status).toBe(200);
		expect(silent.bytes).toHaveLength(0);
		expect(server.requests).toHaveLength(1);
		expect(server.connections.accepted).toBe(5);
	});

	test('connection attempts that are never answered', async () => {
		await start();
		const silent = await startSilentServer();
		const socket = net.connect(silent.port, '127.0.0.1');
		const connected = await new Promise<boolean>((resolve) => {
			socket.once('connect', () => resolve(true));
			socket.setTimeout(60, () => resolve(false));
		});
		socket.destroy();
		await silent.close();
		expect(connected).toBe(false);
	});

	test('HTTP/1.0, no length, the end of the connection is the end of the body', async () => {
		await start({ transport: { framing: 'close', httpVersion: '1.0' } });
		const answer = await stream();
		expect(answer.bytes.toString()).toMatch(/^HTTP\/1\.0 200 OK\r\n/);
		expect([header(answer, 'transfer-encoding'), header(answer, 'content-length'), answer.end]).toEqual([
			undefined,
			undefined,
			'fin',
		]);
		expect(sseData(answer.body).at(-1)).toBe('[DONE]');
	});

	test('redirects, error pages, any status on any route', async () => {
		await start();
		server.script(reply.redirect('http://other.example/v1/chat/completions'), reply.html(502, '<h1>Bad Gateway</h1>'));
		const redirect = await chat();
		expect([redirect.status, header(redirect, 'location')]).toEqual([307, 'http://other.example/v1/chat/completions']);
		const page = await chat();
		expect([page.status, header(page, 'content-type'), page.body.toString()]).toEqual([
			502,
			'text/html',
			'<h1>Bad Gateway</h1>',
		]);
		server.route('GET /health', reply.html(503, 'down'));
		expect((await get('/health')).body.toString()).toBe('down');
		server.route('GET /health', undefined);
		expect((await get('/health')).body.toString()).toBe('{"status":"ok"}');
		server.script(reply.error(429, { error: 'slow down' }));
		expect(json(await chat())).toEqual({ error: 'slow down' });
	});

	test('FIN, RST and silence in the headers, before the end, and after n events', async () => {
		await start();
		server.script(
			reply.text('Hi', { cut: { at: 'headers', how: 'fin' } }),
			reply.text('Hi', { cut: { at: 'end', how: 'rst' } }),
			reply.text('one two', { cut: { at: { event: 2 }, how: 'fin' } }),
			reply.text('Hi', { cut: { at: { event: 1 }, how: 'silence' } }),
		);
		expect((await stream()).bytes.toString()).not.toContain('\r\n\r\n');
		const whole = await stream();
		expect([whole.end, sseData(whole.body).at(-1)]).toEqual(['rst', '[DONE]']);
		const two = await stream();
		expect([two.end, textOf(two), sseData(two.body).length]).toEqual(['fin', 'one', 2]);
		const connection = await open();
		connection.send({ path: CHAT, body: { messages: HI, stream: true } });
		await connection.until((bytes) => bytes.includes('"role"'));
		expect(connection.bytes.toString()).not.toContain('Hi');
		expect(server.slots().some(({ busy }) => busy)).toBe(true);
	});

	test('pauses at a byte and after an event', async () => {
		await start();
		const gates = [0, 1].map(() => {
			let open = (): void => undefined;
			const promise = new Promise<void>((resolve) => {
				open = resolve;
			});
			return { promise, open: () => open() };
		});
		server.script(
			reply.text('one two', {
				pauses: [
					{ at: 10, for: gates[0]!.promise },
					{ at: { event: 2 }, for: gates[1]!.promise },
				],
			}),
		);
		const connection = await open();
		const answer = connection.ask({ path: CHAT, body: { messages: HI, stream: true } });
		await connection.until((bytes) => bytes.includes('data: {"ch'));
		expect(connection.bytes.toString()).not.toContain('choices');
		gates[0]!.open();
		await connection.until((bytes) => bytes.includes('one'));
		expect(connection.bytes.toString()).not.toContain('two');
		gates[1]!.open();
		expect(textOf(await answer)).toBe('one two');
	});

	test('a recorded answer, byte for byte', async () => {
		await start();
		const recorded = fixture('llama-server-v0.5.0/tools-parallel-stream.http');
		server.script(reply.raw(recorded));
		expect((await chat()).bytes.equals(recorded)).toBe(true);
	});

	test('every connection dropped at once, as when the server crashes', async () => {
		await start();
		server.script(reply.chunks(['a', { wait: new Promise(() => undefined) }]));
		const connection = await open();
		connection.send({ path: CHAT, body: { messages: HI, stream: true } });
		await connection.until((bytes) => bytes.includes('"a"'));
		server.dropAll('rst');
		expect(await connection.closed()).toBe('rst');
	});

	test('https', async () => {
		await start({ tls: true });
		expect(server.url).toMatch(/^https:/);
		const untrusted = await new Promise<string | undefined>((resolve) => {
			tls
				.connect({ port: server.port, host: '127.0.0.1' })
				.once('error', (error: NodeJS.ErrnoException) => resolve(error.code));
		});
		expect(untrusted).toBe('DEPTH_ZERO_SELF_SIGNED_CERT');
	});
});
