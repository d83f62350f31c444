import { list, testKind } from './kind-suite';

describe('New API', () => {
	testKind('newApi', {
		told: [
			['its list', { models: 'new-api-0.6.3.1/models' }],
			['its refusal of a key', { models: 'new-api-0.6.3.1/wrong-key' }],
		],
		notTold: [
			['a list without its header', { models: list({ id: 'm', owned_by: 'custom' }) }, 'other'],
		],
		chat: {
			fields: { temperature: 0.7, parallel_tool_calls: false, tool_choice: 'required' },
			tools: ['get_time'],
			thinkingIn: ['reasoning_content', 'reasoning'],
			budget: undefined,
			notes: [
				'This server (New API or One API) ignores these options, so they were not sent: Top K, Min P, Repeat Penalty, Cache Prompt, Chat Template Arguments, GBNF Grammar',
			],
		},
		advice: { noModels: 'Add a channel', missingModel: 'to a channel', moreContext: '9000 tokens' },
	});
});
