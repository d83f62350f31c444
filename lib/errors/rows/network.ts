/** The error types of connections. */
import type { ErrorRow } from './error-row';
import type { KnownFacts } from '../facts';
import { optional, quoted } from './optional-facts';
import { formatDuration } from '../../values/duration';

const DOCKER_HOST =
	'host.docker.internal exists in Docker Desktop only. On Linux, start the n8n container with --add-host=host.docker.internal:host-gateway (in compose: extra_hosts), or use the IP address of the host.';

/**
 * Errors between n8n and a server, the same for model servers and Dify. Order and suggestions: see
 * docs/protocols/llama-server.md 9.3.
 */
export const NETWORK_ERRORS = {
	invalidUrl: {
		title: 'The Base URL is invalid',
		suggestion:
			'Open the credential and enter the Base URL as http://host:port, with or without /v1.',
		health: 'misconfigured',
		cause: 'server',
	},
	dnsLookupFailed: {
		title: ({ host }) => `The host name${quoted(host)} cannot be resolved`,
		suggestion: ({ host }) =>
			host === 'host.docker.internal'
				? DOCKER_HOST
				: 'Check the spelling. Inside Docker, use the service name from the compose file or the IP address of the machine, and make sure that both containers share a network.',
		health: 'unreachable',
		cause: 'connection',
	},
	connectionRefused: {
		title: ({ host, port = '', service }) =>
			isLoopback(host) || service === 'dify'
				? `Nothing is listening on ${host ?? ''}:${port}, as seen from n8n`
				: `The machine${quoted(host)} is reachable, but nothing is listening on port ${port}`,
		suggestion: describeClosedPort,
		health: 'unreachable',
		cause: 'connection',
	},
	connectTimeout: {
		title: ({ host, url }) =>
			url?.startsWith('https:')
				? `No response from${quoted(host)} while opening an https connection`
				: `No response from${quoted(host)} while connecting`,
		suggestion: describeDroppedPackets,
		health: 'unreachable',
		cause: 'connection',
	},
	hostUnreachable: {
		title: ({ host }) => `No route to${quoted(host)}`,
		suggestion:
			'Check the IP address, the network and the VPN. In Docker, the container may be on an isolated network.',
		health: 'unreachable',
		cause: 'connection',
	},
	tlsMismatch: {
		title: describeTlsMismatch,
		suggestion: ({ root, url, code }) => {
			switch (getTlsProblem({ url, code })) {
				case 'https expected':
					return `Use https:// in the Base URL${withScheme('https', root)}.`;
				case 'handshake failed':
					return 'Put a TLS proxy in front of it that needs no client certificate and speaks TLS 1.2 or newer.';
				case 'no TLS':
					return `Use http:// in the Base URL${withScheme('http', root)}, or put a TLS proxy in front of the server.`;
			}
		},
		health: 'misconfigured',
		cause: 'connection',
	},
	tlsUntrusted: {
		title: ({ code }) => `The server's certificate is not trusted${optional(' (', code, ')')}`,
		suggestion:
			'Add your private CA to n8n with NODE_EXTRA_CA_CERTS=/path/ca.pem, use the host name that the certificate was issued for, or, in a trusted network, turn on "Ignore SSL Issues" in the credential.',
		health: 'misconfigured',
		cause: 'connection',
	},
	notHttp: {
		title: ({ hasAnswered }) =>
			hasAnswered
				? 'The response is not valid HTTP'
				: 'The program on this port does not speak HTTP',
		suggestion: ({ hasAnswered }) =>
			hasAnswered
				? 'The server, or a proxy in front of it, broke off: check their logs.'
				: 'Check the port. If the server expects TLS, use https:// in the Base URL.',
		health: 'misconfigured',
		cause: 'server',
	},
	closedBeforeResponse: {
		title: ({ failureReason }) =>
			failureReason === undefined
				? 'The server closed the connection before it responded'
				: 'The request failed before a response arrived',
		detail: ({ failureReason }) =>
			optional('The request failed before a response arrived: ', failureReason),
		suggestion: ({ url, hasAnswered }) => {
			if (hasAnswered) return 'The server may have crashed: check its log.';
			const [scheme, other] = url?.startsWith('https:') ? ['https', 'http'] : ['http', 'https'];
			return `Nothing has answered at this address over ${scheme} yet: if the server runs, try ${other}:// in the Base URL.`;
		},
		health: 'unreachable',
		cause: 'server',
	},
	connectionLost: {
		title: 'The connection was lost during the response',
		suggestion: 'The server may have crashed: check its log.',
		health: 'unreachable',
		cause: 'server',
	},
	blockedByPolicy: {
		title: ({ host }) => `The network protection of n8n blocks${quoted(host)}`,
		suggestion:
			'N8N_SSRF_PROTECTION_ENABLED is on, which blocks private addresses. Allow the server with N8N_SSRF_ALLOWED_HOSTNAMES or N8N_SSRF_ALLOWED_IP_RANGES and restart n8n.',
		health: 'misconfigured',
		cause: 'connection',
	},
	proxyError: {
		title: ({ code }) =>
			`The proxy set in HTTP_PROXY or HTTPS_PROXY rejected the connection${optional(' (', code, ')')}`,
		suggestion:
			'Local servers usually need no proxy: add the host itself to NO_PROXY in the environment of n8n. Ranges such as 10.0.0.0/8 do not count there.',
		health: 'misconfigured',
		cause: 'connection',
	},
	proxyAuthRequired: {
		title: ({ service }) =>
			`A proxy in front of ${service === 'dify' ? 'Dify' : 'the server'} requires a user name and password`,
		suggestion: ({ service }) =>
			service === 'dify'
				? "Dify's API key and the proxy password use the same header, so both cannot be sent: exclude the path /v1 from the password in the proxy (nginx: auth_basic off), or use an address that bypasses the proxy."
				: 'Add a header to Extra Headers in the credential: Authorization with the value "Basic " and the Base64 form of user:password. If the server behind the proxy also requires a key, set Authentication to x-api-key.',
		health: 'unauthorized',
		cause: 'server',
	},
	blockedByProxy: {
		title: ({ service }) =>
			`A proxy or firewall in front of ${service === 'dify' ? 'Dify' : 'the server'} blocks n8n`,
		suggestion: ({ service, status }) => {
			const isDify = service === 'dify';
			if (status === 401 && !isDify)
				return 'It requires a login: enter its key as the API Key in the credential, or add the header that it requires to Extra Headers.';
			return `Allow the address of n8n in the proxy, firewall or bot protection (Cloudflare, nginx with allow and deny), or use an address that bypasses it. ${isDify ? 'The API key was not checked.' : 'If it requires a header, add it to Extra Headers.'}`;
		},
		health: 'unauthorized',
		cause: 'server',
	},
	unexpectedRedirect: {
		title: 'The server redirects this request',
		detail: describeRedirect,
		suggestion: describeRedirectTarget('server'),
		health: 'misconfigured',
		cause: 'server',
	},
	notAnApi: {
		title: 'The Base URL returns a web page, not the API',
		suggestion:
			'Enter the address of the API: for llama-server the port it listens on, for a user interface often its path /api.',
		health: 'misconfigured',
		cause: 'server',
	},
	wrongServer: {
		title: 'The program at the Base URL is not a model server API',
		suggestion: 'Check the host, port and path of the Base URL.',
		health: 'misconfigured',
		cause: 'server',
	},
	firstTokenTimeout: {
		title: ({ timeoutMs }) =>
			`No token arrived within ${formatDuration(timeoutMs)} (First Token Timeout)`,
		suggestion:
			'Raise "First Token Timeout" (0 = no limit), or shorten the prompt. Long prompts, a queue for the GPU or a model that is still loading take time: Server Health shows whether the server is busy or stuck.',
		health: 'degraded',
		cause: 'server',
	},
	idleTimeout: {
		title: ({ timeoutMs }) =>
			`The response stalled: nothing arrived for ${formatDuration(timeoutMs)} (Idle Timeout)`,
		suggestion: 'Check the server log, or raise "Idle Timeout" (0 = no limit).',
		health: 'degraded',
		cause: 'server',
	},
	totalTimeout: {
		title: ({ timeoutMs, probeTimeoutMs }) =>
			probeTimeoutMs === undefined
				? `The response took longer than ${formatDuration(timeoutMs)} (Total Timeout)`
				: `No response within ${formatDuration(probeTimeoutMs)}`,
		suggestion: ({ probeTimeoutMs }) =>
			probeTimeoutMs === undefined
				? 'Raise "Total Timeout" (0 = no limit), or request a shorter response.'
				: 'The server may be stuck or overloaded: check its log, and test the address with curl from the machine that runs n8n.',
		health: 'unreachable',
		cause: 'server',
	},
	aborted: {
		title: 'The execution was stopped',
		suggestion:
			'It was stopped before the response was complete. The connection was closed, which makes most servers stop, too.',
		health: 'misconfigured',
		cause: 'server',
	},
	invalidInput: {
		title: 'The input cannot be sent',
		suggestion: 'Correct the field named in the error.',
		health: 'misconfigured',
		cause: 'request',
	},
} satisfies Readonly<Record<string, ErrorRow>>;

/** What to check if packets get no answer. */
export function describeDroppedPackets({
	port = '9931',
	url,
	root,
	hasAnswered,
}: KnownFacts): string {
	if (hasAnswered)
		return 'It responded there within the last ten minutes: check that its machine is on, and the network or VPN to it.';
	const firewall = `Packets are being dropped: check for a firewall (ufw allow ${port}/tcp), a wrong IP address, or a VPN that is down.`;
	// llama-server without TLS reads the handshake as the start of a request line, and waits for the rest.
	return url?.startsWith('https:')
		? `If the server is not set up for https (llama-server: --ssl-key-file), use http:// in the Base URL${withScheme('http', root)}. Otherwise: ${firewall}`
		: `${firewall} Test the address with curl from the machine that runs n8n.`;
}

/** OpenSSL's codes when the other side does not speak TLS at all. */
const NO_TLS_AT_ALL = new Set([
	'ERR_SSL_WRONG_VERSION_NUMBER',
	'ERR_SSL_PACKET_LENGTH_TOO_LONG',
	'EPROTO',
]);

function getTlsProblem({ url, code }: Pick<KnownFacts, 'url' | 'code'>) {
	if (url?.startsWith('http:')) return 'https expected';
	return code !== undefined && !NO_TLS_AT_ALL.has(code) ? 'handshake failed' : 'no TLS';
}

function describeTlsMismatch(facts: KnownFacts) {
	switch (getTlsProblem(facts)) {
		case 'https expected':
			return 'The server expects https on this port';
		case 'handshake failed':
			return `The TLS handshake with the server failed (${facts.code ?? ''})`;
		case 'no TLS':
			return 'The server does not support https on this port';
	}
}

/** Names a root with another scheme, if it is known. */
function withScheme(scheme: string, root: string | undefined) {
	return root ? `: ${root.replace(/^https?/, scheme)}` : '';
}

/** llama-server listens on 9931, and older releases on 8080 (docs/protocols/llama-server.md 1). */
const DEFAULT_PORTS = ['8080', '9931'];

/** For a server that has responded at this address: host, port and address are right. */
const NO_LONGER_THERE =
	'It responded there within the last ten minutes, so it ended or is restarting: check that it is running (its log shows if it ran out of memory).';

function describeClosedPort({ host, port = '', service, hasAnswered }: KnownFacts) {
	if (hasAnswered && service !== 'dify') return NO_LONGER_THERE;
	if (service === 'dify')
		return `Check that Dify is running (docker compose ps) and that the port is the one of its nginx.${isLoopback(host) ? ` If n8n runs in Docker, use http://host.docker.internal${port === '80' ? '' : `:${port}`} (Linux: start n8n with --add-host=host.docker.internal:host-gateway) or the IP address of the host.` : ''}`;
	const defaultPorts = DEFAULT_PORTS.includes(port)
		? ' (llama-server: 9931, older releases: 8080)'
		: '';
	return isLoopback(host)
		? `Check that the model server is running and the port is correct${defaultPorts}. If n8n runs in Docker, use http://host.docker.internal:${port || '9931'} (Linux: start n8n with --add-host=host.docker.internal:host-gateway) or the IP address of the host, and start the model server with --host 0.0.0.0.`
		: `Check that the model server is running (its log shows if it ran out of memory), and the port${defaultPorts}. If it listens on 127.0.0.1 only, start llama-server with --host 0.0.0.0 (Ollama: OLLAMA_HOST=0.0.0.0).`;
}

const LOOPBACK = /^(localhost|127(?:\.\d+){3}|::1|\[::1\]|0\.0\.0\.0)$/i;

/** Whether a host name means "this very machine or container". */
export function isLoopback(host: string | undefined): boolean {
	return host !== undefined && LOOPBACK.test(host);
}

/** Names both sides of a redirect, if the response names its target. */
export function describeRedirect({
	url = '',
	location,
}: Pick<KnownFacts, 'url' | 'location'>): string {
	if (location === undefined) return '';
	const from = URL.canParse(url) ? `The server at ${new URL(url).origin}` : 'The server';
	return location === ''
		? 'The response has no Location header, so the request was sent once'
		: `${from} redirects this request to ${location}`;
}

/** What to do about a redirect; `program`: what it may lead to. */
export function describeRedirectTarget(program: string): string {
	return `If that is your ${program}, set the Base URL to that address, with the correct scheme (http or https). The API key and your data are sent only to the origin of the Base URL.`;
}
