import fc from 'fast-check';

import { connectTo } from '../../../../lib/servers/connect';
import { listChatModels, listModels } from '../../../../lib/servers/model-list';
import { loadedOrAll } from '../../../../lib/servers/model-names';
import { readModels } from '../../../../lib/servers/models';
import { listModelsFor } from '../../../../lib/servers/purpose';
import { json, type ScriptedServer, startScripted } from '../../../servers/scripted';
import { check } from '../../health/support';
import { list, TAKES_EVERYTHING, testKind } from './kind-suite';

const entry = (id: string, ...labels: string[]) => ({
	id,
	object: 'model',
	owned_by: 'lemonade',
	checkpoint: `/models/${id}.gguf`,
	recipe: 'llamacpp',
	context_length: 2048,
	labels,
});

describe('Lemonade', () => {
	testKind('lemonade', {
		told: [
			[
				'Lemonade, which plays Ollama (lemonade-sdk/lemonade)',
				{
					models: list({
						id: 'Qwen3-0.6B-GGUF',
						created: 1744173590,
						owned_by: 'lemonade',
						recipe: 'llamacpp',
					}),
					apiVersion: { version: '0.16.1' },
				},
			],
			[
				'its recipes and checkpoints',
				{ models: list({ id: 'q', recipe: 'llamacpp', checkpoint: 'unsloth/q:Q4_0' }) },
			],
		],
		notTold: [
			[
				'a list with recipes alone',
				{ models: list({ id: 'q', owned_by: 'cook', recipe: 'soup' }) },
				'other',
			],
		],
		chat: TAKES_EVERYTHING,
		simulated: { profile: 'lemonade', refusal: 'other' },
		advice: { noModels: 'Start it with a model', moreContext: '9000 tokens' },
	});

	it('labels a model with what it is for', () => {
		const label = fc.constantFrom('hot', 'vision', 'tool-calling', 'custom', 'reasoning', 'mtp');
		const mode = fc.constantFrom('chat', 'embeddings', 'reranking');
		fc.assert(
			fc.property(mode, fc.uniqueArray(label), (mainLabel, more) => {
				const [model] = readModels(list(entry('a', ...more, mainLabel)))!;
				expect(model).toMatchObject({
					embeddings: mainLabel !== 'chat',
					reranks: mainLabel === 'reranking',
				});
				expect(model!.vision).toBe(more.includes('vision') || undefined);
				expect(model!.tools).toBe(more.includes('tool-calling') || undefined);
			}),
		);
	});

	it('tells nothing by labels that name no use, nor by those of other servers', () => {
		expect(readModels(list(entry('a', 'hot')))![0]!.embeddings).toBeUndefined();
		expect(readModels(list({ id: 'a', labels: ['embeddings'] }))![0]!.embeddings).toBeUndefined();
	});

	describe('with a chat model, an embedding model and a reranker', () => {
		let health: object;
		let server: ScriptedServer;
		beforeEach(async () => {
			health = { status: 'ok', all_models_loaded: [] };
			server = await startScripted(({ method, path }, response) => {
				const route = `${method} ${path.replace(/^\/api/, '')}`;
				if (route === 'GET /v1/health') return json(response, health);
				if (route !== 'GET /v1/models') return json(response, {}, 404);
				return json(
					response,
					list(entry('talker', 'chat'), entry('vectors', 'embeddings'), entry('rank', 'reranking')),
				);
			});
		});
		afterEach(async () => await server.close());
		const connection = (path = '') => connectTo({ baseUrl: server.url + path });
		const named = (models: ReadonlyArray<{ id: string }>) => models.map(({ id }) => id);

		it('lists each where it fits', async () => {
			expect(named(await listChatModels(connection()))).toEqual(['talker']);
			expect(named(await listModelsFor(connection(), 'embeddings'))).toEqual(['vectors']);
			expect(named(await listModelsFor(connection(), 'reranking'))).toEqual(['rank']);
		});

		it.each([
			['its list of all', { all_models_loaded: [{ model_name: 'rank' }] }],
			['the one name of older versions', { model_loaded: 'rank' }],
		])('tells what is loaded by %s', async (_, said) => {
			health = said;
			for (const path of ['', '/api/v1']) {
				const models = await listModels(connection(path));
				expect(models.map(({ state }) => state)).toEqual(['unloaded', 'unloaded', 'loaded']);
				expect(named(loadedOrAll(models))).toEqual(['rank']);
			}
		});

		it('a check shows state and use, and a model that is not loaded is no fault', async () => {
			health = { all_models_loaded: [{ model_name: 'vectors' }] };
			const result = await check(server.url, { expectations: { model: 'talker' } });
			expect(result.status).toBe('healthy');
			expect(result.models?.map(({ id, loaded, embeddings }) => [id, loaded, embeddings])).toEqual([
				['talker', false, false],
				['vectors', true, true],
				['rank', false, true],
			]);
		});
	});
});
