import type { FailureKind } from './server-error';

/** Facts that a remedy may name. All optional: the text reads without them. */
export interface RemedyFacts {
	/** Resolved URL of the request. */
	url?: string;
	/** Host name without port. */
	host?: string;
	port?: string;
	/** Root of the server, for URLs to type instead. */
	root?: string;
	/** The low-level code, for example `ECONNREFUSED`. */
	code?: string;
	/** Limit in milliseconds that was hit. */
	limitMs?: number;
	status?: number;
	model?: string;
	location?: string;
	promptTokens?: number;
	contextTokens?: number;
	modality?: string;
	/** The server's own sentence. */
	serverText?: string;
	tool?: string;
	maxTokens?: number;
	/** The model ended its answer itself, no limit did. */
	endedItself?: boolean;
	/** No key was sent. */
	keyMissing?: boolean;
	/** What answers is a web page. */
	isPage?: boolean;
	/** Nothing came with the status. */
	isEmpty?: boolean;
	/** What answers wants a user and a password. */
	wantsPassword?: boolean;
	/** What is asked, where that is no model server. */
	service?: 'dify';
}

export interface Remedy {
	/** What happened, one sentence without URL and without a full stop. */
	message: string;
	/** What to do about it. */
	remedy: string;
}

const LOOPBACK = /^(localhost|127(?:\.\d+){3}|::1|\[::1\]|0\.0\.0\.0)$/i;

/** What OpenSSL says when the other side answers with something that is no TLS. */
const NO_TLS_AT_ALL = new Set(['ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_PACKET_LENGTH_TOO_LONG', 'EPROTO']);

/** Whether a host name means "this very machine or container". */
export function isLoopback(host: string | undefined): boolean {
	return host !== undefined && LOOPBACK.test(host);
}

/** Seen with Ollama 0.17.4: a refusal without a word. */
const OLLAMA_HOSTS =
	' Ollama refuses so where it listens on 127.0.0.1 only and is asked for under a name that it does not know: start it with OLLAMA_HOST=0.0.0.0, or let the proxy in front of it send the host name localhost (nginx: proxy_set_header Host localhost).';

/**
 * One table for every failure: what to say and what to advise. The nodes' errors and Server Health read the same rows.
 * Order and advice after the diagnosis table of the llama-server contract.
 */
const REMEDIES: Record<FailureKind, (facts: RemedyFacts) => Remedy> = {
	invalidUrl: () => ({
		message: 'The Base URL cannot be used',
		remedy: 'Write it as http://host:port, with or without /v1. Open the credential and correct the Base URL.',
	}),
	dns: ({ host }) => ({
		message: `The host name ${quoted(host)} cannot be resolved`,
		remedy:
			host === 'host.docker.internal'
				? 'host.docker.internal exists in Docker Desktop only. On Linux start the n8n container with --add-host=host.docker.internal:host-gateway (in compose: extra_hosts), or use the IP address of the host.'
				: 'Check the spelling. Inside Docker use the name of the service in the same compose file or the IP address of the machine, and see that both containers share a network.',
	}),
	refused: ({ host, port, service }) => {
		if (service === 'dify') {
			return {
				message: `Nothing listens on ${host}:${port ?? ''}, seen from n8n`,
				remedy: `Check that Dify runs (docker compose ps) and that the port is the one of its nginx.${isLoopback(host) ? ` If n8n runs in Docker, "${host}" means the n8n container itself: use http://host.docker.internal${port === '80' ? '' : `:${port ?? ''}`} (Linux: start the n8n container with --add-host=host.docker.internal:host-gateway) or the IP address of the host.` : ''}`,
			};
		}
		if (isLoopback(host)) {
			return {
				message: `Nothing listens on ${host}:${port ?? ''}, seen from n8n`,
				remedy: `In Docker, "${host}" is the n8n container itself: use http://host.docker.internal:${port ?? '8080'} (Linux: start it with --add-host=host.docker.internal:host-gateway), the service name, or the IP address of the host, and start the model server with --host 0.0.0.0. Otherwise check that the server is running and the port is right.`,
			};
		}
		return {
			message: `The machine ${quoted(host)} answers, but nothing listens on port ${port ?? ''}`,
			remedy:
				'The model server is down, still starting, on another port, or bound to 127.0.0.1 only. Start llama-server with --host 0.0.0.0 (Ollama: OLLAMA_HOST=0.0.0.0), check the port, and look at its log: a server that ran out of memory while loading exits.',
		};
	},
	connectTimeout: ({ host, port, url, root }) => {
		const firewall = `Something drops the packets: a firewall (ufw allow ${port ?? '8080'}/tcp), a wrong IP address, or a VPN that is down.`;
		// llama-server without TLS waits for the rest of what it takes for a request line.
		if (url?.startsWith('https:')) {
			return {
				message: `No answer from ${quoted(host)} while making an https connection`,
				remedy: `If the server was not set up for https (llama-server: --ssl-key-file), use http:// in the Base URL${root ? `: ${root.replace(/^https:/, 'http:')}` : ''}. Otherwise: ${firewall}`,
			};
		}
		return {
			message: `No answer from ${quoted(host)} while connecting`,
			remedy: `${firewall} Try the same address with curl from the machine that runs n8n.`,
		};
	},
	unreachable: ({ host }) => ({
		message: `There is no route to ${quoted(host)}`,
		remedy: 'Check the IP address, the network and the VPN. In Docker the container may be on an isolated network.',
	}),
	tlsMismatch: ({ root, url, code }) => {
		if (url?.startsWith('http:')) {
			return {
				message: 'The server wants https on this port',
				remedy: `Use https:// in the Base URL${root ? `: ${root.replace(/^http:/, 'https:')}` : ''}.`,
			};
		}
		if (code !== undefined && !NO_TLS_AT_ALL.has(code)) {
			return {
				message: `The TLS handshake with the server failed (${code})`,
				remedy:
					'The server may speak only an old version of TLS, or want a certificate from its clients. Put a TLS proxy of your own in front of it.',
			};
		}
		return {
			message: 'The server does not speak https on this port',
			remedy: `Use http:// in the Base URL${root ? `: ${root.replace(/^https:/, 'http:')}` : ''}, or put a TLS proxy in front of the server.`,
		};
	},
	tlsUntrusted: ({ code }) => ({
		message: `The server's certificate is not trusted${code ? ` (${code})` : ''}`,
		remedy:
			'Give n8n your private CA with NODE_EXTRA_CA_CERTS=/path/ca.pem, use the host name that the certificate was made for, or, in a network you trust, turn on "Ignore SSL Issues" in the credential.',
	}),
	notHttp: () => ({
		message: 'What listens on this port does not speak HTTP',
		remedy: 'Check the port. If the server wants TLS, write https:// in the Base URL.',
	}),
	closedBeforeAnswer: ({ url }) => ({
		message: 'The server closed the connection before it answered',
		remedy: `The server may have crashed (look at its log for an out-of-memory or ROCm error), or this port wants ${url?.startsWith('https:') ? 'http' : 'https'}. A request that may have been taken up is not sent again.`,
	}),
	blockedByPolicy: ({ host }) => ({
		message: `n8n's own network protection blocks ${quoted(host)}`,
		remedy:
			'N8N_SSRF_PROTECTION_ENABLED is on, which blocks private addresses. Allow the server with N8N_SSRF_ALLOWED_HOSTNAMES or N8N_SSRF_ALLOWED_IP_RANGES and restart n8n.',
	}),
	proxy: ({ code }) => ({
		message: `The proxy named by HTTP_PROXY or HTTPS_PROXY does not let n8n through${code ? ` (${code})` : ''}`,
		remedy: 'Local servers are usually reached without a proxy: add the host to NO_PROXY in the environment of n8n.',
	}),
	redirect: ({ location }) => ({
		message: `The server redirects this request${location ? ` to ${location}` : ''}`,
		remedy:
			'Type the address it redirects to as Base URL. A POST is repeated only where the status (307, 308) says so, and the key is never sent to another address.',
	}),
	firstTokenLimit: ({ limitMs }) => ({
		message: `No token arrived within the first-token limit of ${seconds(limitMs)}`,
		remedy:
			'Long prompts, a queue in front of the GPU or a model that is still loading take time: raise "First Token Limit" (0 = no limit), shorten the prompt, or see with Server Health whether the server is busy or stuck.',
	}),
	idleLimit: ({ limitMs }) => ({
		message: `The answer stopped: nothing arrived for ${seconds(limitMs)}`,
		remedy: 'The server may be stuck or overloaded. Look at its log, or raise "Idle Limit" (0 = no limit).',
	}),
	totalLimit: ({ limitMs }) => ({
		message: `The answer took longer than the total limit of ${seconds(limitMs)}`,
		remedy: 'Raise the total limit (0 = none), or ask for a shorter answer with Maximum Tokens.',
	}),
	progressLimit: ({ limitMs }) => ({
		message: `The server showed that it lives, but got no further for ${seconds(limitMs)}`,
		remedy: 'Look at its log for what it waits for, or raise "Progress Limit" (0 = no limit).',
	}),
	aborted: () => ({
		message: 'The request was cancelled',
		remedy: 'The execution was stopped. The connection was closed, so the server stops generating too.',
	}),
	unauthorized: ({ keyMissing, wantsPassword }) => {
		if (wantsPassword === true) {
			return {
				message: 'A proxy in front of the server wants a user name and a password',
				remedy:
					'Add to Extra Headers in the credential: Authorization with the value "Basic " and the Base64 form of user:password. If the server behind it wants a key as well, send that in another way: Authentication x-api-key.',
			};
		}
		if (keyMissing === true) {
			return {
				message: 'The server wants an API key, and the credential has none',
				remedy:
					'Put one of the keys the server was started with (llama-server: --api-key) into the API Key of the credential.',
			};
		}
		return {
			message: 'The server refuses the API key',
			remedy:
				'Check the API Key in the credential: it must be one of the keys the server was started with (llama-server: --api-key) or gave out (GPUStack: API Keys), without blanks. Some servers want x-api-key: change Authentication.',
		};
	},
	forbidden: ({ isPage, isEmpty }) =>
		isPage === true
			? {
					message: 'Something in front of the server does not let n8n through',
					remedy:
						'A web page comes with the refusal, so it is a proxy, a firewall or a protection against robots (Cloudflare, nginx with allow and deny): let the address of n8n through there, use an address that goes around it, or put the header that it wants into Extra Headers.',
				}
			: {
					message: 'The server does not allow this',
					remedy: `The key may lack the permission, or this route is switched off on the server.${isEmpty === true ? OLLAMA_HOSTS : ''}`,
				},
	wrongPath: ({ root, url }) => ({
		message: 'The server answers, but not at this path',
		remedy: `Check the Base URL: type just the address of the server${root ? `, for example ${root}` : ''}. The package adds /v1 itself. A prefix (llama-server --api-prefix) belongs into the Base URL.${url?.includes('11434') ? ' This port is usually Ollama: an old Ollama has no /v1 routes, update it.' : ''}`,
	}),
	modelNotFound: ({ model }) => ({
		message: `The server does not know the model ${quoted(model)}`,
		remedy:
			'Choose the model from the list. With Ollama, fetch it first with "ollama pull"; with GPUStack, the key must be allowed to use it.',
	}),
	contextOverflow: ({ promptTokens, contextTokens }) => ({
		message:
			promptTokens !== undefined && contextTokens !== undefined
				? `The prompt needs ${promptTokens} tokens, but a slot of the server has ${contextTokens}`
				: 'The prompt does not fit into the context of the server',
		remedy:
			'Start llama-server with a larger --ctx-size (with -np N every slot gets the Nth part of it), keep fewer messages in the memory, use fewer tools, or shorten the input.',
	}),
	contextExceeded: () => ({
		message: 'The context of the server is full',
		remedy:
			'All slots share one pool, and it ran out: start llama-server with a larger --ctx-size, give each slot its own part with -np N, or lower Max Concurrent Requests in the credential.',
	}),
	badRequest: () => ({
		message: 'The server refuses the request',
		remedy:
			'The text of the server says what it does not accept. Check the options of the node, above all Extra Body and Chat Template Arguments.',
	}),
	templateRejected: () => ({
		message: 'The chat template of the model rejects this conversation',
		remedy:
			'Some templates want user and assistant to take turns, or allow no system message. Change the prompt or the memory, or start llama-server with another --chat-template or --chat-template-file.',
	}),
	grammarRejected: () => ({
		message: 'The server cannot turn the schema or grammar into rules for generation',
		remedy:
			'Simplify the JSON schema (patterns, formats and large ranges are the usual cause) or check the GBNF grammar. Tool schemas count too.',
	}),
	toolsUnsupported: () => ({
		message: 'The model or the server cannot call tools',
		remedy:
			'Choose a model whose chat template supports tools (Qwen, Llama 3.1 or newer, Mistral, gpt-oss), start llama-server without --no-jinja, vLLM with --enable-auto-tool-choice and a --tool-call-parser.',
	}),
	modalityUnsupported: ({ modality }) => ({
		message: `The server has no projector for ${modality ?? 'images'}, so it cannot read ${modality ?? 'image'} input`,
		remedy:
			'Start llama-server with --mmproj FILE (the mmproj GGUF that belongs to the model) or with -hf, which fetches it; or choose a model that can see. Turn off passing binary images to the model if you do not need them.',
	}),
	brokenHistory: () => ({
		message: 'The conversation holds a tool call whose arguments are not valid JSON',
		remedy:
			'Clear the memory of this chat. The package itself never replays broken calls, so the message came from elsewhere.',
	}),
	tooLarge: () => ({
		message: 'The request is too large for the server or a proxy in front of it',
		remedy: 'Send smaller or fewer files. In nginx raise client_max_body_size.',
	}),
	busy: () => ({
		message: 'The server is busy and refuses further requests',
		remedy:
			'Try again later, lower Max Concurrent Requests in the credential to the number of slots, or raise Retries.',
	}),
	loading: ({ limitMs }) => ({
		message: `The model is still loading${limitMs === undefined ? '' : ` after ${seconds(limitMs)}`}`,
		remedy:
			'Wait until the server has loaded the model, or raise "First Token Limit". Large models on slow disks take minutes.',
	}),
	modelFailedToLoad: ({ model }) => ({
		message: `The server could not load the model ${quoted(model)}`,
		remedy:
			'Usually the memory does not suffice: lower --ctx-size or -ngl, choose a smaller quantisation, and read the log of the server.',
	}),
	notSupported: () => ({
		message: 'The server was not started for this',
		remedy: 'The text of the server names the flag it needs, for example --embeddings, --rerank, --metrics or --slots.',
	}),
	serverError: () => ({
		message: 'The server failed',
		remedy: 'Read the text of the server and its log. The request is not repeated, because it may have been taken up.',
	}),
	gateway: ({ status }) => ({
		message: `A proxy answers with ${status ?? 'an error'}, the model server behind it does not`,
		remedy:
			status !== undefined && status >= 520
				? 'Statuses from 520 on are those of Cloudflare: see that the server runs and that cloudflared, or the way from Cloudflare to it, is up.'
				: 'The model server is down or too slow for the proxy. Check it directly; in nginx raise proxy_read_timeout and turn off proxy_buffering for streamed answers.',
	}),
	notAnApi: ({ root }) => ({
		message: 'A web page answers here, not the API',
		remedy: `The Base URL leads to a user interface or a login page. Type the address of the API${root ? ` (tried ${root})` : ''}: for llama-server the port it was started with, for Open WebUI the path /api, for Dify the address ending in /v1.`,
	}),
	invalidAnswer: () => ({
		message: 'The server sent something that is not an answer of an OpenAI-compatible API',
		remedy:
			'Check that the Base URL leads to the API. If it does, the server or a proxy is damaged or too old; its text is in the details.',
	}),
	streamError: () => ({
		message: 'The server reported an error in the middle of its answer',
		remedy: 'Read the text of the server and its log. What had arrived is in the details.',
	}),
	streamEndedEarly: () => ({
		message: 'The answer ended before it was complete',
		remedy:
			'The server or a proxy closed the stream without saying that it had finished, for example because it crashed. What had arrived is in the details.',
	}),
	connectionLost: () => ({
		message: 'The connection broke in the middle of the answer',
		remedy:
			'The server may have crashed (out of memory, GPU fault): look at its log. What had arrived is in the details.',
	}),
	toolCallCut: ({ tool, maxTokens }) => ({
		message: `The token limit${maxTokens === undefined ? '' : ` of ${maxTokens}`} cut the call of the tool ${quoted(tool)} in two, so it was not executed`,
		remedy:
			'Raise Maximum Tokens, or the context of the server, or lower the thinking effort so that more tokens are left for the call.',
	}),
	toolCallInvalid: ({ tool }) => ({
		message: `The model called the tool ${quoted(tool)} with arguments that are not valid JSON, so it was not executed`,
		remedy:
			'Lower the temperature, simplify the tool, or use a model with better tool support. llama-server (not --no-jinja) constrains calls to valid JSON.',
	}),
	onlyThinking: ({ maxTokens, endedItself }) => ({
		message: 'The model spent its answer on thinking and wrote nothing else',
		remedy: endedItself
			? 'It ended there itself: ask again, turn thinking off in the options, or set a thinking token budget. If it happens often, the chat template may not fit the model (llama-server --chat-template-file).'
			: `Raise Maximum Tokens${maxTokens === undefined ? '' : ` (now ${maxTokens})`}, set a thinking token budget, or turn thinking off in the options.`,
	}),
	emptyAnswer: () => ({
		message: 'The model returned an empty answer',
		remedy:
			'Check the chat template and the stop sequences, and that the prompt leaves room in the context. A call to a tool that was not declared is swallowed by some templates (gpt-oss).',
	}),
	filtered: () => ({
		message: 'The server withheld the answer (content filter)',
		remedy: 'Change the prompt, or the filter of the server.',
	}),
	invalidInput: () => ({
		message: 'The input cannot be sent',
		remedy: 'Correct the field that is named.',
	}),
};

/** What to say and what to advise for a kind of failure. */
export function remedyFor(kind: FailureKind, facts: RemedyFacts = {}): Remedy {
	return REMEDIES[kind](facts);
}

function quoted(name: string | undefined): string {
	return name === undefined || name === '' ? '' : `"${name}"`;
}

/** A limit as people say it. */
export function seconds(ms: number | undefined): string {
	if (ms === undefined) return 'the set time';
	if (ms < 1000) return `${ms} ms`;
	if (ms < 120_000) return `${Math.round(ms / 100) / 10} s`;
	return `${Math.round(ms / 6000) / 10} minutes`;
}
