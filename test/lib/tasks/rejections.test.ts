/** Recorded rejections of real servers, and how embeddings and rerank handle them. */
import type { ServerError } from '../../../lib/errors/server-error';
import { clearSharedCaches } from '../../../lib/lru-cache';
import { createModelServer } from '../../../lib/servers/credential';
import { Embedder } from '../../../lib/tasks/embed';
import { rerank } from '../../../lib/tasks/rerank';
import {
	sendJson,
	type ScriptedServer,
	startScripted,
} from '../../guarantees/support/scripted-server';
import { httpFixture } from '../../support/streams';

const COMMON = { model: 'm', batchSize: 32, retries: 0, priority: 'interactive' } as const;
let server: ScriptedServer | undefined;
let bodies: Array<Record<string, unknown>>;
beforeEach(() => {
	clearSharedCaches();
	bodies = [];
});
afterEach(async () => await server?.close());

type Answer = string | { status?: number; json: unknown };

/** A server that responds by path: with a recording, or with JSON. */
async function serving(
	routes: Record<string, Answer | ((body: Record<string, unknown>) => Answer)>,
) {
	server = await startScripted(({ path, body }, response) => {
		const route = routes[path];
		if (path === '/v1/embeddings' || path === '/rerank') bodies.push(body);
		const reply =
			typeof route === 'function'
				? route(body)
				: (route ?? { status: 404, json: { detail: 'Not Found' } });
		if (typeof reply !== 'string') return sendJson(response, reply.json, reply.status);
		const { status, headers, body: bytes } = httpFixture(`${reply}.http`);
		response.writeHead(status, Object.fromEntries(headers));
		response.end(bytes);
	});
	return createModelServer({ baseUrl: server.url });
}

type Server = ReturnType<typeof createModelServer>;
const modelList = (owner: string) => ({
	'/v1/models': { json: { data: [{ id: 'm', created: 1_677_610_602, owned_by: owner }] } },
});
const embed = async (server: Server, text = 'a', dimensions?: number) =>
	await new Embedder(server, {
		...COMMON,
		dimensions,
		prefixes: {},
		longTexts: 'fail',
		blankTexts: 'fail',
	}).embed([text], 'query');
const rerankDocuments = async (server: Server, documents: string[]) => {
	const settings = { topN: 0, scores: 'received', longDocuments: 'fail' } as const;
	return await rerank(server, { ...COMMON, ...settings }, 'a', documents);
};
const getError = async (pending: Promise<unknown>) =>
	await pending.then(
		() => Promise.reject(new Error('no failure')),
		(error: unknown) => error as ServerError,
	);

it('a rejected field without effect is omitted from all later requests', async () => {
	const server = await serving({
		'/v1/embeddings': (body) =>
			'encoding_format' in body
				? 'litellm-1.106.2/embeddings-refuses-encoding-format'
				: { json: { data: [{ index: 0, embedding: [1, 0] }] } },
	});
	for (const text of ['a', 'b']) expect(await embed(server, text)).toMatchObject({ warnings: [] });
	expect(bodies.map((body) => 'encoding_format' in body)).toEqual([true, false, false]);
});

it('a gateway to a provider that does not rerank', async () => {
	const server = await serving({
		...modelList('openai'),
		'/v1/rerank': 'litellm-1.106.2/rerank-unsupported-provider',
	});
	expect(await getError(rerankDocuments(server, ['b']))).toMatchObject({ type: 'featureDisabled' });
});

it('llama-server without the route: the URL is wrong, not its options', async () => {
	expect(await getError(embed(await serving(modelList('llamacpp'))))).toMatchObject({
		type: 'routeNotFound',
		suggestion: expect.stringContaining('Base URL') as string,
	});
});

it('a recognized server without the route', async () => {
	const server = await serving({
		...modelList('vllm'),
		'/v1/embeddings': 'vllm-0.32.0-cpu/embeddings-404-no-route',
	});
	expect(await getError(embed(server))).toMatchObject({
		type: 'featureDisabled',
		message: 'The server has no endpoint for embeddings',
	});
});

it('a server with the names of TEI at the root: later requests use that route directly', async () => {
	const server = await serving({
		'/rerank': ({ texts }) => ({
			json: (texts as string[]).map((_text, index) => ({ index, score: index })),
		}),
	});
	const best = [
		{ index: 1, score: 1 },
		{ index: 0, score: 0 },
	];
	expect((await rerankDocuments(server, ['x', 'y'])).ranking).toEqual(best);
	expect((await rerankDocuments(server, ['x', 'y'])).ranking).toEqual(best);
	expect(bodies).toMatchObject([{ texts: ['x', 'y'] }, { texts: ['x', 'y'] }]);
});

it.each([
	'Model "m" does not support matryoshka representation, changing output dimensions will lead to poor results.',
	'litellm.UnsupportedParamsError: Setting dimensions is not supported for m.',
	'Dimension 512 is not one of the dimensions of this model: 256, 768',
	'matryoshka_dimensions are not set for this model',
])('a rejected number of dimensions names the option: %s', async (message) => {
	const server = await serving({
		'/v1/embeddings': () => ({ status: 400, json: { error: { message } } }),
	});
	const error = await getError(embed(server, 'a', 512));
	expect(error.message).toContain('(Dimensions)');
	expect(error.serverText).toBe(message);
	expect(bodies).toHaveLength(1);
	expect((await getError(embed(server, 'a'))).message).not.toContain('(Dimensions)');
});
