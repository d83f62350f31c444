/** The error types of gateways. */
import { isCloudflareStatus, isGatewayStatus } from '../gateway-status';
import type { GatewayName } from '../gateway-status';
import type { ErrorFacts } from './error-facts';
import { optional } from './optional-facts';
import type { ErrorRow } from './error-row';

/** Errors of what is between n8n and the model server: one text for each thing that it could not do. */
export const GATEWAY_ERRORS = {
	badGateway: {
		title: ({ gateway = 'A proxy', status = 200 }) =>
			`${gateway} responds with ${status < 400 ? 'an error' : status}, but the model server behind it does not`,
		suggestion: ({ status = 200, gateway }) => {
			if (gateway === 'LiteLLM')
				return 'Check that the model server is running, and its address in LiteLLM (api_base of the model).';
			if (isCloudflareStatus(status))
				return 'Status codes from 520 on come from Cloudflare: check that the server is running and that cloudflared, or the connection from Cloudflare to the server, is up.';
			const rateLimit =
				status === 503 && (gateway === undefined || gateway === 'nginx')
					? ' The proxy may also limit the request rate (nginx: limit_req).'
					: '';
			return `Check that the model server is running, and test it without the proxy.${rateLimit}`;
		},
		health: 'unreachable',
		cause: 'server',
	},
	gatewayTimeout: {
		title: (facts) => describeGatewayTimeout(facts, 'the model server'),
		suggestion: suggestLongerTimeout,
		health: 'degraded',
		cause: 'server',
	},
	tunnelDown: {
		title: 'The tunnel to the model server is down',
		suggestion:
			'Start the tunnel again on the machine of the server (cloudflared, ngrok), and check its log: the server itself may be running.',
		health: 'unreachable',
		cause: 'server',
	},
} satisfies Readonly<Record<string, ErrorRow>>;

/**
 * Who stopped waiting, and after how long.
 *
 * @param server what it waited for, in a sentence
 */
export function describeGatewayTimeout(
	{ gateway, limitSeconds, ...facts }: ErrorFacts,
	server: string,
): string {
	if (facts.isRequestSlow === true)
		return `${gateway ?? 'The server or a proxy in front of it'} waited too long for the whole request`;
	const limit = optional(' after ', limitSeconds, ' s');
	return gateway === undefined && !isByGateway(facts)
		? `The server or a proxy in front of it stopped waiting for the response${limit}`
		: `${gateway ?? 'A proxy'} stopped waiting for ${server}${limit}`;
}

/** Whether only a gateway can have said it, not the server itself. */
function isByGateway({ status = 0, isGatewayStatusRepeated }: ErrorFacts) {
	return isGatewayStatusRepeated === true || isGatewayStatus(status);
}

/** Where the timeout of a gateway is set. */
const TIMEOUTS: Readonly<Partial<Record<GatewayName, string>>> = {
	// docs.litellm.ai/docs/proxy/timeout
	LiteLLM:
		'Raise request_timeout in litellm_settings of LiteLLM, or timeout in litellm_params of the model.',
	Cloudflare:
		'The server needs longer for its first token than Cloudflare waits. Use a direct address of the server, such as one in your network or a VPN, or a shorter prompt.',
	nginx:
		'It did not wait long enough: raise proxy_read_timeout in nginx, and turn off buffering (proxy_buffering off).',
	HAProxy: 'It did not wait long enough: raise "timeout server" in HAProxy.',
	// Default: 15 s
	Envoy: 'It did not wait long enough: raise the timeout of the route in Envoy.',
	Traefik: 'It did not wait long enough: raise responseHeaderTimeout of the transport in Traefik.',
	Apache: 'It did not wait long enough: raise ProxyTimeout in Apache.',
};

function suggestLongerTimeout(facts: ErrorFacts) {
	if (facts.isRequestSlow === true)
		return 'The connection to it may be slow: send fewer or smaller files, or raise its limit for requests (nginx: client_body_timeout, HAProxy: timeout http-request).';
	const ownSuggestion = facts.gateway && TIMEOUTS[facts.gateway];
	if (ownSuggestion !== undefined) return ownSuggestion;
	return facts.gateway === undefined && !isByGateway(facts)
		? 'Raise the timeout of the gateway, or of the server behind it, or shorten the prompt.'
		: 'The proxy did not wait long enough: raise its timeout (nginx: proxy_read_timeout, inference-gateway: CLIENT_RESPONSE_HEADER_TIMEOUT), and turn off buffering (nginx: proxy_buffering).';
}
