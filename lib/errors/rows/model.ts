/** The error types of model servers and their responses. */
import type { ErrorRow, ErrorText } from './error-row';
import type { ErrorFacts } from './error-facts';
import { optional, quoted } from './optional-facts';
import type { RequestLimit } from './request-limit';
import { describeRateLimit, getLimitPlace, suggestHigherRate } from './request-limit';
import type { LoadCause } from '../load-cause';
import { formatDuration } from '../../values/duration';
import { getOwn } from '../../values/own-properties';

const KEYS =
	'the one set with --api-key (llama-server), or created on the server (GPUStack, Open WebUI: API Keys)';
const PREFIXES = 'Open WebUI: /api, llama-server: --api-prefix';

function describeOnlyThinking({ hasModelEnded, isThinkingOff, maxTokens }: ErrorFacts) {
	if (isThinkingOff)
		return 'Thinking is off, but the server labels the response as thinking: check its reasoning parser and the chat template of the model (llama-server: --reasoning-format, --chat-template-file).';
	return hasModelEnded
		? 'It stopped there on its own: try again, turn thinking off, or set a thinking token budget. If this happens often, the chat template may not match the model (llama-server --chat-template-file).'
		: `Raise Maximum Tokens${optional(' (now ', maxTokens, ')')}, set a thinking token budget, or turn thinking off.`;
}

function describeRejectedKey(facts: ErrorFacts) {
	const { isKeyMissing, isKeyExpired, isKeyBlocked, isAddressBanned } = facts;
	if (isAddressBanned) return 'The server blocks n8n after requests with wrong keys';
	if (isKeyMissing) return 'The server requires an API key, but the credential has none';
	if (isKeyExpired) return 'The API key has expired';
	return isKeyBlocked
		? 'The API key, or its team or user, is blocked'
		: 'The server rejected the API key';
}

function describeMissingModel({ model, hasNoAccess, upstreamModel }: ErrorFacts) {
	if (upstreamModel !== undefined)
		return `The server behind the gateway does not have the model "${upstreamModel}"`;
	return hasNoAccess
		? `The API key has no access to the model${quoted(model)}`
		: `The server does not have the model${quoted(model)}`;
}

function suggestModel({ hasNoAccess, upstreamModel, model }: ErrorFacts) {
	if (upstreamModel !== undefined)
		return `The gateway has the model${quoted(model)}, but the server behind it lacks "${upstreamModel}": download it there (Ollama: ollama pull ${upstreamModel}), or correct the name in the gateway (LiteLLM: model in litellm_params).`;
	return hasNoAccess
		? 'Select a model that the key may use, or allow this one for the key in the gateway (LiteLLM: models of the key or its team).'
		: 'Select the model from the list. For Ollama, download it first with "ollama pull"; for GPUStack and Open WebUI, the key must have access to it.';
}

/** What is said of each limit. A busy server that no response reported, such as a router, has reached its load. */
const LIMITS: Readonly<Record<RequestLimit, (facts: ErrorFacts) => ErrorText>> = {
	rate: ({ gateway }) => ({
		title: describeRateLimit(gateway),
		suggestion: suggestHigherRate(gateway),
	}),
	load: () => ({
		title: 'The server is busy and rejects further requests',
		suggestion:
			'Try again later, or lower Max Concurrent Requests in the credential to what the server processes at the same time (llama-server: its slots).',
	}),
	unavailable: () => ({
		title: 'The server does not accept requests now',
		suggestion:
			'Its message or its log says why. Try again later; if it is overloaded, lower Max Concurrent Requests in the credential.',
	}),
	unknown: ({ gateway }) => ({
		title: 'The server, or a proxy in front of it, rejects further requests for now',
		suggestion: `Try again later, or lower Max Concurrent Requests in the credential. If only a few requests run at the same time, the limit may be one of requests in a time: raise it ${getLimitPlace(gateway)}.`,
	}),
};

function describeBusy(facts: ErrorFacts) {
	const { model, hasNoInstance, isPaused, isConcurrencyLimit, requestLimit = 'load' } = facts;
	if (isPaused) return `The gateway paused the model${quoted(model)} after it failed`;
	if (hasNoInstance) return `No instance of the model${quoted(model)} responds`;
	if (isConcurrencyLimit) return 'The limit of requests at the same time is reached';
	return LIMITS[requestLimit](facts).title;
}

function suggestLessLoad(facts: ErrorFacts) {
	const { hasNoInstance, isPaused, isConcurrencyLimit, requestLimit = 'load' } = facts;
	if (isPaused)
		return 'Check the model server behind the gateway, and its address in the gateway (LiteLLM: api_base of the model). It is tried again after a pause (LiteLLM: cooldown_time).';
	if (hasNoInstance) return 'Start an instance (GPUStack: Deployments), or check its log.';
	if (isConcurrencyLimit)
		return 'Lower Max Concurrent Requests in the credential to that limit, or raise the limit in the gateway (LiteLLM: max_parallel_requests of the key, its user or its team).';
	return LIMITS[requestLimit](facts).suggestion;
}

/** Title and suggestion for a cause that the server names: no other one is suggested beside it. */
const LOAD_CAUSES: Readonly<Record<LoadCause, (model: string) => ErrorText>> = {
	memory: (model) => ({
		title: `The model${model} does not fit into the memory of the server`,
		suggestion:
			'Use a smaller model, quantization or context, or free memory on the machine of the server (unload other models). The server message has the sizes, if it knows them.',
	}),
	disk: (model) => ({
		title: `The server has no disk space for the model${model}`,
		suggestion:
			'Free disk space on the machine of the server (delete models that are not used), or select a smaller model. Memory is not the cause.',
	}),
	version: (model) => ({
		title: `The model${model} and the version of the server do not match`,
		suggestion:
			'Update the server, or download the model again (Ollama: ollama pull). Memory is not the cause.',
	}),
};

function describeFailedLoad(facts: ErrorFacts) {
	const { model, isLoadTimeout, missingBackend, unknownPart, loadCause } = facts;
	if (isLoadTimeout) return `The model${quoted(model)} took longer to load than its server waits`;
	if (missingBackend !== undefined)
		return `The server lacks the backend${quoted(missingBackend)} for the model${quoted(model)}`;
	if (loadCause !== undefined && unknownPart === undefined)
		return LOAD_CAUSES[loadCause](quoted(model)).title;
	return unknownPart === undefined
		? `The server could not load the model${quoted(model)}`
		: `The server does not support the ${unknownPart} of the model${quoted(model)}`;
}

function suggestLoad({ isLoadTimeout, missingBackend, unknownPart, loadCause }: ErrorFacts) {
	if (isLoadTimeout)
		return 'Raise that limit (Ollama: OLLAMA_LOAD_TIMEOUT, by default 5 minutes; llama-swap: healthCheckTimeout), or try again: the disk may have the model in its cache now. The server log says what it waited for.';
	if (missingBackend !== undefined)
		return 'Install the backend on the server (LocalAI: Backends in its web interface, or "local-ai backends install"), or correct its name in the configuration of the model (LocalAI: backend).';
	if (loadCause !== undefined && unknownPart === undefined)
		return LOAD_CAUSES[loadCause]('').suggestion;
	return unknownPart === undefined
		? 'The usual causes are insufficient memory (lower --ctx-size or -ngl, or use a smaller quantization) and a server version that does not know the model yet (update the server). Check the server log for details.'
		: 'Memory is not the cause. Update the server, since a newer version may support it, or select another model or another file of it.';
}

function suggestSchema({ schemaIssue, isGrammarUnsupported }: ErrorFacts) {
	if (isGrammarUnsupported)
		return 'Use a server or a model that supports it, or ask for the form in the prompt only.';
	return schemaIssue === undefined
		? 'Simplify the JSON schema (patterns, formats and large ranges are the usual cause) or check the GBNF grammar. Tool schemas count too.'
		: `Correct or remove this in the JSON schema, or in that of a tool: ${schemaIssue}.`;
}

function suggestBudget({ budgetOwner = 'key' }: ErrorFacts) {
	const others: Readonly<Record<string, string>> = {
		key: 'use another key',
		model: 'select another model',
	};
	const settings: Readonly<Record<string, string>> = {
		key: 'LiteLLM: max_budget; One API: quota of the user and the token',
		user: 'LiteLLM: max_budget; One API: quota',
		model: 'LiteLLM: max_budget, or model_max_budget of the key',
	};
	const setting = getOwn(settings, budgetOwner) ?? 'LiteLLM: max_budget';
	const other = getOwn(others, budgetOwner);
	return `Raise the budget of the ${budgetOwner} in the gateway (${setting}), or wait until it resets.${other === undefined ? '' : ` Or ${other}.`}`;
}

/** The response also needs room, so a prompt may be too long although it fits. */
function describeOverflow(facts: ErrorFacts) {
	const { promptTokens, contextTokens, responseTokens, isSlot, isMemoryLimit } = facts;
	if (isMemoryLimit) return 'The prompt needs more memory than the server allows';
	if (promptTokens === undefined || contextTokens === undefined)
		return 'The prompt exceeds the context of the server';
	if (promptTokens > contextTokens)
		return isSlot
			? `The prompt needs ${promptTokens} tokens, but a server slot has ${contextTokens}`
			: `The prompt needs ${promptTokens} tokens, but the context has ${contextTokens}`;
	return responseTokens === undefined
		? `A prompt of ${promptTokens} tokens leaves too little of the ${contextTokens} tokens of context for the response`
		: `A prompt of ${promptTokens} tokens and a response of ${responseTokens} tokens (Maximum Tokens) exceed the context of ${contextTokens} tokens`;
}

/** Title and suggestion for a path that a server does not have. */
function describeMissingRoute(facts: ErrorFacts): ErrorText {
	const { root = '', url = '', typed = '', port, isDify, isNodePage, isUpstreamRoute } = facts;
	if (isUpstreamRoute)
		return {
			title: 'The server behind the gateway has no such path',
			suggestion:
				'The Base URL is right, since the gateway responds. Correct the address of the model in the gateway (LiteLLM: api_base, which usually ends in /v1).',
		};
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
		? 'This server has no chat endpoint. It may serve embeddings only, or be another program.'
		: 'This server has no such endpoint. It may serve other tasks only, or be another program.';
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

/** Other statuses below 500 are about an account, a state or a policy: only the message says more. */
function mayBeAboutField(status = 400) {
	return status <= 400 || status >= 500 || [404, 422].includes(status);
}

const CHECK_LOGS = 'The server log, or that of a proxy in front of it, may have the reason.';

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
		title: describeRejectedKey,
		suggestion: ({ isKeyMissing, isKeyExpired, isKeyBlocked, isAddressBanned }) => {
			if (isAddressBanned)
				return 'Correct the API Key in the credential, and send nothing until the ban ends: further requests may prolong it.';
			if (isKeyMissing) return `Enter the API Key in the credential: ${KEYS}.`;
			if (isKeyExpired)
				return 'Create a new key on the server or the gateway, or prolong this one, and enter it in the credential.';
			if (isKeyBlocked)
				return 'Unblock it on the server or the gateway (LiteLLM: /key/unblock, /team/unblock), or enter another key in the credential.';
			return `Check the API Key in the credential: ${KEYS}. Some servers expect another header: change Authentication. A gateway may have a wrong key itself.`;
		},
		health: 'unauthorized',
		cause: 'server',
	},
	upstreamKeyRejected: {
		title: ({ isSignInRequired }) =>
			isSignInRequired
				? 'Ollama is not signed in to ollama.com'
				: 'The gateway has no valid key for the server behind it',
		suggestion: ({ isSignInRequired }) =>
			isSignInRequired
				? 'Run "ollama signin" on the machine of Ollama, since this model runs at ollama.com, or select a local model. The key of the credential is not used for that.'
				: 'Set the key of that server in the gateway (LiteLLM: api_key of the model). The API Key of the credential matters only if the gateway forwards it.',
		health: 'misconfigured',
		cause: 'server',
	},
	forbidden: {
		title: 'The server does not allow this request',
		suggestion: ({ isEmpty, forbiddenReason }) => {
			switch (forbiddenReason) {
				case 'key':
					return 'The server message says what is missing: a right of the key in the credential, or of a key or an account on the server.';
				case 'other':
					return 'The server message has the reason: change that setting on the server, or send another request.';
				case undefined:
					return `The key may be wrong or lack the permission, or this endpoint is disabled on the server.${isEmpty ? OLLAMA_HOSTS : ''}`;
			}
		},
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
		title: describeMissingModel,
		suggestion: suggestModel,
		health: 'misconfigured',
		cause: 'request',
	},
	modelNotLoaded: {
		title: ({ model }) => `The model${quoted(model)} is not loaded`,
		suggestion:
			'Load it (Local Llama: Model, Load), or let the server load models on request: llama-server as a router with --models-autoload, LM Studio with JIT loading, which may also unload a model in use (Auto-Evict).',
		health: 'degraded',
		cause: 'server',
	},
	modelUnreachable: {
		title: ({ model, gateway, unreachedHost }) => {
			if (gateway === undefined && unreachedHost !== undefined)
				return `The server does not reach the host "${unreachedHost}"`;
			return gateway === undefined
				? `The server does not reach the process that runs the model${quoted(model)}`
				: `${gateway} does not reach the server of the model${quoted(model)}`;
		},
		suggestion: ({ gateway, unreachedHost }) => {
			if (gateway === undefined && unreachedHost !== undefined)
				return `Check that "${unreachedHost}" is running, and that the machine of the server reaches it (address, DNS, firewall, internet access).`;
			return gateway === undefined
				? 'The process may be starting or restarting: try again. If this does not help, check the server log.'
				: `Check that this server is running, and its address in ${gateway}${gateway === 'LiteLLM' ? ' (api_base of the model)' : ''}.`;
		},
		health: 'degraded',
		cause: 'server',
	},
	modelCrashed: {
		title: ({ model, isOutOfMemory }) =>
			`The process that runs the model${quoted(model)} ${isOutOfMemory ? 'ran out of memory' : 'crashed'}`,
		suggestion: ({ isOutOfMemory }) =>
			isOutOfMemory
				? 'The memory of the GPU is the usual limit: use a smaller context or quantization, or offload fewer layers. The server log shows the size that failed.'
				: 'Memory is the usual cause: use a smaller context or quantization. Check the server log for the reason. If the server does not restart the process itself, restart the server.',
		health: 'degraded',
		cause: 'server',
	},
	promptTooLong: {
		title: describeOverflow,
		suggestion: ({ isMemoryLimit }) =>
			isMemoryLimit
				? 'Shorten the input, free memory on the machine of the server, or raise the limit that the server message names. A larger context does not help.'
				: 'Shorten the input. Or start the server with a larger context (llama-server: --ctx-size; with -np N, each slot gets 1/N).',
		health: 'misconfigured',
		cause: 'request',
	},
	kvCacheFull: {
		title: 'The context of the server is full',
		suggestion:
			'Give the server a larger context (llama-server: --ctx-size), or lower Max Concurrent Requests in the credential. Requests that run at the same time share the context, which is exhausted; with -np N, each slot of llama-server has its own share.',
		health: 'degraded',
		cause: 'request',
	},
	badRequest: {
		title: ({ isPage, isEmpty, status }) =>
			isEmpty && !isPage
				? `The server rejected the request${withoutReason(status)}`
				: 'The server rejected the request',
		suggestion: ({ isPage, isEmpty, status, isProgramFault }) => {
			if (isProgramFault)
				return 'This is a fault in the program of the server, not the value of an option: update the server, and check its log.';
			if (isPage)
				return `The status${optional(' ', status)} came with a web page, so a proxy rejected the request or replaced the server's message (nginx: proxy_intercept_errors).`;
			if (isEmpty) return CHECK_LOGS;
			return mayBeAboutField(status)
				? 'If the message names a field, change that option of the node.'
				: 'The details contain the server message.';
		},
		health: 'misconfigured',
		cause: 'unknownRequest',
	},
	templateRejected: {
		title: ({ model, hasNoTemplate, isTemplateBroken }) => {
			if (hasNoTemplate) return `The model${quoted(model)} has no chat template`;
			return isTemplateBroken
				? `The server cannot run the chat template of the model${quoted(model)}`
				: 'The chat template of the model rejected this conversation';
		},
		suggestion: ({ hasNoTemplate, isTemplateBroken }) => {
			if (hasNoTemplate)
				return 'Use a chat or instruct model (a base model only completes texts), or give this one a template (vLLM: --chat-template; llama-server: --chat-template-file).';
			return isTemplateBroken
				? 'The template contains something that this version of the server does not support, or an error: update the server, download a newer file of the model, or give it another template (LM Studio: Prompt Template; llama-server: --chat-template-file).'
				: 'Some templates require alternating user and assistant messages, or allow no system message. Change the prompt or the memory, or start llama-server with another --chat-template or --chat-template-file.';
		},
		health: 'misconfigured',
		cause: 'server',
	},
	grammarRejected: {
		title: ({ isGrammarUnsupported }) =>
			isGrammarUnsupported
				? 'The server or its model cannot keep output to a schema or grammar'
				: 'The server cannot convert the schema or grammar into generation rules',
		suggestion: suggestSchema,
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
		title: ({ modality = 'image or audio' }) => `The server does not support ${modality} input`,
		suggestion:
			'Use a model that supports it (llama-server: with --mmproj FILE, the mmproj GGUF of the model). If the model does not need the files, do not pass them on (AI Agent: Automatically Passthrough Binary Images).',
		health: 'misconfigured',
		cause: 'request',
	},
	fileUnreadable: {
		title: ({ modality, isNotFetched }) => {
			if (isNotFetched) return 'The server did not get a file from its URL';
			return modality === 'audio'
				? 'The server cannot read the audio'
				: 'The server cannot read a file in the request';
		},
		suggestion: ({ modality, isNotFetched }) => {
			if (isNotFetched)
				return 'Download the file in the workflow (HTTP Request), and pass it on as binary data. Or check that the machine of the model server reaches the URL, and that the server may fetch files.';
			return modality === 'audio'
				? 'Most servers read wav, mp3 and flac. whisper-server reads other audio than 16-bit WAV only if it is started with --convert and finds ffmpeg. Convert the file to WAV, and check that it is complete.'
				: 'Servers accept JPEG and PNG, most also wav, mp3 and flac, and few video (llama-server with ffmpeg and ffprobe in its PATH). Convert the file, and check that it is complete.';
		},
		health: 'misconfigured',
		cause: 'request',
	},
	invalidToolCallInHistory: {
		title: 'The conversation contains a tool call with invalid arguments',
		detail: 'The conversation contains a tool call whose arguments are not valid JSON',
		suggestion:
			'Clear the memory of this chat. This node never sends invalid calls again, so the message has another source.',
		health: 'misconfigured',
		cause: 'server',
	},
	tooManyFiles: {
		title: 'The request has more images or recordings than the server allows',
		suggestion: 'Pass fewer files, or raise the limit of the server (vLLM: --limit-mm-per-prompt).',
		health: 'misconfigured',
		cause: 'request',
	},
	requestTooLarge: {
		title: 'The request is too large for the server or a proxy in front of it',
		suggestion: ({ hasFiles }) => {
			const smaller = hasFiles ? 'Send smaller or fewer files.' : 'Send less text in one request.';
			const limit =
				'Raise the limit of the server, or of the proxy in front of it (nginx: client_max_body_size).';
			return hasFiles === undefined
				? limit
				: `${smaller} Or ${limit.charAt(0).toLowerCase()}${limit.slice(1)}`;
		},
		health: 'misconfigured',
		cause: 'request',
	},
	busy: {
		title: describeBusy,
		suggestion: suggestLessLoad,
		health: 'degraded',
		cause: 'server',
	},
	keyBudgetExceeded: {
		title: ({ budgetOwner = 'API key' }) => `The budget of the ${budgetOwner} is used up`,
		suggestion: suggestBudget,
		health: 'misconfigured',
		cause: 'server',
	},
	modelLoading: {
		title: ({ timeoutMs }) =>
			`The model is still loading${timeoutMs === undefined ? '' : ` after ${formatDuration(timeoutMs)}`}`,
		suggestion: ({ isInstanceStarting }) =>
			isInstanceStarting
				? 'Wait until an instance of the model is running, or raise "First Token Timeout". If that takes long, check the state and the log of the instance (GPUStack: Deployments).'
				: 'Wait until the server has loaded the model, or raise "First Token Timeout". Large models on slow disks take minutes.',
		health: 'loading',
		cause: 'server',
	},
	modelLoadFailed: {
		title: describeFailedLoad,
		suggestion: suggestLoad,
		health: 'misconfigured',
		cause: 'server',
	},
	featureDisabled: {
		title: 'The server was not started with this feature',
		suggestion:
			'The server message names the required flag, for example --embeddings, --rerank, --metrics or --slots.',
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
			'Try again without a fixed Seed. If this happens often: update the server, use the chat template made for the model (--chat-template-file), or do not combine a response format with tools.',
		health: 'misconfigured',
		cause: 'server',
	},
	runawayOutput: {
		title: 'The model repeated itself without end, so the response was stopped',
		suggestion:
			'Choose another model or quantization, or set Repeat Penalty. If equal lines were requested, request fewer of them per response: repetition of more than 16,000 characters is stopped. The details show what was received.',
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
			'The server or a proxy closed the stream without a final event, for example because it crashed.',
		health: 'degraded',
		cause: 'server',
	},
	toolCallTruncated: {
		title: 'A tool call was cut off at the token limit',
		detail: ({ tool, maxTokens }) =>
			`The model was calling the tool${quoted(tool)} when the token limit${optional(' of ', maxTokens)} was reached. The call is incomplete, so it was not executed`,
		suggestion: 'Raise Maximum Tokens or the server context. Thinking uses tokens, too.',
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
			'Restart the server. If that does not help, try it without flash attention, with another quantization, KV cache type or build: the model file may be corrupt, or the build or driver may not match the GPU.',
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
