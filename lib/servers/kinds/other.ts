import type { ServerKind, Words } from './kind';

/** Sentences for a server whose options are not known here. */
export const PLAIN_WORDS: Words = {
	noModels: 'Start it with a model. If it has one, allow the key to use it.',
	context: (tokens) => `Start the server with a context of at least ${tokens} tokens.`,
	tools:
		'Choose a model whose chat template supports tools (Qwen, Llama 3.1 or newer, Mistral, gpt-oss), and switch on tool calling in the server.',
	embeddings: 'Start a server for an embedding model, for example llama-server with --embeddings.',
	rerank: 'Start a server for a reranker model, for example llama-server with --rerank.',
	images: 'GPUStack, LocalAI and sd-server do, each with a credential of its own.',
	transcription:
		"GPUStack, vLLM, LocalAI, speaches and whisper.cpp (--inference-path /v1/audio/transcriptions) do, each with a credential of its own. A server that has /asr only is asked in another way than OpenAI's, which this node does not know.",
	speech: 'GPUStack, LocalAI, speaches and Kokoro-FastAPI do, each with a credential of its own.',
};

/** Any server with OpenAI's API: it gets everything that the user set, and what it refuses is left out. */
export const other: ServerKind = {
	label: 'An OpenAI-compatible server',
	fields: 'all',
	thinking: 'template',
	thinkingBudget: true,
	// vLLM renamed the field, and reads either the old or the new one (vllm-project/vllm issue 38488). It may be behind
	// any gateway.
	echo: ['reasoning_content', 'reasoning'],
	grammar: (grammar) => ({ grammar }),
	// Most servers silently treat an object as "auto" (docs/protocols/llama-server.md 6.1).
	toolChoice: 'mode',
	video: 'video_url',
	words: PLAIN_WORDS,
};
