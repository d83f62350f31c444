import { SERVER_TYPES } from '../../../../lib/servers/types';

test('what to do without a model is said by each server type that gets models in its own way', () => {
	const texts = Object.entries(SERVER_TYPES).flatMap(
		([
			name,
			{
				texts: { missingModel },
			},
		]) => (missingModel === undefined ? [] : [[name, missingModel('qwen3:8b')]]),
	);
	expect(Object.fromEntries(texts)).toEqual({
		gpustack:
			'deploy it in GPUStack; it is listed only while an instance is running and the key has access to it.',
		ollama: 'download it with "ollama pull qwen3:8b".',
		vllm: 'start vLLM with --served-model-name.',
	});
});
