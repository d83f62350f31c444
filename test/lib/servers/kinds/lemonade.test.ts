import { list, TAKES_EVERYTHING, testKind } from './kind-suite';

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
});
