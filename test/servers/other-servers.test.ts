/** Profiles of other servers, compared with streams after the protocol notes, and their metadata routes. */
import { rawAsk, type RawAnswer } from '../support/raw-client';
import { httpFixture, type HttpFixture } from '../support/streams';
import {
	type LlamaServerSim,
	type Profile,
	reply,
	type Scripted,
	type SimModel,
	type SimOptions,
	startLlamaServerSim,
} from './llama-server';
import { useSimulator } from './use-simulator';

const startServer = useSimulator(startLlamaServerSim);

const CHAT = '/v1/chat/completions';
const HI = [{ role: 'user', content: 'Hi' }];
const USAGE = { prompt: 24, completion: 4 };

let server: LlamaServerSim | undefined;
afterEach(() => {
	server = undefined;
});

const MODELS: Partial<Record<Profile, SimModel>> = {
	ollama: { id: 'qwen3:0.6b', tools: true, thinking: true },
	vllm: { id: 'Qwen/Qwen3-0.6B' },
	gpustack: { id: 'qwen3' },
	fastapi: { id: 'local-model' },
	'old-llama-server': { id: 'gpt-3.5-turbo' },
};
const start = async (profile: Profile, options: SimOptions = {}): Promise<LlamaServerSim> => {
	server = await startServer({ profile, apiKey: 'k', models: [MODELS[profile]!], ...options });
	return server;
};
const KEY = { Authorization: 'Bearer k' };

const normal = (text: string): string =>
	text
		.replace(/"created":\d+/g, '"created":0')
		.replace(/"created_at":"[^"]+"/g, '"created_at":""')
		.replace(/chatcmpl-\w+/g, 'chatcmpl-ID')
		.replace(/call_\w+/g, 'call_ID')
		.replace(/"(\w+_ms|\w+_per_second|\w+_duration)":[-+.\de]+/g, '"$1":0')
		.replace(/"id":"chatcmpl-ID","object":"chat.completion.chunk","created":0,"model":""/g, 'LOST');

const events = ({ body }: HttpFixture): string[] =>
	normal(body.toString()).split(/(?<=\n\n)|(?<=\}\n)(?=\{)/);
const headersOf = ({ headers }: HttpFixture): Record<string, string> =>
	Object.fromEntries(
		headers
			.map(([name, value]): [string, string] => [name.toLowerCase(), value])
			.filter(([name]) => !['date', 'content-length', 'keep-alive', 'connection'].includes(name)),
	);

interface Play {
	profile: Profile;
	name: string;
	script?: Scripted;
	body?: object;
	path?: string;
	headers?: Record<string, string>;
	options?: SimOptions;
}

const TEXT = reply.chunks(['Hello', ' there'], { usage: USAGE });
const ONE = reply.chunks(['Hello'], { usage: USAGE });
const ERROR = { message: 'Context size has been exceeded.' };
const BROKEN = reply.chunks(['Hel'], { error: ERROR });
const THINKING = reply.reasoning('', 'Hello');
const thought = reply.chunks([{ reasoning: 'The user' }, { reasoning: ' greets me.' }, 'Hello']);
const CALLS = reply.toolCalls([
	{ name: 'get_weather', arguments: { city: 'Rome' }, id: 'call_1' },
	{ name: 'get_weather', arguments: { city: 'Oslo' }, id: 'call_2' },
]);
const TOOL = { type: 'function', function: { name: 'get_weather', parameters: {} } };
const usage = { stream_options: { include_usage: true } };
const native = { path: '/api/chat' };

const PLAYS: Play[] = [
	{ profile: 'ollama', name: 'chat-stream', script: TEXT },
	{ profile: 'ollama', name: 'chat-stream-usage', script: ONE, body: usage },
	{ profile: 'ollama', name: 'thinking-stream', script: thought },
	{ profile: 'ollama', name: 'tools-stream', script: CALLS, body: { tools: [TOOL] } },
	{ profile: 'ollama', name: 'error-model', body: { model: 'nope' } },
	{
		profile: 'ollama',
		name: 'error-tools',
		body: { tools: [TOOL] },
		options: { models: [{ id: 'qwen3:0.6b' }] },
	},
	{ profile: 'ollama', name: 'not-found', path: '/props' },
	{ profile: 'ollama', name: 'native-chat-stream', script: TEXT, ...native },
	{
		profile: 'ollama',
		name: 'native-tools-stream',
		script: reply.chunks(
			[
				{ reasoning: 'The user asks.' },
				{ tool_calls: [{ function: { name: 'get_weather', arguments: '{"city":"Rome"}' } }] },
			],
			{ usage: USAGE },
		),
		...native,
	},
	{
		profile: 'ollama',
		name: 'native-error-mid-stream',
		script: reply.chunks(['Hel'], {
			error: { message: 'an error was encountered while running the model' },
		}),
		...native,
	},
	{ profile: 'vllm', name: 'chat-stream', script: TEXT },
	{ profile: 'vllm', name: 'chat-stream-usage', script: ONE, body: usage },
	{ profile: 'vllm', name: 'thinking-stream', script: thought },
	{
		profile: 'vllm',
		name: 'error-mid-stream',
		script: reply.chunks(['Hel'], { error: { message: 'EngineCore encountered an issue.' } }),
	},
	{ profile: 'vllm', name: 'unauthorized', headers: { Authorization: 'Bearer wrong' } },
	{ profile: 'vllm', name: 'error-model', body: { model: 'nope' } },
	{ profile: 'gpustack', name: 'chat-stream', script: ONE },
	{
		profile: 'gpustack',
		name: 'error-mid-stream',
		script: reply.chunks(['Hel'], { error: { message: 'backend went away' } }),
	},
	{ profile: 'gpustack', name: 'unauthorized', headers: {} },
	{ profile: 'gpustack', name: 'error-model', body: { model: 'nope' } },
	{
		profile: 'gpustack',
		name: 'error-no-instance',
		options: { models: [{ id: 'qwen3', status: 'unloaded' }] },
	},
	{
		profile: 'fastapi',
		name: 'chat-stream-simulated',
		script: reply.text('Hello there, this came in one piece.'),
	},
	{ profile: 'fastapi', name: 'not-authenticated', headers: {} },
	{ profile: 'fastapi', name: 'error-validation', body: { messages: undefined } },
	{ profile: 'old-llama-server', name: 'chat-stream', script: TEXT },
	{ profile: 'old-llama-server', name: 'error-mid-stream', script: BROKEN },
];

test.each(PLAYS.map((play) => [`${play.profile}/${play.name}`, play] as const))(
	'%s',
	async (name, play) => {
		const sim = await start(play.profile, play.options);
		if (play.script) sim.script(play.script);
		const answer = await rawAsk(sim.url, {
			path: play.path ?? CHAT,
			headers: play.headers ?? KEY,
			body: { model: MODELS[play.profile]!.id, messages: HI, stream: true, ...play.body },
		});
		const constructed = httpFixture(`${name}.http`);
		expect(answer.status).toBe(constructed.status);
		expect(headersOf(answer)).toEqual(headersOf(constructed));
		expect(events(answer)).toEqual(events(constructed));
	},
);

test('ollama/error-mid-stream: the message is lost, no finish, no [DONE]', async () => {
	const sim = await start('ollama');
	sim.script(BROKEN);
	const answer = await rawAsk(sim.url, {
		path: CHAT,
		body: { model: 'qwen3:0.6b', messages: HI, stream: true },
	});
	const text = answer.body.toString();
	expect(events(answer)).toHaveLength(events(httpFixture('ollama/error-mid-stream.http')).length);
	expect(text).not.toContain(ERROR.message);
	expect(text).not.toContain('[DONE]');
	expect(text).not.toContain('"finish_reason":"stop"');
});

describe('what tells them apart (docs/protocols/llama-server.md 8.1)', () => {
	const look = async (profile: Profile, path: string): Promise<RawAnswer> => {
		const sim = server ?? (await start(profile));
		return await rawAsk(sim.url, { path, headers: KEY });
	};
	const json = ({ body }: RawAnswer): Record<string, unknown> =>
		JSON.parse(body.toString()) as Record<string, unknown>;

	test('ollama', async () => {
		expect(headersOf(await look('ollama', '/'))).not.toHaveProperty('server');
		expect((await look('ollama', '/')).body.toString()).toBe('Ollama is running');
		expect(json(await look('ollama', '/api/version'))).toHaveProperty('version');
		expect(json(await look('ollama', '/v1/models'))).toMatchObject({
			data: [{ id: 'qwen3:0.6b', owned_by: 'library' }],
		});
		expect(json(await look('ollama', '/v1/models/qwen3:0.6b'))).toMatchObject({ id: 'qwen3:0.6b' });
		expect(json(await look('ollama', '/api/tags'))).toMatchObject({
			models: [{ name: 'qwen3:0.6b' }],
		});
		expect(json(await look('ollama', '/api/ps'))).toMatchObject({
			models: [{ context_length: 8192 }],
		});
		expect((await look('ollama', '/health')).body.toString()).toBe('404 page not found');
		const shown = await rawAsk(server!.url, { path: '/api/show', body: { model: 'qwen3:0.6b' } });
		expect(json(shown)).toMatchObject({ capabilities: ['completion', 'tools', 'thinking'] });
	});

	test('ollama takes no pictures by address, no empty chat, and shortens what is too long', async () => {
		const sim = await start('ollama', { nCtx: 200 });
		const ask = async (fields: object): Promise<RawAnswer> =>
			await rawAsk(sim.url, { path: CHAT, body: { model: 'qwen3:0.6b', messages: HI, ...fields } });
		const picture = [{ type: 'image_url', image_url: { url: 'http://x.example/a.png' } }];
		expect(json(await ask({ messages: [{ role: 'user', content: picture }] }))).toMatchObject({
			error: { message: 'invalid image input' },
		});
		expect(json(await ask({ messages: [] }))).toMatchObject({
			error: { message: "[] is too short - 'messages'" },
		});
		const long = await ask({ messages: [{ role: 'user', content: 'x'.repeat(1000) }] });
		expect(json(long)).toMatchObject({ usage: { prompt_tokens: 199 } });
	});

	test('vllm', async () => {
		expect(headersOf(await look('vllm', '/health'))).toMatchObject({ server: 'uvicorn' });
		expect((await look('vllm', '/health')).body).toHaveLength(0);
		expect(json(await look('vllm', '/version'))).toHaveProperty('version');
		expect(json(await look('vllm', '/v1/models'))).toMatchObject({
			data: [{ owned_by: 'vllm', max_model_len: 8192 }],
		});
		expect([(await look('vllm', '/props')).status, json(await look('vllm', '/props'))]).toEqual([
			404,
			{ detail: 'Not Found' },
		]);
	});

	test('gpustack', async () => {
		expect((await look('gpustack', '/healthz')).body.toString()).toBe('"ok"');
		for (const base of ['/v1', '/v1-openai']) {
			expect(json(await look('gpustack', `${base}/models`))).toMatchObject({
				data: [{ owned_by: 'gpustack' }],
			});
		}
		const basic = `Basic ${Buffer.from('user:k').toString('base64')}`;
		for (const headers of [{ 'X-API-Key': 'k' }, { Authorization: basic }] as Array<
			Record<string, string>
		>) {
			expect((await rawAsk(server!.url, { path: '/v1/models', headers })).status).toBe(200);
		}
		const declined = await rawAsk(server!.url, {
			path: CHAT,
			headers: KEY,
			body: {
				model: 'qwen3',
				messages: HI,
				stream: true,
				stream_options: { include_usage: false },
			},
		});
		expect(declined.body.toString()).not.toContain('"usage"');
	});

	test('fastapi', async () => {
		expect(json(await look('fastapi', '/v1/models'))).toMatchObject({
			data: [{ owned_by: 'local' }],
		});
		expect((await look('fastapi', '/health')).status).toBe(404);
		expect((await look('fastapi', CHAT)).status).toBe(405);
		const slash = await look('fastapi', '/v1/models/');
		expect([slash.status, headersOf(slash).location]).toEqual([307, 'http://localhost/v1/models']);
		expect(
			(await rawAsk(server!.url, { path: '/v1/models', headers: { 'x-api-key': 'k' } })).status,
		).toBe(200);
	});

	test('old llama-server: open model list, the asked name in replies', async () => {
		const sim = await start('old-llama-server');
		expect((await rawAsk(sim.url, { path: '/models' })).status).toBe(200);
		expect((await rawAsk(sim.url, { path: '/v1/models' })).status).toBe(401);
		const ask = async (model?: string): Promise<unknown> =>
			json(await rawAsk(sim.url, { path: CHAT, headers: KEY, body: { model, messages: HI } }))
				.model;
		expect([await ask('my-model'), await ask()]).toEqual(['my-model', 'gpt-3.5-turbo']);
	});

	test('a thinking model answers with its thoughts unless told not to', async () => {
		const sim = await startServer({ template: 'thinking' });
		const ask = async (fields: object): Promise<Record<string, unknown>> =>
			json(await rawAsk(sim.url, { path: CHAT, body: { messages: HI, ...fields } }));
		expect(await ask({})).toMatchObject({
			choices: [{ message: { reasoning_content: 'The user said something.\n' } }],
		});
		for (const off of [
			{ reasoning_effort: 'none' },
			{ chat_template_kwargs: { enable_thinking: false } },
		]) {
			expect(JSON.stringify(await ask(off))).not.toContain('reasoning_content');
		}
		sim.script(THINKING);
		expect(await ask({})).toMatchObject({ choices: [{ message: { content: 'Hello' } }] });
		await sim.close();
	});
});
