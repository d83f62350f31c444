/** Another server at a known address: a response that contradicts the known type ends what is known of it. */
import type { JsonRecord } from '../../lib/values/records';
import { useClock } from './support/fake-clock';
import { chatModel, embeddings } from './support/node-runner';
import { CHAT, LLAMA_SERVER, ollama, text } from './support/responses';
import { json, sendJson, useServers } from '../support/servers/scripted-server';
import type { Answer, Routes, ScriptedServer } from '../support/servers/scripted-server';

const start = useServers();
const clock = useClock();

const nativeText: Answer = (_request, response) => {
	response.writeHead(200, { 'content-type': 'application/x-ndjson' });
	const message = { role: 'assistant', content: 'Hello.' };
	response.end(`${JSON.stringify({ message, done: true, done_reason: 'stop' })}\n`);
};

const list = (owner: string, more: object = {}): Answer =>
	json({ object: 'list', data: [{ id: 'm', object: 'model', owned_by: owner, ...more }] });

const chat =
	(more: JsonRecord, headers: Record<string, string> = {}): Answer =>
	(request, response) => {
		for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
		return text('Hello.', more)(request, response);
	};

type Name = 'llama-server' | 'Ollama' | 'vLLM' | 'LiteLLM' | 'GPUStack' | 'unknown';

const EMBEDDINGS = 'POST /v1/embeddings';
const vectors: Answer = (request, response) =>
	sendJson(response, {
		data: [request.body.input].flat().map((_, index) => ({ index, embedding: [0.6, 0.8] })),
	});

/** The routes of each server. */
const SERVERS: Readonly<Record<Name, Routes>> = {
	'llama-server': {
		...LLAMA_SERVER,
		[`POST ${CHAT}`]: chat({ system_fingerprint: 'b1-de3ff81' }),
		[EMBEDDINGS]: (request, response) => {
			response.setHeader('server', 'llama.cpp');
			vectors(request, response);
		},
	},
	Ollama: {
		...ollama(),
		[`POST ${CHAT}`]: chat({ system_fingerprint: 'fp_ollama' }),
		'POST /api/chat': nativeText,
		[EMBEDDINGS]: vectors,
	},
	vLLM: {
		'GET /v1/models': list('vllm', { max_model_len: 8192 }),
		[`POST ${CHAT}`]: chat({}),
		[EMBEDDINGS]: vectors,
	},
	LiteLLM: {
		'GET /v1/models': list('openai', { created: 1_677_610_602 }),
		[`POST ${CHAT}`]: chat({}, { 'x-litellm-version': '1.110.0' }),
		[EMBEDDINGS]: vectors,
	},
	GPUStack: {
		'GET /v1/models': list('gpustack'),
		[`POST ${CHAT}`]: chat({ system_fingerprint: 'fp_ollama' }),
		[EMBEDDINGS]: vectors,
	},
	unknown: {
		'GET /v1/models': list('somebody'),
		[`POST ${CHAT}`]: chat({ system_fingerprint: 'b1-de3ff81' }),
		[EMBEDDINGS]: vectors,
	},
};

/** A server that can be replaced by another one. */
async function startReplaceable(
	first: Name,
): Promise<ScriptedServer & { replace(name: Name): void }> {
	let routes = SERVERS[first];
	const server = await start((request, response) => {
		const answer = routes[`${request.method} ${request.path.split('?')[0]}`] as Answer | undefined;
		if (answer) return answer(request, response);
		sendJson(response, { detail: 'Not Found' }, 404);
	});
	return { ...server, replace: (name) => void (routes = SERVERS[name]) };
}

const OPTIONS = { topK: 40, keepAlive: '30m', contextSize: 8192 };

async function sendChat({ url }: ScriptedServer, credentials: object = {}): Promise<void> {
	const setup = { parameters: { options: OPTIONS }, credentials: credentials as never };
	const { supplied } = await chatModel(url, setup);
	await clock.passUntil(supplied.invoke('Hi'));
}

const listed = ({ requests }: ScriptedServer) =>
	requests.filter(({ method, path }) => method === 'GET' && path === '/v1/models').length;

/** The last request that generated something. */
const last = ({ requests }: ScriptedServer) =>
	requests.filter(({ path }) => path === CHAT || path === '/api/chat').at(-1)!;

test.each<[Name, Name, object]>([
	['llama-server', 'Ollama', { path: '/api/chat' }],
	['vLLM', 'Ollama', { path: '/api/chat' }],
	['vLLM', 'llama-server', { path: CHAT, body: { top_k: 40 } }],
	['llama-server', 'LiteLLM', { path: CHAT }],
])('%s, then %s: one more request, then as for the new one', async (first, second, request) => {
	const server = await startReplaceable(first);
	await sendChat(server);
	await sendChat(server);
	expect(listed(server)).toBe(1);
	server.replace(second);
	await sendChat(server);
	await sendChat(server);
	expect(listed(server)).toBe(2);
	expect(last(server)).toMatchObject(request);
	await sendChat(server);
	expect(listed(server)).toBe(2);
});

test('a header of another task shows it, too', async () => {
	const server = await startReplaceable('vLLM');
	await sendChat(server);
	server.replace('llama-server');
	const { supplied } = await embeddings(server.url, {});
	await clock.passUntil(supplied.embedQuery('Hi'));
	await sendChat(server);
	expect(listed(server)).toBe(2);
});

test.each<[Name, object]>([
	// It forwards the responses of other servers.
	['GPUStack', {}],
	['llama-server', { serverType: 'vllm' }],
])('%s stays known, with %j', async (name, credentials) => {
	const server = await startReplaceable(name);
	for (let count = 0; count < 3; count++) await sendChat(server, credentials);
	expect(listed(server)).toBeLessThan(2);
});

test('a server that is not recognized is identified once more, and not each time', async () => {
	const server = await startReplaceable('unknown');
	for (let count = 0; count < 4; count++) await sendChat(server);
	expect(listed(server)).toBe(2);
});
