/** The chapter of server types: what to do about a server, in the words of its type. */
import type { ServerTypeName } from '../../server-type-name';
import type { ErrorType } from '../error-types';
import type { TaskAdvices } from '../lacking-task';
import { needsModel, needsOtherServer, OTHER_SERVERS } from '../lacking-task';

/** Complete sentences about a server type. */
export interface ServerTexts {
	/** It has no models at all. */
	noModels: string;
	/**
	 * What to do if the server lists the model for the key of the credential, and the key is rejected all the same: it is that of
	 * a server behind this one.
	 */
	keyBehind?: string;
	/** What to do if the server lists the model, and says all the same that there is none: a server behind this one lacks it. */
	modelBehind?: string;
	/** It does not have this model: an alternative to selecting another, in lower case. */
	missingModel?(model: string): string;
	/** One request needs this many tokens of context; `slots` share it. */
	context(tokens: number, slots?: number): string;
	/** How to enable tools, and parsing of tool calls. */
	tools: string;
	/** How to turn off the thinking of a model that ignores the setting of a request. */
	thinkingOff: string;
	/** How to enable longer texts for embeddings and reranking. */
	longerTexts?: string;
	/** What to do if it does not perform a task. */
	tasks: TaskAdvices;
	/** It cannot load models on request: how to enable that. */
	noModelActions?: string;
	/** Suggestions for errors, if the general suggestion is for other servers. */
	suggestions?: Readonly<Partial<Record<ErrorType, string>>>;
}

/** Sentences for a server with unknown options. */
const DEFAULT_TEXTS = {
	noModels: 'Start it with a model.',
	thinkingOff:
		'Turn thinking off where the server is started, or use a model whose chat template can turn it off.',
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

const llamaServer: ServerTexts = {
	...DEFAULT_TEXTS,
	thinkingOff:
		'Start llama-server with --reasoning-budget 0, or use a model whose chat template can turn thinking off.',
	suggestions: undefined,
	noModels:
		'Start llama-server with a model: llama-server -m FILE.gguf. For a router, put GGUF files into the folder of --models-dir.',
	// With --kv-unified, one request can use all of it; otherwise it is divided by the slots.
	context: (tokens, slots = 1) =>
		`Start llama-server with --ctx-size ${tokens}${slots > 1 ? ' --kv-unified' : ''}.`,
	tools:
		'Use a model with tool support, or start llama-server with --jinja and a template that supports tools (--chat-template-file).',
	longerTexts:
		'Or start the server with a larger -ub and -b, for example -ub 8192 -b 8192, if the model supports that length.',
	tasks: {
		decisions: needsModel(
			'Start llama-server with a decision model (a GGUF file whose metadata say that it decides), and update llama.cpp if it is older than that. Classify also works with chat models.',
		),
		completion: needsModel(
			'Use Chat instead of Complete, or start llama-server with a model that generates text.',
		),
		embeddings: needsModel(
			'Start llama-server with --embeddings and an embedding model, preferably as a second server on its own port.',
		),
		rerank: needsModel(
			'Start llama-server with --rerank and a reranker model (for example bge-reranker-v2-m3), preferably as a second server on its own port.',
		),
		images: needsOtherServer(OTHER_SERVERS.images),
		imageEdits: needsOtherServer(OTHER_SERVERS.imageEdits),
		transcription: needsModel(
			`${OTHER_SERVERS.transcription} Or start llama-server with the --mmproj of a model that supports audio.`,
		),
		translation: needsOtherServer(OTHER_SERVERS.translation),
		speech: needsOtherServer(OTHER_SERVERS.speech),
	},
	noModelActions:
		'llama-server works as a router when it is started without a model: llama-server --models-dir FOLDER.',
};

const ollama: ServerTexts = {
	...DEFAULT_TEXTS,
	thinkingOff: 'Use a model whose thinking Ollama can turn off, such as qwen3.',
	noModels: 'Download one, for example with "ollama pull qwen3:8b".',
	missingModel: (model) => `download it with "ollama pull ${model}".`,
	context: (tokens) =>
		`Set Context Size to ${tokens} in the options of the node, start Ollama with OLLAMA_CONTEXT_LENGTH=${tokens}, or set num_ctx in the Modelfile.`,
	tools:
		'Choose a model that lists "tools" under its capabilities (ollama show NAME), such as Qwen, Llama 3.1 or newer, Mistral or gpt-oss.',
	tasks: {
		decisions: needsModel(
			'Select a decision model, or download one with Ollama 0.35 or newer, for example with "ollama pull nimble". Classify also works with chat models.',
		),
		completion: needsModel('Use Chat instead of Complete, or select a model that generates text.'),
		embeddings: needsModel(
			'Download an embedding model, for example with "ollama pull nomic-embed-text".',
		),
		rerank: needsOtherServer(OTHER_SERVERS.rerank),
		images: needsOtherServer(OTHER_SERVERS.images),
		imageEdits: needsOtherServer(OTHER_SERVERS.imageEdits),
		transcription: needsModel(
			`${OTHER_SERVERS.transcription} Or update Ollama, and select a model that lists "audio" under its capabilities (ollama show NAME).`,
		),
		translation: needsOtherServer(OTHER_SERVERS.translation),
		speech: needsModel(
			`${OTHER_SERVERS.speech} Or update Ollama to 0.40.8 or newer, and select a model that speaks.`,
		),
	},
	suggestions: {
		...DEFAULT_TEXTS.suggestions,
		routeNotFound: `${DEFAULT_TEXTS.suggestions.routeNotFound} A very old Ollama has no /v1 routes: update it.`,
		unauthorized:
			'Ollama itself has no keys, so a proxy in front of it wants one: check the API Key and Authentication in the credential.',
		connectionRefused:
			'Ollama is down, still starting, on another port, or listens on 127.0.0.1 only. Start it with OLLAMA_HOST=0.0.0.0 (ollama serve), check the port (11434), and check its log.',
		promptTooLong:
			'Set a larger Context Size in the options of the node, start Ollama with a larger OLLAMA_CONTEXT_LENGTH, or set num_ctx in the Modelfile.',
		modelNotFound: 'Select the model from the list, or download it first with "ollama pull".',
		toolsUnsupported:
			'Use a model that lists "tools" under its capabilities (ollama show NAME), such as Qwen, Llama 3.1 or newer, Mistral or gpt-oss.',
		modalityUnsupported:
			'Use a model that lists "vision" (for audio: "audio") under its capabilities (ollama show NAME). If the model does not need the images, do not pass them on (AI Agent: Automatically Passthrough Binary Images).',
	},
};

const vllm: ServerTexts = {
	...DEFAULT_TEXTS,
	thinkingOff:
		'Start vLLM with --default-chat-template-kwargs \'{"enable_thinking": false}\', or use a model whose chat template can turn thinking off.',
	missingModel: () => 'start vLLM with --served-model-name.',
	context: (tokens) => `Start vLLM with --max-model-len ${tokens}.`,
	tools: 'Start vLLM with --enable-auto-tool-choice and the --tool-call-parser of the model.',
	tasks: {
		decisions: needsOtherServer(OTHER_SERVERS.decisions),
		completion: needsModel(
			'Use Chat instead of Complete, or start vLLM with a model that generates text: vLLM serves one model.',
		),
		embeddings: needsModel(
			'Start vLLM with an embedding model (--runner pooling): vLLM serves one model.',
		),
		rerank: needsModel(
			'Start vLLM with a reranker model (--runner pooling): vLLM serves one model.',
		),
		images: needsOtherServer(OTHER_SERVERS.images),
		imageEdits: needsOtherServer(OTHER_SERVERS.imageEdits),
		transcription: needsModel(
			'Start vLLM with a model for transcription, such as openai/whisper-large-v3: vLLM serves one model.',
		),
		translation: needsModel(
			'Start vLLM with a model that translates, such as openai/whisper-large-v3, or turn off Translate to English and translate with a chat model.',
		),
		speech: needsOtherServer(OTHER_SERVERS.speech),
	},
	suggestions: {
		...DEFAULT_TEXTS.suggestions,
		toolsUnsupported:
			'Choose a model whose chat template supports tools, and start vLLM with --enable-auto-tool-choice and a --tool-call-parser.',
	},
};

const gpustack: ServerTexts = {
	...DEFAULT_TEXTS,
	thinkingOff:
		'Turn thinking off in the backend parameters of the model in GPUStack (vLLM: --default-chat-template-kwargs \'{"enable_thinking": false}\').',
	noModels:
		'Deploy a model in GPUStack, wait until one of its instances is running, and give the key access to it.',
	tasks: {
		decisions: needsOtherServer(OTHER_SERVERS.decisions),
		completion: needsModel(
			'Use Chat instead of Complete, or select a text model: not every engine completes text.',
		),
		embeddings: needsModel(
			'Select an embedding model, or deploy one in GPUStack, for example Qwen3-Embedding-0.6B.',
		),
		rerank: needsModel(
			'Select a reranker model, or deploy one in GPUStack, for example bge-reranker-v2-m3.',
		),
		images: needsModel('Select an image model, or deploy one in GPUStack, for example Qwen-Image.'),
		imageEdits: needsModel(
			'Select a model that edits images, or deploy one in GPUStack, for example Qwen-Image-Edit.',
		),
		transcription: needsModel(
			'Select a speech-to-text model, or deploy one in GPUStack, for example whisper-large-v3.',
		),
		translation: needsModel(
			'Turn off Translate to English and translate with a chat model, or select a speech-to-text model that translates.',
		),
		speech: needsModel(
			'Select a text-to-speech model, or deploy one in GPUStack, for example CosyVoice.',
		),
	},
	missingModel: () =>
		'deploy it in GPUStack; it is listed only while an instance is running and the key has access to it.',
};

const litellm: ServerTexts = {
	...DEFAULT_TEXTS,
	thinkingOff:
		'Set Thinking to Effort and None, which LiteLLM also passes on to Ollama, or turn thinking off at the server behind LiteLLM (drop_params omits the setting).',
	suggestions: {
		...DEFAULT_TEXTS.suggestions,
		serverError:
			'Check the LiteLLM log, and that of the server behind it (api_base of the model in its configuration).',
		modalityUnsupported:
			'Use a model that supports it, or correct the entry of this one in LiteLLM (model_info: supports_vision). If the model does not need the images, do not pass them on (AI Agent: Automatically Passthrough Binary Images).',
	},
	keyBehind:
		'LiteLLM lists this model for the credential, so it is not its key: correct the key of the server behind LiteLLM (api_key of the model in its configuration).',
	modelBehind:
		'LiteLLM lists this model, so the server behind it has no model of that name: correct the name in its configuration (model in litellm_params), or download the model there.',
	tasks: {
		decisions: needsModel(
			'Select a decision model, or add one to the LiteLLM configuration. Classify also works with chat models.',
		),
		completion: needsModel(OTHER_SERVERS.completion),
		embeddings: needsModel(
			'Select an embedding model, or add one to the LiteLLM configuration (model_info: mode: embedding).',
		),
		rerank: needsModel(
			'In the LiteLLM configuration, give a reranker model a provider that supports reranking, for example jina_ai/NAME with the URL of the endpoint (http://HOST:9931/v1/rerank).',
		),
		images: needsModel(
			'Select an image model, or add one to the LiteLLM configuration (model_info: mode: image_generation).',
		),
		imageEdits: needsModel(
			'Select a model that edits images, or add one to the LiteLLM configuration (model_info: mode: image_edit).',
		),
		transcription: needsModel(
			'Select a speech-to-text model, or add one to the LiteLLM configuration (model_info: mode: audio_transcription).',
		),
		// LiteLLM has no /v1/audio/translations.
		translation: needsModel(OTHER_SERVERS.translation),
		speech: needsModel(
			'Select a text-to-speech model, or add one to the LiteLLM configuration (model_info: mode: audio_speech).',
		),
	},
};

const lmStudio: ServerTexts = {
	...DEFAULT_TEXTS,
	thinkingOff:
		'In LM Studio, turn off Enable Thinking in the inference settings of the model, and load it again.',
	tools:
		'In LM Studio, choose a model with the hammer badge, or correct the prompt template in the model settings.',
	tasks: {
		decisions: needsModel(
			'Select a decision model, or download one in LM Studio. Classify also works with chat models.',
		),
		completion: needsModel(OTHER_SERVERS.completion),
		embeddings: needsModel(
			'Select an embedding model, or download one in LM Studio, for example nomic-embed-text-v1.5.',
		),
		rerank: needsOtherServer(OTHER_SERVERS.rerank),
		images: needsOtherServer(OTHER_SERVERS.images),
		imageEdits: needsOtherServer(OTHER_SERVERS.imageEdits),
		transcription: needsOtherServer(OTHER_SERVERS.transcription),
		translation: needsOtherServer(OTHER_SERVERS.translation),
		speech: needsOtherServer(OTHER_SERVERS.speech),
	},
	suggestions: {
		...DEFAULT_TEXTS.suggestions,
		modelNotLoaded:
			'LM Studio unloads idle models, and others to make room (Auto-Evict): turn JIT loading on, or raise the idle time there.',
		modelNotFound:
			'Select the model from the list, load it on the server ("lms load"), or turn on Just-in-Time Model Loading, which loads models on first use.',
	},
};

const other: ServerTexts = {
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
};

/** The texts of each server type. */
export const SERVER_TEXTS: Readonly<Record<ServerTypeName, ServerTexts>> = {
	llamaServer,
	ollama,
	vllm,
	gpustack,
	litellm,
	lmStudio,
	other,
};
