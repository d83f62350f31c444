/** The error types of model servers and their responses. */
import type { ErrorRow, ErrorText } from './error-row';
import type { KnownFacts } from '../facts';
import { optional, quoted } from './optional-facts';
import { formatDuration } from '../../values/duration';

const KEYS =
	'the one set with --api-key (llama-server), or created on the server (GPUStack: API Keys)';
const PREFIXES = 'llama-server: --api-prefix, others often /api';

function describeOnlyThinking({ hasModelEnded, isThinkingOff, maxTokens }: KnownFacts) {
	if (isThinkingOff)
		return 'Thinking is off, but the server labels the response as thinking: check its reasoning parser and the chat template of the model (llama-server: --reasoning-format, --chat-template-file).';
	return hasModelEnded
		? 'It stopped there on its own: try again, turn thinking off, or set a thinking token budget. If this happens often, the chat template may not match the model (llama-server --chat-template-file).'
		: `${maxTokens === undefined ? 'Set Maximum Tokens' : `Raise Maximum Tokens (now ${maxTokens})`}, set a thinking token budget, or turn thinking off.`;
}

/** Title and suggestion for a path that a server does not have. */
function describeMissingRoute(facts: KnownFacts): ErrorText {
	const { root = '', url = '', typed = '', port, isDify, isNodePage } = facts;
	if (isDify)
		return {
			title: 'This address is Dify, not a model server',
			suggestion:
				'Use a Dify node with a "Dify API" credential. To use a model of Dify directly, enter the address of its server.',
		};
	if (isNodePage)
		return {
			title: `${port === '5678' ? 'This address is n8n itself' : 'Another program responds at this address'}, not a model server`,
			suggestion:
				'Check the host, port and path of the Base URL. n8n itself and other web applications respond like this.',
		};
	// No route that is requested ends with a slash: a proxy redirected to it.
	if (url.endsWith('/'))
		return {
			title: 'The server responds, but not at this path',
			suggestion:
				'A redirect added a slash to the path, which model servers do not support. Remove that rule from the proxy for this address.',
		};
	const isAddressOnly = URL.canParse(typed) && new URL(typed).pathname === '/';
	const suggestion = isAddressOnly ? describeOtherServer(url) : describeOtherBaseUrl(root);
	return url.endsWith('/models')
		? {
				title: 'The server responds, but has no model list at this path',
				suggestion: `A custom server may have no model list: enter the model name. ${suggestion}`,
			}
		: { title: 'The server responds, but not at this path', suggestion };
}

/** For a Base URL that is already just the server's address. */
function describeOtherServer(url: string) {
	const missing = /\/chat(?:\/completions)?$/.test(url)
		? 'This server has no chat endpoint.'
		: 'This server has no such endpoint.';
	return `${missing} If its API has a prefix (${PREFIXES}), add it to the Base URL.`;
}

function describeOtherBaseUrl(root: string) {
	const address = URL.canParse(root) ? new URL(root).origin : root;
	const example = address && `, for example ${address}`;
	return `If other requests to this Base URL work, the server does not have this endpoint. Otherwise enter only the server address${example}: /v1 is added automatically. A prefix (${PREFIXES}) belongs in the Base URL.`;
}

function withoutReason(status: number | undefined) {
	return `${optional(' with status ', status)} and gave no reason`;
}

const CHECK_LOGS = 'The server log, or that of a proxy in front of it, may have the reason.';

/** For a sentence that is the title, and of which nothing else is known: no advice if it is all that the server said. */
function adviseToReadOn({ isWholeMessage }: KnownFacts) {
	return isWholeMessage ? '' : 'The details contain the whole message of the server.';
}

/** For a request that is too large. */
export const RAISE_BODY_LIMIT =
	'Raise the limit of the server, or of the proxy in front of it (nginx: client_max_body_size).';

function describeTool(tool: string | undefined) {
	return tool === undefined ? 'a tool' : `the tool${quoted(tool)}`;
}

/** Ollama (seen: 0.17.4) responds with 403 and an empty body. */
const OLLAMA_HOSTS =
	' Ollama rejects unknown host names: start it with OLLAMA_HOST=0.0.0.0, or let the proxy send the host name localhost (nginx: proxy_set_header Host localhost).';

/**
 * Errors of model servers, and unusable responses. Suggestions from the diagnosis table in
 * docs/protocols/llama-server.md 9.3.
 */
export const MODEL_ERRORS = {
	unauthorized: {
		title: ({ isKeyMissing }) =>
			isKeyMissing
				? 'The server requires an API key, but the credential has none'
				: 'The server rejected the API key',
		suggestion: ({ isKeyMissing }) =>
			isKeyMissing
				? `Enter the API Key in the credential: ${KEYS}.`
				: `Check the API Key in the credential: ${KEYS}. If the server expects it in another header, change Authentication.`,
		health: 'unauthorized',
		cause: 'server',
	},
	upstreamKeyRejected: {
		title: 'Ollama is not signed in to ollama.com',
		suggestion:
			'Run "ollama signin" on the machine of Ollama, since this model runs at ollama.com, or select a local model. The key of the credential is not used for that.',
		health: 'misconfigured',
		cause: 'server',
	},
	forbidden: {
		title: 'The server does not allow this request',
		suggestion: ({ isEmpty, isKeyMissing, isWholeMessage }) =>
			isEmpty
				? `${isKeyMissing ? 'No API key was sent: enter it in the credential if the server has one.' : 'Check the permissions of the API key on the server.'}${OLLAMA_HOSTS}`
				: adviseToReadOn({ isWholeMessage }),
		health: 'unauthorized',
		cause: 'server',
	},
	routeNotFound: {
		title: (facts) => describeMissingRoute(facts).title,
		suggestion: (facts) => describeMissingRoute(facts).suggestion,
		health: 'misconfigured',
		cause: 'server',
	},
	modelNotFound: {
		title: ({ model }) => `The server does not have the model${quoted(model)}`,
		suggestion: 'Select the model from the list.',
		health: 'misconfigured',
		cause: 'request',
	},
	modelNotLoaded: {
		title: ({ model }) => `The model${quoted(model)} is not loaded`,
		suggestion:
			'Load it (Local Llama: Model, Load), or start the router with --models-autoload, so that it loads models on request.',
		health: 'degraded',
		cause: 'server',
	},
	modelCrashed: {
		title: ({ model }) => `The process that runs the model${quoted(model)} crashed`,
		suggestion:
			'The server log has the reason. If the server does not restart the process itself, restart the server.',
		health: 'degraded',
		cause: 'server',
	},
	promptTooLong: {
		title: 'The prompt exceeds the context of the server',
		suggestion:
			'Start the server with a larger context (llama-server: --ctx-size; with -np N, each slot gets 1/N).',
		health: 'misconfigured',
		cause: 'request',
	},
	kvCacheFull: {
		title: 'The context of the server is full',
		suggestion:
			'Give the server a larger context (llama-server: --ctx-size). Requests that run at the same time share it.',
		health: 'degraded',
		cause: 'request',
	},
	badRequest: {
		title: ({ isPage, isEmpty, status }) =>
			isEmpty && !isPage
				? `The server rejected the request${withoutReason(status)}`
				: 'The server rejected the request',
		suggestion: ({ isPage, isEmpty, isWholeMessage, status }) => {
			if (isPage)
				return `The status${optional(' ', status)} came with a web page, so a proxy sent it: check its log, and that it passes on the server's messages (nginx: proxy_intercept_errors off).`;
			return isEmpty ? CHECK_LOGS : adviseToReadOn({ isWholeMessage });
		},
		health: 'misconfigured',
		cause: 'unknownRequest',
	},
	grammarRejected: {
		title: 'The server cannot convert the schema or grammar into generation rules',
		suggestion:
			'Simplify what the server converts: a JSON schema or a grammar that was sent, or the schemas of tools.',
		health: 'misconfigured',
		cause: 'server',
	},
	toolsUnsupported: {
		title: 'The model or server does not support tool calls',
		suggestion:
			'Use a model whose chat template supports tools (Qwen, Llama 3.1 or newer, Mistral, gpt-oss). Start llama-server with --jinja and without --no-jinja, vLLM with --enable-auto-tool-choice and a --tool-call-parser.',
		health: 'misconfigured',
		cause: 'server',
	},
	modalityUnsupported: {
		title: 'The server does not support image or audio input',
		suggestion:
			'Use a model that supports it (llama-server: with --mmproj FILE, the mmproj GGUF of the model). If the model does not need the files, do not pass them on (AI Agent: Automatically Passthrough Binary Images).',
		health: 'misconfigured',
		cause: 'request',
	},
	requestTooLarge: {
		title: 'The request is too large for the server or a proxy in front of it',
		suggestion: ({ hasFiles }) => {
			const smaller = hasFiles ? 'Send smaller or fewer files.' : 'Send less text in one request.';
			return hasFiles === undefined
				? RAISE_BODY_LIMIT
				: `${smaller} Or ${RAISE_BODY_LIMIT.charAt(0).toLowerCase()}${RAISE_BODY_LIMIT.slice(1)}`;
		},
		health: 'misconfigured',
		cause: 'request',
	},
	busy: {
		title: ({ status }) =>
			status === 429
				? 'The server, or a proxy in front of it, rejects further requests for now'
				: 'The server does not accept requests now',
		suggestion:
			'Try again later. If it stays so, the log of the server, or of a proxy in front of it, says why.',
		health: 'degraded',
		cause: 'server',
	},
	keyBudgetExceeded: {
		title: 'The budget of the API key is used up',
		suggestion:
			'Raise the budget at the server or gateway that has it (LiteLLM: max_budget), wait until it resets, or use another key.',
		health: 'misconfigured',
		cause: 'server',
	},
	modelLoading: {
		title: ({ timeoutMs }) =>
			`The model is still loading${timeoutMs === undefined ? '' : ` after ${formatDuration(timeoutMs)}`}`,
		suggestion:
			'Wait until the server has loaded the model, or raise "First Token Timeout". Large models on slow disks take minutes.',
		health: 'loading',
		cause: 'server',
	},
	modelLoadFailed: {
		title: ({ model }) => `The server could not load the model${quoted(model)}`,
		suggestion: 'The server log has the reason.',
		health: 'misconfigured',
		cause: 'server',
	},
	featureDisabled: {
		title: 'The server was not started with this feature',
		suggestion: ({ isEmpty, isWholeMessage }) =>
			isEmpty
				? 'The documentation of the server names the option that turns it on, for example --embeddings, --rerank, --metrics or --slots.'
				: adviseToReadOn({ isWholeMessage }),
		health: 'misconfigured',
		cause: 'server',
	},
	wrongModelType: {
		title: ({ model }) => `The model${quoted(model)} does not support this task`,
		detail: ({ model }) =>
			`The server has no endpoint for this task with the model${quoted(model)}`,
		suggestion:
			'Chat, embeddings and reranking need different models, often on separate servers: select a model for this task, or start a server for it.',
		health: 'misconfigured',
		cause: 'server',
	},
	outputParseFailed: {
		title: 'The server could not parse the model output and discarded it',
		suggestion:
			'If this happens often, update the server, or use the chat template made for the model (--chat-template-file).',
		health: 'misconfigured',
		cause: 'server',
	},
	runawayOutput: {
		title: 'The model repeated itself without end, so the response was stopped',
		suggestion:
			'Choose another model or quantization. If equal lines were requested, request fewer of them per response. The details show what was received.',
		health: 'misconfigured',
		cause: 'server',
	},
	serverError: {
		title: ({ isEmpty, status }) =>
			isEmpty ? `The server failed${withoutReason(status)}` : 'The server returned an error',
		suggestion: ({ isEmpty }) => (isEmpty ? CHECK_LOGS : 'Check the server log.'),
		health: 'degraded',
		cause: 'unknown',
	},
	invalidResponse: {
		title: 'The server response cannot be read',
		detail: 'The server returned something other than an OpenAI-compatible API response',
		suggestion:
			'Check that the Base URL points to the API. If it does, the server or a proxy is broken or outdated; the details contain its message.',
		health: 'misconfigured',
		cause: 'server',
	},
	streamError: {
		title: 'The server reported an error during its response',
		suggestion: 'Check the server log.',
		health: 'degraded',
		cause: 'unknown',
	},
	streamBroken: {
		title: 'The response broke off: one of its events cannot be read',
		suggestion:
			'The server, or a proxy in front of it, cut an event off or changed it: check their logs. The details contain the event.',
		health: 'degraded',
		cause: 'server',
	},
	modelRefused: {
		title: 'The model refused to respond',
		suggestion:
			'The server message has its words. Change the prompt, or use another model: a repetition or another format does not change a refusal.',
		health: 'misconfigured',
		cause: 'server',
	},
	streamEndedEarly: {
		title: 'The response ended before it was complete',
		suggestion:
			'Check the logs of the server and of a proxy in front of it: one of them closed the stream without a final event.',
		health: 'degraded',
		cause: 'server',
	},
	toolCallTruncated: {
		title: 'A tool call was cut off at the token limit',
		detail: ({ tool, maxTokens }) =>
			`The model was calling the tool${quoted(tool)} when the token limit${optional(' of ', maxTokens)} was reached. The call is incomplete, so it was not executed`,
		suggestion: 'A larger context of the server leaves more room. Thinking uses tokens, too.',
		health: 'misconfigured',
		cause: 'server',
	},
	invalidToolCall: {
		title: ({ tool }) => `The model called ${describeTool(tool)} with invalid arguments`,
		detail: ({ tool }) =>
			`The model called ${describeTool(tool)} with arguments that are not valid JSON, so it was not executed`,
		suggestion:
			'Lower the temperature, simplify the tool, or use a model with better tool support. With llama-server, arguments are always valid JSON, unless it runs with --no-jinja.',
		health: 'misconfigured',
		cause: 'server',
	},
	onlyThinking: {
		title: 'The model used its whole response for thinking',
		suggestion: describeOnlyThinking,
		health: 'misconfigured',
		cause: 'server',
	},
	emptyResponse: {
		title: 'The model returned an empty response',
		suggestion:
			'Check the chat template and the stop sequences, and that the prompt leaves room in the context. Some templates (gpt-oss) drop calls to undeclared tools.',
		health: 'degraded',
		cause: 'server',
	},
	garbledOutput: {
		title: 'The model repeats one character or returns no text',
		suggestion:
			'Restart the server. If that does not help, try it without flash attention, with another quantization, KV cache type or build.',
		health: 'degraded',
		cause: 'server',
	},
	contentFiltered: {
		title: 'The server withheld the response (content filter)',
		suggestion: 'Change the prompt or the content filter of the server.',
		health: 'misconfigured',
		cause: 'server',
	},
} satisfies Readonly<Record<string, ErrorRow>>;
