import { list, TAKES_FIELDS_OF_VLLM, testKind } from './kind-suite';

const EMPTY = { status: 200, headers: {}, text: '', json: undefined };

describe('vLLM', () => {
	testKind('vllm', {
		told: [
			['vLLM', { models: list({ id: 'Qwen/Qwen3-8B', owned_by: 'vllm', max_model_len: 40960 }) }],
			['Aphrodite, a fork', { models: list({ id: 'q', owned_by: 'aphrodite' }) }],
			['its refusal of the key', { models: 'vllm/unauthorized' }],
			['its empty /health beside its /version', { version: { version: '0.11.0' }, health: EMPTY }],
		],
		notTold: [['an empty /health alone', { health: EMPTY }, 'other']],
		version: [{ version: { version: '0.11.0' } }, '0.11.0'],
		chat: {
			...TAKES_FIELDS_OF_VLLM,
			fields: { ...TAKES_FIELDS_OF_VLLM.fields, structured_outputs: { grammar: 'root ::= "a"' } },
			thinkingIn: ['reasoning_content', 'reasoning'],
			notes: [],
		},
		simulated: { profile: 'vllm', refusal: 'vllm' },
		advice: {
			missingModel: '--served-model-name',
			moreContext: '--max-model-len 9000',
			toolParser: '--tool-call-parser qwen3_coder',
		},
	});
});
