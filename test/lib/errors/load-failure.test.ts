/** Why a model could not be loaded: a missing backend, or something in the model that the server does not know. */
import { classifyErrorResponse } from '../../../lib/errors/classify-error';
import { findMissingBackend, findUnknownPart } from '../../../lib/errors/load-failure';
import { DEFAULT_TEXTS } from '../../../lib/servers/types/other';

interface Row {
	server: string;
	status: number;
	message: string;
	/** After "The server". */
	title: string;
}

const classify = ({ status, message }: Pick<Row, 'status' | 'message'>) =>
	classifyErrorResponse(
		{ status, body: JSON.stringify({ error: { message } }) },
		{ model: 'm', getSuggestion: () => DEFAULT_TEXTS.suggestions.modelLoadFailed },
	);

test.each<Row>([
	{
		server: 'LocalAI',
		status: 500,
		message:
			'failed to load model with internal loader: backend not found: /build/backends/llama-cpp',
		title: 'lacks the backend "llama-cpp" for the model "m"',
	},
	{
		server: 'LocalAI',
		status: 500,
		message: 'could not load model: backend not found: vllm',
		title: 'lacks the backend "vllm" for the model "m"',
	},
	{
		server: 'LocalAI, its gallery',
		status: 500,
		message: 'no backend found with name "whisper"',
		title: 'lacks the backend "whisper" for the model "m"',
	},
	{
		server: 'LocalAI, distributed',
		status: 500,
		message: 'backend "piper" is not installed on any node',
		title: 'lacks the backend "piper" for the model "m"',
	},
	{
		server: 'LocalAI, a worker',
		status: 500,
		message: 'ds4 backend not found, install it first',
		title: 'lacks the backend "ds4" for the model "m"',
	},
	{
		server: 'LocalAI, diarization',
		status: 400,
		message: 'diarization: model "m" has no backend set; supported backends include vibevoice-cpp',
		title: 'lacks the backend for the model "m"',
	},
	{
		server: 'text-embeddings-inference',
		status: 500,
		message: 'No backend found',
		title: 'lacks the backend for the model "m"',
	},
	{
		server: 'another server',
		status: 400,
		message: "Unknown backend 'exllamav3'",
		title: 'lacks the backend "exllamav3" for the model "m"',
	},
])('$server lacks a backend: $message', ({ title, ...response }) => {
	const { type, message, suggestion } = classify(response);
	expect({ type, message }).toEqual({ type: 'modelLoadFailed', message: `The server ${title}` });
	expect(suggestion).toMatch(/^Install the backend/);
	expect(suggestion).not.toMatch(/memory/i);
});

test.each<Row>([
	{
		server: 'llama.cpp',
		status: 500,
		message:
			"error loading model: error loading model architecture: unknown model architecture: 'qwen35'",
		title: 'architecture "qwen35"',
	},
	{
		server: 'Ollama',
		status: 500,
		message:
			"llama runner process has terminated: error loading model: unknown model architecture: 'gemma4'",
		title: 'architecture "gemma4"',
	},
	{
		server: 'Ollama, a conversion',
		status: 400,
		message: 'unsupported architecture "Qwen3ForCausalLM"',
		title: 'architecture "Qwen3ForCausalLM"',
	},
	{
		server: 'vLLM',
		status: 500,
		message:
			"Model architectures ['Qwen3_5ForCausalLM'] are not supported for now. Supported architectures: dict_keys(['X'])",
		title: 'architecture "Qwen3_5ForCausalLM"',
	},
	{
		server: 'Transformers',
		status: 500,
		message:
			'The checkpoint you are trying to load has model type `qwen3_5` but Transformers does not recognize this architecture.',
		title: 'architecture "qwen3_5"',
	},
	{
		server: 'mlx-lm',
		status: 404,
		message: 'Model type qwen3_next not supported.',
		title: 'architecture "qwen3_next"',
	},
	{
		server: 'LM Studio',
		status: 400,
		message: 'Failed to load model. Unsupported model architecture',
		title: 'architecture',
	},
	{
		server: 'llama.cpp, a tokenizer',
		status: 500,
		message:
			"error loading model: error loading model vocabulary: unknown pre-tokenizer type: 'kimi-k2'",
		title: 'pre-tokenizer "kimi-k2"',
	},
	{
		server: 'llama.cpp, a new quantization',
		status: 500,
		message:
			"gguf_init_from_file: tensor 'a' of unsupported ggml type 41 (NONE). failed to load model",
		title: 'tensor type "41"',
	},
	{
		server: 'vLLM, a quantization',
		status: 500,
		message: "Unknown quantization method: exl3. Must be one of ['awq', 'gptq'].",
		title: 'quantization "exl3"',
	},
])('$server does not know a part of the model: $message', ({ title, ...response }) => {
	const { type, message, suggestion } = classify(response);
	expect({ type, message }).toEqual({
		type: 'modelLoadFailed',
		message: `The server does not support the ${title} of the model "m"`,
	});
	expect(suggestion).toMatch(/^Memory is not the cause/);
});

test.each([
	{ message: 'could not load model: rpc error: code = Unavailable' },
	{ message: 'model requires more system memory (12 GiB) than is available (8 GiB)' },
	{ message: 'Failed to load model. The backend ran out of memory.' },
	{ message: 'failed to load model: unknown error' },
])('of another cause: $message', ({ message }) => {
	expect([findMissingBackend(message), findUnknownPart(message)]).toEqual([undefined, undefined]);
	expect(classify({ status: 500, message }).type).toMatch(/^model(?:LoadFailed|Crashed)$/);
});

test.each([
	{ message: 'The response_format type is not supported.', type: 'badRequest' },
	{ message: 'Backend error: cannot open tensor', type: 'badRequest' },
])('is no failed load: $message', ({ message, type }) => {
	expect(classify({ status: 400, message }).type).toBe(type);
});
