import { list, TAKES_FIELDS_OF_VLLM, testKind } from './kind-suite';

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
			...TAKES_FIELDS_OF_VLLM,
			fields: { ...TAKES_FIELDS_OF_VLLM.fields, ebnf: 'root ::= "a"' },
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
