import type { ErrorTextParams, ErrorTextSource } from './error-text';

const KEYS =
	'the one set with --api-key (llama-server), or created on the server (GPUStack, Open WebUI: API Keys)';
const PREFIXES = 'Open WebUI: /api, llama-server: --api-prefix';

function describeOnlyThinking({ hasModelEnded, isThinkingOff }: ErrorTextParams) {
	if (isThinkingOff)
		return 'Thinking is off, but the server labels the response as thinking: check its reasoning parser and the chat template of the model (llama-server: --reasoning-format, --chat-template-file).';
	return hasModelEnded
		? 'It stopped there on its own: try again, turn thinking off, or set a thinking token budget. If this happens often, the chat template may not match the model (llama-server --chat-template-file).'
		: 'Raise Maximum Tokens[ (now {maxTokens})], set a thinking token budget, or turn thinking off.';
}

/** The response also needs room, so a prompt may be too long although it fits. */
function describeOverflow({ promptTokens, contextTokens }: ErrorTextParams) {
	if (promptTokens === undefined || contextTokens === undefined)
		return 'The prompt exceeds the context of the server';
	return promptTokens > contextTokens
		? 'The prompt needs {promptTokens} tokens, but a server slot has {contextTokens}'
		: 'A prompt of {promptTokens} tokens leaves too little of the {contextTokens} tokens of context for the response';
}

function describeMissingRoute(facts: ErrorTextParams) {
	const { root = '', url = '', typed = '', port, isDify, isNodePage } = facts;
	if (isDify)
		return `This address is Dify, not a model server
			Use a Dify node with a "Dify API" credential. To use a model of Dify directly, enter the address of its server.`;
	if (isNodePage)
		return `${port === '5678' ? 'This address is n8n itself' : 'Another program responds at this address'}, not a model server
			Check the host, port and path of the Base URL. n8n itself and other web applications respond like this.`;
	// No route that is requested ends with a slash: a proxy redirected to it.
	if (url.endsWith('/'))
		return `The server responds, but not at this path
			A redirect added a slash to the path, which model servers do not support. Remove that rule from the proxy for this address.`;
	const isAddressOnly = URL.canParse(typed) && new URL(typed).pathname === '/';
	const suggestion = isAddressOnly ? describeOtherServer(url) : describeOtherBaseUrl(root);
	return url.endsWith('/models')
		? `The server responds, but has no model list at this path
			A custom server may have no model list: enter the model name. ${suggestion}`
		: `The server responds, but not at this path
			${suggestion}`;
}

/** For a Base URL that is already just the server's address. */
function describeOtherServer(url: string) {
	const missing = /\/chat(?:\/completions)?$/.test(url)
		? 'This server has no chat endpoint. It may serve embeddings only, or be another program.'
		: 'This server has no such endpoint. It may serve other tasks only, or be another program.';
	return `${missing} If its API has a prefix (${PREFIXES}), add it to the Base URL.`;
}

function describeOtherBaseUrl(root: string) {
	const address = URL.canParse(root) ? new URL(root).origin : root;
	const example = address && `, for example ${address}`;
	return `If other requests to this Base URL work, the server does not have this endpoint. Otherwise enter only the server address${example}: /v1 is added automatically. A prefix (${PREFIXES}) belongs in the Base URL.`;
}

const NO_REASON = `[ with status {status}] and gave no reason
	The server log, or that of a proxy in front of it, may have the reason.`;

/** Ollama (seen: 0.17.4) responds with 403 and an empty body. */
const OLLAMA_HOSTS =
	' Ollama rejects unknown host names: start it with OLLAMA_HOST=0.0.0.0, or let the proxy send the host name localhost (nginx: proxy_set_header Host localhost).';

/**
 * Errors of model servers, and unusable responses. Suggestions from the diagnosis table in
 * docs/protocols/llama-server.md 9.3.
 */
export const MODEL_ERROR_TEXTS = {
	unauthorized: ({ isKeyMissing }) =>
		isKeyMissing
			? `The server requires an API key, but the credential has none
				Enter the API Key in the credential: ${KEYS}.`
			: `The server rejected the API key
				Check the API Key in the credential: ${KEYS}. Some servers expect another header: change Authentication. A gateway may have a wrong key itself.`,
	upstreamKeyRejected: `The gateway has no valid key for the server behind it
		Set the key of that server in the gateway (LiteLLM: api_key of the model). The API Key of the credential matters only if the gateway forwards it.`,
	forbidden: ({ isEmpty }) =>
		`The server does not allow this request
		The key may be wrong or lack the permission, or this endpoint is disabled on the server.${isEmpty ? OLLAMA_HOSTS : ''}`,
	routeNotFound: describeMissingRoute,
	modelNotFound: `The server does not have the model "{model}"
		Select the model from the list. For Ollama, download it first with "ollama pull"; for GPUStack and Open WebUI, the key must have access to it.`,
	modelNotLoaded: `The model "{model}" is not loaded
		Load it (Local Llama: Model, Load), or let the server load models on request: llama-server as a router with --models-autoload, LM Studio with JIT loading, which may also unload a model in use (Auto-Evict).`,
	modelUnreachable: `The server does not reach the process that runs the model "{model}"
		The process may be starting or restarting: try again, or raise Retries. If this does not help, check the server log.`,
	modelCrashed: ({ isOutOfMemory }) =>
		isOutOfMemory
			? `The process that runs the model "{model}" ran out of memory
				The memory of the GPU is the usual limit: use a smaller context or quantization, or offload fewer layers. The server log shows the size that failed.`
			: `The process that runs the model "{model}" crashed
				Memory is the usual cause: use a smaller context or quantization. Check the server log for the reason. If the server does not restart the process itself, restart the server.`,
	promptTooLong: (facts) =>
		`${describeOverflow(facts)}
		Shorten the input, keep fewer messages in memory, set History Budget in Local Chat Model, use fewer tools or lower Maximum Tokens. Or start llama-server with a larger --ctx-size (with -np N, each slot gets 1/N).`,
	kvCacheFull: `The context of the server is full
		All slots share one context pool, which is exhausted: start llama-server with a larger --ctx-size, give each slot its own share with -np N, or lower Max Concurrent Requests in the credential.`,
	badRequest: ({ isPage, isEmpty }) => {
		if (isEmpty && !isPage) return `The server rejected the request${NO_REASON}`;
		return `The server rejected the request
			${isPage ? "The status[ {status}] came with a web page, so a proxy rejected the request or replaced the server's message (nginx: proxy_intercept_errors)." : 'If the message names a field, change that option of the node.'}`;
	},
	templateRejected: `The chat template of the model rejected this conversation
		Some templates require alternating user and assistant messages, or allow no system message. Change the prompt or the memory, or start llama-server with another --chat-template or --chat-template-file.`,
	grammarRejected: `The server cannot convert the schema or grammar into generation rules
		Simplify the JSON schema (patterns, formats and large ranges are the usual cause) or check the GBNF grammar. Tool schemas count too.`,
	toolsUnsupported: `The model or server does not support tool calls
		Use a model whose chat template supports tools (Qwen, Llama 3.1 or newer, Mistral, gpt-oss). Start llama-server with --jinja and without --no-jinja, vLLM with --enable-auto-tool-choice and a --tool-call-parser.`,
	modalityUnsupported: ({ modality = 'image or audio' }) =>
		`The server does not support ${modality} input
		Start llama-server with --mmproj FILE (the mmproj GGUF of the model), or use a model that supports it. If the model does not need the files, do not pass them on (AI Agent: Automatically Passthrough Binary Images).`,
	fileUnreadable: `The server cannot read a file in the request
		Servers accept JPEG and PNG, most also wav, mp3 and flac, and few video (llama-server with ffmpeg and ffprobe in its PATH). Convert the file, and check that it is complete.`,
	invalidToolCallInHistory: `The conversation contains a tool call with invalid arguments
		The conversation contains a tool call whose arguments are not valid JSON
		Clear the memory of this chat. This node never sends invalid calls again, so the message has another source.`,
	tooManyFiles: `The request has more images or recordings than the server allows
		Pass fewer files, or raise the limit of the server (vLLM: --limit-mm-per-prompt).`,
	requestTooLarge: `The request is too large for the server or a proxy in front of it
		Send smaller or fewer files. In nginx, raise client_max_body_size.`,
	busy: ({ hasNoInstance }) =>
		hasNoInstance
			? `No instance of the model "{model}" responds
				Start an instance (GPUStack: Deployments), or check its log.`
			: `The server is busy and rejects further requests
				Try again later, lower Max Concurrent Requests in the credential to the number of slots, or raise Retries.`,
	keyBudgetExceeded: `The budget of the API key is used up
		Raise the budget of the key in the gateway (LiteLLM: max_budget; One API: quota of the user and the token), wait until it resets, or use another key.`,
	modelLoading: ({ timeoutMs }) =>
		`The model is still loading${timeoutMs === undefined ? '' : ' after {timeout}'}
		Wait until the server has loaded the model, or raise "First Token Timeout". Large models on slow disks take minutes.`,
	modelLoadFailed: `The server could not load the model "{model}"
		The usual causes are insufficient memory (lower --ctx-size or -ngl, or use a smaller quantization) and a server version that does not know the model yet (update the server). Check the server log for details.`,
	featureDisabled: `The server was not started with this feature
		The server message names the required flag, for example --embeddings, --rerank, --metrics or --slots.`,
	wrongModelType: `The model "{model}" does not support this task
		The server has no endpoint for this task with the model "{model}"
		Chat, embeddings and reranking need different models, often on separate servers: select a model for this task, or start a server for it.`,
	outputParseFailed: `The server could not parse the model output and discarded it
		Try again without a fixed Seed. If this happens often: update llama-server, use the chat template made for the model (--chat-template-file), or do not combine a response format with tools.`,
	runawayOutput: `The model repeated itself without end, so the response was stopped
		Choose another model or quantization, or set Repeat Penalty. The details show what was received.`,
	serverError: ({ isEmpty }) =>
		isEmpty
			? `The server failed${NO_REASON}`
			: `The server returned an error
				Check the server log. The request is not retried, because the server may have started processing it.`,
	invalidResponse: `The server response cannot be read
		The server returned something other than an OpenAI-compatible API response
		Check that the Base URL points to the API. If it does, the server or a proxy is broken or outdated; the details contain its message.`,
	streamError: `The server reported an error during its response
		Check the server log. The details contain the text received so far.`,
	streamEndedEarly: `The response ended before it was complete
		The server or a proxy closed the stream without a final event, for example because it crashed. The details contain the text received so far.`,
	toolCallTruncated: `A tool call was cut off at the token limit
		The model was calling the tool "{tool}" when the token limit[ of {maxTokens}] was reached. The call is incomplete, so it was not executed
		Raise Maximum Tokens or the server context. Thinking uses tokens, too.`,
	invalidToolCall: ({ tool }) => {
		const called = `The model called ${tool === undefined ? 'a tool' : 'the tool "{tool}"'}`;
		return `${called} with invalid arguments
			${called} with arguments that are not valid JSON, so it was not executed
			Lower the temperature, simplify the tool, or use a model with better tool support. With llama-server, arguments are always valid JSON, unless it runs with --no-jinja.`;
	},
	onlyThinking: (facts) =>
		`The model used its whole response for thinking
		${describeOnlyThinking(facts)}`,
	emptyResponse: `The model returned an empty response
		Check the chat template and the stop sequences, and that the prompt leaves room in the context. Some templates (gpt-oss) drop calls to undeclared tools.`,
	garbledOutput: `The model repeats one character or returns no text
		Restart the server. If that does not help, try it without flash attention, with another quantization, KV cache type or build: the model file may be corrupt, or the build or driver may not match the GPU.`,
	contentFiltered: `The server withheld the response (content filter)
		Change the prompt or the content filter of the server.`,
} satisfies Readonly<Record<string, ErrorTextSource>>;
