/** What servers report about their responses to tasks. */
import { clearSharedCaches } from '../../../lib/lru-cache';
import { createModelServer } from '../../../lib/servers/model-server';
import { Embedder } from '../../../lib/tasks/embed';
import { json, type ScriptedServer, startScripted } from '../../simulators/scripted';

const COMMON = { batchSize: 32, retries: 0, priority: 'interactive' } as const;
let server: ScriptedServer | undefined;
beforeEach(clearSharedCaches);
afterEach(async () => await server?.close());

/** A server that responds by path with JSON. */
async function serve(routes: Record<string, object>) {
	server = await startScripted(({ path }, response) => {
		const body = routes[path];
		json(response, body ?? { detail: 'Not Found' }, body === undefined ? 404 : 200);
	});
	return createModelServer({ baseUrl: server.url });
}

const listed = (...entries: object[]) => ({
	'/v1/models': { data: entries.map((entry) => ({ owned_by: 'organization_owner', ...entry })) },
});

async function embedAs(requested: string, reported: unknown, list: object = {}) {
	const data = [{ index: 0, embedding: [1, 2] }];
	const target = await serve({ '/v1/embeddings': { model: reported, data }, ...list });
	const settings = { ...COMMON, model: requested, prefixes: {}, longTexts: 'fail' } as const;
	const embedder = new Embedder(target, { ...settings, blankTexts: 'fail' });
	await embedder.embed(['a'], 'query');
	return await embedder.embed(['b'], 'query');
}

describe('the model that an embeddings response names', () => {
	test.each([
		['nomic', 'text-embedding-bge-m3', listed({ id: 'text-embedding-bge-m3' })],
		['bge-large', 'bge-m3', {}],
		['a', '/models/b.gguf', listed({ id: '/models/b.gguf', aliases: ['c'] })],
		['first', 'second', listed({ id: 'first' }, { id: 'second' })],
	])('%s, but %s: a hint', async (requested, reported, list) => {
		const { otherModel, warnings } = await embedAs(requested, reported, list);
		expect(otherModel).toBe(reported);
		expect(warnings).toEqual([expect.stringContaining(`"${reported}" instead of "${requested}"`)]);
	});

	test.each<[string, unknown, object?]>([
		['nomic-embed-text', 'nomic-embed-text:latest'],
		['nomic-embed-text:v1.5', 'nomic-embed-text'],
		['bge-m3', '/models/BGE-M3.gguf'],
		['nomic-ai/nomic-embed', 'nomic-embed'],
		['embed', 'bge-m3', listed({ id: 'bge-m3', aliases: ['embed'] })],
		['embed', 'internal-name', listed({ id: 'embed' })],
		[
			'embed',
			'bge-m3',
			{
				'/v1/models': {
					data: ['embed', 'bge-m3'].map((id) => ({
						id,
						created: 1_677_610_602,
						owned_by: 'openai',
					})),
				},
			},
		],
		['m', undefined],
		['m', 5],
	])('%s and %s: the same, or not known', async (requested, reported, list = {}) => {
		const result = await embedAs(requested, reported, list);
		expect([result.otherModel, result.warnings]).toEqual([undefined, []]);
	});
});
