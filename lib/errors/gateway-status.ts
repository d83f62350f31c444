/** Statuses that gateways send, and the names of gateways. */

/** What a gateway could not do: it stopped waiting, does not reach the server, or its tunnel is down. */
export type GatewayErrorType = 'gatewayTimeout' | 'badGateway' | 'tunnelDown';

/** Gateways that say who they are. */
export type GatewayName =
	| 'APISIX'
	| 'AWS'
	| 'Apache'
	| 'Azure'
	| 'Caddy'
	| 'Cloudflare'
	| 'Envoy'
	| 'HAProxy'
	| 'Kong'
	| 'LiteLLM'
	| 'nginx'
	| 'ngrok'
	| 'Traefik';

/** Statuses by what a gateway means with them: HTTP, and Cloudflare's (developers.cloudflare.com/support/troubleshooting). */
export const GATEWAY_ERROR_BY_STATUS: Readonly<Record<number, GatewayErrorType>> = {
	408: 'gatewayTimeout',
	502: 'badGateway',
	504: 'gatewayTimeout',
	520: 'badGateway',
	521: 'badGateway',
	522: 'badGateway',
	523: 'badGateway',
	524: 'gatewayTimeout',
	525: 'badGateway',
	526: 'badGateway',
	527: 'badGateway',
	530: 'tunnelDown',
};

/** Cloudflare's own statuses: the server, or the tunnel to it, does not respond. */
export function isCloudflareStatus(status: number): boolean {
	return status >= 520 && status <= 530;
}

/** Whether a status is that of a gateway; a model server also sends 503. */
export function isGatewayStatus(status: number): boolean {
	return (
		status === 503 || GATEWAY_ERROR_BY_STATUS[status] !== undefined || isCloudflareStatus(status)
	);
}
