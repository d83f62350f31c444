/** The error types of gateways. */
import type { GatewayName } from '../gateway-status';
import { isCloudflareStatus } from '../gateway-status';
import type { KnownFacts } from '../facts';
import type { ErrorRow } from './error-row';

/** Errors of what is between n8n and the model server: one text for each thing that it could not do. */
export const GATEWAY_ERRORS = {
	badGateway: {
		title: ({ gateway = 'A proxy', status = 502 }) =>
			`${gateway} responds with ${status}, but the model server behind it does not`,
		suggestion: ({ status = 0, gateway, isEmpty }) => {
			if (isCloudflareStatus(status))
				return 'Status codes from 520 on come from Cloudflare: check that the server is running and that cloudflared, or the connection from Cloudflare to the server, is up.';
			if (isEmpty === false)
				return `A server or gateway behind the Base URL failed: the log of ${gateway ?? 'the program that responds'} may have more.`;
			return gateway === 'LiteLLM'
				? 'Check that the model server is running, and its address in LiteLLM (api_base of the model).'
				: 'Check that the model server is running, and test it without the proxy.';
		},
		health: 'unreachable',
		cause: 'server',
	},
	gatewayTimeout: {
		title: (facts) => describeGatewayTimeout(facts, 'the model server'),
		suggestion: ({ gateway, isEmpty }) =>
			(gateway && TIMEOUTS[gateway]) ??
			(isEmpty === false
				? 'Raise the timeout of the server or gateway that responded, or shorten the prompt.'
				: 'The proxy did not wait long enough: raise its timeout, or shorten the prompt.'),
		health: 'degraded',
		cause: 'server',
	},
	tunnelDown: {
		title: 'The tunnel to the model server is down',
		suggestion:
			'Start the tunnel again on the machine of the server (cloudflared), and check its log: the server itself may be running.',
		health: 'unreachable',
		cause: 'server',
	},
} satisfies Readonly<Record<string, ErrorRow>>;

/**
 * Who stopped waiting.
 *
 * @param server what it waited for, in a sentence
 */
export function describeGatewayTimeout({ gateway }: KnownFacts, server: string): string {
	return `${gateway ?? 'A proxy'} stopped waiting for ${server}`;
}

/** Where the timeout of a gateway is set. */
const TIMEOUTS: Readonly<Record<GatewayName, string>> = {
	// docs.litellm.ai/docs/proxy/timeout
	LiteLLM:
		'Raise request_timeout in litellm_settings of LiteLLM, or timeout in litellm_params of the model.',
	Cloudflare:
		'The server needs longer for its first token than Cloudflare waits. Use a direct address of the server, such as one in your network or a VPN, or a shorter prompt.',
	nginx:
		'It did not wait long enough: raise proxy_read_timeout in nginx, and turn off buffering (proxy_buffering off).',
};
