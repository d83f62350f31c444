/** A server may echo the whole key, in any form of the promise: no log, item, hint, error, stream or report has it. */
import { DifyApi } from '../../credentials/DifyApi.credentials';
import { LocalLlamaApi } from '../../credentials/LocalLlamaApi.credentials';
import { execute, prepare } from '../recordings/support/dify-node-runner';
import { ECHO_FORMS, ECHOED_KEYS } from '../support/texts/echoes';
import {
	CHAT,
	called,
	delta,
	LLAMA_SERVER,
	sendEvents,
	sse,
	text,
	usage,
} from './support/responses';
import {
	chatModel,
	failureOf,
	localLlama,
	actionContext,
	modelList,
	run,
	serverHealth,
	streamOf,
	textOf,
} from './support/node-runner';
import { takeSome } from '../support/jest/properties';
import { testCredential } from '../support/n8n/credential-test';
import { json, useServers } from '../support/servers/scripted-server';
import type { Answer, Routes, ScriptedServer } from '../support/servers/scripted-server';

jest.mock('n8n-workflow', () => jest.requireActual<object>('../recordings/support/mock-sleep'));

const start = useServers();

/** Parts of a text as they arrive. */
function split(content: string, size: number): string[] {
	return Array.from({ length: Math.ceil(content.length / size) }, (_one, index) =>
		content.slice(index * size, (index + 1) * size),
	);
}

/** As JSON libraries may write it: every character of the key that JSON lets escape. */
const escaped =
	(body: unknown, status = 200): Answer =>
	(_request, response) => {
		response.writeHead(status, { 'content-type': 'application/json' });
		response.end(
			JSON.stringify(body)
				.replaceAll('/', String.raw`\/`)
				.replaceAll('+', String.raw`\u002B`),
		);
	};

const streamedIn =
	(size: number, echo: string): Answer =>
	(_request, response) =>
		sendEvents(
			response,
			sse(
				...split(echo, size).map((reasoning) => delta({ reasoning_content: reasoning })),
				...split(echo, size).map((content) => delta({ content })),
				delta({}, 'stop'),
				usage(),
				'[DONE]',
			).replaceAll('/', String.raw`\/`),
		);

const TOOL = {
	name: 'store',
	description: 'Stores a text',
	schema: { type: 'object', properties: { value: { type: 'string' } } },
};

/** Texts and names of fields. */
function collectStrings(value: unknown): string[] {
	if (typeof value === 'string') return [value];
	if (typeof value !== 'object' || value === null) return [];
	return Object.entries(value).flatMap(([name, inner]) => [name, ...collectStrings(inner)]);
}

/** All that a user, a visitor or a log may get from a server that echoes the key everywhere. */
async function collectVisible(key: string, echo: string): Promise<unknown[]> {
	const visible: unknown[] = [];
	const connect = async (routes: Routes) => {
		const server = await start({ ...LLAMA_SERVER, ...routes });
		return { server, credentials: { baseUrl: server.url, apiKey: key, authentication: 'bearer' } };
	};
	const note = async (work: Promise<unknown>) =>
		visible.push(
			await work.catch((error: Error & { description?: string; context?: object }) => [
				error.message,
				error.description,
				error.context,
				(error as { messages?: string[] }).messages,
			]),
		);
	const expectKey = ({ requests }: ScriptedServer) =>
		expect(requests.map(({ headers }) => headers.authorization)).toContain(`Bearer ${key}`);

	for (const [status, body] of [
		[400, { error: { message: echo } }],
		[401, { detail: [{ loc: ['header', echo], msg: echo }] }],
		[403, { message: echo, code: echo, [echo]: echo }],
		[500, { error: `upstream: ${JSON.stringify({ error: { message: echo } })}` }],
	] as const) {
		const { server, credentials } = await connect({ [`POST ${CHAT}`]: escaped(body, status) });
		const chat = await chatModel(server.url, { credentials });
		await note(chat.supplied.invoke('Hi'));
		visible.push(chat.inputs, chat.outputs, chat.hints, chat.warnings);
		await note(run(server.url, 'text:chat', { parameters: { prompt: 'Hi' }, credentials }));
		expectKey(server);
	}
	for (const size of [2, 1_000]) {
		const { server, credentials } = await connect({ [`POST ${CHAT}`]: streamedIn(size, echo) });
		const chat = await chatModel(server.url, { credentials });
		visible.push(textOf(await streamOf(chat.supplied, 'Hi')));
		visible.push(chat.inputs, chat.outputs, chat.hints, chat.warnings);
		const fake = actionContext(server.url, 'text:chat', {
			parameters: { prompt: 'Hi', simplify: false },
			credentials,
			streaming: true,
		});
		visible.push(await localLlama(fake), fake.hints);
		visible.push(fake.chunks.map(({ content }) => content ?? '').join(''));
	}
	{
		const args = JSON.stringify({ value: echo });
		const { server, credentials } = await connect({
			[`POST ${CHAT}`]: (_request, response) =>
				sendEvents(
					response,
					sse(
						called('c1', 'store', ''),
						...split(args, 3).map((part) =>
							delta({ tool_calls: [{ index: 0, function: { arguments: part } }] }),
						),
						delta({}, 'tool_calls'),
						usage(),
					),
				),
		});
		const chat = await chatModel(server.url, { credentials });
		await note(chat.supplied.bindTools([TOOL]).invoke('Hi'));
		visible.push(chat.outputs);
	}
	{
		// A stream that breaks off.
		const { server, credentials } = await connect({
			[`POST ${CHAT}`]: (_request, response) =>
				sendEvents(
					response,
					`${sse(...split(echo, 3).map((content) => delta({ content })))}proxy error: ${echo}\n`,
				),
		});
		const chat = await chatModel(server.url, { credentials });
		await note(chat.supplied.invoke('Hi'));
		visible.push(chat.outputs, chat.hints);
	}
	{
		const { server, credentials } = await connect({
			'GET /v1/models': escaped({ error: echo }, 500),
			'GET /props': escaped({ model_path: echo, chat_template: echo }),
			'GET /health': escaped({ status: echo }),
			'POST /v1/embeddings': escaped({ error: { message: echo } }, 401),
			'POST /v1/audio/speech': escaped({ error: { message: echo } }, 400),
			'POST /v1/rerank': (_request, response) => {
				response.writeHead(302, { location: `http://127.0.0.1:1/?${encodeURIComponent(echo)}` });
				response.end();
			},
		});
		await note(run(server.url, 'vector:embed', { parameters: { text: 'a' }, credentials }));
		await note(
			run(server.url, 'vector:rerank', {
				parameters: { query: 'a', documents: '["b"]' },
				credentials,
			}),
		);
		await note(run(server.url, 'model:getAll', { credentials }));
		await note(modelList(server.url, credentials));
		await note(serverHealth(server.url, {}, { credentials }));
	}
	return visible;
}

/** The same for Dify: an error, a run in parts, and one that fails. */
async function collectVisibleOfDify(key: string, echo: string): Promise<unknown[]> {
	const visible: unknown[] = [];
	const ids = { task_id: 't1', message_id: 'm1', conversation_id: 'c1' };
	const answers: Answer[] = [
		escaped({ code: 'unauthorized', message: echo, status: 401 }, 401),
		escaped({ code: 'invalid_param', message: echo, params: echo, status: 400 }, 400),
		...[2, 1_000].map(
			(size): Answer =>
				(_request, response) =>
					sendEvents(
						response,
						sse(...split(echo, size).map((answer) => ({ event: 'message', ...ids, answer })), {
							event: 'message_end',
							...ids,
							metadata: { usage: { total_tokens: 3 }, note: echo, [echo]: [echo] },
							files: [{ id: 'f', filename: `${echo}.txt`, url: `/files/${echo}` }],
						}).replaceAll('/', String.raw`\/`),
					),
		),
		(_request, response) =>
			sendEvents(
				response,
				sse(...split(echo, 3).map((answer) => ({ event: 'message', ...ids, answer })), {
					event: 'error',
					...ids,
					status: 400,
					code: 'x',
					message: echo,
				}),
			),
	];
	for (const answer of answers) {
		const server = await start({ 'POST /v1/chat-messages': answer });
		for (const streaming of [false, true]) {
			const fake = prepare(
				'difyChatMessage',
				'',
				{ baseUrl: server.url, apiKey: key },
				{
					query: 'hi',
					user: 'u1',
					conversation: 'new',
					inputsMode: 'json',
					inputsJson: '{}',
					files: {},
					simplify: false,
					options: {},
				},
				{ streaming },
			);
			const work = execute('difyChatMessage', fake);
			visible.push(
				await work.catch((error: Error & { description?: string; context?: object }) => [
					error.message,
					error.description,
					error.context,
					(error as { messages?: string[] }).messages,
				]),
			);
			visible.push(fake.hints, fake.chunks.map(({ content }) => content ?? '').join(''));
		}
	}
	return visible;
}

/** The same for a workflow, a knowledge base, and the test of both credentials. */
async function collectVisibleOfOtherDoors(key: string, echo: string): Promise<unknown[]> {
	const visible: unknown[] = [];
	const ids = { task_id: 't1', workflow_run_id: 'r1' };
	const rejected = escaped({ code: 'unauthorized', message: echo, status: 401 }, 401);
	const outputs = { text: echo, [echo]: [echo] };
	const finished = (data: object): Answer => {
		const end = { event: 'workflow_finished', ...ids, data: { id: 'r1', ...data } };
		return (_request, response) =>
			sendEvents(
				response,
				sse(
					{ event: 'workflow_started', ...ids, data: { id: 'r1' } },
					...split(echo, 3).map((part) => ({ event: 'text_chunk', ...ids, data: { text: part } })),
					end,
				),
			);
	};
	const runs = [
		rejected,
		finished({ status: 'succeeded', outputs }),
		finished({ status: 'failed', error: echo, outputs }),
	];
	const lists = [rejected, escaped({ data: [{ id: 'd1', name: echo, [echo]: echo }] })];
	const note = async (url: string, node: 'difyWorkflow' | 'difyKnowledge', parameters: object) => {
		const { resource, operation } = parameters as Record<string, string>;
		const name = node === 'difyWorkflow' ? 'run execute' : `${resource} ${operation}`;
		const fake = prepare(node, name, { baseUrl: url, apiKey: key }, { ...parameters });
		const work = execute(node, fake);
		visible.push(
			await work.catch((error: Error & { description?: string; context?: object }) => [
				error.message,
				error.description,
				error.context,
			]),
			fake.hints,
		);
	};
	for (const answer of runs) {
		const { url } = await start({ 'POST /v1/workflows/run': answer });
		await note(url, 'difyWorkflow', { user: 'u1', inputsMode: 'json', inputsJson: '{}' });
	}
	for (const answer of lists) {
		const { url } = await start({ 'GET /v1/datasets': answer });
		await note(url, 'difyKnowledge', { resource: 'knowledgeBase', operation: 'getAll' });
	}
	const { url: baseUrl } = await start(rejected);
	for (const type of [new DifyApi(), new LocalLlamaApi()]) {
		const data = { baseUrl, apiKey: key, keyType: 'app', authentication: 'bearer' };
		visible.push(await testCredential(type, data));
	}
	return visible;
}

/** Each form with some of the keys: each night together they have all. */
const CASES = Object.entries(ECHO_FORMS).flatMap(([name, escape], index) =>
	takeSome(
		ECHOED_KEYS.filter((_key, at) => at % 4 === index % 4),
		index,
	).map((key) => ({ name, escape, key })),
);

test.each(CASES)('no key is visible after an echo as $name: $key', async ({ escape, key }) => {
	const echo = escape(`You sent ${key} here.`);
	const visible = [
		...(await collectVisible(key, echo)),
		...(await collectVisibleOfDify(key, echo)),
		...(await collectVisibleOfOtherDoors(key, echo)),
	];
	const texts = new Set(collectStrings(JSON.parse(JSON.stringify(visible))));
	for (const seen of texts)
		for (const form of Object.values(ECHO_FORMS))
			expect([seen, seen.includes(form(key))]).toEqual([seen, false]);
	expect(JSON.stringify(visible)).toContain('***');
});

/** Dify's console shows keys without the beginning that all of them have. */
const REST = 'Zx81KqPw37LmTr52VbNc96Hy';

test.each(
	['app-', 'dataset-'].flatMap((prefix) =>
		Object.entries(ECHO_FORMS).map(([name, escape]) => ({ prefix, name, escape })),
	),
)('nor is it without the prefix $prefix, as $name', async ({ prefix, escape }) => {
	const echo = escape(`You sent ${REST} here, and other-${REST}.`);
	const key = prefix + REST;
	const visible = [
		...(await collectVisibleOfDify(key, echo)),
		...(await collectVisibleOfOtherDoors(key, echo)),
	];
	const texts = new Set(collectStrings(JSON.parse(JSON.stringify(visible))));
	for (const seen of texts)
		for (const form of Object.values(ECHO_FORMS))
			expect([seen, seen.includes(form(REST))]).toEqual([seen, false]);
	expect(JSON.stringify(visible)).toContain('***');
});

describe('a pair of Basic', () => {
	const pair = 'anna:horsebat';
	const credentials = {
		authentication: 'basic',
		user: 'anna',
		password: 'horsebat',
	};
	const base64 = Buffer.from(pair).toString('base64');
	const message = `Wrong: ${pair} (horsebat), Basic ${base64}`;

	test('with a short password is masked in errors and lists', async () => {
		const server = await start({
			'GET /v1/models': json({ data: [{ id: `model-${base64}` }, { id: 'horsebat' }] }),
			[`POST ${CHAT}`]: json({ error: { message } }, 401),
		});
		const { supplied } = await chatModel(server.url, { credentials });
		const { message: title, description, context } = await failureOf(supplied.invoke('Hi'));
		const list = await modelList(server.url, credentials);
		const seen = JSON.stringify([title, description, context, list]);
		expect(seen).toContain('Wrong: *** (***), Basic ***');
		for (const secret of [pair, 'horsebat', base64.replace(/=+$/, '')])
			expect(seen).not.toContain(secret);
	});

	test('with a short password stays in what a model wrote, since it can be guessed there', async () => {
		const server = await start({ ...LLAMA_SERVER, [`POST ${CHAT}`]: text(message) });
		const { supplied } = await chatModel(server.url, { credentials });
		expect(textOf(await streamOf(supplied, 'Hi'))).toBe(message);
	});
});

test('what the request contains stays in its response, also if it is the key', async () => {
	const key = ECHOED_KEYS[0]!;
	const answer = `You wrote ${key}.`;
	const server = await start({ ...LLAMA_SERVER, [`POST ${CHAT}`]: text(answer) });
	const { supplied } = await chatModel(server.url, { credentials: { apiKey: key } });
	expect(textOf(await streamOf(supplied, `Repeat ${key}`))).toBe(answer);
	expect(textOf(await streamOf(supplied, `Repeat ${key.slice(0, -1)}`))).toBe('You wrote ***.');
});

test('a text without the key is the same with any key', async () => {
	const answer = 'Call llama-3.1-8b with sk-... as in "Bearer <key>", 100% of a=b&c.';
	const server = await start({ ...LLAMA_SERVER, [`POST ${CHAT}`]: text(answer) });
	for (const apiKey of ECHOED_KEYS) {
		const { supplied } = await chatModel(server.url, { credentials: { apiKey } });
		expect(textOf(await streamOf(supplied, 'Hi'))).toBe(answer);
	}
});

test('a server may show a part of the key', async () => {
	const key = ECHOED_KEYS[2]!;
	const message = 'Malformed LM Studio API token provided: sk-lm-J9Fa6fbC...';
	const server = await start({ [`POST ${CHAT}`]: json({ error: { message } }, 401) });
	const { supplied } = await chatModel(server.url, { credentials: { apiKey: key } });
	const { message: title, description } = await failureOf(supplied.invoke('Hi'));
	expect(`${title} ${String(description)}`).toContain('token provided: sk-lm-J9Fa6fbC');
});
