/** Requests of recordings that contain only the response, derived from its folder, name and contents. */

export interface UnrecordedRequest {
	method: string;
	path: string;
	body?: object;
}

const get = (path: string): UnrecordedRequest => ({ method: 'GET', path });
const post = (path: string, body: object): UnrecordedRequest => ({ method: 'POST', path, body });

const CHAT = '/v1/chat/completions';
const HI = { messages: [{ role: 'user', content: 'Hi' }] };
const STREAM = { ...HI, stream: true };
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

/** By folder and name of the recording. */
export const UNRECORDED_REQUESTS: Readonly<Record<string, UnrecordedRequest>> = {
	'completions/llama-server-v0.5.0/infill': post('/infill', { prompt: 'A' }),
	'completions/llama-server-v0.5.0/infill-501': post('/infill', { prompt: 'A' }),
	'completions/llama-server-v0.5.0/infill-stream': post('/infill', { prompt: 'A' }),
	'completions/llama-server-v0.5.0/native-n-probs-stream': post('/completion', {
		prompt: 'A',
		n_probs: 2,
	}),
	'completions/llama-server-v0.5.0/native-too-long-stream': post('/completion', { prompt: 'A' }),
	'completions/llama-server-v0.5.0/v1-logprobs-stream': post('/v1/completions', { prompt: 'A' }),
	'completions/llama-server-v0.5.0/v1-stream': post('/v1/completions', { prompt: 'A' }),
	'completions/ollama-v0.17.4/generate-stream': post('/api/generate', { prompt: 'A' }),
	'completions/ollama-v0.17.4/generate-stream-runner-killed': post('/api/generate', {
		prompt: 'A',
	}),
	'fastapi/chat-stream-simulated': post(CHAT, STREAM),
	'fastapi/error-validation': post(CHAT, STREAM),
	'fastapi/not-authenticated': post(CHAT, STREAM),
	'fastapi-0.165.0/content-array-422': post(CHAT, STREAM),
	'fastapi-0.165.0/crash-500': post('/crash/v1/chat/completions', HI),
	'fastapi-0.165.0/crash-mid-stream': post('/crash/v1/chat/completions', STREAM),
	'fastapi-0.165.0/health-404': get('/health'),
	'fastapi-0.165.0/models-bearer': get('/v1/models'),
	'fastapi-0.165.0/models-none': get('/v1/models'),
	'fastapi-0.165.0/stream-empty': post('/empty-stream/v1/chat/completions', STREAM),
	'fastapi-0.165.0/stream-one-json': post('/ignores-stream/v1/chat/completions', STREAM),
	'fastapi-0.165.0/stream-plain-text': post('/plain/v1/chat/completions', STREAM),
	'fastapi-0.165.0/stream-simulated': post(CHAT, STREAM),
	'fastapi-0.165.0/stream-words': post('/words/v1/chat/completions', STREAM),
	'fastapi-0.165.0/strict-extra-422': post('/strict/v1/chat/completions', STREAM),
	'fastapi-0.165.0/strict-extra-tools-422': post('/strict/v1/chat/completions', {
		...STREAM,
		tools: TOOLS,
	}),
	'fastapi-0.165.0/toolish': post('/toolish/v1/chat/completions', { ...HI, tools: TOOLS }),
	'fastapi-0.165.0/tools-ignored-stream': post(CHAT, { ...STREAM, tools: TOOLS }),
	'gpustack/chat-stream': post(CHAT, STREAM),
	'gpustack/chat-stream-bare-lines': post(CHAT, STREAM),
	'gpustack/error-mid-stream': post(CHAT, STREAM),
	'gpustack/error-model': post(CHAT, { ...STREAM, model: 'nope' }),
	'gpustack/error-no-instance': post(CHAT, STREAM),
	'gpustack/unauthorized': post(CHAT, STREAM),
	'litellm-1.106.2/429-no-deployments-in-cooldown': post(CHAT, {
		...STREAM,
		model: 'local-scripted',
	}),
	'litellm-1.106.2/chat-with-embedding-model': post(CHAT, { ...STREAM, model: 'local-embed' }),
	'litellm-1.106.2/completions-ignores-suffix': post('/v1/completions', { prompt: 'A' }),
	'litellm-1.106.2/embeddings-refuses-encoding-format': post('/v1/embeddings', { input: ['a'] }),
	'litellm-1.106.2/key-of-the-model-refused': post(CHAT, STREAM),
	'litellm-1.106.2/rerank-unsupported-provider': post('/v1/rerank', {
		query: 'a',
		documents: ['b'],
	}),
	'litellm-1.108.7/no-key-500': post(CHAT, STREAM),
	'litellm-1.108.7/server-behind-down': post(CHAT, STREAM),
	'litellm-1.108.7/wrong-key-without-database': post(CHAT, STREAM),
	'llama-swap-0bdb372/api-version': get('/api/version'),
	'llama-swap-0bdb372/health': get('/health'),
	'llama-swap-0bdb372/limit-429-stream': post(CHAT, { ...STREAM, model: 'tiny' }),
	'llama-swap-0bdb372/models': get('/v1/models'),
	'llama-swap-0bdb372/not-found': get('/nope'),
	'llama-swap-0bdb372/props-model': get('/props?model=tiny'),
	'llama-swap-0bdb372/props-no-model': get('/props'),
	'llama-swap-0bdb372/running-chat': get('/running'),
	'llama-swap-0bdb372/stream-after-stream-502': post(CHAT, { ...STREAM, model: 'tiny' }),
	'llama-swap-0bdb372/stream-cold': post(CHAT, { ...STREAM, model: 'tiny' }),
	'llama-swap-0bdb372/stream-upstream-killed': post(CHAT, { ...STREAM, model: 'tiny' }),
	'llama-swap-0bdb372/unknown-model': post(CHAT, { ...STREAM, model: 'nope' }),
	'ollama/chat-stream': post(CHAT, STREAM),
	'ollama/chat-stream-usage': post(CHAT, STREAM),
	'ollama/error-busy': post(CHAT, STREAM),
	'ollama/error-mid-stream': post(CHAT, STREAM),
	'ollama/error-model': post(CHAT, { ...STREAM, model: 'nope' }),
	'ollama/native-chat-stream': post('/api/chat', STREAM),
	'ollama/native-error-mid-stream': post('/api/chat', STREAM),
	'ollama/native-tools-stream': post('/api/chat', { ...STREAM, tools: TOOLS }),
	'ollama/thinking-stream': post(CHAT, STREAM),
	'ollama/tools-stream': post(CHAT, { ...STREAM, tools: TOOLS }),
	'ollama-0.33.0-rc2/context-exceeded': post(CHAT, STREAM),
	'ollama-0.33.0-rc2/embed-chat-model': post('/api/embed', { input: ['a'] }),
	'ollama-0.33.0-rc2/think-xhigh': post('/api/chat', { ...HI, think: 'xhigh' }),
	'ollama-0.33.0-rc2/transcription-without-audio': post('/v1/audio/transcriptions', {}),
	'ollama-0.33.0-rc2/v1-effort-unknown': post(CHAT, { ...STREAM, reasoning_effort: 'most' }),
	'vllm/chat-stream': post(CHAT, STREAM),
	'vllm/chat-stream-usage': post(CHAT, STREAM),
	'vllm/error-mid-stream': post(CHAT, STREAM),
	'vllm/error-model': post(CHAT, { ...STREAM, model: 'nope' }),
	'vllm/thinking-stream': post(CHAT, STREAM),
	'vllm/thinking-stream-both-names': post(CHAT, STREAM),
	'vllm/tools-stream-interleaved': post(CHAT, { ...STREAM, tools: TOOLS }),
	'vllm/unauthorized': post(CHAT, STREAM),
	'vllm-0.32.0-cpu/context-overflow': post(CHAT, { ...STREAM, model: 'scripted' }),
	'vllm-0.32.0-cpu/embeddings-404-no-route': post('/v1/embeddings', { input: ['a'] }),
	'vllm-0.32.0-cpu/suffix-refused': post('/v1/completions', { prompt: 'A' }),
	'vllm-0.32.0-cpu/tools-without-enable-auto-tool-choice-400': post(CHAT, {
		...STREAM,
		tools: TOOLS,
	}),
};
