import { list, testKind } from './kind-suite';

const EMPTY = { status: 200, headers: {}, text: '', json: undefined };

describe('SGLang', () => {
	testKind('sglang', {
		told: [
			[
				'SGLang',
				{ models: list({ id: 'q', owned_by: 'sglang', max_model_len: 32768 }), health: {} },
			],
		],
		notTold: [
			[
				'vLLM',
				{ models: list({ id: 'q', owned_by: 'vllm', max_model_len: 32768 }), health: EMPTY },
				'vllm',
			],
		],
		version: [{ version: { version: '0.5.2' } }, '0.5.2'],
		chat: {
			fields: {
				temperature: 0.7,
				top_k: 20,
				min_p: 0.1,
				repetition_penalty: 1.1,
				parallel_tool_calls: false,
				chat_template_kwargs: { a: 1, enable_thinking: false },
				ebnf: 'root ::= "a"',
				tool_choice: { type: 'function', function: { name: 'get_time' } },
			},
			tools: ['get_time', 'get_weather'],
			thinkingIn: ['reasoning_content'],
			budget: undefined,
			notes: ['This server (SGLang) ignores these options, so they were not sent: Cache Prompt'],
		},
		simulated: { profile: 'sglang', refusal: 'vllm' },
		advice: {
			missingModel: '--served-model-name',
			moreContext: '--context-length 9000',
			toolParser: 'SGLang with --tool-call-parser qwen3_coder',
		},
	});
});
