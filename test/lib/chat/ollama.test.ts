/** Generations by Ollama's own API (docs/protocols/ollama.md 4). */
import { ChatClient } from '../../../lib/chat/client';
import type { ChatCall, ChatSettings } from '../../../lib/chat/request/request';
import { TurnMemory } from '../../../lib/chat/answer/turn-memory';
import type { ToolDefinition, FinishedAnswer } from '../../../lib/chat/types';
import { ServerError } from '../../../lib/errors/server-error';
import { generationInfoOf } from '../../../lib/langchain/generation-info';
import { connectTo } from '../../../lib/servers/connect';
import type { KindName } from '../../../lib/servers/kinds';
import {
	type LlamaServerSim,
	reply,
	type SimOptions,
	startLlamaServerSim,
} from '../../servers/llama-server';
import { useSimulator } from '../../servers/use-simulator';
import { fixture } from '../../support/streams';
import { PLAIN_SETTINGS } from './chat-settings';

const startServer = useSimulator(startLlamaServerSim);

const MODELS = [{ id: 'sim-model:latest', tools: true, thinking: true }];
const start = async (options: SimOptions = {}) =>
	await startServer({ profile: 'ollama', models: MODELS, ...options });

const HI: ChatCall = { messages: [{ type: 'human', content: 'Hi' }] };
const weather: ToolDefinition = {
	name: 'get_weather',
	description: 'Weather',
	parameters: { type: 'object', properties: { city: { type: 'string' } } },
};

async function run(
	sim: LlamaServerSim,
	{ chosenKind, ...settings }: Partial<ChatSettings> & { chosenKind?: KindName } = {},
	call: Partial<ChatCall> = {},
): Promise<{ pieces: string[]; answer: FinishedAnswer }> {
	const client = new ChatClient(
		connectTo({ baseUrl: sim.url, chosenKind }),
		{ ...PLAIN_SETTINGS, ...settings },
		undefined,
		new TurnMemory(),
	);
	const pieces: string[] = [];
	const answer = client.generate({ ...HI, ...call });
	let next = await answer.next();
	for (; !next.done; next = await answer.next()) pieces.push(next.value);
	return { pieces, answer: next.value };
}

async function failed(...given: Parameters<typeof run>): Promise<ServerError> {
	const outcome: unknown = await run(...given).catch((error: unknown) => error);
	if (!(outcome instanceof ServerError)) throw new Error(`no failure: ${JSON.stringify(outcome)}`);
	return outcome;
}

/** What a real Ollama sent. */
const recorded = (name: string) => reply.raw(fixture(`ollama-v0.17.4/${name}.http`));

const NATIVE = '/api/chat';
const bodies = (sim: LlamaServerSim, path = NATIVE) =>
	sim.requests
		.filter((request) => request.path === path)
		.map(
			({ body }) => body as Record<string, unknown> & { messages: Array<Record<string, unknown>> },
		);
const SIZE = { parameters: { contextSize: 4096 } };

describe('choice of the API', () => {
	it.each<[string, ChatSettings['parameters']]>([
		['a context size', { contextSize: 4096 }],
		['keep-alive', { keepAlive: '30m' }],
		['top K', { topK: 20 }],
		['min P', { minP: 0.1 }],
		['typical P in Extra Body', { extraBody: { typical_p: 0.9 } }],
		['repeat settings', { repeatPenalty: 1.1, repeatLastN: 32 }],
		['a thinking level', { thinking: { mode: 'effort', effort: 'low' } }],
		['thinking', { thinking: { mode: 'on' } }],
		['options in Extra Body', { extraBody: { options: { num_gpu: 0 } } }],
		['options beside them', { extraBody: { num_ctx: 2048 } }],
		['keep-alive in Extra Body', { extraBody: { keep_alive: '1h' } }],
	])("%s: Ollama's own", async (_what, parameters) => {
		const sim = await start({ models: [{ id: 'sim-model', thinking: true }] });
		if (parameters.thinking?.mode === 'effort') sim.script(reply.text('Hello'));
		await run(sim, { parameters }).catch(() => undefined);
		expect(bodies(sim)).not.toEqual([]);
	});

	it.each<[string, ChatSettings['parameters']]>([
		['nothing', {}],
		['what both take', { temperature: 0, seed: 1, stop: ['x'], maxTokens: 5 }],
		['thinking off', { thinking: { mode: 'off' } }],
		['fields of the OpenAI API in Extra Body', { extraBody: { user: 'me', temperature: 1 } }],
	])('%s: the OpenAI one', async (_what, parameters) => {
		const sim = await start();
		await run(sim, { parameters });
		expect(bodies(sim, '/v1/chat/completions')).toHaveLength(1);
		expect(bodies(sim)).toEqual([]);
	});

	it('other servers never get options of Ollama only, and the user is told', async () => {
		const sim = await startServer({ profile: 'vllm', models: [{ id: 'sim-model' }] });
		const { answer } = await run(sim, SIZE);
		expect(bodies(sim, '/v1/chat/completions')[0]).not.toHaveProperty('num_ctx');
		expect(answer.notes).toEqual([
			'This server (vLLM) ignores these options, so they were not sent: Context Size',
		]);
	});

	it('behind a proxy that lets only /v1 through, that is asked, and the user is told', async () => {
		const sim = await start();
		sim.route('POST /api/chat', reply.html(404, '<html><h1>404 Not Found</h1><hr>nginx</html>'));
		const { answer } = await run(sim, {
			chosenKind: 'ollama',
			parameters: { contextSize: 4096, temperature: 0 },
		});
		expect(bodies(sim, '/v1/chat/completions')[0]).toMatchObject({ temperature: 0 });
		expect(answer.notes).toEqual([
			expect.stringMatching(/^Only the OpenAI-compatible routes .*: Context Size\./) as string,
		]);
	});

	it('for a missing model the other API is not tried', async () => {
		const sim = await start();
		expect(await failed(sim, { ...SIZE, model: 'nope' })).toMatchObject({
			kind: 'modelNotFound',
			status: 404,
		});
		expect(bodies(sim, '/v1/chat/completions')).toEqual([]);
	});

	describe("a server with Ollama's own API only", () => {
		const NOT_FOUND = reply.error(404, { detail: 'Not Found' });
		const startOwnOnly = async () => {
			const sim = await start();
			for (const route of [
				'GET /v1/models',
				'GET /models',
				'POST /v1/chat/completions',
				'GET /v1/chat/completions',
				'GET /chat/completions',
			])
				sim.route(route, NOT_FOUND);
			return sim;
		};

		it('is asked by that with the server type Ollama', async () => {
			const sim = await startOwnOnly();
			const { answer } = await run(sim, { chosenKind: 'ollama' });
			expect(answer.text).not.toBe('');
			expect(bodies(sim)).toHaveLength(1);
		});

		it('a wrong path of both is an error after one request each', async () => {
			const sim = await startOwnOnly();
			sim.route('POST /api/chat', NOT_FOUND);
			await failed(sim, { chosenKind: 'ollama' });
			expect(bodies(sim)).toHaveLength(1);
			const asked = bodies(sim, '/v1/chat/completions').filter((body) => body !== undefined);
			expect(asked).toHaveLength(1);
		});
	});
});

describe('what goes to Ollama', () => {
	it('num_ctx in every call, the same each time', async () => {
		const sim = await start();
		await run(sim, SIZE);
		await run(sim, SIZE);
		expect(bodies(sim).map(({ options }) => options)).toEqual([
			{ num_ctx: 4096 },
			{ num_ctx: 4096 },
		]);
	});

	it('options of expressions with their types, in the right place', async () => {
		const sim = await start();
		await run(sim, {
			parameters: {
				keepAlive: 120,
				maxTokens: 9,
				extraBody: {
					num_gpu: '0',
					options: {
						num_ctx: '2048',
						temperature: '0.5',
						stop: 'END',
						use_mmap: 'false',
						keep_alive: '1h',
					},
				},
			},
		});
		expect(bodies(sim)[0]).toMatchObject({
			keep_alive: '1h',
			options: {
				num_predict: 9,
				num_gpu: 0,
				num_ctx: 2048,
				temperature: 0.5,
				stop: ['END'],
				use_mmap: false,
			},
		});
		expect(bodies(sim)[0]?.options).not.toHaveProperty('keep_alive');
	});

	it('options that Ollama no longer has are dropped, with a hint', async () => {
		const sim = await start();
		const { answer } = await run(sim, {
			parameters: { mirostat: 2, topK: 5, extraBody: { options: { mirostat_tau: 5, tfs_z: 1 } } },
		});
		expect(answer.notes).toEqual([
			'This server (Ollama) ignores these options, so they were not sent: Mirostat, mirostat_tau, tfs_z',
		]);
		expect(bodies(sim)[0]?.options).toEqual({ top_k: 5 });
	});

	it('a JSON schema as format', async () => {
		const sim = await start();
		const schema = { type: 'object', properties: { a: { type: 'integer' } } };
		const { answer } = await run(sim, {
			parameters: { ...SIZE.parameters, responseFormat: { type: 'jsonSchema', schema } },
		});
		expect(bodies(sim)[0]).toMatchObject({ format: schema });
		expect(JSON.parse(answer.text)).toEqual({ a: 1 });
		await run(sim, { parameters: { ...SIZE.parameters, responseFormat: { type: 'jsonObject' } } });
		expect(bodies(sim)[1]).toMatchObject({ format: 'json' });
	});

	it('pictures as bare base64 beside the text, also those of the history', async () => {
		const sim = await start({ models: [{ id: 'sim-model', vision: true }] });
		const picture = (data: string) => ({
			type: 'image_url',
			image_url: { url: `data:image/png;base64,${data}` },
		});
		await run(sim, SIZE, {
			messages: [
				{ type: 'human', content: [{ type: 'text', text: 'What?' }, picture('iVBORw0KGgo=')] },
				{ type: 'ai', content: 'A llama.' },
				{ type: 'human', content: [picture('R0lGODlh'), { type: 'text', text: 'And this?' }] },
			],
		});
		expect(bodies(sim)[0]?.messages).toEqual([
			{ role: 'user', content: 'What?', images: ['iVBORw0KGgo='] },
			{ role: 'assistant', content: 'A llama.' },
			{ role: 'user', content: 'And this?', images: ['R0lGODlh'] },
		]);
	});

	it('no picture to a model that cannot see: Ollama would let it make something up', async () => {
		const sim = await start();
		const content = [
			{ type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } },
		];
		expect(await failed(sim, SIZE, { messages: [{ type: 'human', content }] })).toMatchObject({
			kind: 'modalityUnsupported',
			message: 'The model "sim-model" cannot see pictures',
		});
		expect(bodies(sim)).toEqual([]);
	});

	it.each([
		[
			'a picture by its address',
			{ type: 'image_url', image_url: { url: 'https://x.example/a.png' } },
			/by their address/,
		],
		[
			'audio',
			{ type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } },
			/takes no audio/,
		],
		[
			'video',
			{ type: 'video_url', video_url: { url: 'data:video/mp4;base64,AAAA' } },
			/takes no video/,
		],
	])('not %s', async (_what, part, message) => {
		const sim = await start({ models: [{ id: 'sim-model', vision: true }] });
		const error = await failed(sim, SIZE, { messages: [{ type: 'human', content: [part] }] });
		expect(error).toMatchObject({
			kind: 'modalityUnsupported',
			message: expect.stringMatching(message) as string,
		});
		expect(bodies(sim)).toEqual([]);
	});
});

describe('tools', () => {
	it('calls arrive whole, and go back with arguments as an object, the name and the id', async () => {
		const sim = await start();
		sim.script(reply.toolCalls([{ name: 'get_weather', arguments: { city: 'Rome' } }]));
		const { answer } = await run(sim, SIZE, { tools: [weather] });
		expect(answer.toolCalls).toMatchObject([{ name: 'get_weather', arguments: '{"city":"Rome"}' }]);
		const { id } = answer.toolCalls[0]!;
		await run(sim, SIZE, {
			tools: [weather],
			messages: [
				...HI.messages,
				{
					type: 'ai',
					content: '',
					toolCalls: [{ id, name: 'get_weather', args: { city: 'Rome' } }],
				},
				{ type: 'tool', toolCallId: id, content: '21 C' },
			],
		});
		const serverId = expect.stringMatching(/^call_[a-z0-9]{8}$/) as string;
		expect(bodies(sim)[1]?.messages.slice(1)).toEqual([
			{
				role: 'assistant',
				content: '',
				tool_calls: [
					{ id: serverId, function: { name: 'get_weather', arguments: { city: 'Rome' } } },
				],
			},
			{ role: 'tool', tool_name: 'get_weather', tool_call_id: serverId, content: '21 C' },
		]);
	});

	it('several calls in several lines stay several', async () => {
		const sim = await start();
		sim.script(
			reply.toolCalls([
				{ name: 'get_weather', arguments: { city: 'Rome' } },
				{ name: 'get_weather', arguments: { city: 'Oslo' } },
			]),
		);
		const { answer } = await run(sim, SIZE, { tools: [weather] });
		expect(answer.toolCalls.map(({ arguments: args }) => args)).toEqual([
			'{"city":"Rome"}',
			'{"city":"Oslo"}',
		]);
	});

	it('there is no tool choice: said, not silent; none shows no tools', async () => {
		const sim = await start();
		sim.script(reply.text('Sunny'));
		const { answer } = await run(sim, SIZE, { tools: [weather], toolChoice: 'required' });
		expect(answer.notes[0]).toBe(
			'This server (Ollama) ignores these options, so they were not sent: Tool Choice',
		);
		await run(sim, SIZE, { tools: [weather], toolChoice: 'none' });
		expect(bodies(sim)[0]).toHaveProperty('tools');
		expect(bodies(sim)[0]).not.toHaveProperty('tool_choice');
		expect(bodies(sim)[1]).not.toHaveProperty('tools');
	});

	it('a model without them is named, with what it lacks', async () => {
		const sim = await start({ models: [{ id: 'sim-model' }] });
		expect(await failed(sim, SIZE, { tools: [weather] })).toMatchObject({
			kind: 'toolsUnsupported',
			serverText: 'registry.ollama.ai/library/sim-model:latest does not support tools',
		});
	});

	it.each(['tools-cut-stream', 'tools-cut-nostream'])(
		'a call that the limit cut off is no answer: %s',
		async (name) => {
			const sim = await start();
			sim.script(recorded(`api-chat/${name}`));
			const error = await failed(
				sim,
				{ parameters: { contextSize: 4096, maxTokens: 12 } },
				{ tools: [weather] },
			);
			expect(error).toMatchObject({ kind: 'toolCallCut', partialText: '{\n  "name": "get_weath' });
			expect(error.message).toContain('token limit');
		},
	);
});

describe('thinking', () => {
	it.each<[string, ChatSettings['parameters']['thinking'], unknown]>([
		['on', { mode: 'on' }, true],
		['off', { mode: 'off' }, false],
		['not said', undefined, undefined],
	])('%s', async (_what, thinking, think) => {
		const sim = await start();
		const { answer } = await run(sim, { parameters: { ...SIZE.parameters, thinking } });
		expect(bodies(sim)[0]?.think).toBe(think);
		expect(answer.reasoning).toBe(think === false ? '' : 'The user said something.\n');
		expect(answer.text).toBe('You said: Hi');
	});

	it('a level on a model that knows only on and off, and an effort that Ollama does not know: asked again', async () => {
		const sim = await start();
		const { answer } = await run(sim, {
			parameters: { thinking: { mode: 'effort', effort: 'minimal' } },
		});
		expect(bodies(sim).map(({ think }) => think)).toEqual(['minimal', 'low', undefined]);
		expect(answer.notes).toEqual([
			'This model of Ollama knows no levels of thinking, only on and off, so the thinking effort was left out.',
		]);
	});

	it('a model that cannot is asked again without, and the user is told that it cannot', async () => {
		const sim = await start({ models: [{ id: 'sim-model' }] });
		const { answer } = await run(sim, { parameters: { thinking: { mode: 'on' } } });
		expect(bodies(sim).map(({ think }) => think)).toEqual([true, undefined]);
		expect(answer.notes).toEqual([expect.stringContaining('This model cannot think') as string]);
	});

	it('the line break that a template leaves in front of an answer without thinking is no part of it', async () => {
		const sim = await start();
		sim.script(reply.chunks(['\n', '\n', 'Hi', '\n', 'there']));
		const { pieces, answer } = await run(sim, {
			parameters: { ...SIZE.parameters, thinking: { mode: 'off' } },
		});
		expect([pieces.join(''), answer.text]).toEqual(['Hi\nthere', 'Hi\nthere']);
	});

	it('goes back in a running tool turn', async () => {
		const sim = await start();
		await run(sim, SIZE, {
			messages: [
				...HI.messages,
				{
					type: 'ai',
					content: '',
					reasoning: 'Hm',
					toolCalls: [{ id: 'a', name: 'get_weather', args: {} }],
				},
				{ type: 'tool', toolCallId: 'a', content: '1' },
			],
		});
		expect(bodies(sim)[0]?.messages[1]).toMatchObject({ thinking: 'Hm' });
	});
});

describe('silent failures', () => {
	it('a message that does not fit: 200, no text, and a prompt of exactly the context', async () => {
		const sim = await start({ nCtx: 1024 });
		const error = await failed(
			sim,
			{ parameters: { contextSize: 512 } },
			{ messages: [{ type: 'human', content: 'x'.repeat(3000) }] },
		);
		expect(error).toMatchObject({
			kind: 'contextOverflow',
			facts: { contextTokens: 512, promptTokens: 512 },
		});
		expect(error.message).toContain('does not fit into the context of 512 tokens');
		expect(error.remedy).toContain('Context Size');
	});

	it('the same on the OpenAI route', async () => {
		const sim = await start({ nCtx: 512 });
		sim.script(reply.chunks([''], { usage: { prompt: 512, completion: 1 } }));
		expect(await failed(sim, { chosenKind: 'ollama' })).toMatchObject({ kind: 'contextOverflow' });
	});

	it('the same since 0.33, which cuts it to half of the context', async () => {
		const sim = await start({ nCtx: 512 });
		sim.script(reply.chunks([''], { usage: { prompt: 258, completion: 1 } }));
		const messages = [{ type: 'human' as const, content: 'word '.repeat(2000) }];
		expect(await failed(sim, { chosenKind: 'ollama' }, { messages })).toMatchObject({
			kind: 'contextOverflow',
			facts: { contextTokens: 512, promptTokens: 258 },
		});
	});

	it('an empty answer to a question that fits is only empty', async () => {
		const sim = await start({ nCtx: 1024 });
		sim.script(reply.chunks([], { usage: { prompt: 20, completion: 1 } }));
		expect(await failed(sim, SIZE)).toMatchObject({ kind: 'emptyAnswer' });
	});

	it('text after a message that was cut to the context is remarked on', async () => {
		const sim = await start({ nCtx: 1024 });
		sim.script(reply.text('Hello', { usage: { prompt: 512 } }));
		const { answer } = await run(sim, { parameters: { contextSize: 512 } });
		expect(answer.notes).toEqual([
			expect.stringContaining('too long for the context of 512 tokens') as string,
		]);
	});

	it('an error in the middle brings what had arrived, and what Ollama says', async () => {
		const sim = await start();
		sim.script(
			reply.chunks(['The', ' story'], {
				error: { message: 'an error was encountered while running the model: unexpected EOF' },
			}),
		);
		expect(await failed(sim, SIZE)).toMatchObject({
			kind: 'connectionLost',
			partialText: 'The story',
			serverText: 'an error was encountered while running the model: unexpected EOF',
		});
	});

	it('an end without done too', async () => {
		const sim = await start();
		sim.script(reply.chunks(['The', ' story'], { finish: false }));
		expect(await failed(sim, SIZE)).toMatchObject({
			kind: 'streamEndedEarly',
			partialText: 'The story',
		});
	});

	it('the OpenAI route ends like this where its own would tell the cause, so that is advised', async () => {
		const sim = await start();
		sim.script(recorded('error-mid-stream'));
		const error = await failed(sim);
		expect(error).toMatchObject({ kind: 'streamEndedEarly' });
		expect(error.remedy).toContain(
			'Its own API does pass it on: the node uses that one as soon as Context Size',
		);
	});

	it('a value of the wrong type is no fault of the server', async () => {
		const sim = await start();
		sim.script(reply.error(500, { error: 'option "num_ctx" must be of type integer' }));
		expect(await failed(sim, SIZE)).toMatchObject({ kind: 'badRequest', status: 500 });
	});
});

describe('what the log shows', () => {
	it('tokens, speed and how long the model was loaded, apart from the prompt', async () => {
		const sim = await start();
		sim.script(reply.text('Hello', { loadMs: 40_000, usage: { prompt: 20, completion: 5 } }));
		const { answer } = await run(sim, SIZE);
		expect(answer).toMatchObject({
			url: `${sim.url}/api/chat`,
			finishReason: 'stop',
			usage: { promptTokens: 20, completionTokens: 5, totalTokens: 25 },
		});
		const info = generationInfoOf(answer);
		expect(info).toMatchObject({ modelLoadMs: 40_000 });
		expect(info.tokensPerSecond).toBeGreaterThan(0);
		expect(info.promptTokensPerSecond).toBeGreaterThan(0);
	});

	it('nothing of loading where the model was in memory', async () => {
		const sim = await start();
		expect(generationInfoOf((await run(sim, SIZE)).answer)).not.toHaveProperty('modelLoadMs');
	});
});

it('a stop frees the slot at once', async () => {
	const sim = await start();
	sim.script(reply.chunks(['one', { wait: new Promise(() => {}) }]));
	const stop = new AbortController();
	const outcome = failed(sim, SIZE, { signal: stop.signal });
	await sim.until(() => sim.requests.some(({ path }) => path === NATIVE));
	stop.abort();
	expect(await outcome).toMatchObject({ kind: 'aborted' });
	await sim.until(() => sim.slots().every(({ busy }) => !busy));
});

it('a model in the cloud: a note says that the conversation left the local network', async () => {
	const cloud = 'gpt-oss:120b-cloud';
	const sim = await start({ models: [...MODELS, { id: cloud }] });
	const settings = { chosenKind: 'ollama' as const };
	expect((await run(sim, { ...settings, model: cloud })).answer.notes).toContainEqual(
		expect.stringContaining('was sent there'),
	);
	expect((await run(sim, settings)).answer.notes).toEqual([]);
});
