import { kindOf } from '../../../../lib/servers/kinds';
import { list, TAKES_EVERYTHING, testKind } from './kind-suite';

describe('LiteLLM', () => {
	testKind('litellm', {
		told: [
			['LiteLLM', { models: list({ id: 'gpt-4o', created: 1_677_610_602, owned_by: 'openai' }) }],
			[
				'its headers, also with an error',
				{
					models: {
						status: 500,
						headers: { 'x-litellm-version': '1.60.0' },
						text: '',
						json: undefined,
					},
				},
			],
		],
		notTold: [
			[
				'a list of OpenAI with dates of its own',
				{ models: list({ id: 'gpt-4o', created: 1, owned_by: 'openai' }) },
				'other',
			],
		],
		chat: TAKES_EVERYTHING,
		simulated: { profile: 'litellm', refusal: 'litellm' },
		advice: { noModels: 'Start it with a model', moreContext: '9000 tokens' },
	});

	it('is never asked for /health to identify it: that would send a request to every model behind it', () => {
		expect(kindOf('litellm').health.path).toBe('/health/liveliness');
	});
});
