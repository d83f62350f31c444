import { list, openAiFieldsOnly, testKind } from './kind-suite';

describe('Inference Gateway', () => {
	testKind('inferenceGateway', {
		told: [['models of several providers', { models: 'inference-gateway-0.48.2/models' }]],
		notTold: [
			['llama-server itself', { models: list({ id: 'm', owned_by: 'llamacpp' }) }, 'llamaServer'],
		],
		chat: openAiFieldsOnly('Inference Gateway'),
		advice: { missingModel: 'llamacpp/NAME', moreContext: '9000 tokens' },
	});
});
