/** The texts of a limit of requests: whose it is, and where it is set. */
import type { GatewayName } from '../gateway-status';
import { optional } from './optional-facts';

/**
 * What a server that accepts no more requests has reached. `rate`: a limit of requests or tokens in a time; `load`: what it
 * can run or queue at once; `unknown`: it does not say which; `unavailable`: it is down for a reason that only its message says.
 */
export type RequestLimit = 'rate' | 'load' | 'unknown' | 'unavailable';

/** @param gateway undefined if the response does not name it */
export function describeRateLimit(gateway?: GatewayName): string {
	return `The rate limit is reached${optional(' in ', gateway)}: no more requests or tokens for now`;
}

/** Where each gateway sets its rate limit. */
const PLACES: Readonly<Partial<Record<GatewayName, string>>> = {
	APISIX: 'in APISIX (plugins limit-req, limit-count)',
	AWS: 'in AWS (API Gateway: throttling of the stage, usage plan of the key)',
	Azure: 'in Azure (API Management: policy rate-limit; Azure OpenAI: quota of the deployment)',
	Caddy: 'in Caddy (rate_limit)',
	Cloudflare: 'in Cloudflare (Security rules: rate limiting)',
	Envoy: 'in Envoy (local_ratelimit filter, rate limit service)',
	HAProxy: 'in HAProxy (the rule with deny_status 429)',
	Kong: 'in Kong (plugin rate-limiting)',
	LiteLLM: 'in LiteLLM (rpm and tpm of the model, rpm_limit and tpm_limit of the key or its team)',
	Traefik: 'in Traefik (middleware rateLimit)',
	nginx: 'in nginx (limit_req, limit_conn)',
	ngrok: 'in the plan of ngrok',
};

/** What to do about a rate limit, with the words of the gateway that has it. */
export function suggestHigherRate(gateway: GatewayName | undefined): string {
	return `Wait until the limit resets, send fewer requests, or raise it ${getLimitPlace(gateway)}.`;
}

/** Where a limit of requests in a time is set, after "raise it". */
export function getLimitPlace(gateway: GatewayName | undefined): string {
	return (
		(gateway && PLACES[gateway]) ?? 'in the gateway or proxy in front of the server that has it'
	);
}
