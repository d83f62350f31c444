/** What proxies and gateways say by their status, and who they are by their headers. */
import { getOwn } from '../values/own-properties';

/** What a gateway could not do: it stopped waiting, does not reach the server, or its tunnel is down. */
export type GatewayErrorType = 'gatewayTimeout' | 'badGateway' | 'tunnelDown';

/** Programs in front of a model server that say in a header who they are. */
export type GatewayName = 'Cloudflare' | 'LiteLLM' | 'nginx';

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
	return status >= 520 && status <= 530 && status !== 529;
}

/** Whether a status is that of a gateway; a model server also sends 503, and an overloaded one 529. */
export function isGatewayStatus(status: number): boolean {
	return (
		[503, 529].includes(status) ||
		GATEWAY_ERROR_BY_STATUS[status] !== undefined ||
		isCloudflareStatus(status)
	);
}

/**
 * The program that sent a response, if its headers name it. The one closest to the server counts: what it passes on keeps its
 * headers.
 *
 * @param headers - Names in lower case.
 */
export function findGatewayName(
	status: number,
	headers: Readonly<Record<string, string>> = {},
): GatewayName | undefined {
	if (isCloudflareStatus(status)) return 'Cloudflare';
	if (Object.keys(headers).some((name) => name.startsWith('x-litellm-'))) return 'LiteLLM';
	const server = getOwn(headers, 'server') ?? '';
	if (/^(?:nginx|openresty)\b/i.test(server)) return 'nginx';
	return /^cloudflare\b/i.test(server) ? 'Cloudflare' : undefined;
}
