import { list, testKind } from './kind-suite';

describe("SGLang's gateway", () => {
	testKind('sglangGateway', {
		told: [['its list', { models: 'sglang-gateway-0.3.2/models' }]],
		notTold: [
			['SGLang itself', { models: list({ id: 'm', owned_by: 'sglang' }) }, 'sglang'],
			['a server of its own', { models: list({ id: 'unknown', owned_by: 'me' }) }, 'other'],
		],
		chat: {
			fields: { temperature: 0.7, parallel_tool_calls: false, tool_choice: 'required' },
			tools: ['get_time'],
			thinkingIn: ['reasoning_content', 'reasoning'],
			budget: undefined,
			notes: [
				"This server (SGLang's gateway) ignores these options, so they were not sent: Top K, Min P, Repeat Penalty, Cache Prompt, Chat Template Arguments, GBNF Grammar",
			],
		},
		advice: { missingModel: 'behind the gateway', moreContext: '9000 tokens' },
	});
});
