type Request = [method: string, path: string, body?: object];

const TOOLS = [
	{
		type: 'function',
		function: {
			name: 'get_weather',
			description: 'Weather of a city',
			parameters: { type: 'object', properties: { city: { type: 'string' } } },
		},
	},
];
const messages = [{ role: 'user', content: 'Hi' }];
const CHAT = '/v1/chat/completions';

const list = (path = '/v1/models'): Request => ['GET', path];
const chat = (more: object = {}, path = CHAT): Request => ['POST', path, { messages, ...more }];
const stream = (more: object = {}, path = CHAT) => chat({ stream: true, ...more }, path);
const complete = (path: string, more: object = {}): Request => [
	'POST',
	path,
	{ prompt: 'A', ...more },
];
const embed = (path: string): Request => ['POST', path, { input: ['a'] }];
const rerank: Request = ['POST', '/v1/rerank', { query: 'a', documents: ['b'] }];

/** Requests of recordings that contain only the response, derived from its folder, name and contents. */
export const UNWRITTEN_REQUESTS: Readonly<Record<string, Request>> = {
	'completions/llama-server-v0.5.0/infill': complete('/infill'),
	'completions/llama-server-v0.5.0/infill-501': complete('/infill'),
	'completions/llama-server-v0.5.0/infill-stream': complete('/infill'),
	'completions/llama-server-v0.5.0/native-n-probs-stream': complete('/completion', { n_probs: 2 }),
	'completions/llama-server-v0.5.0/native-too-long-stream': complete('/completion'),
	'completions/llama-server-v0.5.0/v1-logprobs-stream': complete('/v1/completions'),
	'completions/llama-server-v0.5.0/v1-stream': complete('/v1/completions'),
	'completions/ollama-v0.17.4/generate-stream': complete('/api/generate'),
	'completions/ollama-v0.17.4/generate-stream-runner-killed': complete('/api/generate'),

	'fastapi/chat-stream-simulated': stream(),
	'fastapi/error-validation': stream(),
	'fastapi/not-authenticated': stream(),
	'fastapi-0.165.0/content-array-422': stream(),
	'fastapi-0.165.0/crash-500': chat({}, '/crash/v1/chat/completions'),
	'fastapi-0.165.0/crash-mid-stream': stream({}, '/crash/v1/chat/completions'),
	'fastapi-0.165.0/health-404': list('/health'),
	'fastapi-0.165.0/models-bearer': list(),
	'fastapi-0.165.0/models-none': list(),
	'fastapi-0.165.0/stream-empty': stream({}, '/empty-stream/v1/chat/completions'),
	'fastapi-0.165.0/stream-one-json': stream({}, '/ignores-stream/v1/chat/completions'),
	'fastapi-0.165.0/stream-plain-text': stream({}, '/plain/v1/chat/completions'),
	'fastapi-0.165.0/stream-simulated': stream(),
	'fastapi-0.165.0/stream-words': stream({}, '/words/v1/chat/completions'),
	'fastapi-0.165.0/strict-extra-422': stream({}, '/strict/v1/chat/completions'),
	'fastapi-0.165.0/strict-extra-tools-422': stream({ tools: TOOLS }, '/strict/v1/chat/completions'),
	'fastapi-0.165.0/toolish': chat({ tools: TOOLS }, '/toolish/v1/chat/completions'),
	'fastapi-0.165.0/tools-ignored-stream': stream({ tools: TOOLS }),

	'gpustack/chat-stream': stream(),
	'gpustack/error-mid-stream': stream(),
	'gpustack/error-model': stream({ model: 'nope' }),
	'gpustack/error-no-instance': stream(),
	'gpustack/unauthorized': stream(),

	'litellm-1.106.2/429-no-deployments-in-cooldown': stream({ model: 'local-scripted' }),
	'litellm-1.106.2/chat-with-embedding-model': stream({ model: 'local-embed' }),
	'litellm-1.106.2/completions-ignores-suffix': complete('/v1/completions'),
	'litellm-1.106.2/embeddings-refuses-encoding-format': embed('/v1/embeddings'),
	'litellm-1.106.2/key-of-the-model-refused': stream(),
	'litellm-1.106.2/rerank-unsupported-provider': rerank,

	'llama-swap-0bdb372/api-version': list('/api/version'),
	'llama-swap-0bdb372/health': list('/health'),
	'llama-swap-0bdb372/limit-429-stream': stream({ model: 'tiny' }),
	'llama-swap-0bdb372/models': list(),
	'llama-swap-0bdb372/not-found': list('/nope'),
	'llama-swap-0bdb372/props-model': list('/props?model=tiny'),
	'llama-swap-0bdb372/props-no-model': list('/props'),
	'llama-swap-0bdb372/running-chat': list('/running'),
	'llama-swap-0bdb372/stream-after-stream-502': stream({ model: 'tiny' }),
	'llama-swap-0bdb372/stream-cold': stream({ model: 'tiny' }),
	'llama-swap-0bdb372/stream-upstream-killed': stream({ model: 'tiny' }),
	'llama-swap-0bdb372/unknown-model': stream({ model: 'nope' }),

	'ollama/chat-stream': stream(),
	'ollama/chat-stream-usage': stream(),
	'ollama/error-busy': stream(),
	'ollama/error-mid-stream': stream(),
	'ollama/error-model': stream({ model: 'nope' }),
	'ollama/native-chat-stream': stream({}, '/api/chat'),
	'ollama/native-error-mid-stream': stream({}, '/api/chat'),
	'ollama/native-tools-stream': stream({ tools: TOOLS }, '/api/chat'),
	'ollama/thinking-stream': stream(),
	'ollama/tools-stream': stream({ tools: TOOLS }),
	'ollama-0.33.0-rc2/context-exceeded': stream(),
	'ollama-0.33.0-rc2/embed-chat-model': embed('/api/embed'),

	'vllm/chat-stream': stream(),
	'vllm/chat-stream-usage': stream(),
	'vllm/error-mid-stream': stream(),
	'vllm/error-model': stream({ model: 'nope' }),
	'vllm/thinking-stream': stream(),
	'vllm/thinking-stream-both-names': stream(),
	'vllm/tools-stream-interleaved': stream({ tools: TOOLS }),
	'vllm/unauthorized': stream(),
	'vllm-0.32.0-cpu/context-overflow': stream({ model: 'scripted' }),
	'vllm-0.32.0-cpu/embeddings-404-no-route': embed('/v1/embeddings'),
	'vllm-0.32.0-cpu/suffix-refused': complete('/v1/completions'),
	'vllm-0.32.0-cpu/tools-without-enable-auto-tool-choice-400': stream({ tools: TOOLS }),
};
