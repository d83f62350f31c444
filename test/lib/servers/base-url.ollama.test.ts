import { createModelServer } from '../../../lib/servers/endpoint';
import { listModels } from '../../../lib/servers/list-models';
import { getProfile } from '../../../lib/servers/profile';
import { resolveBaseUrl, toOllamaAddress } from '../../../lib/servers/base-url';
import { Embedder } from '../../../lib/tasks/embed';
import { completeText } from '../../../lib/tasks/complete';
import { reply, startLlamaServerSim } from '../../simulators/llama-server';
import { sendJson, startScripted } from '../../support/servers/scripted-server';
import { useSimulator } from '../../simulators/use-simulator';
import { NO_EXECUTION } from '../../support/n8n/node-host';

const startSim = useSimulator(startLlamaServerSim);
const startServer = useSimulator(startScripted);

const TYPED = ['/api', '/api/', '/api/chat', '/api/tags', '/api/embeddings'];

/** Ollama with the path as it was typed. */
async function connect(path: string) {
	const sim = await startSim({ profile: 'ollama', embeddings: true, models: [{ id: 'qwen3:8b' }] });
	sim.route('GET /api/tags', reply.json({ models: [{ name: 'qwen3:8b' }] }));
	sim.route('POST /api/generate', reply.json({ response: ' there was', done: true }));
	return { sim, server: createModelServer({ baseUrl: sim.url + path }, NO_EXECUTION) };
}
const SETTINGS = { model: 'qwen3:8b', retries: 0, priority: 'interactive' } as const;

describe('the native API of Ollama as Base URL, on any port', () => {
	test.each(TYPED)('%s: lists, type, root', async (path) => {
		const { sim, server } = await connect(path);
		expect((await listModels(server)).map(({ id }) => id)).toEqual(['qwen3:8b']);
		expect((await getProfile(server).fetchType()).name).toBe('ollama');
		expect([server.url.root, server.getApiUrl()]).toEqual([sim.url, `${sim.url}/v1`]);
	});

	test.each(TYPED)('%s: the type without a list, and texts', async (path) => {
		const { server } = await connect(path);
		expect((await getProfile(server).fetchType()).name).toBe('ollama');
		const settings = { ...SETTINGS, sampling: {} };
		const { text } = await completeText(server, settings, { prompt: 'Once upon a time' });
		expect(text).toBe(' there was');
	});

	test.each(TYPED)('%s: vectors', async (path) => {
		const { server, sim } = await connect(path);
		const embedder = new Embedder(server, {
			...SETTINGS,
			batchSize: 8,
			prefixes: {},
			longTexts: 'fail',
			blankTexts: 'fail',
		});
		expect((await embedder.embed(['a'], 'document')).vectors).toHaveLength(1);
		expect(sim.requests.filter(({ method }) => method === 'POST').map(({ path }) => path)).toEqual([
			'/api/embed',
		]);
	});
});

test.each([
	['http://webui:3000/ollama/api', 'http://webui:3000/ollama'],
	['http://webui:3000/ollama/api/', 'http://webui:3000/ollama'],
	['https://proxy.example/x/ollama/api/generate', 'https://proxy.example/x/ollama'],
])('%s is Ollama behind Open WebUI', (typed, root) => {
	expect(resolveBaseUrl(typed)).toMatchObject({ root, api: `${root}/v1` });
});

test.each([
	['http://host:8080/api', 'http://host:8080'],
	['http://host:8080/llm/api/chat', 'http://host:8080/llm'],
	['http://host:11434/x/api', 'http://host:11434/x'],
])('%s with the server type Ollama', (typed, root) => {
	expect(resolveBaseUrl(typed, true)).toMatchObject({ root, api: `${root}/v1` });
});

describe('Open WebUI, whose API is below /api', () => {
	test('keeps its address', async () => {
		const server = await startServer(({ path }, response) => {
			if (path === '/api/models')
				return sendJson(response, { data: [{ id: 'llama3', object: 'model' }] });
			return sendJson(response, { detail: 'Not Found' }, 404);
		});
		const target = createModelServer({ baseUrl: `${server.url}/api` }, NO_EXECUTION);
		expect((await listModels(target)).map(({ id }) => id)).toEqual(['llama3']);
		expect(target.url.root).toBe(`${server.url}/api`);
		expect(server.requests.map(({ path }) => path)).not.toContain('/api/tags');
	});

	test('without a list keeps it, too', async () => {
		const server = await startServer((_request, response) => sendJson(response, {}, 404));
		const target = createModelServer({ baseUrl: `${server.url}/api` }, NO_EXECUTION);
		await expect(listModels(target)).rejects.toMatchObject({ type: 'routeNotFound' });
		expect(target.url.root).toBe(`${server.url}/api`);
	});
});

test('only an address that ends in /api may be the native API', () => {
	expect(toOllamaAddress(resolveBaseUrl('http://host:8080/v1'))).toBeUndefined();
	expect(toOllamaAddress(resolveBaseUrl('http://host:8080/api/v1'))).toBeUndefined();
	expect(toOllamaAddress(resolveBaseUrl('http://host:8080/api'))?.root).toBe('http://host:8080');
});
