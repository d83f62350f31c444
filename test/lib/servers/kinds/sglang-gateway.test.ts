import { list, openAiFieldsOnly, testKind } from './kind-suite';

describe("SGLang's gateway", () => {
	testKind('sglangGateway', {
		told: [['its list', { models: 'sglang-gateway-0.3.2/models' }]],
		notTold: [
			['SGLang itself', { models: list({ id: 'm', owned_by: 'sglang' }) }, 'sglang'],
			['a server of its own', { models: list({ id: 'unknown', owned_by: 'me' }) }, 'other'],
		],
		chat: openAiFieldsOnly("SGLang's gateway"),
		advice: { missingModel: 'behind the gateway', moreContext: '9000 tokens' },
	});
});
