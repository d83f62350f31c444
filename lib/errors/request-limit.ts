/**
 * Whose limit a rejected request has reached: one of requests or tokens in a time, which gateways have, or what a model server
 * processes at once. The advice for one does not help with the other, and a 429 without words tells neither.
 */
import type { GatewayResponse } from './gateway-name';
import { findLimitingGateway } from './gateway-name';
import type { RequestLimit } from './rows/request-limit';
import { REQUESTS_IN_TIME } from './signals';

/**
 * Sentences by which gateways reject what exceeds their rate limit, with other statuses than 429 as well: Cloudflare, Envoy,
 * Kong, APISIX.
 */
const GATEWAY_SENTENCE =
	/\berror (?:code: )?1015\b|^local_rate_limited$|^API rate limit exceeded\b|^requests are too frequent\b|\bERR_NGROK_(?:725|726|727|734)\b/i;

const RATE =
	/\bqps\b|速率限制|频率限制|请求频率|限流|\brate.?limit|\brate exceeded\b|\bthrottl(?:ed|ing)\b|\b[TR]PM\b|\blimit type: (?:requests|tokens)\b/i;

/** Xinference counts with its "rate limit" what a model runs at once (core/model.py: request_limits). */
const AT_ONCE =
	/\brequest limit \d{1,9} for the model\b|parallel|\bconcurren|\bat once\b|\bqueue\b/i;

/** Words for what a model server can take at once, which is no rate. */
const LOAD =
	/\boverload|\bqueue|\bslots?\b|\bllama-swap\b|concurren|\bparallel\b|\bcapacity\b|\bbusy\b|\bat once\b/i;

/** With 429, a message about a model is not one of a gateway. */
const MODEL = /\bmodels?\b/i;

/** An older llama-swap, for what it lets run at the same time. Go's own phrase, as of Traefik, has capitals. */
const LLAMA_SWAP_LOAD = 'Too many requests';

/** Whether a gateway says that its rate limit is reached, whatever its status is. */
export function isGatewayRateLimit({ message }: GatewayResponse): boolean {
	return GATEWAY_SENTENCE.test(message);
}

/** Which limit a server that accepts no more requests has reached. */
export function findRequestLimit(response: GatewayResponse): RequestLimit {
	const { status, form, message, codes = [] } = response;
	if (isGatewayRateLimit(response)) return 'rate';
	const isAboutRate = RATE.test(message) || REQUESTS_IN_TIME.test(message);
	if (isAboutRate && !AT_ONCE.test(message)) return 'rate';
	const isAboutLoad = [message, ...codes].some((text) => LOAD.test(text.replaceAll('_', ' ')));
	const isTooMany = /\btoo many\b/i.test(message);
	// Any reason may have this status: vLLM-Omni sends it for a request that its model is not for.
	if (status === 503 && form === 'json' && !isAboutLoad && !isTooMany) return 'unavailable';
	if (status !== 429) return 'load';
	if (findLimitingGateway(response) !== undefined) return 'rate';
	if (isAboutLoad || MODEL.test(message)) return 'load';
	if (form === 'text' && message === LLAMA_SWAP_LOAD) return 'load';
	// Model servers write no pages.
	return form === 'page' ? 'rate' : 'unknown';
}
