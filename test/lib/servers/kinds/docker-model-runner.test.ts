import fc from 'fast-check';

import { RerankClient } from '../../../../lib/rerank/client';
import { kindOfMessage } from '../../../../lib/errors/kind-of-message';
import { connectTo } from '../../../../lib/servers/connect';
import { KINDS } from '../../../../lib/servers/kinds';
import { changeModel, deleteModel, pullModel } from '../../../../lib/servers/manage/model-work';
import { listChatModels, listModels } from '../../../../lib/servers/model-list';
import { isModelNamed } from '../../../../lib/servers/model-names';
import { json, type ScriptedServer, startScripted } from '../../../servers/scripted';
import { check } from '../../health/support';
import { list, TAKES_EVERYTHING, testKind } from './kind-suite';

const entry = (name: string, architecture: string) => ({
	id: `docker.io/ai/${name}:latest`,
	object: 'model',
	owned_by: 'docker',
	dmr: { context_window: 2048, architecture, parameters: '134.52M', quantization: 'MOSTLY_Q4_1' },
});

describe('Docker Model Runner', () => {
	testKind('dockerModelRunner', {
		told: [
			['its list', { models: list(entry('smollm2', 'llama')) }],
			[
				'before the llama-server behind it',
				{
					models: list(entry('smollm2', 'llama')),
					health: { status: 404, headers: { server: 'llama.cpp' }, text: '', json: undefined },
				},
			],
		],
		notTold: [['a list without models', { models: list() }, 'other']],
		version: [{ version: { version: 'v1.2.6' } }, 'v1.2.6'],
		chat: TAKES_EVERYTHING,
		simulated: { profile: 'docker-model-runner', refusal: 'other' },
		advice: {
			noModels: 'docker model pull',
			missingModel: 'docker model pull qwen3',
			moreContext: '--context-size 9000',
		},
	});

	it('reads a name as the runner completes it', () => {
		const { isSameName } = KINDS.dockerModelRunner.models;
		const part = fc.stringMatching(/^[a-z][a-z0-9.-]{0,8}$/);
		fc.assert(
			fc.property(part, part, part, (owner, name, tag) => {
				const isWay = (id: string, way: string) =>
					isModelNamed({ id, aliases: [] }, way, isSameName);
				for (const way of [name, `ai/${name}`, `docker.io/ai/${name}`, `AI/${name}:latest`])
					expect(isWay(`docker.io/ai/${name}:latest`, way)).toBe(true);
				expect(
					isWay(`huggingface.co/${owner}/${name}:${tag}`, `hf.co/${owner}/${name}:${tag}`),
				).toBe(true);
				expect(isWay(`docker.io/ai/${name}:${tag}`, name)).toBe(tag === 'latest');
				expect(isWay(`docker.io/${owner}/${name}:${tag}`, `ai/${name}:${tag}`)).toBe(
					owner === 'ai',
				);
			}),
		);
	});

	it.each([
		['unable to load runner: error waiting for runner: llama.cpp terminated', 'modelFailedToLoad'],
		['unable to load runner: unsupported backend mode "image-generation"', 'wrongModelType'],
	])('its text "%s" means %s', (text, kind) => {
		expect(kindOfMessage(text)).toBe(kind);
	});

	it('names its log where a model cannot be loaded', () => {
		const { remedies } = KINDS.dockerModelRunner.words;
		expect(remedies?.modelFailedToLoad).toContain('docker model logs');
	});

	describe('models', () => {
		/** What is in memory; `answering`: how many more looks find the model busy. */
		let runners: Array<{ model_name: string; loading?: boolean }>;
		let answering: number;
		let server: ScriptedServer;
		beforeEach(async () => {
			runners = [];
			answering = 0;
			server = await startScripted(({ method, path, headers, body }, response) => {
				const preloads = headers['x-preload-only'] === 'true';
				switch (`${method} ${path}`) {
					case 'GET /engines/v1/models':
						return json(response, list(entry('smollm2', 'llama'), entry('minilm', 'bert')));
					case 'GET /engines/ps':
						return json(response, runners);
					case 'POST /engines/unload':
						if (answering-- <= 0) runners = [];
						return json(response, { unloaded_runners: 1 });
					case 'POST /engines/v1/chat/completions':
					case 'POST /engines/v1/embeddings':
						if (preloads) runners.push({ model_name: String(body.model) });
						return json(response, {});
					case 'POST /rerank':
						return json(response, { results: [{ index: 0, relevance_score: 0.5 }] });
					case 'POST /api/pull':
						if (body.model === 'ai/lost')
							return json(response, { error: 'Failed to pull model: Model not found' }, 500);
						return response.end(
							'{"status":"pulling 1","digest":"sha256:1","total":8}\n{"status":"success"}\n',
						);
					case 'DELETE /api/delete':
						return json(response, {});
					default:
						return json(response, {}, 404);
				}
			});
		});
		afterEach(async () => await server.close());
		const connection = () => connectTo({ baseUrl: `${server.url}/engines/v1` });
		const sent = (path: string) => server.requests.filter((request) => request.path === path);
		const change = { wait: true, limitMs: 5000, pauseMs: 1 };

		it('are listed with what the runner knows of them and what is in memory', async () => {
			runners = [{ model_name: 'ai/smollm2' }, { model_name: 'ai/minilm', loading: true }];
			expect(await listModels(connection())).toEqual([
				{
					id: 'docker.io/ai/smollm2:latest',
					aliases: [],
					context: 2048,
					parameters: '134.52M',
					quantization: 'Q4_1',
					state: 'loaded',
				},
				expect.objectContaining({ embeddings: true, state: 'loading' }),
			]);
			expect(await check(`${server.url}/engines/v1`)).toMatchObject({
				url: server.url,
				server: { kind: 'dockerModelRunner' },
				models: [
					{ loaded: true, context: 2048 },
					{ loaded: false, state: 'loading' },
				],
			});
			expect(await listChatModels(connection())).toHaveLength(1);
		});

		it.each([
			['smollm2', '/engines/v1/chat/completions'],
			['ai/minilm', '/engines/v1/embeddings'],
		])('%s is loaded without a generation, by %s', async (model, path) => {
			const loaded = { before: 'unloaded', state: 'loaded', changed: true };
			expect(await changeModel(connection(), 'load', { model, ...change })).toMatchObject(loaded);
			expect(sent(path)).toHaveLength(1);
			const again = await changeModel(connection(), 'load', { model, ...change });
			expect(again).toMatchObject({ before: 'loaded', changed: false });
			expect(sent(path)).toHaveLength(1);
		});

		it('a model is unloaded when it has answered: until then the runner does nothing', async () => {
			runners = [{ model_name: 'ai/smollm2' }];
			answering = 2;
			const done = await changeModel(connection(), 'unload', { model: 'ai/smollm2', ...change });
			expect(done).toMatchObject({ before: 'loaded', state: 'unloaded' });
			expect(sent('/engines/unload')).toHaveLength(3);
			answering = 1000;
			runners = [{ model_name: 'ai/smollm2' }];
			const late = changeModel(connection(), 'unload', {
				...change,
				model: 'smollm2',
				limitMs: 0,
			});
			await expect(late).rejects.toThrow('is still in memory');
		});

		it('are fetched and deleted', async () => {
			const pulled = await pullModel(connection(), { model: 'ai/qwen3', wait: true, idleMs: 5000 });
			expect(pulled).toMatchObject({ state: 'success', size: 8, server: 'dockerModelRunner' });
			const lost = pullModel(connection(), { model: 'ai/lost', wait: true, idleMs: 5000 });
			await expect(lost).rejects.toMatchObject({
				message: 'The registry has no model "ai/lost"',
				remedy: expect.stringContaining('hub.docker.com') as string,
			});
			await deleteModel(connection(), { model: 'ai/smollm2' });
			expect(sent('/api/delete')).toHaveLength(1);
		});

		it('reranks at the root', async () => {
			const client = new RerankClient(connection(), {
				model: 'ai/minilm',
				batchSize: 32,
				retries: 0,
				limits: {},
				longDocuments: 'fail',
				instruction: '',
				topN: 0,
				scores: 'received',
			} as never);
			expect((await client.rerank('a', ['b'])).ranking).toEqual([{ index: 0, score: 0.5 }]);
		});
	});
});
