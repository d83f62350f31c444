import fc from 'fast-check';

import { readToEnd } from '../../../../lib/generators';
import { connectTo } from '../../../../lib/servers/connect';
import { complete } from '../../../../lib/text/complete';
import { json, type ScriptedServer, startScripted } from '../../../servers/scripted';
import { examples } from '../../../support/properties';
import { list, TAKES_EVERYTHING, testKind } from './kind-suite';

describe('LocalAI', () => {
	testKind('localai', {
		told: [
			[
				'LocalAI, which names neither owner nor date and plays Ollama 0.9.0 (mudler/LocalAI)',
				{ models: list({ id: 'gpt-4', object: 'model' }), apiVersion: { version: '0.9.0' } },
			],
			[
				'LocalAI by its version (mudler/LocalAI)',
				{ models: list(), version: { version: 'v4.1.0 (2a9e1f0c4be44a1d)' } },
			],
		],
		notTold: [
			[
				'a real Ollama 0.9.0, whose models have owners',
				{
					models: list({ id: 'llama3:8b', created: 1, owned_by: 'library' }),
					apiVersion: { version: '0.9.0' },
				},
				'ollama',
			],
			['no list', { version: { version: 'v4.1.0 (2a9e1f0c4be44a1d)' } }, 'other'],
		],
		version: [{ version: { version: 'v4.1.0 (2a9e1f0)' } }, 'v4.1.0 (2a9e1f0)'],
		chat: TAKES_EVERYTHING,
		simulated: { profile: 'localai', refusal: 'other' },
		advice: {
			noModels: 'local-ai models install NAME',
			missingModel: 'local-ai models install qwen3',
			embeddingsOff: 'embeddings: true',
			rerankOff: 'reranking: true',
			moreContext: 'context_size: 9000',
		},
	});

	describe('completions (core/http/endpoints/openai/completion.go)', () => {
		const MODELS = { object: 'list', data: [{ id: 'm', object: 'model' }] };
		let server: ScriptedServer;
		let generated = 0;
		beforeAll(async () => {
			server = await startScripted(({ path }, response) => {
				if (path === '/v1/models') return json(response, MODELS);
				if (path === '/api/version') return json(response, { version: '0.9.0' });
				if (path !== '/v1/completions') return json(response, {}, 404);
				const choices = [{ index: 0, text: ' Paris', finish_reason: 'stop' }];
				json(response, { choices, usage: { prompt_tokens: 4, completion_tokens: generated } });
			});
		});
		afterAll(async () => await server.close());

		const settings = (maxTokens?: number) => ({
			model: 'm',
			parameters: { maxTokens },
			limits: {},
			retries: 0,
		});

		it('the finish reason is always "stop": the count of tokens tells whether the limit ended it', async () => {
			const limits = fc.option(fc.integer({ min: 1, max: 50 }), { nil: undefined });
			const counts = fc.integer({ min: 0, max: 50 });
			await fc.assert(
				fc.asyncProperty(limits, counts, async (maxTokens, count) => {
					generated = count;
					const task = { prompt: 'The capital of France is' };
					const connection = connectTo({ baseUrl: server.url });
					const { stopType } = await readToEnd(complete(connection, settings(maxTokens), task));
					const isAtLimit = maxTokens !== undefined && count >= maxTokens;
					expect(stopType).toBe(isAtLimit ? 'limit' : 'stop');
				}),
				examples(30),
			);
		});
	});
});
