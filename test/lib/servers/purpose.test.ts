import type { ServerError } from '../../../lib/errors/server-error';
import { connectTo } from '../../../lib/servers/connect';
import { askServerKindAgain } from '../../../lib/servers/identify';
import { kindFor, listModelsFor, requireFit } from '../../../lib/servers/purpose';
import { reply, startLlamaServerSim, type WireRequest } from '../../servers/llama-server';
import { closeRawServers, rawServer } from '../../support/raw-answers';
import { useSimulator } from '../../servers/use-simulator';

const start = useSimulator(startLlamaServerSim);

const idsOf = async (list: ReturnType<typeof listModelsFor>) => (await list).map(({ id }) => id);
const failureOf = async (promise: Promise<unknown>) =>
	await promise.then(
		() => undefined,
		(error: unknown) => error as ServerError,
	);

const routerModel = (id: string, ...args: string[]) => ({
	id,
	object: 'model',
	owned_by: 'llamacpp',
	status: { value: 'unloaded', args: ['llama-server', ...args] },
});

async function router() {
	const server = await start({ profile: 'router' });
	const data = [
		routerModel('chat'),
		routerModel('minilm', '--embeddings'),
		routerModel('bge', '--reranking'),
	];
	server.route('GET /v1/models', reply.json({ object: 'list', data }));
	return connectTo({ baseUrl: server.url });
}

test('a router tells by its arguments', async () => {
	const connection = await router();
	expect(await idsOf(listModelsFor(connection, 'embeddings'))).toEqual(['minilm']);
	expect(await idsOf(listModelsFor(connection, 'reranking'))).toEqual(['bge']);
});

test('a router: a model for something else is refused before it is asked', async () => {
	const connection = await router();
	const kind = await kindFor(connection, 'chat');
	const refused = async (model: string, purpose: 'embeddings' | 'reranking') =>
		(await failureOf(requireFit(connection, { model, kind, purpose })))?.kind;
	expect(kind).toBe('llamaRouter');
	expect([
		await refused('chat', 'reranking'),
		await refused('minilm', 'reranking'),
		await refused('bge', 'reranking'),
	]).toEqual(['notSupported', 'notSupported', undefined]);
	expect([
		await refused('bge', 'embeddings'),
		await refused('minilm', 'embeddings'),
		await refused('new', 'embeddings'),
	]).toEqual(['notSupported', undefined, undefined]);
});

test('Ollama tells by the capabilities of each model, and cannot rerank', async () => {
	const server = await start({
		profile: 'ollama',
		models: [{ id: 'qwen3:8b' }, { id: 'nomic-embed-text:latest' }],
	});
	server.route('POST /api/show', ({ body }: WireRequest) =>
		reply.json({
			capabilities: (body as { model: string }).model.startsWith('nomic')
				? ['embedding']
				: ['completion'],
		}),
	);
	const connection = connectTo({ baseUrl: server.url });
	expect(await idsOf(listModelsFor(connection, 'embeddings'))).toEqual(['nomic-embed-text:latest']);
	expect((await failureOf(listModelsFor(connection, 'reranking')))?.message).toBe(
		'Ollama cannot rerank',
	);
});

test('no model that is fit: the error says how to get one', async () => {
	const server = await start({ profile: 'ollama' });
	const failed = await failureOf(listModelsFor(connectTo({ baseUrl: server.url }), 'embeddings'));
	expect(failed).toMatchObject({
		message: 'None of the models of the server is for embeddings',
		remedy: expect.stringContaining('ollama pull nomic-embed-text') as string,
	});
});

test('GPUStack is asked for its category', async () => {
	const server = await start({ profile: 'gpustack' });
	const connection = connectTo({
		baseUrl: server.url,
		headers: { authorization: 'Bearer gpustack-key' },
	});
	expect(await idsOf(listModelsFor(connection, 'reranking'))).toHaveLength(1);
	expect(server.requests.map(({ target }) => target)).toContain('/v1/models?categories=reranker');
});

test('a server that tells nothing: all models', async () => {
	const server = await start({ profile: 'vllm' });
	expect(await idsOf(listModelsFor(connectTo({ baseUrl: server.url }), 'reranking'))).toHaveLength(
		1,
	);
});

test('a server that is silent is asked once who it is, not by one route after the other', async () => {
	const paths: string[] = [];
	const url = await rawServer((path) => void paths.push(path));
	const connection = connectTo({ baseUrl: url });
	await askServerKindAgain(connection, { limitMs: 200 });
	const before = paths.length;
	expect(await kindFor(connection, '')).toBe('other');
	expect(paths.slice(before)).toEqual([]);
	await closeRawServers();
});
