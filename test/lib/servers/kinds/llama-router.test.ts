import { list, TAKES_EVERYTHING, testKind } from './kind-suite';

describe('a router of llama-server', () => {
	const LLAMA = 'llama-server-v0.5.0';

	testKind('llamaRouter', {
		told: [
			['a router', { models: `${LLAMA}/router-models-loaded` }],
			['with models none of which is loaded', { models: `${LLAMA}/router-models` }],
			['by its /props alone', { props: `${LLAMA}/router-props` }],
		],
		notTold: [
			[
				'llama-server with one model',
				{ models: `${LLAMA}/models`, props: `${LLAMA}/props` },
				'llamaServer',
			],
			[
				'another server whose models have a status',
				{ models: list({ id: 'a', status: { value: 'loaded' } }) },
				'other',
			],
			[
				'a gateway in Python that hands on its list (optillm)',
				{
					models: {
						status: 200,
						text: '',
						json: list({ id: 'a', owned_by: 'llamacpp', status: { value: 'loaded' } }),
						headers: { server: 'Werkzeug/3.1.9 Python/3.11.7' },
					},
				},
				'other',
			],
		],
		chat: {
			...TAKES_EVERYTHING,
			fields: { ...TAKES_EVERYTHING.fields, max_tokens: -1 },
			thinkingIn: ['reasoning_content'],
		},
		simulated: { profile: 'router', refusal: 'llamaServer' },
		advice: {
			noModels: '--models-dir',
			missingModel: '--models-dir',
			rerankOff: '--rerank',
			toolParser: '--jinja',
		},
	});
});
