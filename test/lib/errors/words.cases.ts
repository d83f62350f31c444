/** The sentences of the sources that `lib/errors/words.ts` cites. */
import type { ErrorType } from '../../../lib/errors/error-types';

/** What a server wrote. */
export interface SeenSentence {
	type: ErrorType;
	/** A file of `test/fixtures`, which contains the sentence, or a public issue. */
	source: string;
	status: number;
	message: string;
}

const LLAMA_SERVER = 'models/llama-server-xllamacpp-2026.10.11549';

export const SEEN_SENTENCES: readonly SeenSentence[] = [
	{
		type: 'outputParseFailed',
		source: `${LLAMA_SERVER}/peg-native.json`,
		status: 500,
		message: 'The model produced output that does not match the expected peg-native format',
	},
	{
		type: 'outputParseFailed',
		source: 'ggml-org/llama.cpp issue 23838',
		status: 500,
		message: 'Failed to parse input at pos 395: <|tool_call_start|>[web_search_exa(numResults=5)]',
	},
	{
		type: 'outputParseFailed',
		source: 'ollama/ollama issue 17638',
		status: 500,
		message: `error parsing tool call: raw='{"input":"*** Begin Patch"}]', err=invalid character`,
	},
	{
		type: 'modelLoading',
		source: 'llama-server-v0.5.0/loading-health.http',
		status: 503,
		message: 'Loading model',
	},
	{
		type: 'kvCacheFull',
		source: `${LLAMA_SERVER}/chat.json`,
		status: 500,
		message: 'Context size has been exceeded.',
	},
	{
		type: 'promptTooLong',
		source: `${LLAMA_SERVER}/embeddings.json`,
		status: 500,
		message: 'input (602 tokens) is too large to process. increase the physical batch size',
	},
	{
		type: 'promptTooLong',
		source: 'vllm-0.32.0-cpu/context-overflow.http',
		status: 400,
		message: "This model's maximum context length is 4096 tokens.",
	},
	{
		type: 'promptTooLong',
		source: 'ollama-v0.17.4/api-chat/chat-long-history-no-truncate.http',
		status: 400,
		message: 'the input length exceeds the context length',
	},
	{
		type: 'promptTooLong',
		source: 'lmstudio-ai/lmstudio-bug-tracker issue 546',
		status: 400,
		message:
			'Trying to keep the first 111490 tokens when context the overflows. However, the model is loaded with context length of only 32768 tokens, which is not enough.',
	},
	{
		type: 'grammarRejected',
		source: `${LLAMA_SERVER}/chat.json`,
		status: 400,
		message: 'Failed to initialize samplers: failed to parse grammar',
	},
	{
		type: 'grammarRejected',
		source: 'ollama-v0.17.4/api-chat/chat-format-bad-schema.http',
		status: 400,
		message: 'invalid JSON schema in format',
	},
	{
		type: 'toolsUnsupported',
		source: 'ollama-v0.17.4/error-tools.http',
		status: 400,
		message: 'registry.ollama.ai/library/hello:latest does not support tools',
	},
	{
		type: 'toolsUnsupported',
		source: 'vllm-project/vllm issue 9986',
		status: 400,
		message:
			'"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set',
	},
	{
		type: 'toolsUnsupported',
		source: 'containers/ramalama issue 988 (llama-server)',
		status: 500,
		message: 'tools param requires --jinja flag',
	},
	{
		type: 'modalityUnsupported',
		source: 'llama-server-v0.5.0/error-image-no-mmproj.http',
		status: 500,
		message: 'image input is not supported - hint: if this is unexpected',
	},
	{
		type: 'modalityUnsupported',
		source: 'lmstudio-ai/lmstudio-bug-tracker issue 908',
		status: 400,
		message: 'Model does not support images. Please use a model that does.',
	},
	{
		type: 'modalityUnsupported',
		source: 'ollama/ollama issue 17301',
		status: 400,
		message: 'this model does not support image input (ref: b8bd630e-4a39-4b57-82af-9158ee9d5703)',
	},
	{
		type: 'wrongModelType',
		source: 'models/ollama-v0.17.4/chat.json',
		status: 400,
		message: 'does not support chat',
	},
	{
		type: 'wrongModelType',
		source: `${LLAMA_SERVER}/chat.json`,
		status: 500,
		message: 'the current context does not support logits computation. skipping',
	},
	{
		type: 'wrongModelType',
		source: 'vllm-project/vllm issue 16831',
		status: 400,
		message: 'The model does not support Chat Completions API',
	},
	{
		type: 'modelCrashed',
		source: 'ollama-v0.17.4/api-chat/chat-runner-killed.http',
		status: 500,
		message: 'model runner has unexpectedly stopped, this may be due to resource limitations',
	},
	{
		type: 'modelCrashed',
		source: 'ollama/ollama issue 13171',
		status: 500,
		message: 'llama runner process has terminated: exit status 2',
	},
	{
		type: 'modelCrashed',
		source: 'lmstudio-ai/lmstudio-bug-tracker issue 1755',
		status: 500,
		message: 'The model has crashed without additional information. (Exit code: null)',
	},
	{
		type: 'modelCrashed',
		source: 'vllm/error-mid-stream.http',
		status: 500,
		message: 'EngineCore encountered an issue.',
	},
	{
		type: 'modelLoadFailed',
		source: 'models/llama-server-v0.5.0/chat.json',
		status: 500,
		message: 'model name=broken failed to load',
	},
	{
		type: 'modelLoadFailed',
		source: 'ollama/ollama issue 11710',
		status: 500,
		message: 'unable to load model: /data/u/ollama_models/blobs/sha256-7dd573dc3e0b',
	},
	{
		type: 'modelLoadFailed',
		source: 'continuedev/continue issue 10150 (LM Studio)',
		status: 400,
		message: 'Failed to load model "gpt-oss-20b". Error: Error loading model.',
	},
	{
		type: 'modelNotLoaded',
		source: 'llama-server-v0.5.0/error-router-not-loaded.http',
		status: 400,
		message: 'model is not loaded',
	},
	{
		type: 'modelNotLoaded',
		source: 'lmstudio-ai/lmstudio-bug-tracker issue 1492',
		status: 400,
		message: 'Model is unloaded.',
	},
	{
		type: 'modelNotFound',
		source: 'ollama-v0.17.4/error-model.http',
		status: 404,
		message: "model 'nope' not found",
	},
	{
		type: 'modelNotFound',
		source: 'vllm/error-model.http',
		status: 404,
		message: 'The model `nope` does not exist.',
	},
	{
		type: 'modelNotFound',
		source: 'gpustack/error-model.http',
		status: 404,
		message: 'Model not found',
	},
	{
		type: 'modelNotFound',
		source: 'BerriAI/litellm issue 8821',
		status: 400,
		message:
			'/chat/completions: Invalid model name passed in model=DeepSeek-R1x. Call `/v1/models` to view available models for your key.',
	},
];
