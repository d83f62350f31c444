/** What the requests of a turn have in common, what they learn, and what its error says. */
import { createModelServer } from '../../../lib/servers/endpoint';
import {
	called,
	CHAT,
	delta,
	LLAMA_SERVER,
	ollama,
	streamed,
	text,
	usage,
} from '../../guarantees/support/responses';
import { json, useServers } from '../../support/servers/scripted-server';
import type { Answer } from '../../support/servers/scripted-server';
import { playTurn } from './scripted-turn';
import { toTool } from '../../support/texts/messages';
import { NO_EXECUTION } from '../../support/n8n/node-host';

const start = useServers();

const NATIVE_CHAT = '/api/chat';
const OLLAMA_MODEL = 'qwen3:latest';

const reject = (message: string, status = 400): Answer => json({ error: { message } }, status);
const nativeText: Answer = (_request, response) => {
	response.end(
		`${JSON.stringify({ message: { role: 'assistant', content: 'Hi' }, done: true, done_reason: 'stop' })}\n`,
	);
};

const answerSchema = { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] };

const paths = (server: Awaited<ReturnType<typeof start>>) =>
	server.requests.filter(({ path }) => /\/chat/.test(path)).map(({ path }) => path);

describe('routes of Ollama', () => {
	const startOllama = async (more: Record<string, Answer> = {}) =>
		await start({
			...ollama(),
			[`POST ${CHAT}`]: text('Hi'),
			[`POST ${NATIVE_CHAT}`]: nativeText,
			...more,
		});

	test.each([
		{ name: 'none', sampling: {}, path: CHAT },
		{ name: 'that OpenAI has as well', sampling: { temperature: 0.5 }, path: CHAT },
		{ name: 'that only Ollama has', sampling: { topK: 5 }, path: NATIVE_CHAT },
		{ name: 'Keep Alive', sampling: { keepAlive: '5m' }, path: NATIVE_CHAT },
	])('with options $name: $path', async ({ sampling, path }) => {
		const server = await startOllama();
		const { result } = await playTurn(server.url, { settings: { model: OLLAMA_MODEL, sampling } });
		expect(result?.text).toBe('Hi');
		expect(paths(server)).toEqual([path]);
		expect(result?.warnings).toEqual([]);
	});

	test('without the native one, the options that are ignored are named', async () => {
		const server = await startOllama({ [`POST ${NATIVE_CHAT}`]: reject('Not Found', 404) });
		const { result } = await playTurn(server.url, {
			settings: { model: OLLAMA_MODEL, sampling: { topK: 5, minP: 0.1 } },
		});
		expect(paths(server)).toEqual([NATIVE_CHAT, CHAT]);
		expect(result?.warnings).toEqual([
			expect.stringMatching(
				/native API, which is not reachable: Sampling: Top K, Sampling: Min P\. They were ignored/,
			),
		]);
	});
});

describe('the format', () => {
	const format = { type: 'jsonSchema', schema: answerSchema } as const;
	const refusal = 'response_format is not supported by this model';

	test('is left out for a server that rejects it, if the prompt has the schema; chats do not learn that', async () => {
		const server = await start({
			...LLAMA_SERVER,
			[`POST ${CHAT}`]: (request, response) =>
				'response_format' in request.body
					? reject(refusal)(request, response)
					: text('{"a":"b"}')(request, response),
		});
		const modelServer = createModelServer({ baseUrl: server.url }, NO_EXECUTION);
		const play = async (isInPrompt?: true) =>
			await playTurn(server.url, {
				server: modelServer,
				settings: { sampling: { responseFormat: { ...format, isInPrompt } } },
			});
		expect((await play(true)).result?.json).toMatchObject({ value: { a: 'b' } });
		const before = server.sent(CHAT).length;
		expect((await play(true)).result?.json).toMatchObject({ value: { a: 'b' } });
		expect(server.sent(CHAT)).toHaveLength(before + 1);
		const { error } = await play();
		expect(error?.type).toBe('badRequest');
		expect(
			server
				.sent(CHAT)
				.slice(before + 1)
				.every((body) => 'response_format' in body),
		).toBe(true);
	});
});

test('what a server teaches about a field holds for the next turn', async () => {
	const server = await start({
		...LLAMA_SERVER,
		[`POST ${CHAT}`]: (request, response) =>
			'min_p' in request.body
				? reject("Unknown parameter: 'min_p'")(request, response)
				: text('Hi')(request, response),
	});
	const modelServer = createModelServer({ baseUrl: server.url }, NO_EXECUTION);
	const play = async () =>
		await playTurn(server.url, { server: modelServer, settings: { sampling: { minP: 0.1 } } });
	const first = await play();
	expect(first.result?.warnings).toEqual([expect.stringContaining('Min P')]);
	await play();
	expect(server.sent(CHAT).map((body) => 'min_p' in body)).toEqual([true, false, false]);
});

test('the text of a repeated request begins a paragraph', async () => {
	const schema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
	const server = await start({
		...LLAMA_SERVER,
		[`POST ${CHAT}`]: [
			streamed(
				delta({ content: 'Let me look.' }),
				called('1', 'weather', '{}'),
				delta({}, 'tool_calls'),
			),
			streamed(
				delta({ content: 'Again.' }),
				called('2', 'weather', '{"city":"Rome"}'),
				delta({}, 'tool_calls'),
			),
		],
	});
	const { result, shown } = await playTurn(server.url, {
		chatRequest: { tools: [toTool({ name: 'weather', schema })] },
	});
	expect(result?.text).toBe('Let me look.\n\nAgain.');
	expect(shown.join('')).toBe(result?.text);
	expect(result?.corrections).toBe(1);
});

describe('the error', () => {
	test('has the usage of all attempts', async () => {
		const empty = (prompt: number) =>
			streamed(delta({}, 'stop'), usage({ prompt_tokens: prompt, completion_tokens: 1 }));
		const server = await start({ ...LLAMA_SERVER, [`POST ${CHAT}`]: [empty(7), empty(30)] });
		const { error } = await playTurn(server.url, { settings: { retries: 1 } });
		expect(server.sent(CHAT)).toHaveLength(2);
		expect(error?.type).toBe('emptyResponse');
		expect(error?.facts.usage).toMatchObject({ promptTokens: 37, completionTokens: 2 });
	});

	test('names the option whose value the server rejects', async () => {
		const server = await start({
			...LLAMA_SERVER,
			[`POST ${CHAT}`]: reject("'temperature' must be between 0 and 2, got 9"),
		});
		const { error } = await playTurn(server.url, { settings: { sampling: { temperature: 9 } } });
		expect(error).toMatchObject({
			message: "Temperature: 'temperature' must be between 0 and 2, got 9",
			suggestion: 'Change "Temperature".',
			field: 'Temperature',
		});
	});

	test('names the field of Extra Body that the message mentions', async () => {
		const server = await start({
			...LLAMA_SERVER,
			[`POST ${CHAT}`]: reject('the value of my_option makes no sense'),
		});
		const extraBody = { my_option: 1 };
		const { error } = await playTurn(server.url, { settings: { sampling: { extraBody } } });
		expect(error?.suggestion).toBe('Change my_option in "Extra Body".');
	});

	test('lists the models of a server that lacks the one that was requested', async () => {
		const server = await start({
			...LLAMA_SERVER,
			[`POST ${CHAT}`]: reject('model "other" not found', 404),
		});
		const { error } = await playTurn(server.url, { settings: { model: 'other' } });
		expect(error).toMatchObject({
			type: 'modelNotFound',
			suggestion: expect.stringContaining('sim-model'),
		});
	});
});

describe('how requests are sent', () => {
	const busy = reject('busy', 503);

	test.each([
		{ retries: 0, requests: 1, isUsable: false },
		{ retries: 1, requests: 2, isUsable: true },
	])('with $retries retries: $requests requests', async ({ retries, requests, isUsable }) => {
		const server = await start({ ...LLAMA_SERVER, [`POST ${CHAT}`]: [busy, text('Hi')] });
		const { result } = await playTurn(server.url, { settings: { retries } });
		expect(server.sent(CHAT)).toHaveLength(requests);
		expect(result !== undefined).toBe(isUsable);
	});

	test('a stopped turn stops its request', async () => {
		const server = await start({
			...LLAMA_SERVER,
			[`POST ${CHAT}`]: (_request, response) => {
				response.writeHead(200, { 'content-type': 'text/event-stream' });
				response.flushHeaders();
			},
		});
		const stop = new AbortController();
		const turn = playTurn(server.url, { chatRequest: { signal: stop.signal } });
		const [request] = await server.arrived(CHAT);
		stop.abort();
		expect((await turn).error?.type).toBe('aborted');
		await request?.cut;
	});

	test('the timeouts are those of the settings', async () => {
		const server = await start({ ...LLAMA_SERVER, [`POST ${CHAT}`]: () => {} });
		const { error } = await playTurn(server.url, { settings: { timeouts: { firstTokenMs: 50 } } });
		expect(error?.type).toBe('firstTokenTimeout');
	});

	test('the name of the model has no blanks around it', async () => {
		const server = await start({ ...LLAMA_SERVER, [`POST ${CHAT}`]: text('Hi') });
		await playTurn(server.url, { settings: { model: ' sim-model\n' } });
		expect(server.sent(CHAT)[0]?.model).toBe('sim-model');
	});
});
