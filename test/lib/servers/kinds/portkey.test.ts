import { list, openAiFieldsOnly, testKind } from './kind-suite';

describe('Portkey', () => {
	testKind('portkey', {
		told: [
			['the list of llama-server that it passes on', { models: 'portkey-gateway-1.15.2/models' }],
		],
		notTold: [
			['llama-server itself', { models: list({ id: 'm', owned_by: 'llamacpp' }) }, 'llamaServer'],
		],
		chat: openAiFieldsOnly('Portkey'),
		advice: { missingModel: 'behind Portkey', moreContext: '9000 tokens' },
	});
});
