import { list, TAKES_EVERYTHING, testKind } from './kind-suite';

describe('GPUStack', () => {
	testKind('gpustack', {
		told: [
			['the owner of its models', { models: list({ id: 'qwen3', owned_by: 'gpustack' }) }],
			['its version with the commit', { version: { version: '2.0.1', git_commit: '47277d7' } }],
			['its refusal of the key', { models: 'gpustack/unauthorized' }],
		],
		notTold: [['vLLM that refuses the key', { models: 'vllm/unauthorized' }, 'vllm']],
		version: [{ version: { version: '2.0.1', git_commit: '47277d7' } }, '2.0.1'],
		chat: TAKES_EVERYTHING,
		simulated: { profile: 'gpustack', refusal: 'gpustack' },
		advice: {
			noModels: 'Deploy a model',
			missingModel: 'deploy it in GPUStack',
			moreContext: '9000 tokens',
		},
	});
});
