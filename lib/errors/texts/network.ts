import type { ErrorTextParams, ErrorTextSource } from './error-text';
import { isLoopback } from './error-text';

/** OpenSSL's codes when the other side does not speak TLS at all. */
const NO_TLS_AT_ALL = new Set([
	'ERR_SSL_WRONG_VERSION_NUMBER',
	'ERR_SSL_PACKET_LENGTH_TOO_LONG',
	'EPROTO',
]);

/**
 * Errors between n8n and a server, the same for model servers and Dify. Order and suggestions: see
 * docs/protocols/llama-server.md 9.3.
 */
export const NETWORK_ERROR_TEXTS = {
	invalidUrl: `The Base URL is invalid
		Open the credential and enter the Base URL as http://host:port, with or without /v1.`,
	dnsLookupFailed: ({ host }) =>
		`The host name "{host}" cannot be resolved
		${
			host === 'host.docker.internal'
				? 'host.docker.internal exists in Docker Desktop only. On Linux, start the n8n container with --add-host=host.docker.internal:host-gateway (in compose: extra_hosts), or use the IP address of the host.'
				: 'Check the spelling. Inside Docker, use the service name from the compose file or the IP address of the machine, and make sure that both containers share a network.'
		}`,
	connectionRefused: describeClosedPort,
	connectTimeout: ({ port = '9931', url, root }) => {
		const firewall = `Packets are being dropped: check for a firewall (ufw allow ${port}/tcp), a wrong IP address, or a VPN that is down.`;
		// llama-server without TLS reads the handshake as the start of a request line, and waits for the rest.
		return url?.startsWith('https:')
			? `No response from "{host}" while opening an https connection
				If the server is not set up for https (llama-server: --ssl-key-file), use http:// in the Base URL${withScheme('http', root)}. Otherwise: ${firewall}`
			: `No response from "{host}" while connecting
				${firewall} Test the address with curl from the machine that runs n8n.`;
	},
	hostUnreachable: `No route to "{host}"
		Check the IP address, the network and the VPN. In Docker, the container may be on an isolated network.`,
	tlsMismatch: ({ root, url, code }) => {
		if (url?.startsWith('http:'))
			return `The server expects https on this port
				Use https:// in the Base URL${withScheme('https', root)}.`;
		return code !== undefined && !NO_TLS_AT_ALL.has(code)
			? `The TLS handshake with the server failed ({code})
				The server may support only an old TLS version, or require a client certificate. Put a TLS proxy in front of it.`
			: `The server does not support https on this port
				Use http:// in the Base URL${withScheme('http', root)}, or put a TLS proxy in front of the server.`;
	},
	tlsUntrusted: `The server's certificate is not trusted[ ({code})]
		Add your private CA to n8n with NODE_EXTRA_CA_CERTS=/path/ca.pem, use the host name that the certificate was issued for, or, in a trusted network, turn on "Ignore SSL Issues" in the credential.`,
	notHttp: `The program on this port does not speak HTTP
		Check the port. If the server expects TLS, use https:// in the Base URL.`,
	closedBeforeResponse: ({ url }) =>
		`The server closed the connection before it responded
		The server may have crashed (check its log for an out-of-memory or ROCm error), or this port expects ${url?.startsWith('https:') ? 'http' : 'https'}. The request is not retried, because the server may have started processing it.`,
	connectionLost: `The connection was lost during the response
		The server may have crashed (out of memory, GPU fault): check its log. The details contain the text received so far.`,
	blockedByPolicy: `The network protection of n8n blocks "{host}"
		N8N_SSRF_PROTECTION_ENABLED is on, which blocks private addresses. Allow the server with N8N_SSRF_ALLOWED_HOSTNAMES or N8N_SSRF_ALLOWED_IP_RANGES and restart n8n.`,
	proxyError: `The proxy set in HTTP_PROXY or HTTPS_PROXY rejected the connection[ ({code})]
		Local servers usually need no proxy: add the host itself to NO_PROXY in the environment of n8n. Ranges such as 10.0.0.0/8 do not count there.`,
	proxyAuthRequired: ({ service }) =>
		service === 'dify'
			? `A proxy in front of Dify requires a user name and password
				Dify's API key and the proxy password use the same header, so both cannot be sent: exclude the path /v1 from the password in the proxy (nginx: auth_basic off), or use an address that bypasses the proxy.`
			: `A proxy in front of the server requires a user name and password
				Add a header to Extra Headers in the credential: Authorization with the value "Basic " and the Base64 form of user:password. If the server behind the proxy also requires a key, set Authentication to x-api-key.`,
	blockedByProxy: ({ service, status }) => {
		const isDify = service === 'dify';
		return `A proxy or firewall in front of ${isDify ? 'Dify' : 'the server'} blocks n8n
			${status === 401 && !isDify ? 'If a proxy checks the key itself, check the API Key in the credential. ' : ''}Allow the address of n8n in the proxy, firewall or bot protection (Cloudflare, nginx with allow and deny), or use an address that bypasses it. ${isDify ? 'The API key was not checked.' : 'If it requires a header, add it to Extra Headers.'}`;
	},
	badGateway: ({ status = 200 }) =>
		`A proxy responds with ${status < 400 ? 'an error' : status}, but the model server behind it does not
		${describeGateway(status)}`,
	unexpectedRedirect: ({ url, location }) => describeRedirect('server', url, location),
	notAnApi: `The Base URL returns a web page, not the API
		Enter the address of the API: for llama-server the port it listens on, for Open WebUI the path /api. This may be the address of a user interface or a login page.`,
	wrongServer: `The program at the Base URL is not a model server API
		Check the host, port and path of the Base URL: another program may listen there, or the API has another path.`,
	firstTokenTimeout: `No token arrived within {timeout} (First Token Timeout)
		Raise "First Token Timeout" (0 = no limit), or shorten the prompt. Long prompts, a queue for the GPU or a model that is still loading take time: Server Health shows whether the server is busy or stuck.`,
	idleTimeout: `The response stalled: nothing arrived for {timeout} (Idle Timeout)
		The server may be stuck or overloaded. Check its log, or raise "Idle Timeout" (0 = no limit).`,
	totalTimeout: `The response took longer than {timeout} (Total Timeout)
		Raise "Total Timeout" (0 = no limit), or request a shorter response with Maximum Tokens.`,
	aborted: `The execution was stopped
		It was stopped before the response was complete. The connection was closed, which makes most servers stop, too.`,
	invalidInput: `The input cannot be sent
		Correct the field named in the error.`,
} satisfies Readonly<Record<string, ErrorTextSource>>;

/** Names a root with another scheme, if it is known. */
function withScheme(scheme: string, root: string | undefined) {
	return root ? `: ${root.replace(/^https?/, scheme)}` : '';
}

function describeGateway(status: number) {
	if (isCloudflare(status))
		return 'Status codes from 520 on come from Cloudflare: check that the server is running and that cloudflared, or the connection from Cloudflare to the server, is up.';
	if (status === 504)
		return 'The proxy did not wait long enough: raise its timeout (nginx: proxy_read_timeout, inference-gateway: CLIENT_RESPONSE_HEADER_TIMEOUT), and turn off buffering (nginx: proxy_buffering).';
	const rateLimit =
		status === 503 ? ' The proxy may also limit the request rate (nginx: limit_req).' : '';
	return `Check that the model server is running, and test it without the proxy.${rateLimit}`;
}

/** The default port of llama.cpp's server was 8080 until the autumn of 2026. */
const DEFAULT_PORTS = ['8080', '9931'];

function describeClosedPort({ host, port = '', service }: ErrorTextParams) {
	if (service === 'dify')
		return `Nothing is listening on {host}:{port}, as seen from n8n
			Check that Dify is running (docker compose ps) and that the port is the one of its nginx.${isLoopback(host) ? ` If n8n runs in Docker, use http://host.docker.internal${port === '80' ? '' : ':{port}'} (Linux: start n8n with --add-host=host.docker.internal:host-gateway) or the IP address of the host.` : ''}`;
	const defaultPorts = DEFAULT_PORTS.includes(port)
		? ' (llama-server: 9931, older versions: 8080)'
		: '';
	return isLoopback(host)
		? `Nothing is listening on {host}:{port}, as seen from n8n
			Check that the model server is running and the port is correct${defaultPorts}. If n8n runs in Docker, use http://host.docker.internal:${port || '9931'} (Linux: start n8n with --add-host=host.docker.internal:host-gateway) or the IP address of the host, and start the model server with --host 0.0.0.0.`
		: `The machine "{host}" is reachable, but nothing is listening on port {port}
			Check that the model server is running (its log shows if it ran out of memory), and the port${defaultPorts}. If it listens on 127.0.0.1 only, start llama-server with --host 0.0.0.0 (Ollama: OLLAMA_HOST=0.0.0.0).`;
}

/** Cloudflare's own statuses: the server, or the tunnel to it, does not respond. */
export function isCloudflare(status: number): boolean {
	return status >= 520 && status <= 530;
}

/** Names both sides of a redirect, if known. `program`: what the redirect may lead to. */
export function describeRedirect(program: string, url = '', location?: string): string {
	const from = URL.canParse(url) ? `The server at ${new URL(url).origin}` : 'The server';
	const detail = location
		? `${from} redirects this request to ${location}`
		: 'The response has no Location header, so the request was sent once';
	return `The server redirects this request
		${location === undefined ? '' : detail}
		If that is your ${program}, set the Base URL to that address, with the correct scheme (http or https). The API key and your data are sent only to the origin of the Base URL.`;
}
