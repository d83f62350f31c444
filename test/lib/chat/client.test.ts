import { ChatClient } from '../../../lib/chat/client';
import type { ChatCall, ChatSettings } from '../../../lib/chat/request/request';
import { TurnMemory } from '../../../lib/chat/answer/turn-memory';
import type { ToolDefinition, FinishedAnswer } from '../../../lib/chat/types';
import { connectTo } from '../../../lib/servers/connect';
import type { KindName } from '../../../lib/servers/kinds';
import { queuedRequests } from '../../../lib/http/queue';
import { ServerError } from '../../../lib/errors/server-error';
import {
	type LlamaServerSim,
	reply,
	type SimOptions,
	startLlamaServerSim,
} from '../../servers/llama-server';
import { gate } from '../../support/gate';
import { inTurn } from '../../support/in-turn';
import { delay } from '../../support/node';
import { fixture } from '../../support/streams';
import { PLAIN_SETTINGS } from './chat-settings';
import { useSimulator } from '../../servers/use-simulator';

const startServer = useSimulator(startLlamaServerSim);

async function start(options: SimOptions = {}): Promise<LlamaServerSim> {
	const sim = await startServer(options);
	return sim;
}

interface Overrides extends Partial<ChatSettings> {
	memory?: TurnMemory;
	maxConcurrentRequests?: number;
	key?: string;
	chosenKind?: KindName;
}

function clientOf(
	sim: Pick<LlamaServerSim, 'url'>,
	{
		memory = new TurnMemory(),
		maxConcurrentRequests,
		key,
		chosenKind,
		...settings
	}: Overrides = {},
): ChatClient {
	const headers = key === undefined ? {} : { headers: { authorization: `Bearer ${key}` } };
	return new ChatClient(
		connectTo({ baseUrl: sim.url, maxConcurrentRequests, chosenKind, ...headers }),
		{ ...PLAIN_SETTINGS, ...settings },
		undefined,
		memory,
	);
}

const HI: ChatCall = { messages: [{ type: 'human', content: 'Hi' }] };
const weather: ToolDefinition = {
	name: 'get_weather',
	description: 'Weather',
	parameters: { type: 'object', properties: { city: { type: 'string' } } },
};
const time: ToolDefinition = { name: 'get_time', parameters: { type: 'object', properties: {} } };

interface Ran {
	pieces: string[];
	answer: FinishedAnswer;
}

async function run(
	client: ChatClient,
	call: Partial<ChatCall> = {},
	onPiece: () => void = () => {},
): Promise<Ran> {
	const pieces: string[] = [];
	const answer = client.generate({ ...HI, ...call });
	let next = await answer.next();
	for (; !next.done; next = await answer.next()) {
		pieces.push(next.value);
		onPiece();
	}
	return { pieces, answer: next.value };
}

async function failed(
	client: ChatClient,
	call: Partial<ChatCall> = {},
	onPiece?: () => void,
): Promise<ServerError> {
	const outcome: unknown = await run(client, call, onPiece).then(
		({ answer }) => answer,
		(error: unknown) => error,
	);
	if (!(outcome instanceof ServerError)) throw new Error(`no failure: ${JSON.stringify(outcome)}`);
	return outcome;
}

/** Settles only when the test is over. */
const never = new Promise(() => {});
const paths = (sim: LlamaServerSim) => sim.requests.map(({ method, path }) => `${method} ${path}`);
const bodies = (sim: LlamaServerSim) =>
	sim.requests
		.filter(({ path }) => path.endsWith('/chat/completions'))
		.map(
			({ body }) => body as Record<string, unknown> & { messages: Array<Record<string, unknown>> },
		);
const PROPS = 'GET /props';
const CHAT = 'POST /v1/chat/completions';
const MODELS = 'GET /v1/models';

describe('an answer', () => {
	it('comes piece by piece and is returned whole', async () => {
		const sim = await start();
		const { steps, next } = inTurn('One', ' two', ' three', '.');
		sim.script(reply.chunks(steps));
		const { pieces, answer } = await run(clientOf(sim), {}, next);
		expect(pieces).toEqual(['One', ' two', ' three', '.']);
		expect(answer).toMatchObject({
			text: 'One two three.',
			reasoning: '',
			toolCalls: [],
			finishReason: 'stop',
			model: 'sim-model',
			url: `${sim.url}/v1/chat/completions`,
			notes: [],
		});
	});

	it('reports every event to a counter, even if they differ in their text only', async () => {
		const sim = await start();
		const text = 'and then the wheel turns again '.repeat(4);
		sim.script(reply.text(text));
		const texts: string[] = [];
		const onChunk: ChatCall['onChunk'] = ({ text: piece }) => void (piece && texts.push(piece));
		await run(clientOf(sim), { onChunk });
		expect(texts.join('')).toBe(text);
		expect(texts.length).toBeGreaterThan(20);
	});

	it('brings usage, timings, cached tokens and the time of the first token (case 99)', async () => {
		const sim = await start();
		const client = clientOf(sim);
		const first = await run(client);
		const { answer } = await run(client);
		expect(first.answer.usage).toMatchObject({ cachedTokens: 0 });
		expect(answer.usage?.cachedTokens).toBe((answer.usage?.promptTokens ?? 0) - 1);
		expect(answer.usage).toMatchObject({
			totalTokens: (answer.usage?.promptTokens ?? 0) + (answer.usage?.completionTokens ?? 0),
		});
		expect(answer.timings).toMatchObject({ cache_n: answer.usage?.cachedTokens });
		expect(answer.firstTokenMs).toBeGreaterThan(0);
		expect(answer.totalMs).toBeGreaterThanOrEqual(answer.firstTokenMs);
	});

	it('counts the first token from sending, whatever role and progress chunks come before', async () => {
		const sim = await start();
		sim.script(
			reply.chunks([{ role: 'assistant', content: null }, { wait: 60 }, 'late'], { role: 'none' }),
		);
		const { answer } = await run(clientOf(sim));
		expect(answer.firstTokenMs).toBeGreaterThanOrEqual(55);
	});

	it('of a server that cannot stream is taken whole (case 44)', async () => {
		const sim = await start();
		sim.script(reply.text('All at once.', { asJson: true }));
		const { pieces, answer } = await run(clientOf(sim));
		expect(pieces).toEqual(['All at once.']);
		expect(answer).toMatchObject({
			finishReason: 'stop',
			usage: { promptTokens: expect.any(Number) as number },
		});
	});

	it('as recorded, byte for byte', async () => {
		const sim = await start();
		sim.script(
			reply.raw(fixture('llama-server-v0.5.0/thinking-stream.http')),
			reply.raw(fixture('llama-server-v0.5.0/tools-parallel-stream.http')),
		);
		const client = clientOf(sim);
		expect((await run(client)).answer).toMatchObject({
			reasoning: expect.stringContaining('Two plus two') as string,
			text: expect.stringContaining('In mathematics') as string,
		});
		expect((await run(client, { tools: [weather] })).answer.toolCalls).toHaveLength(2);
	});

	it.each(['llama-server', 'router', 'ollama', 'vllm', 'gpustack', 'fastapi'] as const)(
		'of %s is read with its thinking and its calls',
		async (profile) => {
			const sim = await start({
				profile,
				models: [{ id: 'sim-model', tools: true, thinking: true }],
			});
			const calls = [{ name: 'get_weather', arguments: { city: 'Zürich' } }, { name: 'get_time' }];
			sim.script(
				reply.reasoning('Hm.', 'Yes.'),
				reply.toolCalls(calls, { text: 'See:', reasoning: 'Hm.' }),
			);
			const client = clientOf(sim, { key: 'gpustack-key' });
			expect((await run(client)).answer).toMatchObject({ text: 'Yes.', reasoning: 'Hm.' });
			const { answer } = await run(client, { tools: [weather, time] });
			expect(answer).toMatchObject({
				text: 'See:',
				reasoning: 'Hm.',
				toolCalls: [{ name: 'get_weather' }, { name: 'get_time', arguments: '{}' }],
			});
			expect(JSON.parse(answer.toolCalls[0]!.arguments)).toEqual({ city: 'Zürich' });
			expect(new Set(answer.toolCalls.map(({ id }) => id)).size).toBe(2);
		},
	);

	it('case 92: a picture for a server without a projector is refused with what to do', async () => {
		const sim = await start();
		const content = [
			{ type: 'text', text: 'What?' },
			{ type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } },
		];
		const error = await failed(clientOf(sim), { messages: [{ type: 'human', content }] });
		expect(error).toMatchObject({ kind: 'modalityUnsupported', status: 500 });
		expect(error.remedy).toContain('--mmproj');
	});

	it.each([
		['LLaMA-Factory', 500, {}, 'serverError'],
		['NVIDIA Dynamo', 400, { message: 'Invalid request', type: 'Bad Request' }, 'badRequest'],
	])('%s fails at a picture without a word about it: the picture is named', async (...failing) => {
		const [, status, body, kind] = failing;
		const sim = await start({ vision: true });
		sim.route('POST /v1/chat/completions', reply.json(body, { status }));
		const url = 'data:image/png;base64,iVBORw0KGgo=';
		const content = [{ type: 'image_url', image_url: { url } }];
		const error = await failed(clientOf(sim), { messages: [{ type: 'human', content }] });
		expect(error).toMatchObject({ kind });
		expect(error.remedy).toContain('pictures');
		const plain = await failed(clientOf(sim), { messages: [{ type: 'human', content: 'Hi' }] });
		expect(plain.remedy).not.toContain('pictures');
	});

	it('case 93: line breaks in base64 never reach the server', async () => {
		const sim = await start({ vision: true });
		const png =
			'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=';
		const content = [
			{
				type: 'image_url',
				image_url: { url: `data:image/png;base64,${png.slice(0, 40)}\n${png.slice(40)}` },
			},
		];
		await run(clientOf(sim), { messages: [{ type: 'human', content }] });
		expect(bodies(sim)[0]?.messages[0]?.content).toEqual([
			{ type: 'image_url', image_url: { url: `data:image/png;base64,${png}` } },
		]);
	});

	it('case 97: three calls on two slots, the third waits for a slot', async () => {
		const sim = await start({ slots: 2 });
		let release = () => {};
		const gate = new Promise<void>((resolve) => (release = resolve));
		sim.script(
			reply.chunks(['a', { wait: gate }, '.']),
			reply.chunks(['b', { wait: gate }, '.']),
			reply.text('c.'),
		);
		const client = clientOf(sim);
		const all = [run(client), run(client), run(client)];
		const answered = () =>
			sim.requests.filter(({ headersSentAt }) => headersSentAt !== undefined).length;
		await sim.until(() => sim.queued === 1 && answered() === 2);
		await delay(20);
		expect(answered()).toBe(2);
		release();
		expect((await Promise.all(all)).map(({ answer }) => answer.text).toSorted()).toEqual([
			'a.',
			'b.',
			'c.',
		]);
	});

	it('case 97: with as many concurrent requests as slots none waits in the server', async () => {
		const sim = await start({ slots: 2 });
		const client = clientOf(sim, { maxConcurrentRequests: 2 });
		const { wait, open } = gate();
		sim.script(reply.chunks(['a', { wait }]), reply.chunks(['b', { wait }]), reply.text('c'));
		const all = [run(client), run(client), run(client)];
		await sim.until(() => sim.requests.length === 2);
		expect(queuedRequests()).toBe(1);
		open();
		await Promise.all(all);
		expect(sim.requests).toHaveLength(3);
	});

	it('case 100: broken characters do no harm', async () => {
		const sim = await start();
		sim.script(
			reply.chunks(
				[
					'a\ufffd',
					{ event: '{"choices":[{"index":0,"delta":{"content":"\\ud83d"}}]}' },
					{ event: '{"choices":[{"index":0,"delta":{"content":"\\ude00"}}]}' },
				],
				{ split: 'characters' },
			),
		);
		const { pieces, answer } = await run(clientOf(sim));
		expect(pieces).toEqual(['a\ufffd', '😀']);
		expect(answer.text).toBe('a\ufffd😀');
	});
});

describe('remarks on a usable answer', () => {
	it('options that the server ignores', async () => {
		const sim = await start({ profile: 'ollama' });
		const { answer } = await run(clientOf(sim, { parameters: { seed: 1, mirostat: 1 } }));
		expect(answer.notes).toEqual([
			'This server (Ollama) ignores these options, so they were not sent: Mirostat',
		]);
		expect(bodies(sim)[0]).not.toHaveProperty('mirostat');
		expect(bodies(sim)[0]).toMatchObject({ seed: 1 });
	});

	it('a forced tool that Ollama does not know how to force', async () => {
		const sim = await start({ profile: 'ollama' });
		const client = clientOf(sim);
		expect((await run(client, { tools: [weather], toolChoice: 'required' })).answer.notes).toEqual([
			'This server (Ollama) ignores these options, so they were not sent: Tool Choice',
		]);
		expect((await run(client, { tools: [weather], toolChoice: 'auto' })).answer.notes).toEqual([]);
		expect((await run(client, { tools: [weather], toolChoice: 'none' })).answer.notes).toEqual([]);
		expect(bodies(sim)[2]).not.toHaveProperty('tools');
	});

	it('parts of schemas that llama-server cannot enforce', async () => {
		const sim = await start();
		const schema = {
			type: 'object',
			properties: {
				a: { type: 'string', pattern: 'x' },
				n: { type: 'integer', maximum: 9007199254740991 },
			},
		};
		const { answer } = await run(
			clientOf(sim, { parameters: { responseFormat: { type: 'jsonSchema', schema } } }),
			{
				tools: [
					{
						name: 'f',
						parameters: { type: 'object', properties: { b: { type: 'string', maxLength: 5000 } } },
					},
				],
			},
		);
		expect(answer.notes).toEqual([
			'The server cannot enforce parts of the schema of the tool "f", so they were left out: properties.b.maxLength (more than 1998)',
			'The server cannot enforce parts of the JSON schema, so they were left out: properties.a.pattern (pattern without ^ and $)',
		]);
		expect(bodies(sim)[0]).toMatchObject({
			response_format: {
				json_schema: { schema: { properties: { a: { type: 'string' }, n: { type: 'integer' } } } },
			},
			tools: [{ function: { parameters: { properties: { b: { type: 'string' } } } } }],
		});
		expect(JSON.stringify(bodies(sim)[0])).not.toMatch(/pattern|maxLength|maximum/);
	});

	it('other servers get the schema as it is', async () => {
		const sim = await start({ profile: 'vllm' });
		const schema = { type: 'object', properties: { a: { type: 'string', pattern: 'x' } } };
		const { answer } = await run(
			clientOf(sim, { parameters: { responseFormat: { type: 'jsonSchema', schema } } }),
		);
		expect(answer.notes).toEqual([]);
		expect(bodies(sim)[0]).toMatchObject({ response_format: { json_schema: { schema } } });
	});

	it('an answer that the token limit cut off (case 22)', async () => {
		const sim = await start();
		const { answer } = await run(clientOf(sim, { parameters: { maxTokens: 2 } }));
		expect(answer).toMatchObject({
			finishReason: 'length',
			notes: [
				'The answer was cut off by the token limit. Raise Maximum Tokens or the context of the server.',
			],
		});
		expect(bodies(sim)[0]).toMatchObject({ max_tokens: 2 });
	});

	it('text that only looks like a call stays text, with a remark (case 83)', async () => {
		const sim = await start();
		const text = '<tool_call>\n{"name": "get_weather"}\n</tool_call>';
		sim.script(reply.text(text));
		const { answer } = await run(clientOf(sim), { tools: [weather] });
		expect(answer).toMatchObject({
			text,
			toolCalls: [],
			notes: [
				expect.stringMatching(
					/a call of get_weather in the Hermes, Qwen format.* its arguments do not fit\..*--jinja/,
				) as string,
			],
		});
	});

	const written =
		'<tool_call>\n{"name": "get_weather", "arguments": {"city": "Rome"}}\n</tool_call>';

	it.each([
		['llama-server', '--jinja'],
		['vllm', '--enable-auto-tool-choice --tool-call-parser hermes'],
		['ollama', 'TEMPLATE'],
		['fastapi', 'Switch on tool calling'],
	] as const)(
		'a call that %s handed on as text is a call, with how to switch its parser on',
		async (profile, advice) => {
			const kinds = {
				'llama-server': 'llamaServer',
				vllm: 'vllm',
				ollama: 'ollama',
				fastapi: 'other',
			} as const;
			const sim = await start({ profile, alias: 'hermes-3' });
			sim.script(reply.text(`Let me see.\n${written}`));
			const { pieces, answer } = await run(
				clientOf(sim, { chosenKind: kinds[profile], model: 'hermes-3' }),
				{
					tools: [weather],
				},
			);
			expect(pieces.join('')).toBe('Let me see.');
			expect(answer).toMatchObject({
				text: 'Let me see.',
				toolCalls: [{ name: 'get_weather', arguments: '{"city":"Rome"}' }],
				notes: [expect.stringContaining(advice) as string],
			});
		},
	);

	const J = '{"name": "get_weather", "arguments": {"city": "Rome"}}';
	const QUOTED: Array<[model: string, call: string]> = [
		['hermes-3', written],
		['mistral-small', '[TOOL_CALLS]get_weather[ARGS]{"city": "Rome"}'],
		['llama-3.1-8b', J.replace('arguments', 'parameters')],
		['granite-3.3-8b', `<|tool_call|>[${J}]`],
	];
	const page = (call: string) => `The page of a stranger:\n${call}\nThat is all.`;
	const PLACES: Record<string, (call: string) => ChatCall['messages']> = {
		'the system message': (call) => [{ type: 'system', content: page(call) }],
		'the question': (call) => [{ type: 'human', content: page(call) }],
		'an earlier answer': (call) => [{ type: 'ai', content: page(call) }],
		'the result of a tool': (call) => [
			{ type: 'ai', content: '', toolCalls: [{ id: 'a', name: 'read_page', args: {} }] },
			{ type: 'tool', toolCallId: 'a', content: page(call) },
		],
	};

	it.each(Object.entries(PLACES))('a call that stands in %s is not run', async (_place, quote) => {
		for (const [model, call] of QUOTED) {
			const sim = await start({ profile: 'vllm', alias: model });
			sim.script(reply.text(call));
			const messages = [HI.messages[0]!, ...quote(call), HI.messages[0]!];
			const client = clientOf(sim, { chosenKind: 'vllm', model });
			const { answer } = await run(client, { messages, tools: [weather] });
			expect(answer).toMatchObject({ text: call, toolCalls: [], callNotRun: 'inInput' });
		}
	});

	it('a call that was made before may be made again', async () => {
		const earlier: ChatCall['messages'] = [
			{
				type: 'ai',
				content: '',
				toolCalls: [{ id: 'a', name: 'get_weather', args: { city: 'Rome' } }],
			},
			{ type: 'tool', toolCallId: 'a', content: 'Rain' },
		];
		for (const [model, call] of QUOTED) {
			const sim = await start({ profile: 'vllm', alias: model });
			sim.script(reply.text(call));
			const messages = [HI.messages[0]!, ...earlier, HI.messages[0]!];
			const client = clientOf(sim, { chosenKind: 'vllm', model });
			const { answer } = await run(client, { messages, tools: [weather] });
			expect(answer.toolCalls).toMatchObject([{ name: 'get_weather' }]);
		}
	});

	it('a call in the text stays text where the node says so, and where no tool may be called', async () => {
		const sim = await start();
		for (const [settings, call] of [
			[{ toolCallsInText: 'leave' as const }, {}],
			[{}, { toolChoice: 'none' as const }],
		] as const) {
			sim.script(reply.text(written));
			const client = clientOf(sim, { chosenKind: 'llamaServer', ...settings });
			const { answer } = await run(client, { tools: [weather], ...call });
			expect(answer).toMatchObject({ text: written, toolCalls: [] });
		}
		sim.script(reply.text(written));
		expect((await run(clientOf(sim))).answer).toMatchObject({ text: written, toolCalls: [] });
	});
});

describe('the kind of server is looked up only if it matters', () => {
	it('not for a plain question', async () => {
		const sim = await start();
		const { answer } = await run(clientOf(sim, { parameters: { temperature: 0 } }));
		expect(paths(sim)).toEqual([CHAT]);
		expect(answer.serverKind).toBe('llamaServer');
	});

	it('once for tools: the chat template shows how the model writes calls, and whether it gets the tools', async () => {
		const sim = await start();
		for (let round = 0; round < 2; round++)
			await run(clientOf(sim), { tools: [weather], toolChoice: 'auto' });
		expect(paths(sim)).toEqual([MODELS, PROPS, CHAT, CHAT]);
	});

	it('once for options that not every server takes', async () => {
		const sim = await start();
		const client = clientOf(sim, { parameters: { topK: 5 } });
		await run(client);
		await run(client);
		expect(paths(sim)).toEqual([MODELS, CHAT, CHAT]);
		expect(bodies(sim)[0]).toMatchObject({ top_k: 5 });
	});

	it('even when the header of an earlier answer told one: it may be that of a server behind a gateway', async () => {
		const sim = await start();
		await run(clientOf(sim));
		await run(clientOf(sim, { parameters: { topK: 5 } }));
		expect(paths(sim)).toEqual([CHAT, MODELS, CHAT]);
		expect(bodies(sim)[1]).toMatchObject({ top_k: 5 });
	});

	it('by the list of models where no header tells it', async () => {
		const sim = await start({ profile: 'vllm' });
		const { answer } = await run(clientOf(sim, { parameters: { repeatPenalty: 1.2 } }));
		expect(paths(sim)).toEqual([MODELS, CHAT]);
		expect(answer.serverKind).toBe('vllm');
		expect(bodies(sim)[0]).toMatchObject({ repetition_penalty: 1.2 });
	});

	it('never if the user chooses it', async () => {
		const sim = await start();
		const { answer } = await run(
			clientOf(sim, { chosenKind: 'ollama', parameters: { thinking: { mode: 'off' } } }),
		);
		expect(paths(sim)).toEqual([CHAT]);
		expect(answer.serverKind).toBe('ollama');
		expect(bodies(sim)[0]).toMatchObject({ reasoning_effort: 'none' });
	});

	it.each<[string, Overrides, Partial<ChatCall>]>([
		['a forced tool', {}, { tools: [weather], toolChoice: { name: 'get_weather' } }],
		[
			'a schema that has to be cleaned',
			{},
			{ tools: [{ name: 'f', parameters: { type: 'object', properties: { a: true } } }] },
		],
		[
			'thinking that goes back',
			{},
			{
				messages: [
					{ type: 'human', content: 'x' },
					{
						type: 'ai',
						content: '',
						reasoning: 'Hm',
						toolCalls: [{ id: 'a', name: 'f', args: {} }],
					},
					{ type: 'tool', toolCallId: 'a', content: '1' },
				],
			},
		],
		['no limit', { parameters: { maxTokens: -1 } }, {}],
	])('asked for %s', async (_what, settings, call) => {
		const sim = await start();
		await run(clientOf(sim, settings), call);
		expect(paths(sim).filter((path) => path !== PROPS)).toEqual([MODELS, CHAT]);
	});
});

describe('tools', () => {
	it('case 79: one forced tool is sent alone and required', async () => {
		const sim = await start();
		const { answer } = await run(clientOf(sim), {
			tools: [weather, time],
			toolChoice: { name: 'get_time' },
		});
		expect(bodies(sim)[0]).toMatchObject({
			tool_choice: 'required',
			tools: [{ function: { name: 'get_time' } }],
		});
		expect(answer.toolCalls).toMatchObject([{ name: 'get_time' }]);
	});

	it('case 79: vLLM gets all of them and the name', async () => {
		const sim = await start({ profile: 'vllm' });
		await run(clientOf(sim), { tools: [weather, time], toolChoice: { name: 'get_time' } });
		expect(bodies(sim)[0]).toMatchObject({ tool_choice: { function: { name: 'get_time' } } });
		expect(bodies(sim)[0]?.tools).toHaveLength(2);
	});

	it('a forced tool that does not exist is an error before anything is sent', async () => {
		const sim = await start();
		expect(
			await failed(clientOf(sim), { tools: [weather], toolChoice: { name: 'hammer' } }),
		).toMatchObject({
			kind: 'invalidInput',
			message: expect.stringContaining('"hammer"') as string,
		});
		expect(sim.requests).toHaveLength(0);
	});

	it('nothing about tools is sent without tools', async () => {
		const sim = await start();
		await run(clientOf(sim), { toolChoice: 'required' });
		expect(bodies(sim)[0]).not.toHaveProperty('tool_choice');
	});

	it('a turn comes back as the model wrote it', async () => {
		const sim = await start();
		const client = clientOf(sim);
		sim.script(
			reply.toolCalls(
				[
					{ name: 'get_weather', arguments: '{ "city":"Rome" }', id: 'a1' },
					{ name: 'get_time', arguments: '{}', id: 'b2' },
				],
				{ text: 'Let me see.', reasoning: 'Both.' },
			),
		);
		const question = { type: 'human' as const, content: 'Both?' };
		const { answer } = await run(client, { messages: [question], tools: [weather, time] });
		const [a, b] = answer.toolCalls.map(({ id }) => id);
		const torn = [
			{
				type: 'ai' as const,
				content: [],
				toolCalls: [{ id: a!, name: 'get_weather', args: { city: 'Rome', id: a } }],
			},
			{ type: 'tool' as const, toolCallId: a!, content: 'sun' },
			{
				type: 'ai' as const,
				content: [],
				toolCalls: [{ id: b!, name: 'get_time', args: { id: b } }],
			},
			{ type: 'tool' as const, toolCallId: b!, content: 'noon' },
		];
		await run(client, { messages: [question, ...torn], tools: [weather, time] });
		expect(bodies(sim)[1]?.messages.slice(1)).toEqual([
			{
				role: 'assistant',
				content: 'Let me see.',
				reasoning_content: 'Both.',
				tool_calls: [
					{
						id: 'a1',
						type: 'function',
						function: { name: 'get_weather', arguments: '{ "city":"Rome" }' },
					},
					{ id: 'b2', type: 'function', function: { name: 'get_time', arguments: '{}' } },
				],
			},
			{ role: 'tool', tool_call_id: 'a1', name: 'get_weather', content: 'sun' },
			{ role: 'tool', tool_call_id: 'b2', name: 'get_time', content: 'noon' },
		]);
	});

	it.each(['call_0', 'functions.get_time:0'])(
		'two users with the same question at the same time stay separate, although both calls are %s (vLLM issue 20789)',
		async (id) => {
			const memory = new TurnMemory();
			const ask = async (who: string) => {
				const sim = await start();
				sim.script(
					reply.toolCalls([{ name: 'get_time', arguments: '{}', id }], {
						text: `for ${who}`,
						reasoning: who,
					}),
				);
				const client = clientOf(sim, { memory });
				const question = { type: 'human' as const, content: 'What time is it?' };
				const { answer } = await run(client, { messages: [question], tools: [time] });
				return async () => {
					const call = answer.toolCalls[0]!.id;
					const turn = [
						{
							type: 'ai' as const,
							content: [],
							toolCalls: [{ id: call, name: 'get_time', args: { id: call } }],
						},
						{ type: 'tool' as const, toolCallId: call, content: 'noon' },
					];
					await run(client, { messages: [question, ...turn], tools: [time] });
					return bodies(sim)[1]?.messages.slice(1);
				};
			};
			for (const [who, sent] of [
				['one', await ask('one')] as const,
				['two', await ask('two')] as const,
			])
				expect(await sent()).toEqual([
					{
						role: 'assistant',
						content: `for ${who}`,
						reasoning_content: who,
						tool_calls: [{ id, type: 'function', function: { name: 'get_time', arguments: '{}' } }],
					},
					{ role: 'tool', tool_call_id: id, name: 'get_time', content: 'noon' },
				]);
		},
	);

	it.each([true, false])(
		'three rounds in which every call is call_0 are three turns (SGLang, vLLM issue 50295), remembered: %s',
		async (remembered) => {
			const sim = await start();
			const rounds = [0, 1, 2];
			sim.script(
				...rounds.map((round) =>
					reply.toolCalls([{ name: 'get_time', arguments: `{"round":${round}}`, id: 'call_0' }], {
						reasoning: `thought ${round}`,
					}),
				),
				reply.text('Done'),
			);
			const memory = new TurnMemory();
			let messages: ChatCall['messages'] = [{ type: 'human', content: 'x' }];
			const seen = new Set<string>();
			for (const round of rounds) {
				// Without a memory: as where each round is another worker's.
				const client = clientOf(sim, { memory: remembered ? memory : new TurnMemory() });
				const { answer } = await run(client, { messages, tools: [time] });
				const { id } = answer.toolCalls[0]!;
				// n8n's agent drops a step whose id it has seen.
				expect(seen.has(id)).toBe(false);
				seen.add(id);
				messages = [
					...messages,
					{
						type: 'ai',
						content: [],
						reasoning: answer.reasoning,
						toolCalls: [{ id, name: 'get_time', args: { round, id } }],
					},
					{ type: 'tool', toolCallId: id, content: `result ${round}` },
				];
			}
			expect((await run(clientOf(sim), { messages, tools: [time] })).answer.text).toBe('Done');
			expect(bodies(sim)[3]?.messages.slice(1)).toEqual(
				rounds.flatMap((round) => [
					{
						role: 'assistant',
						content: '',
						reasoning_content: `thought ${round}`,
						tool_calls: [
							{
								id: 'call_0',
								type: 'function',
								function: { name: 'get_time', arguments: `{"round":${round}}` },
							},
						],
					},
					{ role: 'tool', tool_call_id: 'call_0', name: 'get_time', content: `result ${round}` },
				]),
			);
		},
	);

	it('case 80: broken arguments in the history never reach the server', async () => {
		const sim = await start();
		const broken = {
			type: 'ai' as const,
			content: 'x',
			invalidToolCalls: [{ id: 'bad', name: 'f' }],
		};
		await run(clientOf(sim), {
			messages: [
				{ type: 'human', content: 'x' },
				broken,
				{ type: 'tool', toolCallId: 'bad', content: 'no' },
				{ type: 'human', content: 'y' },
			],
		});
		expect(bodies(sim)[0]?.messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'user']);
	});
});

describe('servers that refuse the first form', () => {
	const turn: ChatCall['messages'] = [
		{ type: 'human', content: 'x' },
		{ type: 'ai', content: '', toolCalls: [{ id: 'call_123', name: 'f', args: {} }] },
		{ type: 'tool', toolCallId: 'call_123', content: '1' },
	];

	it('"Cannot use tools with stream": asked again without a stream, once', async () => {
		const sim = await start();
		sim.script(reply.llamaError(500, 'Cannot use tools with stream'));
		const { pieces, answer } = await run(clientOf(sim), { tools: [weather] });
		expect(answer.text).toBe('You said: Hi');
		expect(pieces).toEqual(['You said: Hi']);
		expect(bodies(sim).map(({ stream }) => stream)).toEqual([true, false]);
		expect(bodies(sim)[1]).not.toHaveProperty('stream_options');
	});

	it.each<[string, object, Overrides]>([
		[
			'a server that forbids unknown fields',
			{
				detail: [
					{
						loc: ['body', 'stream_options'],
						msg: 'Extra inputs are not permitted',
						type: 'extra_forbidden',
					},
				],
			},
			{},
		],
		[
			'vLLM where Extra Body turns streaming off',
			{
				error: {
					message: 'Stream options can only be defined when `stream=True`.',
					type: 'BadRequestError',
					code: 400,
				},
			},
			{ parameters: { extraBody: { stream: false } } },
		],
	])('token counts in the stream are not asked for again: %s', async (_who, refusal, settings) => {
		const sim = await start();
		sim.script(reply.error(422, refusal), reply.text('Hello'));
		expect((await run(clientOf(sim, settings))).answer.text).toBe('Hello');
		expect(bodies(sim).map((body) => 'stream_options' in body)).toEqual([true, false]);
	});

	it('refused twice it is said', async () => {
		const sim = await start();
		sim.script(
			reply.llamaError(500, 'Cannot use tools with stream'),
			reply.llamaError(500, 'Cannot use tools with stream'),
			reply.text('never'),
		);
		expect(await failed(clientOf(sim), { tools: [weather] })).toMatchObject({
			kind: 'toolsUnsupported',
			serverText: 'Cannot use tools with stream',
		});
		expect(paths(sim).filter((path) => path === CHAT)).toHaveLength(2);
	});

	it('case 81: ids of nine letters and digits where the template of Mistral demands them', async () => {
		const sim = await start({ template: 'strict' });
		await run(clientOf(sim), { messages: turn });
		const [long, short] = bodies(sim).map(
			({ messages }) => (messages[1]?.tool_calls as Array<{ id: string }>)[0]!.id,
		);
		expect(long).toBe('call_123');
		expect(short).toMatch(/^[a-zA-Z0-9]{9}$/);
		expect(bodies(sim)[1]?.messages[2]).toMatchObject({ tool_call_id: short });
	});

	// Refusals of Ollama 0.17.4, as they came.
	const ollamaRefuses = (message: string, type: string) =>
		reply.error(400, { error: { message, type, param: null, code: null } });
	const noEffort = ollamaRefuses('think value "low" is not supported for this model', 'api_error');
	const noMinimal = ollamaRefuses(
		`invalid reasoning value: 'minimal' (must be "high", "medium", "low", or "none")`,
		'invalid_request_error',
	);
	const noThinking = ollamaRefuses('"qwen3" does not support thinking', 'api_error');
	it.each([
		[
			'a model that thinks or does not',
			[noEffort],
			['minimal', undefined],
			[
				'This model of Ollama knows no levels of thinking, only on and off, so the thinking effort was left out.',
			],
		],
		[
			'an effort that it does not know',
			[noMinimal],
			['minimal', 'low'],
			['This Ollama does not know the thinking effort "minimal", so it was asked for "low".'],
		],
		[
			'both',
			[noMinimal, noEffort],
			['minimal', 'low', undefined],
			[
				'This model of Ollama knows no levels of thinking, only on and off, so the thinking effort was left out.',
			],
		],
		[
			'a model that does not think',
			[noThinking],
			['minimal', undefined],
			[
				expect.stringContaining(
					'This model cannot think, so the setting Thinking was left out',
				) as string,
			],
		],
	])("thinking effort on Ollama's OpenAI route: %s", async (_who, refusals, efforts, notes) => {
		const sim = await start({ profile: 'ollama', models: [{ id: 'sim-model', thinking: true }] });
		// A proxy in front of it that lets nothing else through.
		sim.route('POST /api/chat', reply.error(404, '404 page not found'));
		sim.script(...refusals, reply.text('Hello'));
		const { answer } = await run(
			clientOf(sim, {
				chosenKind: 'ollama',
				parameters: { temperature: 0, thinking: { mode: 'effort', effort: 'minimal' } },
			}),
		);
		expect(bodies(sim).map(({ reasoning_effort: effort }) => effort)).toEqual(efforts);
		expect(bodies(sim).at(-1)).toMatchObject({ temperature: 0 });
		expect(answer.text).toBe('Hello');
		expect(answer.notes).toEqual(notes);
	});

	it('any other refusal is passed on at once', async () => {
		const sim = await start();
		sim.script(reply.llamaError(500, 'boom'), reply.text('never'));
		expect(await failed(clientOf(sim))).toMatchObject({
			kind: 'serverError',
			status: 500,
			serverText: 'boom',
		});
		expect(sim.requests).toHaveLength(1);
	});
});

describe('a trailing assistant message', () => {
	const messages: ChatCall['messages'] = [
		{ type: 'human', content: 'Count' },
		{ type: 'ai', content: 'One, two,' },
	];

	it('case 31: is continued, and not repeated', async () => {
		const sim = await start();
		const { steps, next } = inTurn('One, two, three', ', four');
		sim.script(reply.chunks(steps));
		const { pieces, answer } = await run(clientOf(sim), { messages }, next);
		expect(pieces).toEqual([' three', ', four']);
		expect(answer.text).toBe(' three, four');
	});

	it('case 31: as the simulator does it, after the recording', async () => {
		const sim = await start();
		const { answer } = await run(clientOf(sim), { messages });
		expect(answer.text).not.toContain('One, two,');
		expect(answer.text).not.toBe('');
	});

	it('with servers that do not repeat it nothing is lost', async () => {
		const sim = await start();
		sim.script(reply.chunks([' three', ', four']));
		expect((await run(clientOf(sim), { messages })).answer.text).toBe(' three, four');
	});
});

describe('the end', () => {
	it('case 50: a finish without [DONE] is complete', async () => {
		const sim = await start();
		sim.script(reply.text('Hello', { done: false }));
		expect((await run(clientOf(sim))).answer.text).toBe('Hello');
	});

	it('case 50, 56: where nothing follows, an open connection does not hold the answer up', async () => {
		const [finished, broken] = [await start(), await start()];
		finished.script(reply.text('Hello', { done: false, cut: { at: 'end', how: 'silence' } }));
		broken.script(reply.chunks(['Hello', { event: '{"broken' }, { wait: never }]));
		const [{ answer }, error] = await Promise.all([
			run(clientOf(finished)),
			failed(clientOf(broken)),
		]);
		expect(answer).toMatchObject({
			text: 'Hello',
			usage: { promptTokens: expect.any(Number) as number },
		});
		expect(error).toMatchObject({
			kind: 'invalidAnswer',
			partialText: 'Hello',
			facts: { line: '{"broken' },
		});
	});

	it('[DONE] ends it, though the connection stays open', async () => {
		const sim = await start();
		sim.script(reply.text('Hello', { cut: { at: 'end', how: 'silence' } }));
		const { answer } = await run(clientOf(sim));
		expect(answer.text).toBe('Hello');
		await sim.until(() => sim.connections.open === 0);
	});

	it('a connection that breaks after the finish does not undo it', async () => {
		const sim = await start();
		sim.script(reply.text('Hello', { done: false, cut: { at: 'end', how: 'rst' } }));
		expect((await run(clientOf(sim))).answer.text).toBe('Hello');
	});

	const finishing = (delta: object) =>
		`data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason: 'stop' }] })}\n\n`;

	it.each(['rst', 'silence'] as const)(
		'where it ends by %s behind a finish without counts, a note says so',
		async (how) => {
			const sim = await start();
			sim.script(reply.sse(finishing({ content: 'Hello' }), { cut: { at: 'end', how } }));
			const { answer } = await run(clientOf(sim));
			expect(answer.text).toBe('Hello');
			expect(answer.notes).toEqual([expect.stringContaining('did not end the stream')]);
		},
	);

	it('a finish in every chunk is not an end: a connection that breaks after it is a failure', async () => {
		const sim = await start();
		sim.script(
			reply.sse([finishing({ content: 'Hel' }), finishing({ content: 'lo' })], {
				cut: { at: 'end', how: 'rst' },
			}),
			reply.sse([finishing({ content: 'Hel' }), finishing({ content: 'lo' }), 'data: [DONE]\n\n']),
		);
		expect(await failed(clientOf(sim))).toMatchObject({ partialText: 'Hello' });
		expect((await run(clientOf(sim))).answer).toMatchObject({ text: 'Hello', notes: [] });
	});

	it('a finish in every chunk does not shorten the pauses either', async () => {
		const sim = await start();
		const slowly = async function* () {
			yield finishing({ content: 'Hel' });
			yield finishing({ content: 'lo' });
			// Longer than what is waited behind a finish.
			await delay(3300);
			yield finishing({ content: ' you' }) + 'data: [DONE]\n\n';
		};
		sim.script(reply.sse(slowly()));
		expect((await run(clientOf(sim))).answer).toMatchObject({ text: 'Hello you', notes: [] });
	});

	it('a finish that announces a call is no end before the call has come', async () => {
		const sim = await start();
		const announced = {
			choices: [{ index: 0, delta: { content: 'Let me see.' }, finish_reason: 'tool_calls' }],
		};
		sim.script(
			reply.sse(`data: ${JSON.stringify(announced)}\n\n`, { cut: { at: 'end', how: 'rst' } }),
		);
		expect(await failed(clientOf(sim), { tools: [time] })).toMatchObject({
			partialText: 'Let me see.',
		});
	});

	it('an unreadable line after the finish does not undo it, though it comes in the same piece', async () => {
		const sim = await start();
		const chunk = (delta: object, finish: string | null) =>
			`data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
		sim.script(
			reply.sse(
				`${chunk({ content: 'Hello' }, null)}${chunk({}, 'stop')}data: {"broken\n\ndata: more\n\n`,
			),
		);
		const { pieces, answer } = await run(clientOf(sim));
		expect(pieces).toEqual(['Hello']);
		expect(answer.text).toBe('Hello');
	});

	it('case 42: what follows [DONE] is not even read', async () => {
		const sim = await start();
		sim.script(
			reply.sse(
				'data: {"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\ndata: {"broken\n\n',
			),
		);
		expect((await run(clientOf(sim))).answer.text).toBe('Hi');
	});

	it('a reader that stops closes the connection and frees the slot', async () => {
		const sim = await start();
		sim.script(reply.chunks(['a', { wait: never }]));
		const answer = clientOf(sim).generate(HI);
		expect((await answer.next()).value).toBe('a');
		await answer.return(undefined as never);
		await sim.until(
			() => sim.requests[0]?.endedBy === 'client-abort' && sim.slots().every(({ busy }) => !busy),
		);
	});
});

describe('failures with what had arrived', () => {
	it.each<[string, Parameters<typeof reply.text>[1], string]>([
		[
			'case 47: an error inside the stream',
			{ error: { message: 'Context size has been exceeded.' } },
			'contextExceeded',
		],
		[
			'case 48: the same followed by [DONE]',
			{ error: { message: 'boom', thenDone: true } },
			'streamError',
		],
		['case 49: an end without a finish', { finish: false, done: false }, 'streamEndedEarly'],
		['case 51: [DONE] without a finish', { finish: false }, 'streamEndedEarly'],
		['case 52: a reset', { cut: { at: { event: 3 }, how: 'rst' } }, 'connectionLost'],
		['case 52: a FIN inside a chunk', { cut: { at: { event: 3 }, how: 'fin' } }, 'connectionLost'],
		['a content filter', { finish: 'content_filter' }, 'filtered'],
	])('%s', async (_what, options, kind) => {
		const sim = await start();
		sim.script(reply.text('One two', options));
		const error = await failed(clientOf(sim));
		expect(error).toMatchObject({
			kind,
			partialText: expect.stringMatching(/^One/) as string,
			url: `${sim.url}/v1/chat/completions`,
		});
	});

	it('case 49: a stream cut inside an event is one that ended early, not an unreadable one', async () => {
		const sim = await start();
		sim.script(
			reply.sse(
				'data: {"choices":[{"index":0,"delta":{"content":"Hello"}}]}\n\ndata: {"choices":[{"ind',
				{
					framing: 'close',
				},
			),
		);
		expect(await failed(clientOf(sim))).toMatchObject({
			kind: 'streamEndedEarly',
			partialText: 'Hello',
			serverText: '{"choices":[{"ind',
		});
	});

	it('case 56: an unreadable line in the middle is reported with the line', async () => {
		const sim = await start();
		sim.script(
			reply.chunks(['Hello', { event: '{"broken' }, ' more']),
			reply.chunks(['Hello', { event: 'garbage' }, { wait: never }]),
		);
		const error = await failed(clientOf(sim));
		expect(error).toMatchObject({
			kind: 'invalidAnswer',
			partialText: 'Hello',
			facts: { line: '{"broken' },
		});
		expect(await failed(clientOf(sim))).toMatchObject({
			kind: 'invalidAnswer',
			facts: { line: 'garbage' },
		});
	});

	it('text that was held back is in the error, too', async () => {
		const sim = await start();
		sim.script(
			reply.chunks(['Hm.', ' So'], { finish: false, done: false }),
			reply.chunks(['<thi'], { cut: { at: { event: 2 }, how: 'rst' } }),
		);
		expect(await failed(clientOf(sim), { whole: true })).toMatchObject({
			kind: 'streamEndedEarly',
			partialText: 'Hm. So',
		});
		expect(await failed(clientOf(sim))).toMatchObject({
			kind: 'connectionLost',
			partialText: '<thi',
		});
	});

	it('thinking that had arrived is in the error', async () => {
		const sim = await start();
		sim.script(reply.reasoning('Hm.', 'Y', { finish: false, done: false }));
		expect(await failed(clientOf(sim))).toMatchObject({
			partialText: 'Y',
			partialReasoning: 'Hm.',
		});
	});

	it('case 65: nothing but thinking, with the limit to raise', async () => {
		const sim = await start();
		sim.script(reply.reasoning('Hm, hm.', '', { finish: 'length' }));
		const error = await failed(clientOf(sim, { parameters: { maxTokens: 20 } }));
		expect(error).toMatchObject({
			kind: 'onlyThinking',
			partialReasoning: 'Hm, hm.',
			facts: { finishReason: 'length' },
		});
		expect(error.remedy).toContain('Maximum Tokens (now 20)');
		sim.script(reply.reasoning('Hm.', '', { finish: 'length' }));
		expect((await failed(clientOf(sim, { parameters: { maxTokens: -1 } }))).remedy).toContain(
			'Raise Maximum Tokens, set',
		);
		// No limit cut this one, so raising one is no use.
		sim.script(reply.reasoning('Hm.', ''));
		expect((await failed(clientOf(sim))).remedy).toMatch(
			/^It ended there by itself: (?!.*Maximum Tokens)/,
		);
	});

	it('case 21: an empty answer', async () => {
		const sim = await start();
		sim.script(reply.empty());
		const error = await failed(clientOf(sim));
		expect(error).toMatchObject({ kind: 'emptyAnswer' });
		expect(error.remedy).toContain('stop sequences');
	});

	it('an empty answer that the token limit ended says so', async () => {
		const sim = await start();
		sim.script(reply.empty({ finish: 'length' }));
		const error = await failed(clientOf(sim));
		expect(error).toMatchObject({ kind: 'emptyAnswer', facts: { finishReason: 'length' } });
		expect(error.remedy).toContain('Raise Maximum Tokens');
	});

	it('a complete JSON answer of another kind is not one that ended early', async () => {
		const sim = await start();
		const native = { model: 'x', message: { role: 'assistant', content: 'Hello' }, done: true };
		sim.script(
			reply.json(native),
			reply.json([{ error: { message: 'quota' } }]),
			reply.json('{"model":"x","mess'),
		);
		expect(await failed(clientOf(sim))).toMatchObject({
			kind: 'invalidAnswer',
			serverText: expect.stringContaining('an answer without choices') as string,
		});
		expect(await failed(clientOf(sim))).toMatchObject({
			kind: 'invalidAnswer',
			serverText: expect.stringContaining('quota') as string,
		});
		expect(await failed(clientOf(sim))).toMatchObject({ kind: 'streamEndedEarly' });
	});

	it('case 75: a call that the limit cut, with the limit and the tool', async () => {
		const sim = await start();
		sim.script(
			reply.toolCalls([{ name: 'get_weather', arguments: '{"city": "Zür' }], {
				finish: 'length',
				text: 'See:',
			}),
		);
		const error = await failed(clientOf(sim, { parameters: { maxTokens: 30 } }), {
			tools: [weather],
		});
		expect(error).toMatchObject({
			kind: 'toolCallCut',
			partialText: 'See:',
			facts: { toolCalls: [{ name: 'get_weather', arguments: '{"city": "Zür' }] },
		});
		expect(error.message).toBe('The token limit cut off a tool call');
		expect(error.meaning).toContain(
			'calling the tool "get_weather" when the token limit of 30 was reached',
		);
	});

	it('more calls than any answer needs: none is run, and the text is kept', async () => {
		const sim = await start();
		const many = Array.from({ length: 1001 }, (_, at) => ({
			name: 'get_weather',
			arguments: `{"city":"${at}"}`,
		}));
		sim.script(reply.toolCalls(many.slice(0, 1000)));
		const { answer } = await run(clientOf(sim), { tools: [weather] });
		expect(answer.toolCalls).toHaveLength(1000);
		sim.script(reply.toolCalls(many));
		const error = await failed(clientOf(sim), { tools: [weather] });
		expect(error.kind).toBe('toolCallInvalid');
		expect(error.message).toContain('more than 1,000 times');
	});

	it('a call with arguments that are no JSON', async () => {
		const sim = await start();
		sim.script(reply.toolCalls([{ name: 'get_weather', arguments: 'city=Rome' }]));
		const error = await failed(clientOf(sim), { tools: [weather] });
		expect(error).toMatchObject({
			kind: 'toolCallInvalid',
			facts: { toolCalls: [{ arguments: 'city=Rome' }] },
		});
		expect(error.message).toContain('"get_weather"');
	});

	it.each<[number, SimOptions, Overrides, Partial<ChatCall>, object]>([
		[
			28,
			{ nCtx: 200 },
			{},
			{ messages: [{ type: 'human', content: 'x'.repeat(300) }] },
			{
				kind: 'contextOverflow',
				status: 400,
				message: expect.stringMatching(
					/needs \d+ tokens, but a slot of the server has 200/,
				) as string,
			},
		],
		[29, { profile: 'router' }, { model: 'other' }, {}, { kind: 'modelNotFound', status: 400 }],
		[29, { profile: 'ollama' }, { model: 'other' }, {}, { kind: 'modelNotFound', status: 404 }],
		[
			29,
			{ profile: 'gpustack' },
			{ model: 'other', key: 'gpustack-key' },
			{},
			{ kind: 'modelNotFound', status: 404 },
		],
		[
			32,
			{ template: 'strict' },
			{},
			{
				messages: [
					{ type: 'human', content: 'a' },
					{ type: 'human', content: 'b' },
				],
			},
			{
				kind: 'templateRejected',
				status: 400,
				serverText: expect.stringMatching(
					/^Conversation roles must alternate|roles must alternate/,
				) as string,
			},
		],
	])('case %i: %j', async (_case, options, settings, call, expected) => {
		const sim = await start(options);
		expect(await failed(clientOf(sim, settings), call)).toMatchObject(expected);
		expect(sim.requests.filter(({ method }) => method === 'POST')).toHaveLength(1);
	});

	it('case 27: a 500 is not asked again, since llama-server says so of many a bad request', async () => {
		const sim = await start();
		sim.script(
			reply.llamaError(500, '[json.exception.parse_error.101] parse error at line 1, column 2'),
			reply.text('never'),
		);
		expect(await failed(clientOf(sim, { retries: 3 }))).toMatchObject({
			kind: 'badRequest',
			status: 500,
			serverText: expect.stringContaining('parse_error.101') as string,
		});
		expect(sim.requests).toHaveLength(1);
	});

	it('case 29: a llama-server with one model answers whatever is asked for', async () => {
		const sim = await start();
		expect((await run(clientOf(sim, { model: 'gpt-4o' }))).answer.model).toBe('sim-model');
	});

	it('case 30: a model is always sent', async () => {
		const sim = await start();
		await run(clientOf(sim, { model: ' sim-model ' }));
		expect(bodies(sim)[0]).toMatchObject({ model: 'sim-model' });
		expect(() => clientOf(sim, { model: ' ' })).toThrow('No model is chosen');
	});

	it('options that no server takes are refused before anything is sent', async () => {
		const sim = await start();
		expect(() => clientOf(sim, { parameters: { topP: 2 } })).toThrow(
			'The option "Top P" must be a number from 0 to 1',
		);
		expect(sim.requests).toHaveLength(0);
	});

	it('content that no server can read is refused before anything is sent', async () => {
		const sim = await start();
		const pdf = { type: 'file', mime_type: 'application/pdf', data: 'JVBERi0=' };
		expect(
			await failed(clientOf(sim), { messages: [{ type: 'human', content: [pdf] }] }),
		).toMatchObject({
			kind: 'invalidInput',
		});
		expect(sim.requests).toHaveLength(0);
	});

	it('the key is never shown', async () => {
		const sim = await start();
		sim.script(reply.chunks(['Hi', { event: 'secret-key-1 is wrong' }, ' more']));
		const error = await failed(clientOf(sim, { key: 'secret-key-1' }));
		expect(JSON.stringify({ ...error, message: error.message })).not.toContain('secret-key-1');
		expect(error.facts.line).toBe('*** is wrong');
	});
});

describe('cancelling', () => {
	it.each<[string, () => Parameters<LlamaServerSim['script']>[0], string | undefined]>([
		['before the headers', () => reply.text('x', { delayHeaders: never }), undefined],
		['before the first token', () => reply.chunks([{ wait: never }, 'x']), undefined],
		['in the middle', () => reply.chunks(['One', { wait: never }]), 'One'],
		[
			'in the middle of thinking',
			() => reply.chunks([{ reasoning_content: 'Hm' }, { wait: never }]),
			undefined,
		],
		[
			'after the finish',
			() => reply.text('One', { done: false, cut: { at: 'end', how: 'silence' } }),
			'One',
		],
	])('%s closes the connection at once', async (_when, scripted, partialText) => {
		const sim = await start();
		sim.script(scripted());
		const cancel = new AbortController();
		let pieces = 0;
		const outcome = failed(clientOf(sim), { signal: cancel.signal }, () => (pieces += 1));
		await sim.until(() => sim.requests.length === 1 && (partialText === undefined || pieces > 0));
		cancel.abort();
		expect(await outcome).toMatchObject({
			kind: 'aborted',
			...(partialText === undefined ? {} : { partialText }),
		});
		await sim.until(() => sim.connections.open === 0);
	});

	it('before it begins sends nothing', async () => {
		const sim = await start();
		expect(await failed(clientOf(sim), { signal: AbortSignal.abort() })).toMatchObject({
			kind: 'aborted',
		});
		expect(sim.requests).toHaveLength(0);
	});

	it('in the queue of the credential leaves the queue', async () => {
		const sim = await start();
		const client = clientOf(sim, { maxConcurrentRequests: 1 });
		let release = () => {};
		sim.script(reply.chunks(['a', { wait: new Promise<void>((resolve) => (release = resolve)) }]));
		const first = run(client);
		await sim.until(() => sim.requests.length === 1);
		const cancel = new AbortController();
		const second = failed(client, { signal: cancel.signal });
		await sim.until(() => queuedRequests() === 1);
		cancel.abort();
		expect(await second).toMatchObject({ kind: 'aborted' });
		expect(queuedRequests()).toBe(0);
		release();
		expect((await first).answer.text).toBe('a');
		expect(sim.requests).toHaveLength(1);
	});

	it('while the kind of server is looked up', async () => {
		const sim = await start();
		sim.route(MODELS, reply.silence());
		const cancel = new AbortController();
		const outcome = failed(clientOf(sim, { parameters: { topK: 1 } }), { signal: cancel.signal });
		await sim.until(() => sim.requests.length === 1);
		cancel.abort();
		expect(await outcome).toMatchObject({ kind: 'aborted' });
		expect(paths(sim)).toEqual([MODELS]);
	});
});

describe('limits', () => {
	it('no first token in time', async () => {
		const sim = await start();
		sim.script(
			reply.chunks([{ role: 'assistant', content: null }, { comment: ':' }, { wait: never }, 'x'], {
				role: 'none',
			}),
		);
		const error = await failed(clientOf(sim, { limits: { firstTokenMs: 900, idleMs: 60_000 } }));
		expect(error).toMatchObject({
			kind: 'firstTokenLimit',
			message: expect.stringContaining('900 ms') as string,
		});
		await sim.until(() => sim.requests[0]?.endedBy === 'client-abort');
	});

	it('a pause after the first token', async () => {
		const sim = await start();
		sim.script(reply.chunks(['One', { wait: never }, ' two']));
		expect(
			await failed(clientOf(sim, { limits: { firstTokenMs: 60_000, idleMs: 60 } })),
		).toMatchObject({
			kind: 'idleLimit',
			partialText: 'One',
		});
	});

	it('pauses before the first token do not count as idle, thinking counts as begun', async () => {
		const sim = await start();
		sim.script(
			reply.chunks([{ wait: 400 }, 'x']),
			reply.chunks([{ reasoning_content: 'Hm' }, { wait: never }, 'x']),
		);
		const limits = { firstTokenMs: 60_000, idleMs: 250 };
		expect((await run(clientOf(sim, { limits }))).answer.text).toBe('x');
		expect(await failed(clientOf(sim, { limits }))).toMatchObject({
			kind: 'idleLimit',
			partialReasoning: 'Hm',
		});
	});

	it('the whole time', async () => {
		const sim = await start();
		sim.script(reply.chunks(['a', { wait: never }]));
		expect(await failed(clientOf(sim, { limits: { totalMs: 3000 } }))).toMatchObject({
			kind: 'totalLimit',
			partialText: expect.stringMatching(/^a/) as string,
		});
	});
});

describe('thinking', () => {
	it('is kept out of the answer', async () => {
		const sim = await start();
		sim.script(reply.reasoning('Hm.', 'Yes.'));
		const { pieces, answer } = await run(clientOf(sim));
		expect(pieces.join('')).toBe('Yes.');
		expect(answer).toMatchObject({ text: 'Yes.', reasoning: 'Hm.' });
	});

	it('is shown on request, between tags', async () => {
		const sim = await start();
		const { steps, next } = inTurn(
			{ reasoning_content: 'Hm,' },
			{ reasoning_content: ' hm.' },
			'Yes',
			'.',
		);
		sim.script(reply.chunks(steps));
		const { pieces, answer } = await run(clientOf(sim, { showThinking: true }), {}, next);
		expect(pieces.join('')).toBe('<think>\nHm, hm.\n</think>\n\nYes.');
		expect(pieces).toHaveLength(4);
		expect(answer).toMatchObject({
			text: '<think>\nHm, hm.\n</think>\n\nYes.',
			reasoning: 'Hm, hm.',
		});
	});

	it('is not shown in front of JSON, which a chain could not read then', async () => {
		const sim = await start();
		for (const responseFormat of [
			{ type: 'jsonObject' as const },
			{ type: 'jsonSchema' as const, schema: { type: 'object' } },
		]) {
			sim.script(reply.reasoning('Hm.', '{"a":1}'));
			const { answer } = await run(
				clientOf(sim, { showThinking: true, chosenKind: 'other', parameters: { responseFormat } }),
			);
			expect(answer).toMatchObject({
				text: '{"a":1}',
				reasoning: 'Hm.',
				notes: [expect.stringContaining('not shown in front of a JSON answer')],
			});
		}
	});

	it('shown in front of a call, the tag is closed', async () => {
		const sim = await start();
		sim.script(reply.toolCalls([{ name: 'get_time' }], { reasoning: 'Hm.' }));
		const { pieces, answer } = await run(clientOf(sim, { showThinking: true }), { tools: [time] });
		expect(pieces.join('')).toBe('<think>\nHm.\n</think>\n\n');
		expect(answer.toolCalls).toHaveLength(1);
	});

	it('nothing is shown of an empty block', async () => {
		const sim = await start();
		sim.script(reply.text('<think>\n\n</think>\n\nYes.'));
		expect((await run(clientOf(sim, { showThinking: true }))).answer).toMatchObject({
			text: 'Yes.',
			reasoning: '\n\n',
		});
	});

	it('case 64: tags in the text are taken out, piece by piece', async () => {
		const sim = await start();
		const { steps, next } = inTurn('\nYes', '.');
		sim.script(reply.chunks(['<th', 'ink>Hm', '.</thi', 'nk>\n', ...steps]));
		const { pieces, answer } = await run(clientOf(sim), {}, next);
		expect(pieces).toEqual(['Yes', '.']);
		expect(answer.reasoning).toBe('Hm.');
	});

	const withoutOpening = () => reply.chunks(['Hm.', '\n</think>\n\n', 'Yes', '.']);

	it('a missing opening tag is understood at once where nobody reads along', async () => {
		const sim = await start();
		sim.script(withoutOpening());
		expect((await run(clientOf(sim), { whole: true })).answer).toMatchObject({
			text: 'Yes.',
			reasoning: 'Hm.\n',
		});
	});

	it('an answer that shows the tags stays whole where nobody reads along', async () => {
		const sim = await start();
		const text = 'Write it so:\n<think>\nx\n</think>\nand then y.';
		sim.script(reply.text(text));
		expect((await run(clientOf(sim), { whole: true })).answer).toMatchObject({
			text,
			reasoning: '',
		});
	});

	it('models known to think are held back only where the server leaves thinking in the text', async () => {
		const llama = await start();
		const model = 'DeepSeek-R1-Distill-Qwen-7B';
		for (const thinking of [[], [{ reasoning_content: 'Hm.' }]]) {
			const { steps, next } = inTurn('One', ' two.');
			llama.script(reply.chunks([...thinking, ...steps]));
			const { pieces } = await run(clientOf(llama, { model }), {}, next);
			expect(pieces).toEqual(['One', ' two.']);
		}
		const plain = await start({ profile: 'vllm', models: [{ id: model }] });
		const parts = inTurn('One', ' two.');
		plain.script(
			reply.chunks(['Hm.', '\n</think>\n', 'Yes', '.']),
			reply.chunks([{ reasoning_content: 'Hm.' }, ...parts.steps]),
		);
		expect((await run(clientOf(plain, { model }))).pieces.join('')).toBe('Yes.');
		const apart = await run(clientOf(plain, { model }), {}, parts.next);
		expect(apart.answer).toMatchObject({ text: 'One two.', reasoning: 'Hm.' });
		expect(apart.pieces).toEqual(['One', ' two.']);
	});

	it.each([
		['llama-server', { chat_template_kwargs: { enable_thinking: false } }],
		['vllm', { chat_template_kwargs: { enable_thinking: false } }],
		['ollama', { reasoning_effort: 'none' }],
		['fastapi', { chat_template_kwargs: { enable_thinking: false } }],
	] as const)('is switched off as %s wants it', async (profile, expected) => {
		const sim = await start({
			profile,
			template: 'thinking',
			models: [{ id: 'sim-model', thinking: true }],
		});
		await run(clientOf(sim, { parameters: { thinking: { mode: 'off' } } }));
		expect(bodies(sim)[0]).toMatchObject(expected);
	});

	it('goes back in the running tool turn, in the words of the server', async () => {
		const turn: ChatCall['messages'] = [
			{ type: 'human', content: 'x' },
			{
				type: 'ai',
				content: '',
				reasoning: 'Hm',
				toolCalls: [{ id: 'a', name: 'get_time', args: {} }],
			},
			{ type: 'tool', toolCallId: 'a', content: '1' },
		];
		const llama = await start();
		await run(clientOf(llama), { messages: turn });
		expect(bodies(llama)[0]?.messages[1]).toMatchObject({ reasoning_content: 'Hm' });
		const ollama = await start({
			profile: 'ollama',
			models: [{ id: 'sim-model', tools: true, thinking: true }],
		});
		await run(clientOf(ollama), { messages: turn });
		expect(bodies(ollama)[0]?.messages[1]).toMatchObject({ reasoning: 'Hm' });
		expect(bodies(ollama)[0]?.messages[1]).not.toHaveProperty('reasoning_content');
		const off = await start();
		await run(clientOf(off, { reasoningEcho: 'off' }), { messages: turn });
		expect(bodies(off)[0]?.messages[1]).not.toHaveProperty('reasoning_content');
	});
});

describe('what goes to the server', () => {
	it('stop texts of the node and of the call, each once', async () => {
		const sim = await start();
		await run(clientOf(sim, { parameters: { stop: ['a', 'b'] } }), { stop: ['b', 'c'] });
		expect(bodies(sim)[0]).toMatchObject({ stop: ['a', 'b', 'c'] });
	});

	it('the same conversation twice is the same to the byte', async () => {
		const sim = await start();
		const client = clientOf(sim, { parameters: { temperature: 0, topK: 5 } });
		const call = { tools: [weather, time], toolChoice: 'auto' as const };
		await run(client, call);
		await run(client, call);
		const [one, two] = sim.requests
			.filter(({ path }) => path === '/v1/chat/completions')
			.map(({ bytes }) => bytes.toString());
		expect(two).toBe(one);
	});

	it('no limit is -1 for llama-server and nothing for vLLM', async () => {
		const llama = await start();
		await run(clientOf(llama, { parameters: { maxTokens: -1 } }));
		expect(bodies(llama)[0]).toMatchObject({ max_tokens: -1 });
		const vllm = await start({ profile: 'vllm' });
		await run(clientOf(vllm, { parameters: { maxTokens: -1 } }));
		expect(bodies(vllm)[0]).not.toHaveProperty('max_tokens');
	});
});

describe('a history budget', () => {
	const messages: ChatCall['messages'] = [
		{ type: 'system', content: 'Be brief.' },
		{ type: 'human', content: 'First' },
		{ type: 'ai', content: 'word '.repeat(200) },
		{ type: 'human', content: 'Second' },
		{ type: 'ai', content: 'Yes.' },
		{ type: 'human', content: 'Third' },
	];
	const sentBy = (sim: LlamaServerSim) =>
		sim.requests
			.filter(({ path }) => path === '/v1/chat/completions')
			.map(({ body }) =>
				(body as { messages: Array<{ content: string }> }).messages.map(({ content }) => content),
			);

	it('leaves the oldest turns out, and says so', async () => {
		const sim = await start();
		const { answer } = await run(clientOf(sim, { historyBudget: 200, chosenKind: 'llamaServer' }), {
			messages,
		});
		expect(sentBy(sim)).toEqual([['Be brief.', 'Second', 'Yes.', 'Third']]);
		expect(answer.notes).toEqual([
			expect.stringContaining('more than the 200 tokens of History Budget: 1 of them'),
		]);
	});

	it('sends everything where it is not set', async () => {
		const sim = await start();
		await run(clientOf(sim), { messages });
		expect(sentBy(sim).at(-1)).toHaveLength(6);
	});

	it('is named where a prompt is too long', async () => {
		const sim = await start({ nCtx: 64 });
		expect((await failed(clientOf(sim), { messages })).remedy).toContain('History Budget');
	});
});
