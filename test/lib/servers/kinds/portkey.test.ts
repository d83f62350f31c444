import { list, testKind } from './kind-suite';

describe('Portkey', () => {
	testKind('portkey', {
		told: [
			['the list of llama-server that it passes on', { models: 'portkey-gateway-1.15.2/models' }],
		],
		notTold: [
			['llama-server itself', { models: list({ id: 'm', owned_by: 'llamacpp' }) }, 'llamaServer'],
		],
		chat: {
			fields: { temperature: 0.7, parallel_tool_calls: false, tool_choice: 'required' },
			tools: ['get_time'],
			thinkingIn: ['reasoning_content', 'reasoning'],
			budget: undefined,
			notes: [
				'This server (Portkey) ignores these options, so they were not sent: Top K, Min P, Repeat Penalty, Cache Prompt, Chat Template Arguments, GBNF Grammar',
			],
		},
		advice: { missingModel: 'behind Portkey', moreContext: '9000 tokens' },
	});
});
