import { isLoopback, quoted, row, seconds, type RemedyFacts, type Remedy, type Row } from './facts';

/** OpenSSL's codes when the other side does not speak TLS at all. */
const NO_TLS_AT_ALL = new Set([
	'ERR_SSL_WRONG_VERSION_NUMBER',
	'ERR_SSL_PACKET_LENGTH_TOO_LONG',
	'EPROTO',
]);

/**
 * Failures between n8n and a server, the same for model servers and Dify. Order and advice: see
 * docs/protocols/llama-server.md 9.3.
 */
export const NETWORK_REMEDIES = {
	invalidUrl: row(
		'The Base URL cannot be used',
		'Open the credential and write the Base URL as http://host:port, with or without /v1.',
	),
	dns: ({ host }) => ({
		title: `The host name ${quoted(host)} cannot be resolved`,
		remedy:
			host === 'host.docker.internal'
				? 'host.docker.internal exists in Docker Desktop only. On Linux start the n8n container with --add-host=host.docker.internal:host-gateway (in compose: extra_hosts), or use the IP address of the host.'
				: 'Check the spelling. Inside Docker use the name of the service in the same compose file or the IP address of the machine, and make sure that both containers share a network.',
	}),
	refused,
	connectTimeout: ({ host, port, url, root }) => {
		const firewall = `Something drops the packets: a firewall (ufw allow ${port ?? '9931'}/tcp), a wrong IP address, or a VPN that is down.`;
		// llama-server without TLS takes the handshake for the start of a request line, and waits for the rest.
		if (url?.startsWith('https:')) {
			return {
				title: `No answer from ${quoted(host)} while making an https connection`,
				remedy: `If the server was not set up for https (llama-server: --ssl-key-file), use http:// in the Base URL${root ? `: ${root.replace(/^https:/, 'http:')}` : ''}. Otherwise: ${firewall}`,
			};
		}
		return {
			title: `No answer from ${quoted(host)} while connecting`,
			remedy: `${firewall} Try the same address with curl from the machine that runs n8n.`,
		};
	},
	unreachable: ({ host }) => ({
		title: `There is no route to ${quoted(host)}`,
		remedy:
			'Check the IP address, the network and the VPN. In Docker the container may be on an isolated network.',
	}),
	tlsMismatch: ({ root, url, code }) => {
		if (url?.startsWith('http:')) {
			return {
				title: 'The server wants https on this port',
				remedy: `Use https:// in the Base URL${root ? `: ${root.replace(/^http:/, 'https:')}` : ''}.`,
			};
		}
		if (code !== undefined && !NO_TLS_AT_ALL.has(code))
			return {
				title: `The TLS handshake with the server failed (${code})`,
				remedy:
					'The server may speak only an old version of TLS, or want a certificate from its clients. Put a TLS proxy of your own in front of it.',
			};
		return {
			title: 'The server does not speak https on this port',
			remedy: `Use http:// in the Base URL${root ? `: ${root.replace(/^https:/, 'http:')}` : ''}, or put a TLS proxy in front of the server.`,
		};
	},
	tlsUntrusted: ({ code }) => ({
		title: `The server's certificate is not trusted${code ? ` (${code})` : ''}`,
		remedy:
			'Give n8n your private CA with NODE_EXTRA_CA_CERTS=/path/ca.pem, use the host name that the certificate was made for, or, in a network you trust, turn on "Ignore SSL Issues" in the credential.',
	}),
	notHttp: row(
		'What listens on this port does not speak HTTP',
		'Check the port. If the server wants TLS, write https:// in the Base URL.',
	),
	closedBeforeAnswer: ({ url }) => ({
		title: 'The server closed the connection before it answered',
		remedy: `The server may have crashed (look at its log for an out-of-memory or ROCm error), or this port wants ${url?.startsWith('https:') ? 'http' : 'https'}. A request that the server may have started on is not sent again.`,
	}),
	connectionLost: row(
		'The connection broke in the middle of the answer',
		'The server may have crashed (out of memory, GPU fault): look at its log. What had arrived is in the details.',
	),
	blockedByPolicy: ({ host }) => ({
		title: `n8n's own network protection blocks ${quoted(host)}`,
		remedy:
			'N8N_SSRF_PROTECTION_ENABLED is on, which blocks private addresses. Allow the server with N8N_SSRF_ALLOWED_HOSTNAMES or N8N_SSRF_ALLOWED_IP_RANGES and restart n8n.',
	}),
	proxy: ({ code }) => ({
		title: `The proxy named by HTTP_PROXY or HTTPS_PROXY does not let n8n through${code ? ` (${code})` : ''}`,
		remedy:
			'Local servers are usually reached without a proxy: add the host to NO_PROXY in the environment of n8n.',
	}),
	proxyPassword: ({ service }) => ({
		title: `A proxy in front of ${service === 'dify' ? 'Dify' : 'the server'} wants a user name and a password`,
		remedy:
			service === 'dify'
				? 'The refusal is not from Dify. Its API key is sent in the header that the proxy wants for the password, so both cannot be sent: let the path /v1 through in the proxy without a password (nginx: auth_basic off), or use an address that does not go through it.'
				: 'Add to Extra Headers in the credential: Authorization with the value "Basic " and the Base64 form of user:password. If the server behind it wants a key as well, send that in another way: Authentication x-api-key.',
	}),
	proxyRefuses: ({ service, status }) => ({
		title: `Something in front of ${service === 'dify' ? 'Dify' : 'the server'} does not let n8n through`,
		remedy: `${status === 401 && service !== 'dify' ? 'Where a proxy checks a key itself, check the API Key of the credential. ' : ''}The refusal comes from a proxy, a firewall or a protection against robots (Cloudflare, nginx with allow and deny): let the address of n8n through there, or use an address that goes around it${service === 'dify' ? '. The API key was not even looked at' : ', or put the header that it wants into Extra Headers'}.`,
	}),
	gateway: ({ status }) => ({
		title: `A proxy answers with ${status === undefined || status < 400 ? 'an error' : status}, but the model server behind it does not answer`,
		remedy: isCloudflare(status)
			? 'The statuses from 520 on are those of Cloudflare: check that the server runs and that cloudflared, or the connection from Cloudflare to the server, is up.'
			: `The model server is down or too slow for the proxy. Check it directly; raise the time limit of the proxy (nginx: proxy_read_timeout, inference-gateway: CLIENT_RESPONSE_HEADER_TIMEOUT), and in nginx turn off proxy_buffering for streamed answers.${status === 503 ? ' With 503 a proxy also refuses what is too much at once (nginx: limit_req).' : ''}`,
	}),
	redirect: ({ location, url }) => ({
		title: 'The server redirects this request',
		meaning: redirection(url, location),
		remedy:
			'If that is your server, type its address as Base URL, with the right scheme (http or https). The key and what you send go to the origin of the Base URL only.',
	}),
	notAnApi: ({ root }) => ({
		title: 'A web page answers here, not the API',
		remedy: `The Base URL leads to a user interface or a login page. Type the address of the API${root ? ` (tried ${root})` : ''}: for llama-server the port it was started with, for Open WebUI the path /api, for Dify the address ending in /v1.`,
	}),
	wrongServer: row(
		'What answers here is not the API of a model server',
		'Check the host, the port and the path of the Base URL: another program may listen there, or the API has another path.',
	),
	firstTokenLimit: ({ limitMs }) => ({
		title: `No token arrived within the first-token limit of ${seconds(limitMs)}`,
		remedy:
			'Long prompts, a queue in front of the GPU or a model that is still loading take time: raise "First Token Limit" (0 = no limit), shorten the prompt, or check with Server Health whether the server is busy or stuck.',
	}),
	idleLimit: ({ limitMs }) => ({
		title: `The answer stopped: no more of it arrived for ${seconds(limitMs)}`,
		remedy:
			'The server may be stuck or overloaded. Look at its log, or raise "Idle Limit" (0 = no limit).',
	}),
	totalLimit: ({ limitMs }) => ({
		title: `The answer took longer than the total limit of ${seconds(limitMs)}`,
		remedy: 'Raise the total limit (0 = none), or ask for a shorter answer with Maximum Tokens.',
	}),
	aborted: row(
		'The request was cancelled',
		'The execution was stopped. The connection was closed, at which most servers stop, too.',
	),
	invalidInput: row('The input cannot be sent', 'Correct the field that is named.'),
} satisfies Readonly<Record<string, Row>>;

/** The default port of llama.cpp's server was 8080 until the autumn of 2026. */
const OTHER_DEFAULT_PORT: Readonly<Record<string, string>> = { 8080: '9931', 9931: '8080' };

function otherPortIn(port = ''): string {
	const other = OTHER_DEFAULT_PORT[port];
	return other === undefined
		? ''
		: ` llama-server listens on 9931 unless told otherwise, older ones on 8080: try ${other}.`;
}

function refused({ host, port, service }: RemedyFacts): Remedy {
	if (service === 'dify') {
		return {
			title: `Nothing listens on ${host}:${port ?? ''}, seen from n8n`,
			remedy: `Check that Dify runs (docker compose ps) and that the port is the one of its nginx.${isLoopback(host) ? ` If n8n runs in Docker, "${host}" means the n8n container itself: use http://host.docker.internal${port === '80' ? '' : `:${port ?? ''}`} (Linux: start the n8n container with --add-host=host.docker.internal:host-gateway) or the IP address of the host.` : ''}`,
		};
	}
	if (isLoopback(host)) {
		return {
			title: `Nothing listens on ${host}:${port ?? ''}, seen from n8n`,
			remedy: `Is the model server running, and is the port right?${otherPortIn(port)} If n8n runs in Docker, "${host}" is the n8n container itself: use http://host.docker.internal:${port ?? '9931'} (Linux: start it with --add-host=host.docker.internal:host-gateway), the service name, or the IP address of the host, and start the model server with --host 0.0.0.0.`,
		};
	}
	return {
		title: `The machine ${quoted(host)} answers, but nothing listens on port ${port ?? ''}`,
		remedy: `The model server is down, still starting, on another port, or listens on 127.0.0.1 only.${otherPortIn(port)} Start llama-server with --host 0.0.0.0 (Ollama: OLLAMA_HOST=0.0.0.0), check the port, and look at its log: a server that ran out of memory while loading exits.`,
	};
}

/** Cloudflare's own statuses: the server, or the tunnel to it, does not answer. */
export function isCloudflare(status: number | undefined): boolean {
	return status !== undefined && status >= 520 && status <= 530;
}

/** Names both sides of a redirect, as far as they are known. */
export function redirection(
	url: string | undefined,
	location: string | undefined,
): string | undefined {
	if (location === undefined) return undefined;
	if (location === '') return 'The response has no Location header, so the request was sent once';
	const isUrl = url !== undefined && URL.canParse(url);
	const from = isUrl ? `The server at ${new URL(url).origin}` : 'The server';
	return `${from} redirects this request to ${location}`;
}
