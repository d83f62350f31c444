import { list, testKind } from './kind-suite';

describe('LMDeploy', () => {
	testKind('lmdeploy', {
		told: [['its list', { models: list({ id: 'q', owned_by: 'lmdeploy' }), health: {} }]],
		chat: {
			fields: {
				temperature: 0.7,
				top_k: 20,
				min_p: 0.1,
				repetition_penalty: 1.1,
				parallel_tool_calls: false,
				chat_template_kwargs: { a: 1, enable_thinking: false },
				tool_choice: { type: 'function', function: { name: 'get_time' } },
			},
			tools: ['get_time', 'get_weather'],
			thinkingIn: ['reasoning_content'],
			budget: undefined,
			notes: [
				'This server (LMDeploy) ignores these options, so they were not sent: Cache Prompt, GBNF Grammar',
			],
		},
		simulated: { profile: 'lmdeploy', refusal: 'other' },
		advice: {
			missingModel: '--model-name',
			embeddingsOff: 'no embeddings',
			moreContext: '--session-len 9000',
			toolParser: '--tool-call-parser',
		},
	});
});
