import type { ServerType, ServerTexts } from './server-type';
import { needsModel, OTHER_SERVERS } from '../task-advice';

/** Sentences for a server with unknown options. */
export const DEFAULT_TEXTS = {
	noModels: 'Start it with a model.',
	context: (tokens: number): string =>
		`Start the server with a context of at least ${tokens} tokens.`,
	tools:
		'Choose a model whose chat template supports tools (Qwen, Llama 3.1 or newer, Mistral, gpt-oss), and enable tool calling in the server (llama-server: --jinja; vLLM: --tool-call-parser; Ollama: a model that lists "tools"; LM Studio: a model with the hammer badge).',
	/** Instead of the general suggestions, which name the options of llama-server. */
	suggestions: {
		routeNotFound:
			'If other requests to this Base URL work, the server does not have this endpoint and may serve other tasks. Otherwise enter only the server address: /v1 is added automatically.',
		promptTooLong: 'Give the model a larger context on the server.',
		kvCacheFull: 'Give the server a larger context.',
		toolsUnsupported:
			'Use a model whose chat template supports tools (Qwen, Llama 3.1 or newer, Mistral, gpt-oss), and enable tool calling in the server.',
		modalityUnsupported:
			'Use a model that supports it. If the model does not need the images, do not pass them on (AI Agent: Automatically Passthrough Binary Images).',
		outputParseFailed:
			'If this happens often, update the server, or use the chat template made for the model.',
		invalidToolCall:
			'Lower the temperature, simplify the tool, or use a model with better tool support.',
		modelNotLoaded:
			'Load it on the server, or let the server load models on request. A server may also unload a model to make room for another.',
	},
} satisfies Omit<ServerTexts, 'tasks'>;

/** Any server with OpenAI's API: it gets all options that the user set, and rejected fields are omitted. */
export const other: ServerType = {
	name: 'other',
	label: 'An OpenAI-compatible server',
	supportedFields: 'all',
	// Those of llama-server and of vLLM, which may be behind it.
	thinking: {
		switch: 'template',
		budgetFields: ['reasoning_budget_tokens', 'thinking_token_budget'],
	},
	// vLLM renamed the field, and reads either the old or the new one (vllm-project/vllm issue 38488). It may be used by
	// any gateway.
	reasoningFields: ['reasoning_content', 'reasoning'],
	toGrammarFields: (grammar) => ({ grammar }),
	// Most servers silently treat an object as "auto" (docs/protocols/llama-server.md 6.1).
	toolChoiceSupport: 'mode',
	videoPartType: 'video_url',
	// It may be a llama-server behind a gateway.
	texts: {
		...DEFAULT_TEXTS,
		suggestions: undefined,
		tasks: {
			decisions: needsModel(OTHER_SERVERS.decisions),
			completion: needsModel(OTHER_SERVERS.completion),
			embeddings: needsModel(
				'Start a server with an embedding model, for example llama-server with --embeddings.',
			),
			rerank: needsModel(
				'Start a server with a reranker model, for example llama-server with --rerank.',
			),
			images: needsModel(OTHER_SERVERS.images),
			imageEdits: needsModel(OTHER_SERVERS.imageEdits),
			transcription: needsModel(OTHER_SERVERS.transcription),
			translation: needsModel(OTHER_SERVERS.translation),
			speech: needsModel(OTHER_SERVERS.speech),
		},
	},
};
