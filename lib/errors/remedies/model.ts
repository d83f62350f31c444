import { quoted, row, seconds, type Remedy, type Row } from './facts';

const KEYS =
	'one of the keys the server was started with (llama-server: --api-key, LocalAI: LOCALAI_API_KEY) or gave out (GPUStack, Open WebUI: API Keys)';
const PREFIXES = 'Open WebUI: /api, llama-server: --api-prefix';

const NO_LIST = 'A server of your own may have no list of models: type the name of the model. ';

/** For a Base URL that is already just the server's address. */
function noSuchRoute(url: string): string {
	const missing = /\/chat(?:\/completions)?$/.test(url)
		? 'This server has no chat route. It may serve embeddings only, or be another program.'
		: 'This server has no such route. It may serve something else only, or be another program.';
	return `${missing} If its API has a prefix (${PREFIXES}), add it to the Base URL.`;
}

function isJustAddress(typed: string): boolean {
	return URL.canParse(typed) && !hasPath(typed);
}

function hasPath(url: string): boolean {
	return URL.canParse(url) && new URL(url).pathname !== '/';
}

function otherBaseUrl(root: string | undefined): string {
	const address = root !== undefined && URL.canParse(root) ? new URL(root).origin : root;
	const example = address ? `, for example ${address}` : '';
	return `Check the Base URL, unless other requests work with it: then the server lacks this route. Else type just the address of the server${example}. The package adds /v1 itself. A prefix (${PREFIXES}) belongs in the Base URL.`;
}

/** Ollama (seen: 0.17.4) refuses with 403 and an empty body. */
const OLLAMA_HOSTS =
	' Ollama refuses like this when it listens on 127.0.0.1 only and is asked under a name that it does not know: start it with OLLAMA_HOST=0.0.0.0, or let the proxy in front of it send the host name localhost (nginx: proxy_set_header Host localhost).';

/** No route that is requested ends with a slash: a proxy redirected to it. */
const addedSlash: Remedy = {
	title: 'The server answers, but not at this path',
	remedy:
		'A redirect added a slash to the path, which model servers do not know. Take that rule out of the proxy for this address.',
};

/**
 * What model servers refuse, and answers that cannot be used. Advice from the diagnosis table in
 * docs/protocols/llama-server.md 9.3.
 */
export const MODEL_REMEDIES = {
	unauthorized: ({ keyMissing }) => {
		if (keyMissing === true)
			return {
				title: 'The server wants an API key, and the credential has none',
				remedy: `Put ${KEYS} into the API Key of the credential.`,
			};
		return {
			title: 'The server refuses the API key',
			remedy: `Check the API Key in the credential: it must be ${KEYS}, without spaces. Some servers want it in another header: change Authentication. If a gateway answers at this address, it may pass on that the server behind it refuses the key of the gateway.`,
		};
	},
	gatewayKey: row(
		'The gateway has no key that the server behind it takes',
		'Set the key of that server in the gateway (LiteLLM: api_key of the model). The API Key of the credential is at fault only where the gateway hands it on.',
	),
	forbidden: ({ isEmpty }) => ({
		title: 'The server does not allow this',
		remedy: `The key may be wrong or lack the permission, or this route is switched off on the server.${isEmpty === true ? OLLAMA_HOSTS : ''}`,
	}),
	wrongPath: ({ root, url = '', typed = '' }) => {
		if (url.endsWith('/')) return addedSlash;
		const isList = /\/models$/.test(url);
		const remedy = isJustAddress(typed) ? noSuchRoute(url) : otherBaseUrl(root);
		return {
			title: isList
				? 'The server answers, but has no list of models at this path'
				: 'The server answers, but not at this path',
			remedy: `${isList ? NO_LIST : ''}${remedy}`,
		};
	},
	modelNotFound: ({ model }) => ({
		title: `The server does not know the model ${quoted(model)}`,
		remedy:
			'Choose the model from the list. With Ollama, fetch it first with "ollama pull"; with GPUStack and Open WebUI, the key must be allowed to use it.',
	}),
	contextOverflow: ({ promptTokens, contextTokens }) => ({
		title:
			promptTokens !== undefined && contextTokens !== undefined
				? `The prompt needs ${promptTokens} tokens, but a slot of the server has ${contextTokens}`
				: 'The prompt does not fit into the context of the server',
		remedy:
			'Start llama-server with a larger --ctx-size (with -np N every slot gets 1/N of it), keep fewer messages in the memory or set History Budget in Local Chat Model, use fewer tools, or shorten the input. Many servers count Maximum Tokens, too: lower them.',
	}),
	contextExceeded: row(
		'The context of the server is full',
		'All slots share one pool, and it ran out: start llama-server with a larger --ctx-size, give each slot its own part with -np N, or lower Max Concurrent Requests in the credential.',
	),
	badRequest: ({ isPage, status }) => ({
		title: 'The server refuses the request',
		remedy:
			isPage === true
				? `A web page came with the status ${status}, so a proxy refuses the request, or puts its page in place of what the server says (nginx: proxy_intercept_errors).`
				: 'The text of the server says what it does not accept. Check the fields and options of the node.',
	}),
	templateRejected: row(
		'The chat template of the model rejects this conversation',
		'Some templates want user and assistant to take turns, or allow no system message. Change the prompt or the memory, or start llama-server with another --chat-template or --chat-template-file.',
	),
	grammarRejected: row(
		'The server cannot turn the schema or grammar into rules for generation',
		'Simplify the JSON schema (patterns, formats and large ranges are the usual cause) or check the GBNF grammar. Tool schemas count too.',
	),
	toolsUnsupported: row(
		'The model or the server cannot call tools',
		'Choose a model whose chat template supports tools (Qwen, Llama 3.1 or newer, Mistral, gpt-oss), start llama-server with --jinja and without --no-jinja, vLLM with --enable-auto-tool-choice and a --tool-call-parser.',
	),
	modalityUnsupported: ({ modality }) => ({
		title: `The server cannot read ${modality ?? 'image or audio'} input`,
		remedy:
			'Start llama-server with --mmproj FILE (the mmproj GGUF that belongs to the model), or choose a model that can read it. If the model does not need the files, do not pass them on (AI Agent: Automatically Passthrough Binary Images).',
	}),
	fileUnreadable: row(
		'The server cannot read a file of the request',
		'Servers read JPEG and PNG, most of them wav, mp3 and flac, and few a video (llama-server with ffmpeg and ffprobe in its PATH). Convert the file, and look whether it is whole.',
	),
	brokenHistory: () => ({
		title: 'The conversation holds a tool call with broken arguments',
		meaning: 'The conversation holds a tool call whose arguments are not valid JSON',
		remedy:
			'Clear the memory of this chat. This node never sends broken calls again, so the message came from somewhere else.',
	}),
	tooLarge: row(
		'The request is too large for the server or a proxy in front of it',
		'Send smaller or fewer files. In nginx raise client_max_body_size.',
	),
	busy: ({ noInstance, model }) => {
		if (noInstance === true)
			return {
				title: `No instance of the model ${quoted(model)} answers`,
				remedy: 'Start it (GPUStack: Deployments), or read the log of its instance.',
			};
		return {
			title: 'The server is busy and refuses further requests',
			remedy:
				'Try again later, lower Max Concurrent Requests in the credential to the number of slots, or raise Retries.',
		};
	},
	budgetSpent: row(
		'The budget of the API key is spent',
		'Raise the budget of the key in the gateway (LiteLLM: max_budget; One API: quota of the user and the token), wait until it starts anew, or use another key.',
	),
	loading: ({ limitMs }) => ({
		title: `The model is still loading${limitMs === undefined ? '' : ` after ${seconds(limitMs)}`}`,
		remedy:
			'Wait until the server has loaded the model, or raise "First Token Limit". Large models on slow disks take minutes.',
	}),
	modelFailedToLoad: ({ model }) => ({
		title: `The server could not load the model ${quoted(model)}`,
		remedy:
			'Usually there is not enough memory: lower --ctx-size or -ngl, or choose a smaller quantization. The log of the server says more.',
	}),
	notSupported: row(
		'The server was not started for this',
		'The text of the server names the flag it needs, for example --embeddings, --rerank, --metrics or --slots.',
	),
	wrongModelType: ({ model }) => ({
		title: `The model ${quoted(model)} is for something else`,
		meaning: `The server has no route, or no way, to do this with the model ${quoted(model)}`,
		remedy:
			'Models for chats, for embeddings and for reranking are different models, often each on a server of its own: choose one that is for this, or start a server for it.',
	}),
	outputUnreadable: row(
		'The server could not read what its model wrote, and dropped it',
		'Ask again, without a fixed Seed: llama-server reads the output by the chat template, and gives up where it does not fit. If it happens often: update llama-server, take the chat template that was made for the model (--chat-template-file), or do not use a response format together with tools.',
	),
	serverError: row(
		'The server failed',
		'Read the text of the server and its log. The request is not sent again, because the server may have started on it.',
	),
	invalidAnswer: () => ({
		title: 'The answer of the server cannot be read',
		meaning: 'The server sent something that is not an answer of an OpenAI-compatible API',
		remedy:
			'Check that the Base URL leads to the API. If it does, the server or a proxy is broken or too old; its text is in the details.',
	}),
	streamError: row(
		'The server reported an error in the middle of its answer',
		'Read the text of the server and its log. What had arrived is in the details.',
	),
	streamEndedEarly: row(
		'The answer ended before it was complete',
		'The server or a proxy closed the stream without saying that it had finished, for example because it crashed. What had arrived is in the details.',
	),
	toolCallCut: ({ tool, maxTokens }) => ({
		title: 'The token limit cut off a tool call',
		meaning: `The model was calling the tool ${quoted(tool)} when the token limit${maxTokens === undefined ? '' : ` of ${maxTokens}`} was reached. The call is incomplete, so it was not executed`,
		remedy:
			'Raise Maximum Tokens, or the context of the server, or lower the thinking effort so that more tokens are left for the call.',
	}),
	toolCallInvalid: ({ tool }) => ({
		title: `The model called ${tool === undefined ? 'a tool' : `the tool ${quoted(tool)}`} with broken arguments`,
		meaning: `The model called ${tool === undefined ? 'a tool' : `the tool ${quoted(tool)}`} with arguments that are not valid JSON, so it was not executed`,
		remedy:
			'Lower the temperature, simplify the tool, or use a model with better tool support. llama-server makes sure that calls are valid JSON, unless it runs with --no-jinja.',
	}),
	onlyThinking: ({ maxTokens, endedItself }) => ({
		title: 'The model spent its whole answer on thinking',
		remedy: endedItself
			? 'It ended there by itself: ask again, turn thinking off, or set a thinking token budget. If it happens often, the chat template may not fit the model (llama-server --chat-template-file).'
			: `Raise Maximum Tokens${maxTokens === undefined ? '' : ` (now ${maxTokens})`}, set a thinking token budget, or turn thinking off.`,
	}),
	emptyAnswer: row(
		'The model returned an empty answer',
		'Check the chat template and the stop sequences, and that the prompt leaves room in the context. Some templates (gpt-oss) drop a call to a tool that was not declared.',
	),
	garbledAnswer: row(
		'The model writes the same character again and again, or no text at all',
		'A build or a driver that does not fit the GPU, a broken file, or a KV cache type that does not fit. Restart the server; if that does not help, try it without flash attention, with another quantization, or with another build.',
	),
	filtered: row(
		'The server withheld the answer (content filter)',
		'Change the prompt, or the filter of the server.',
	),
} satisfies Readonly<Record<string, Row>>;
