/** What one response may change about the requests of others: by words, nothing outside of its execution. */
import { CHAT, delta, LLAMA_SERVER, sendEvents, sse, text } from './support/responses';
import { chatModel, actionContext, failureOf, localLlama } from './support/node-runner';
import { json, sendJson, useServers } from '../support/servers/scripted-server';
import type { Answer, ScriptedServer } from '../support/servers/scripted-server';
import { takeSome } from '../support/jest/properties';
import { useClock } from './support/fake-clock';

const start = useServers();
const clock = useClock();
const OPENAI = `POST ${CHAT}`;
const answer = text('Hello.');

/** Options that an error could omit or rename. */
const OPTIONS = { maxTokens: 512, temperature: 0.7, stop: 'END', topK: 40, seed: 7 };
const HISTORY = [
	['system', 'Be brief.'],
	['human', 'Hi'],
	['system', 'Really brief.'],
	['human', 'Now.'],
];

/** A history in which no form can change. */
const QUESTION = [['human', 'Hi']];

interface Chat {
	history?: unknown;
	/** n8n's ID. Default: an execution of its own. */
	executionId?: string;
}

/** 'answered', or the message of the error. */
async function sendChat(
	server: ScriptedServer,
	{ history = HISTORY, executionId }: Chat = {},
): Promise<string> {
	const { supplied } = await chatModel(server.url, {
		parameters: { options: OPTIONS },
		credentials: { apiKey: 'sk-9f8e7d6c5b4a3210' },
		context: executionId === undefined ? {} : { getExecutionId: () => executionId },
	});
	return await clock.passUntil(
		supplied.invoke(history).then(
			() => 'answered',
			(error: Error) => error.message,
		),
	);
}

const bodies = ({ requests }: ScriptedServer) =>
	requests.filter(({ path }) => path.endsWith('/completions')).map(({ text: body }) => body);

/** The bodies of two executions with one credential. The first response is that of the test. */
async function sendTwo(first: Answer) {
	const server = await start({ ...LLAMA_SERVER, [OPENAI]: [first, answer] });
	await sendChat(server, { history: QUESTION });
	const count = bodies(server).length;
	await sendChat(server, { history: QUESTION });
	return { first: bodies(server).slice(0, count), later: bodies(server).slice(count) };
}

/** What a model or a visitor may write, in the words of servers. */
const SENTENCES = [
	"Unsupported parameter: 'max_tokens'. Use 'temperature' instead",
	'Unknown field "stop"',
	'body.stop: extra fields not permitted',
];

/** How servers, gateways and streams quote what a model wrote. */
const QUOTATIONS: Array<[string, (sentence: string) => Answer]> = [
	[
		'a 500 of llama-server',
		(sentence) =>
			json(
				{ error: { code: 500, message: `Failed to parse input at pos 0: <tool_call>${sentence}` } },
				500,
			),
	],
	[
		'a 500 in other words',
		(sentence) => json({ error: { message: `The output has no end: ${sentence}` } }, 500),
	],
	['a 502', (sentence) => json({ error: { message: sentence } }, 502)],
	['a 504 as text', (sentence) => (_request, response) => sendJson(response, sentence, 504)],
	[
		'a page with 400',
		(sentence) => (_request, response) => {
			response.writeHead(400, { 'content-type': 'text/html' });
			response.end(`<html><body>${sentence}</body></html>`);
		},
	],
	['an error with 200', (sentence) => json({ error: { message: sentence } })],
	[
		'an event',
		(sentence) => (_request, response) =>
			sendEvents(response, sse({ error: { code: 400, message: sentence } })),
	],
	[
		'an event after text',
		(sentence) => (_request, response) =>
			sendEvents(
				response,
				sse(delta({ content: 'Hel' }), { error: { code: 400, message: sentence } }),
			),
	],
	[
		'JSON in the text of a 500',
		(sentence) =>
			json(
				{
					error: `Failed to parse input at pos 0: ${JSON.stringify({ error: { message: sentence } })}`,
				},
				500,
			),
	],
	[
		'JSON in the text of a 400',
		(sentence) =>
			json(
				{
					error: {
						message: `Cannot read the output ${JSON.stringify({ error: { message: sentence } })}`,
					},
				},
				400,
			),
	],
	[
		'a 400 as text',
		(sentence) => (_request, response) => {
			response.writeHead(400, { 'content-type': 'text/plain' });
			response.end(sentence);
		},
	],
	[
		'a call with 422',
		(sentence) => json({ detail: `The model returned an invalid tool call - ${sentence}` }, 422),
	],
	['a second sentence', (sentence) => json({ error: { message: `No JSON. ${sentence}` } }, 400)],
	['a 400 with a quotation', (sentence) => json({ detail: `The model wrote: ${sentence}` }, 400)],
	['a 422 with quotation marks', (sentence) => json({ detail: `Bad output "${sentence}"` }, 422)],
	[
		'an issue of pydantic',
		(sentence) =>
			json(
				{
					detail: [
						{ loc: ['response', 'text'], msg: `Value error, ${sentence}`, type: 'value_error' },
					],
				},
				422,
			),
	],
	[
		'an issue of pydantic about the request',
		(sentence) =>
			json(
				{
					detail: [{ loc: ['body', 'messages', 3, 'content'], msg: `invalid value: ${sentence}` }],
				},
				422,
			),
	],
];

describe('a sentence changes no request of another execution', () => {
	test.each(
		QUOTATIONS.flatMap(([name, quote], at) =>
			takeSome(SENTENCES, at).map((sentence) => ({ name, sentence, quote })),
		),
	)('$name changes no later request: $sentence', async ({ sentence, quote }) => {
		const { first, later } = await sendTwo(quote(sentence));
		const unchanged = await start({ ...LLAMA_SERVER, [OPENAI]: answer });
		await sendChat(unchanged, { history: QUESTION });
		expect(later).toEqual(bodies(unchanged));
		expect(later).toEqual([first[0]]);
	});
});

describe('a rejection that may be about the output changes no field, not even of its own request', () => {
	const tried = QUOTATIONS.filter(([name]) =>
		/of llama-server|502|504|page|event after|text of a 500/.test(name),
	);
	test.each(tried)(
		'a rejection that may be about the output changes no field: %s',
		async (_name, quote) => {
			const { first } = await sendTwo(quote(SENTENCES[0]!));
			expect(new Set(first).size).toBe(1);
		},
	);
});

test('what a message repeats of the question word for word changes no request', async () => {
	const question = 'Tell me: what does "Unsupported parameter: \'temperature\'" mean?';
	const answers = json({ error: { message: `Cannot process ${question}` } }, 400);
	const server = await start({ ...LLAMA_SERVER, [OPENAI]: [answers, answers, answer] });
	await sendChat(server, { history: [['human', question]], executionId: 'one' });
	await sendChat(server, { history: [['human', question]], executionId: 'one' });
	expect(server.sent(CHAT).map(({ temperature }) => temperature)).toEqual([0.7, 0.7, 0.7]);
});

describe('a field that the server itself rejects', () => {
	const rejectField =
		(field: string, message: string, status: number): Answer =>
		(request, response) =>
			field in request.body
				? sendJson(response, { error: { message } }, status)
				: answer(request, response);

	test.each([
		['top_k', 'Unknown field "top_k"'],
		['top_k', 'Unrecognized request argument supplied: top_k'],
		['top_k', 'body.top_k: Extra inputs are not permitted'],
		[
			'stop',
			"1 validation error for ChatRequest\nstop\n  Extra inputs are not permitted [type=extra_forbidden, input_value=['END'], input_type=list]",
		],
		['top_k', "TypeError: Completions.create() got an unexpected keyword argument 'top_k'"],
		[
			'top_k',
			'litellm.BadRequestError: OpenAIException - Unrecognized request argument supplied: top_k',
		],
		[
			'seed',
			"litellm.UnsupportedParamsError: vertex_ai does not support parameters: ['seed'], for model=m",
		],
		[
			'seed',
			'litellm.UnsupportedParamsError: Setting `seed` is not supported by openai, smol. To drop it from the call, set `litellm.drop_params = True`.',
		],
		[
			'top_k',
			"litellm.UnsupportedParamsError: Setting {'top_k': 40} is not supported by ollama. To drop it from the call, set `litellm.drop_params = True`.",
		],
		['top_k', 'Setting top_k is not supported for this model.'],
		[
			'top_k',
			"Parameter top_k is not supported for model m. Supported parameters are ['n']. Set drop_params=True to drop unsupported parameters.",
		],
		[
			'max_tokens',
			"Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
		],
	])('the field %s is omitted once its server rejects it: %s', async (field, message) => {
		for (const status of [400, 422]) {
			const server = await start({
				...LLAMA_SERVER,
				[OPENAI]: rejectField(field, message, status),
			});
			const executionId = `${field} ${message} ${status}`;
			const counts: number[] = [];
			for (const id of [executionId, executionId, `another after ${executionId}`]) {
				const before = bodies(server).length;
				await sendChat(server, { executionId: id });
				counts.push(bodies(server).length - before);
			}
			expect(counts).toEqual([2, 1, 2]);
		}
	});

	test.each([
		{ status: 500, requests: 2 },
		{ status: 501, requests: 1 },
		{ status: 403, requests: 1 },
	])('$status changes no field, whatever it says', async ({ status, requests }) => {
		const server = await start({
			...LLAMA_SERVER,
			[OPENAI]: rejectField('top_k', 'Unknown field "top_k"', status),
		});
		await sendChat(server, { history: QUESTION });
		expect(server.sent(CHAT).map(({ top_k: topK }) => topK)).toEqual(Array(requests).fill(40));
	});

	test('is not learned if the changed request fails', async () => {
		const server = await start({
			...LLAMA_SERVER,
			[OPENAI]: [
				json({ error: { message: "Unknown parameter: 'top_k'" } }, 400),
				json({ error: { message: 'No.' } }, 500),
				json({ error: { message: 'No.' } }, 500),
				answer,
			],
		});
		await sendChat(server, { history: QUESTION, executionId: 'failing' });
		await sendChat(server, { history: QUESTION, executionId: 'failing' });
		expect(JSON.parse(bodies(server).at(-1)!)).toHaveProperty('top_k', 40);
	});

	test.each([
		['max_tokens', 'max_completion_tokens', { max_completion_tokens: 512 }],
		['max_tokens', 'seed', {}],
		['max_tokens', 'top_k', {}],
		['top_k', 'temperature', {}],
	])('%s is renamed to %s only as a known pair', async (field, other, renamed) => {
		const message = `Unsupported parameter: '${field}'. Use '${other}' instead.`;
		const server = await start({ ...LLAMA_SERVER, [OPENAI]: rejectField(field, message, 400) });
		await sendChat(server);
		const [original, changed] = bodies(server).map((body) => JSON.parse(body) as object);
		const { [field as never]: _omitted, ...rest } = original as Record<string, unknown>;
		expect(changed).toEqual({ ...rest, ...renamed });
	});
});

describe('another form of the history', () => {
	const hasLaterSystem = ({ messages }: Record<string, unknown>) =>
		(messages as Array<{ role: string }>).slice(1).some(({ role }) => role === 'system');
	const roles = (server: ScriptedServer) =>
		server
			.sent(CHAT)
			.map(({ messages }) => (messages as Array<{ role: string }>).map(({ role }) => role).join());

	test.each([
		[400, 'Only user and assistant roles are supported!'],
		[500, 'Jinja Exception: Conversation roles must alternate'],
		[400, 'Error rendering prompt with jinja template: "Conversation roles must alternate"'],
	])('%i %s: is learned if it succeeds', async (status, message) => {
		const server = await start({
			...LLAMA_SERVER,
			[OPENAI]: (request, response) =>
				hasLaterSystem(request.body)
					? sendJson(response, { error: { message } }, status)
					: answer(request, response),
		});
		await sendChat(server);
		await sendChat(server);
		const [original, ...later] = roles(server);
		const strict = later.at(-1);
		expect(strict).not.toBe(original);
		// It is repeated first: everything may fail once.
		expect(later).toEqual([original, strict, strict]);
	});

	test('is not learned if it fails as well', async () => {
		const rejection = json({ error: { message: 'Conversation roles must alternate' } }, 400);
		const server = await start({
			...LLAMA_SERVER,
			[OPENAI]: [rejection, rejection, rejection, rejection, answer],
		});
		await sendChat(server);
		await sendChat(server);
		expect(roles(server).at(-1)).toBe(roles(server)[0]);
	});
});

describe('an API without a version in its path', () => {
	const MODELS = json({ data: [{ id: 'm' }] });
	const UNVERSIONED = { 'GET /models': MODELS, 'POST /chat/completions': answer };
	const paths = ({ requests }: ScriptedServer) =>
		requests.filter(({ method }) => method === 'POST').map(({ path }) => path);

	test('is learned from its list', async () => {
		const server = await start(UNVERSIONED);
		await sendChat(server);
		await sendChat(server);
		expect(paths(server).at(-1)).toBe('/chat/completions');
		expect(paths(server).filter((path) => path === CHAT).length).toBeLessThanOrEqual(1);
	});

	test.each<[string, Answer]>([
		['401', json({ detail: 'No.' }, 401)],
		['403', json({ detail: 'Forbidden' }, 403)],
		['405', json({ detail: 'Method Not Allowed' }, 405)],
		['an empty list', json({ data: [] })],
		['an empty object', json({})],
		['a list of something else', json({ data: [{ status: 'starting' }] })],
		['a page', (_request, response) => response.end('<html>Restarting</html>')],
		['a redirect', json({}, 302, { location: '/login' })],
		['an error with a list', json({ data: [{ id: 'm' }] }, 503)],
	])('is not learned while a gateway restarts and responds with %s', async (_name, elsewhere) => {
		let isRestarting = true;
		const server = await start((request, response) => {
			const isApi = request.path.startsWith('/v1');
			if (isRestarting)
				return isApi
					? sendJson(response, { detail: 'Not Found' }, 404)
					: elsewhere(request, response);
			if (request.path === CHAT) return answer(request, response);
			if (request.path === '/v1/models') return MODELS(request, response);
			return sendJson(response, { detail: 'Not Found' }, 404);
		});
		await sendChat(server);
		isRestarting = false;
		const before = paths(server).length;
		expect(await sendChat(server)).toBe('answered');
		expect(paths(server).slice(before)).toEqual([CHAT]);
	});

	test.each<[string, Answer]>([
		['404', json({ detail: 'Not Found' }, 404)],
		['403', json({ detail: 'Forbidden' }, 403)],
		['500', json({ detail: 'No.' }, 500)],
		[
			'502',
			(_request, response) => {
				response.writeHead(502, { 'content-type': 'text/html' });
				response.end('<html>Bad Gateway</html>');
			},
		],
		['no response', (_request, response) => response.destroy()],
	])('is forgotten with the first failure: %s', async (_name, failure) => {
		let isMoved = true;
		const server = await start((request, response) => {
			const { path } = request;
			if (isMoved && path === '/models') return MODELS(request, response);
			if (isMoved && path === '/chat/completions') return answer(request, response);
			if (!isMoved && path === CHAT) return answer(request, response);
			if (!isMoved && path === '/v1/models') return MODELS(request, response);
			if (!isMoved && !path.startsWith('/v1')) return failure(request, response);
			return sendJson(response, { detail: 'Not Found' }, 404);
		});
		expect(await sendChat(server)).toBe('answered');
		isMoved = false;
		await sendChat(server);
		const before = paths(server).length;
		expect(await sendChat(server)).toBe('answered');
		expect(paths(server).slice(before)).toEqual([CHAT]);
	});

	test('without a list is used as long as it responds', async () => {
		const server = await start((request, response) => {
			const { method, path } = request;
			if (path !== '/chat/completions') return sendJson(response, { detail: 'Not Found' }, 404);
			return method === 'GET'
				? sendJson(response, { detail: 'Method Not Allowed' }, 405)
				: answer(request, response);
		});
		expect(await sendChat(server)).toBe('answered');
		expect(await sendChat(server)).toBe('answered');
		expect(paths(server)).toEqual([CHAT, '/chat/completions', '/chat/completions']);
	});
});

describe('a rejection of vectors in words that name nothing', () => {
	const embed = async (url: string) => {
		const fake = actionContext(url, 'vector:embed', {
			parameters: { text: ['one', 'two'], options: { dimensions: 2, maxRetries: 0 } },
		});
		return { fake, items: await localLlama(fake) };
	};
	const vectors: Answer = ({ body }, response) =>
		sendJson(response, {
			data: (body.input as string[]).map((_text, index) => ({ index, embedding: [3, 4, 5] })),
		});
	const rejected = json({ error: { message: 'Zoq fot pik' } }, 400);

	test('is tried once without the optional field that was sent, and told if that helps', async () => {
		const server = await start({
			...LLAMA_SERVER,
			'POST /v1/embeddings': (request, response) =>
				Object.hasOwn(request.body, 'dimensions')
					? rejected(request, response)
					: vectors(request, response),
		});
		const { fake, items } = await embed(server.url);
		expect(items).toHaveLength(2);
		expect(server.sent('/embeddings').map(({ dimensions }) => dimensions)).toEqual([2, undefined]);
		expect(JSON.stringify(fake.hints)).toContain('only without the option Dimensions');
	});

	test('is told with its own words if it does not help', async () => {
		const server = await start({ ...LLAMA_SERVER, 'POST /v1/embeddings': rejected });
		const { message } = await failureOf(embed(server.url));
		expect(message).toContain('Zoq fot pik');
		expect(
			server.sent('/embeddings').filter(({ dimensions }) => dimensions === undefined),
		).toHaveLength(server.sent('/embeddings').length / 2);
	});
});
