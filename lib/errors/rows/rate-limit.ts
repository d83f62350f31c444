/** The texts of a rate limit: whose it is, and where it is set. */
import type { GatewayName } from '../gateway-status';
import { optional } from './optional-facts';

/** @param gateway undefined if the response does not name it */
export function describeRateLimit(gateway: GatewayName | undefined): string {
	return `The rate limit is reached${optional(' in ', gateway)}: no more requests or tokens for now`;
}

/** Where the rate limit of a gateway is set, after "raise it". */
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
	const place =
		(gateway && PLACES[gateway]) ?? 'in the gateway or proxy in front of the server that has it';
	return `Wait until the limit resets, send fewer requests, or raise it ${place}.`;
}
