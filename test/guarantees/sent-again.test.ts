/**
 * Jobs that could have succeeded: a server fails once, and answers the next request. Whatever words it uses, the job is done,
 * nothing is learned from the failure, and the log says why the request was sent again.
 */
import type { JsonRecord } from '../../lib/values/records';
import { asRecord } from '../../lib/values/records';
import { useClock } from './support/fake-clock';
import {
	actionContext,
	chatModel,
	embeddings,
	failureOf,
	localLlama,
	reranker,
	run,
	serverHealth,
} from './support/node-runner';
import { CHAT, delta, LLAMA_SERVER, sse, streamed, text, usage } from './support/responses';
import { json, sendJson, useServers } from '../support/servers/scripted-server';
import type { Answer } from '../support/servers/scripted-server';
import { reword } from '../support/servers/reword';

const start = useServers();
const clock = useClock();

const POST_CHAT = `POST ${CHAT}`;
const ANSWER = 'It is sunny.';
const GOOD = text(ANSWER);

/** In the words that were seen, and in others. */
const WORDINGS = ['as seen', 'reworded'] as const;
type Wording = (typeof WORDINGS)[number];

function say(wording: Wording, body: JsonRecord | string): string {
	const written = typeof body === 'string' ? body : JSON.stringify(body);
	return wording === 'as seen' ? written : reword(written, { seed: 7, names: ['sim-model'] });
}

/** A picture of one pixel. */
const PIXEL =
	'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

/** Closes the connection before a response. */
const CLOSE: Answer = (_request, response) => response.destroy();

/** After the call of a tool. */
const TOOL_TURN = [
	{ role: 'user', content: 'Weather?' },
	{
		role: 'assistant',
		content: '',
		tool_calls: [{ id: 'a', name: 'weather', args: { city: 'Rome' }, type: 'tool_call' }],
	},
	{ role: 'tool', content: 'Sunny', tool_call_id: 'a' },
];

const WEATHER = {
	type: 'function',
	function: { name: 'weather', parameters: { type: 'object', properties: {} } },
};

interface Row {
	title: string;
	fail(wording: Wording): Answer;
	because: string;
}

const respondWith =
	(status: number, body: JsonRecord) =>
	(wording: Wording): Answer =>
	(_request, response) =>
		sendJson(response, say(wording, body), status);

const ROWS: readonly Row[] = [
	{
		title: 'only thinking',
		fail: () => streamed(delta({ reasoning: 'The user asks.' }), delta({}, 'stop'), usage()),
		because: 'the response was only thinking',
	},
	{
		title: 'an empty response',
		fail: () => streamed(delta({ content: '' }), delta({}, 'stop'), usage()),
		because: 'the response was empty',
	},
	{
		title: 'a document that breaks off',
		fail: () => (_request, response) => {
			response.writeHead(200, { 'content-type': 'application/json' });
			response.end('{"id":"c","choices":[{"index":0,"mess');
		},
		because: 'the response could not be read',
	},
	{
		title: 'an event that breaks off, before any text',
		fail: () => (_request, response) => {
			response.writeHead(200, { 'content-type': 'text/event-stream' });
			response.end('data: {"id":"c","choices":[{"index":0,"del\n\n');
		},
		because: 'the response could not be read',
	},
	{
		title: 'a response that is no HTTP',
		fail: () => (_request, response) => void response.socket!.end('not now\r\n\r\n'),
		because: 'the response was not valid HTTP',
	},
	{
		title: 'the page of a gateway, with status 200',
		fail: (wording) => (_request, response) => {
			response.writeHead(200, { 'content-type': 'text/html' });
			response.end(`<html><body>${say(wording, 'The site is being updated.')}</body></html>`);
		},
		because: 'a web page came instead of a response',
	},
	{
		title: 'begun JSON as the whole answer',
		fail: () => streamed(delta({ content: '{"' }), delta({}, 'stop'), usage()),
		because: 'the response was empty',
	},
	{
		title: 'LM Studio: an unloaded model',
		fail: respondWith(400, { error: 'Model is unloaded.' }),
		because: 'the server failed with status 400',
	},
	{
		title: 'an error event',
		fail: (wording) => (_request, response) => {
			response.writeHead(200, { 'content-type': 'text/event-stream' });
			response.end(say(wording, sse({ error: { message: 'Model is unloaded.' } })));
		},
		because: 'the response contained an error',
	},
	{
		title: 'Ollama: an unexpected end',
		fail: respondWith(500, {
			error: 'an error was encountered while running the model: unexpected EOF',
		}),
		because: 'the server failed with status 500',
	},
	{
		title: 'a closed connection',
		fail: () => CLOSE,
		because: 'the connection was closed before a response',
	},
	{
		title: 'output that the server could not parse',
		fail: respondWith(400, {
			error: {
				message: 'Failed to call a function. Please adjust your prompt. See failed_generation.',
				type: 'invalid_request_error',
				code: 'tool_use_failed',
			},
		}),
		because: 'the server failed with status 400',
	},
];

describe.each(WORDINGS)('a failure once, %s', (wording) => {
	test.each(ROWS)('in a chat: $title', async ({ fail, because }) => {
		const server = await start({ ...LLAMA_SERVER, [POST_CHAT]: [fail(wording), GOOD] });
		const { supplied } = await chatModel(server.url);
		const message = await clock.passUntil(supplied.invoke('Weather?'));
		expect(message.content).toBe(ANSWER);
		expect(message.response_metadata).toMatchObject({ resentBecause: [because] });
		const [first, second, ...others] = server.sent(CHAT);
		expect(second).toEqual(first);
		expect(others).toEqual([]);
	});

	test.each(ROWS)('after the result of a tool: $title', async ({ fail, because }) => {
		const answers = [GOOD, fail(wording), GOOD];
		const server = await start({ ...LLAMA_SERVER, [POST_CHAT]: answers });
		const { supplied } = await chatModel(server.url);
		const bound = supplied.bindTools([WEATHER]);
		await clock.passUntil(bound.invoke('Weather?'));
		const message = await clock.passUntil(bound.invoke(TOOL_TURN));
		expect([message.content, message.response_metadata.resentBecause]).toEqual([ANSWER, [because]]);
		const [, second, third] = server.sent(CHAT);
		expect(third).toEqual(second);
	});

	test('the response format that a server rejects is changed to its other form, and the answer is checked', async () => {
		const refused = say(wording, {
			error: 'response_format type must be one of "text" or "json_object", but got: json_schema',
		});
		const right = text('{"city":"Rome"}');
		const server = await start({
			...LLAMA_SERVER,
			[POST_CHAT]: (request, response) =>
				asRecord(request.body.response_format).type === 'json_schema'
					? sendJson(response, refused, 400)
					: right(request, response),
		});
		const extract = async () => {
			const fake = actionContext(server.url, 'text:extract', {
				parameters: {
					text: 'Rome is sunny.',
					fields: { field: [{ name: 'city', type: 'text', required: true }] },
					options: {},
				},
				context: { getExecutionId: () => 'one execution' },
			});
			const [item] = await clock.passUntil(localLlama(fake));
			return [item!.json, fake.hints.map(({ message }) => message)];
		};
		const expected = [
			{ output: { city: 'Rome' } },
			[expect.stringContaining('rejects the schema as response format')],
		];
		expect([await extract(), await extract()]).toEqual([expected, expected]);
		const formats = server.sent(CHAT).map((body) => asRecord(body.response_format).type);
		expect(formats.slice(-2)).toEqual(['json_object', 'json_object']);
		// The second item knows it.
		expect(formats.lastIndexOf('json_schema')).toBe(formats.length - 3);
	});

	test('a picture of a server whose backend was not ready is requested once more', async () => {
		const fail = respondWith(500, {
			error: { code: 500, message: 'grpc service not ready', type: '' },
		})(wording);
		const server = await start({
			...LLAMA_SERVER,
			'POST /v1/images/generations': [fail, json({ data: [{ b64_json: PIXEL }] })],
		});
		const [item] = await clock.passUntil(
			run(server.url, 'image:generate', { parameters: { prompt: 'A llama', options: {} } }),
		);
		expect(Object.keys(item!.binary ?? {})).toHaveLength(1);
		const [first, second, ...others] = server.sent('/v1/images/generations');
		expect([second, others]).toEqual([first, []]);
	});

	test('a crash whose sentence contains "format" keeps the schema of Extract', async () => {
		const crash = respondWith(400, {
			error: 'The model has crashed without additional information. (Exit code: 1)',
		})(wording);
		const right = text('{"city":"Rome"}');
		const server = await start({ ...LLAMA_SERVER, [POST_CHAT]: [crash, right] });
		const parameters = {
			text: 'Rome is sunny.',
			fields: { field: [{ name: 'city', type: 'text' }] },
			options: {},
		};
		const extract = async () =>
			await clock.passUntil(run(server.url, 'text:extract', { parameters }));
		for (let times = 0; times < 2; times++) expect((await extract())[0]!.json).toBeDefined();
		const formats = server.sent(CHAT).map((body) => asRecord(body.response_format).type);
		expect(formats).toEqual(Array(3).fill('json_schema'));
	});
});

test('the log says how often and why a request was sent again, and token counts are those of all', async () => {
	const busy = json({ error: 'Zxq' }, 429);
	const thinking = ROWS[0]!.fail('as seen');
	const server = await start({ ...LLAMA_SERVER, [POST_CHAT]: [busy, busy, thinking, GOOD] });
	const { supplied } = await chatModel(server.url);
	const message = await clock.passUntil(supplied.invoke('Weather?'));
	expect(message.response_metadata.resentBecause).toEqual([
		'the server was busy, 2 times',
		'the response was only thinking',
	]);
	// Each response has 11 and 5.
	expect(message.usage_metadata).toMatchObject({ input_tokens: 22, output_tokens: 10 });
});

test('a node without a log has one hint for all items of which requests waited', async () => {
	const busy = json({ error: 'Zxq' }, 429);
	const server = await start({
		...LLAMA_SERVER,
		[POST_CHAT]: [busy, busy, GOOD, busy, GOOD, GOOD],
	});
	const parameters = { prompt: 'Weather?', options: { maxConcurrent: 1 } };
	const items = Array(3).fill({ json: {} });
	const fake = actionContext(server.url, 'text:chat', { parameters, items });
	await clock.passUntil(localLlama(fake));
	const hints = fake.hints.map(({ message }) => message);
	expect(hints.filter((hint) => hint.includes('busy'))).toEqual([
		'The server was busy, so requests were sent again after a pause.',
	]);
	expect(server.sent(CHAT)).toHaveLength(6);
});

test('the logs of embeddings and the reranker say it for all batches', async () => {
	const busy = json({ error: 'Zxq' }, 429);
	const failed = json({ error: 'Zxq' }, 500);
	const answer =
		(toList: (body: JsonRecord) => JsonRecord): Answer =>
		(request, response) =>
			sendJson(response, toList(request.body));
	const vectors = answer(({ input }) => ({
		data: (input as string[]).map((_text, index) => ({ index, embedding: [1, 2] })),
	}));
	const scores = answer(({ documents }) => ({
		results: (documents as string[]).map((_text, index) => ({ index, relevance_score: 0.5 })),
	}));
	const server = await start({
		...LLAMA_SERVER,
		'POST /v1/embeddings': [busy, busy, vectors, failed, vectors],
		'POST /v1/rerank': [busy, failed, scores],
	});
	const parameters = { options: { batchSize: 1 } };
	const embedder = await embeddings(server.url, { parameters });
	await clock.passUntil(embedder.supplied.embedDocuments(['One', 'Two']));
	expect(embedder.outputs[0]).toMatchObject({
		requests: 2,
		resentBecause: ['the server was busy, 2 times', 'the server failed with status 500'],
	});
	await clock.passUntil(embedder.supplied.embedQuery('Three'));
	expect(embedder.outputs[1]).not.toHaveProperty('resentBecause');
	const ranker = await reranker(server.url);
	const documents = [{ pageContent: 'One', metadata: {} }];
	await clock.passUntil(ranker.supplied.compressDocuments(documents, 'One?'));
	expect(ranker.outputs[0]).toMatchObject({
		resentBecause: ['the server was busy, 1 time', 'the server failed with status 500'],
	});
});

test('begun JSON twice as the whole answer is an error with that text', async () => {
	const begun = streamed(delta({ content: '{"' }), delta({}, 'stop'), usage());
	const server = await start({ ...LLAMA_SERVER, [POST_CHAT]: begun });
	const { supplied } = await chatModel(server.url);
	const { context } = await clock.passUntil(failureOf(supplied.invoke('Weather?')));
	expect(context.data).toMatchObject({ type: 'emptyResponse', partialText: '{"' });
	expect(server.sent(CHAT)).toHaveLength(2);
});

test('Wait Until Ready waits for an expected model that is not in the list yet', async () => {
	let isPulled = false;
	setTimeout(() => (isPulled = true), 10_000);
	const list = (...ids: string[]) => ({ object: 'list', data: ids.map((id) => ({ id })) });
	const server = await start({
		...LLAMA_SERVER,
		'GET /v1/models': (_request, response) =>
			sendJson(response, isPulled ? list('sim-model') : list()),
	});
	const [[item]] = (await clock.passUntil(
		serverHealth(server.url, {
			operation: 'waitUntilReady',
			waitTimeout: 60,
			expectations: { model: 'sim-model' },
		}),
	)) as [Array<{ json: JsonRecord }>];
	expect(item!.json.status).toBe('healthy');
	expect(isPulled).toBe(true);
});

test('the text beside the calls of earlier rounds is omitted if the server rejects the history with it', async () => {
	const history = TOOL_TURN.map((message) =>
		message.role === 'assistant' ? { ...message, content: 'Let me check.' } : message,
	);
	const hasText = ({ messages }: JsonRecord) =>
		(messages as JsonRecord[]).some(({ tool_calls: calls, content }) => calls && content);
	const server = await start({
		...LLAMA_SERVER,
		[POST_CHAT]: (request, response) =>
			hasText(request.body)
				? sendJson(response, { error: { message: 'Zxq vlm trr' } }, 400)
				: GOOD(request, response),
	});
	const { supplied } = await chatModel(server.url);
	const message = await clock.passUntil(supplied.bindTools([WEATHER]).invoke(history));
	expect(message.content).toBe(ANSWER);
});

/** An event of Ollama's runner that has died, with the beginning of an answer before it. */
const DYING = sse(delta({ content: '{"answer":' }), {
	error: { message: 'POST predict: Post "http://127.0.0.1:41234/completion": EOF' },
});
const SCHEMA = '{"type":"object","properties":{"answer":{"type":"string"}},"required":["answer"]}';

test.each([
	['a runner that dies', (): string => DYING],
	['a stream that ends', (): string => sse(delta({ content: '{"answer":' }))],
	['an event that breaks', (): string => `${sse(delta({ content: '{"answer":' }))}data: {"id\n\n`],
])(
	'at temperature 0, %s in the middle of an answer that nobody sees gets one more request',
	async (_title, getBody) => {
		const broken: Answer = (_request, response) => {
			response.writeHead(200, { 'content-type': 'text/event-stream' });
			response.end(getBody());
		};
		const good = text('{"answer":"42"}');
		const server = await start({ ...LLAMA_SERVER, [POST_CHAT]: [broken, good] });
		const { supplied } = await chatModel(server.url, {
			parameters: {
				responseFormat: 'jsonSchema',
				jsonSchema: SCHEMA,
				options: { temperature: 0 },
			},
		});
		const message = await clock.passUntil(supplied.invoke('Weather?'));
		expect(message.content).toBe('{"answer":"42"}');
		expect(server.sent(CHAT)).toHaveLength(2);
	},
);

test('JSON that fits the schema is the answer also where the server files it as thinking', async () => {
	const filed = streamed(
		delta({ reasoning_content: '{"answer":"42"}' }),
		delta({}, 'stop'),
		usage(),
	);
	const server = await start({ ...LLAMA_SERVER, [POST_CHAT]: filed });
	const { supplied, hints } = await chatModel(server.url, {
		parameters: { responseFormat: 'jsonSchema', jsonSchema: SCHEMA },
	});
	const message = await clock.passUntil(supplied.invoke('Weather?'));
	expect(message.content).toBe('{"answer":"42"}');
	expect(hints.map(({ message: hint }) => hint)).toEqual([
		expect.stringContaining('sent the whole answer as thinking'),
	]);
	expect(server.sent(CHAT)).toHaveLength(1);
});

test.each([
	['an error', 'data: {"error":{"message":"It broke","code":500}}\n\n', 'reported an error'],
	['an event that is no JSON', 'data: {"choices":[],"usage":,{\n\n', 'could not be read'],
])('a complete answer stays complete before %s, and a hint tells it', async (_title, end, hint) => {
	const body = sse(delta({ content: ANSWER }), delta({}, 'stop'));
	const server = await start({
		...LLAMA_SERVER,
		[POST_CHAT]: (_request, response) => {
			response.writeHead(200, { 'content-type': 'text/event-stream' });
			response.end(`${body}${end}data: [DONE]\n\n`);
		},
	});
	const { supplied, hints } = await chatModel(server.url, {});
	const message = await clock.passUntil(supplied.invoke('Weather?'));
	expect(message.content).toBe(ANSWER);
	expect(hints.map((one) => one.message)).toEqual([expect.stringContaining(hint)]);
	expect(server.sent(CHAT)).toHaveLength(1);
});

test('with Thinking Off, an answer that arrived only as thinking is the answer', async () => {
	const only = streamed(delta({ reasoning_content: ANSWER }), delta({}, 'stop'), usage());
	const server = await start({ ...LLAMA_SERVER, [POST_CHAT]: only });
	const { supplied, hints } = await chatModel(server.url, {
		parameters: { thinking: 'off' },
	});
	const message = await clock.passUntil(supplied.invoke('Weather?'));
	expect(message.content).toBe(ANSWER);
	expect(hints.map(({ message: hint }) => hint)).toEqual([
		expect.stringContaining('sent the whole answer as thinking'),
	]);
	expect(server.sent(CHAT)).toHaveLength(1);
});
