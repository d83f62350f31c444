import { list, TAKES_EVERYTHING, testKind } from './kind-suite';

describe('KoboldCpp', () => {
	testKind('koboldcpp', {
		told: [
			[
				'KoboldCpp, which plays Ollama (LostRuins/koboldcpp)',
				{
					models: list({ id: 'koboldcpp/x', owned_by: 'koboldcpp', root: 'koboldcpp' }),
					apiVersion: { version: '0.7.0' },
				},
			],
			[
				'its header',
				{
					health: {
						status: 404,
						headers: { server: 'ConcedoLlamaForKoboldServer ' },
						text: '',
						json: undefined,
					},
				},
			],
		],
		notTold: [['Ollama of another version', { apiVersion: { version: '0.7.0' } }, 'ollama']],
		chat: TAKES_EVERYTHING,
		simulated: { profile: 'koboldcpp', refusal: 'koboldcpp' },
		advice: { noModels: 'Start it with a model', moreContext: '--contextsize 9000' },
	});
});
