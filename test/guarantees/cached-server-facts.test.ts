/** What is learned of a server belongs to one credential, ends after ten minutes, and no failure teaches it. */
import { CHAT, LLAMA_SERVER, ollama, text } from './support/responses';
import { useClock } from './support/fake-clock';
import { chatModel, SESAME } from './support/node-runner';
import { sendJson, useServers } from '../support/servers/scripted-server';
import type { Answer, ScriptedServer } from '../support/servers/scripted-server';

const start = useServers();
const clock = useClock();
const MINUTES = 60_000;

const NATIVE = 'POST /api/chat';
const OPENAI = `POST ${CHAT}`;
const LIST = 'GET /v1/models';

const nativeText: Answer = (_request, response) => {
	response.writeHead(200, { 'content-type': 'application/x-ndjson' });
	const message = { role: 'assistant', content: 'Hello.' };
	response.end(`${JSON.stringify({ message, done: true, done_reason: 'stop' })}\n`);
};

/** An Ollama whose list of models fails as the test says. */
async function startOllama(failing: (key: string, count: number) => Answer | undefined) {
	const routes = ollama();
	let count = 0;
	return await start({
		...routes,
		[LIST]: (request, response) => {
			const key = String(request.headers.authorization).replace('Bearer ', '');
			const answer = failing(key, ++count) ?? (routes[LIST] as Answer);
			answer(request, response);
		},
		[NATIVE]: nativeText,
		[OPENAI]: text('Hello.'),
	});
}

async function sendChat(
	server: ScriptedServer,
	apiKey = SESAME,
	signal?: AbortSignal,
): Promise<void> {
	const { supplied } = await chatModel(server.url, {
		parameters: { options: { contextSize: 8192, keepAlive: '30m' } },
		credentials: { apiKey },
	});
	await clock.passUntil(
		(supplied.invoke as (input: string, options: object) => Promise<unknown>)('Hi', { signal }),
	);
}

/** The routes of the chats so far. */
const chats = ({ requests }: ScriptedServer) =>
	requests
		.filter(({ method }) => method === 'POST')
		.flatMap(({ path }) => (path.endsWith('/chat') || path.endsWith('/completions') ? [path] : []));

const rejectWith =
	(status: number): Answer =>
	(_request, response) =>
		sendJson(response, { detail: 'No.' }, status);
const hangUp: Answer = (_request, response) => response.destroy();

test('a rejected key of another credential changes nothing', async () => {
	const server = await startOllama((key) => (key === 'wrong' ? rejectWith(401) : undefined));
	await sendChat(server, 'wrong');
	await sendChat(server);
	expect(chats(server)).toEqual([CHAT, '/api/chat']);
	expect(server.sent('/api/chat')).toMatchObject([
		{ keep_alive: '30m', options: { num_ctx: 8192 } },
	]);
});

test.each<[string, Answer]>([
	['401', rejectWith(401)],
	['403', rejectWith(403)],
	['429', rejectWith(429)],
	['500', rejectWith(500)],
	['502', rejectWith(502)],
	['no response', hangUp],
	['a time-out', () => {}],
])('%s keeps the last server type', async (_name, answer) => {
	let isFailing = false;
	const server = await startOllama(() => (isFailing ? answer : undefined));
	await sendChat(server);
	isFailing = true;
	await clock.pass(11 * MINUTES);
	await sendChat(server);
	await sendChat(server);
	expect(chats(server)).toEqual(['/api/chat', '/api/chat', '/api/chat']);
});

test.each<[string, Answer]>([
	['401', rejectWith(401)],
	['502', rejectWith(502)],
])('%s before the first identification is cached for five seconds', async (_name, answer) => {
	const server = await startOllama((_key, count) => (count === 1 ? answer : undefined));
	await sendChat(server);
	await sendChat(server);
	await clock.pass(5_000);
	await sendChat(server);
	expect(chats(server)).toEqual([CHAT, CHAT, '/api/chat']);
});

test('a Stop during the identification is not cached and does not affect other requests', async () => {
	let respond = () => {};
	const routes = ollama();
	const server = await startOllama(() => (request, response) => {
		respond = () => (routes[LIST] as Answer)(request, response);
	});
	const stop = new AbortController();
	const stopped = sendChat(server, SESAME, stop.signal).catch(() => {});
	await server.arrived('/models');
	const waiting = sendChat(server);
	stop.abort();
	await stopped;
	respond();
	await waiting;
	await sendChat(server);
	expect(chats(server)).toEqual(['/api/chat', '/api/chat']);
	expect(server.requests.filter(({ path }) => path === '/v1/models')).toHaveLength(1);
});

test('an option rejected for one key is sent with another', async () => {
	const server = await start({
		...LLAMA_SERVER,
		[OPENAI]: (request, response) => {
			const isKnown = request.headers.authorization === `Bearer ${SESAME}`;
			if (isKnown || request.body.top_k === undefined) text('Hello.')(request, response);
			else sendJson(response, { error: { message: "Unsupported parameter: 'top_k'" } }, 400);
		},
	});
	for (const apiKey of ['bounded', 'bounded', SESAME]) {
		const { supplied } = await chatModel(server.url, {
			parameters: { options: { topK: 40 } },
			credentials: { apiKey },
			context: { getExecutionId: () => 'one execution' },
		});
		await clock.passUntil(supplied.invoke('Hi'));
	}
	expect(server.sent(CHAT).map(({ top_k: topK }) => topK)).toEqual([40, undefined, undefined, 40]);
});

test('an error that repeats text from the request does not cause stricter roles later', async () => {
	const serverMessage = 'Jinja Exception: Conversation roles must alternate';
	const server = await start({
		...LLAMA_SERVER,
		[OPENAI]: (request, response) =>
			request.text.includes(serverMessage)
				? sendJson(response, { error: { message: `Cannot process "${serverMessage}"` } }, 500)
				: text('Hello.')(request, response),
	});
	const { supplied } = await chatModel(server.url, {});
	const createHistory = (question: string) => [
		['system', 'Be brief.'],
		['human', question],
		['system', 'Really brief.'],
		['human', 'Now.'],
	];
	const asked = supplied.invoke(createHistory(`Say: ${serverMessage}`));
	await clock.passUntil(asked.catch(() => {}));
	await clock.passUntil(supplied.invoke(createHistory('Hi')));
	const { messages } = server.sent(CHAT).at(-1)! as { messages: Array<{ role: string }> };
	expect(messages.map(({ role }) => role)).toEqual(['system', 'user', 'system', 'user']);
});
