import { answer, TAKES_EVERYTHING, testKind } from './kind-suite';

describe('llama-cpp-python', () => {
	testKind('llamaCppPython', {
		told: [
			['its list of models', { models: 'llama-cpp-python-0.3.36/models' }],
			[
				'its headers, without its list',
				{ models: { ...answer('llama-cpp-python-0.3.36/models', 200), json: undefined, text: '' } },
			],
		],
		notTold: [
			[
				'OpenAI, which has one of its headers',
				{ models: { ...answer({ data: [] }), headers: { 'openai-processing-ms': '5' } } },
				'other',
			],
		],
		chat: {
			...TAKES_EVERYTHING,
			fields: { ...TAKES_EVERYTHING.fields, tool_choice: { type: 'function', function: { name: 'get_time' } } },
			tools: ['get_time', 'get_weather'],
			budget: undefined,
		},
		advice: { embeddingsOff: '--embedding true', moreContext: '--n_ctx 9000', toolParser: 'chatml-function-calling' },
	});
});
