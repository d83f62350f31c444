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
		advice: { noModels: 'Start it with a model', moreContext: '9000 tokens' },
	});
});
