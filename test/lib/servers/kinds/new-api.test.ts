import { list, openAiFieldsOnly, testKind } from './kind-suite';

describe('New API', () => {
	testKind('newApi', {
		told: [
			['its list', { models: 'new-api-0.6.3.1/models' }],
			['its refusal of a key', { models: 'new-api-0.6.3.1/wrong-key' }],
		],
		notTold: [
			['a list without its header', { models: list({ id: 'm', owned_by: 'custom' }) }, 'other'],
		],
		chat: openAiFieldsOnly('New API or One API'),
		advice: { noModels: 'Add a channel', missingModel: 'to a channel', moreContext: '9000 tokens' },
	});
});
