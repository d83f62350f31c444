import { list, testKind } from './kind-suite';

const EMPTY = { status: 200, headers: {}, text: '', json: undefined };

describe('vLLM', () => {
	testKind('vllm', {
		told: [
			['vLLM', { models: list({ id: 'Qwen/Qwen3-8B', owned_by: 'vllm', max_model_len: 40960 }) }],
			['its refusal of the key', { models: 'vllm/unauthorized' }],
			['its empty /health beside its /version', { version: { version: '0.11.0' }, health: EMPTY }],
		],
		notTold: [
			[
				'SGLang',
				{
					models: list({ id: 'q', owned_by: 'sglang' }),
					version: { version: '0.5' },
					health: EMPTY,
				},
				'sglang',
			],
			['an empty /health alone', { health: EMPTY }, 'other'],
		],
		version: [{ version: { version: '0.11.0' } }, '0.11.0'],
		chat: {
			fields: {
				temperature: 0.7,
				top_k: 20,
				min_p: 0.1,
				repetition_penalty: 1.1,
				parallel_tool_calls: false,
				chat_template_kwargs: { a: 1, enable_thinking: false },
				structured_outputs: { grammar: 'root ::= "a"' },
				tool_choice: { type: 'function', function: { name: 'get_time' } },
			},
			tools: ['get_time', 'get_weather'],
			thinkingIn: ['reasoning_content', 'reasoning'],
			budget: undefined,
			notes: ['This server (vLLM) ignores these options, so they were not sent: Cache Prompt'],
		},
		simulated: { profile: 'vllm', refusal: 'vllm' },
		advice: {
			missingModel: '--served-model-name',
			moreContext: '--max-model-len 9000',
			toolParser: '--tool-call-parser qwen3_coder',
		},
	});
});
