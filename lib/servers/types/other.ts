import type { ServerType, ServerTexts } from './server-type';

/** Sentences for a server with unknown options. */
export const DEFAULT_TEXTS: ServerTexts = {
	noModels: 'Start it with a model. If it has one, give the key access to it.',
	context: (tokens) => `Start the server with a context of at least ${tokens} tokens.`,
	tools:
		'Choose a model whose chat template supports tools (Qwen, Llama 3.1 or newer, Mistral, gpt-oss), and enable tool calling in the server.',
	embeddings: 'Start a server with an embedding model, for example llama-server with --embeddings.',
	rerank: 'Start a server with a reranker model, for example llama-server with --rerank.',
	images: 'Use GPUStack, LocalAI or sd-server, each with its own credential.',
	transcription:
		'Use GPUStack, vLLM, LocalAI, speaches or whisper.cpp (--inference-path /v1/audio/transcriptions), each with its own credential. Servers that only offer /asr are not supported.',
	speech: 'Use GPUStack, LocalAI, speaches or Kokoro-FastAPI, each with its own credential.',
};

/** Any server with OpenAI's API: it gets all options that the user set, and rejected fields are omitted. */
export const other: ServerType = {
	name: 'other',
	label: 'An OpenAI-compatible server',
	supportedFields: 'all',
	thinkingSwitch: 'template',
	supportsThinkingBudget: true,
	// vLLM renamed the field, and reads either the old or the new one (vllm-project/vllm issue 38488). It may be used by
	// any gateway.
	reasoningFields: ['reasoning_content', 'reasoning'],
	toGrammarFields: (grammar) => ({ grammar }),
	// Most servers silently treat an object as "auto" (docs/protocols/llama-server.md 6.1).
	toolChoiceSupport: 'mode',
	videoPartType: 'video_url',
	texts: DEFAULT_TEXTS,
};
