/**
 * Failures of a gateway: a proxy, a tunnel or a program such as LiteLLM in front of the model server. Whose words a
 * response has is decided by its status and place before any other words.
 */
import type { ParsedErrorBody } from './error-body';
import type { GatewayErrorType, GatewayName } from './gateway-status';
import { GATEWAY_ERROR_BY_STATUS, isCloudflareStatus, isGatewayStatus } from './gateway-status';

/** What a response says about the gateway that failed. */
export interface GatewayFacts {
	/** Undefined if the response does not say it. */
	gateway?: GatewayName;
	/** Seconds after which it stopped waiting, if the message states them. */
	limitSeconds?: number;
	/** The message repeats the status of a gateway, which the response does not have. */
	isGatewayStatusRepeated: boolean;
	/** It waited for the rest of the request, not for the response. */
	isRequestSlow: boolean;
}

/** What decides who speaks. */
interface GatewayResponse extends Pick<ParsedErrorBody, 'form' | 'message'> {
	/** Type and code of the error: llama-swap (seen: 0bdb372) names its limit there, `concurrency_limit`. */
	codes?: readonly string[];
	status: number;
	/** Names in lower case. */
	headers?: Readonly<Record<string, string>>;
}

/** What the status means if it is that of a gateway. Known sentences of a model server count more. */
export function findGatewayErrorByStatus(response: GatewayResponse): GatewayErrorType | undefined {
	const status = getGatewayStatus(response);
	// Servers send 503 as JSON: they are busy, or load a model.
	if (status === 503 && response.form === 'json') return undefined;
	return GATEWAY_ERROR_BY_STATUS[status] ?? (isGatewayStatus(status) ? 'badGateway' : undefined);
}

/**
 * What clients and gateways say if they stopped waiting: Envoy; OpenAI's client, httpx and aiohttp (LiteLLM); Go; Node's
 * axios and undici; Java; curl. Not "timed out" alone, which anything may have done.
 */
const STOPPED_WAITING =
	/\btimeout awaiting response headers\b|\bread tcp \S{1,100}: i\/o timeout\b|\bSocketTimeoutException\b|\b(?:Headers|Body) Timeout Error\b|\btimeout on reading data from socket\b|^litellm\.Timeout\b|\b(?:API|Read|Request|Response|Gateway)[ _-]?Time-?d?[ _-]?out(?:Error)?\b|\b(?:requests?|responses?|operation|upstream|gateway) (?:has |have )?timed[ -]?out\b|\bupstream request timeout\b|\bdeadline exceeded\b|\btimeout of \d{1,9} ?m?s\b.{0,20}\bexceeded\b|\bClient\.Timeout\b/i;

/** Something else took too long: a file, a tool, a model that starts; or no connection was made. */
const OTHER_WAIT =
	/\b(?:images?|audios?|videos?|files?|tools?|download\w*|database|runner|load(?:ed|ing)? (?:the )?model|dial tcp)\b|\bconnect(?:ion)? ?time-?d?[ -]?out/i;

/** Whether a gateway says that it stopped waiting, whatever its status is. */
export function hasStoppedWaiting({ status, message }: GatewayResponse): boolean {
	// LiteLLM also calls it a connection that timed out, although it waited for the response.
	if (/^litellm\.Timeout\b/.test(message)) return true;
	const isUnreachable =
		isCloudflareStatus(status) && GATEWAY_ERROR_BY_STATUS[status] !== 'gatewayTimeout';
	const isFailure = (status >= 500 || status === 408) && !isUnreachable;
	return isFailure && STOPPED_WAITING.test(message) && !OTHER_WAIT.test(message);
}

/** Whether an error is that of a gateway. */
export function isGatewayError(type: string): type is GatewayErrorType {
	return Object.values(GATEWAY_ERROR_BY_STATUS).some((gatewayError) => gatewayError === type);
}

/** Words of a 408 that is about the response. */
const ABOUT_RESPONSE = /\b(?:upstream|responses?|deadline|backend)\b/i;

/** What a response says about the gateway that failed. */
export function describeGateway(type: GatewayErrorType, response: GatewayResponse): GatewayFacts {
	const { status, form } = response;
	return {
		gateway: findGatewayName(response),
		// RFC 9110 15.5.9. In JSON, gateways report so a server that did not respond (LiteLLM, Azure).
		isRequestSlow: status === 408 && form !== 'json' && !ABOUT_RESPONSE.test(response.message),
		limitSeconds: type === 'gatewayTimeout' ? findLimit(response.message) : undefined,
		isGatewayStatusRepeated: getGatewayStatus(response) !== response.status,
	};
}

/** Cloudflare's whole response is such a text; clients repeat it, or the page of nginx, in their message. */
const STATUS_IN_TEXT = /\berror code: (\d{3,4})\b|<title>(\d{3}) [\w -]{1,40}<\/title>/i;

/** Cloudflare's number for a tunnel without a connection, which it sends with 530. */
const TUNNEL_ERROR = 1033;

/** The status of the gateway: that of the response, or of the one that a gateway repeats. */
function getGatewayStatus({ status, message }: GatewayResponse) {
	if (isGatewayStatus(status) || status < 500) return status;
	const [, code, title] = STATUS_IN_TEXT.exec(message) ?? [];
	const repeated = Number(code ?? title ?? status);
	return repeated === TUNNEL_ERROR ? 530 : repeated;
}

/** Words and headers of gateways. The innermost gateway counts: its page or text is inside the message of the next. */
const NAMES: ReadonlyArray<[GatewayName, RegExp]> = [
	// Built on nginx, which their pages name as well
	// Tyk writes "API Rate limit exceeded".
	['Kong', /\b[Kk]ong\b|^API rate limit exceeded\W?$/],
	['APISIX', /\bAPISIX\b/i],
	['nginx', /\b(?:nginx|openresty)\b/i],
	['Cloudflare', /\bcloudflare\b|\berror (?:code: )?1015\b/i],
	// Its page of a 504
	['HAProxy', /\bserver didn't respond in time\b|\bhaproxy\b/i],
	[
		'Envoy',
		/\bupstream (?:request timeout|connect error)\b|\bno healthy upstream\b|\benvoy\b|^local_rate_limited$/i,
	],
	['Traefik', /\btraefik\b/i],
	['Caddy', /\bcaddy\b/i],
	['Apache', /\bproxy server (?:received an invalid response|could not handle)|\bapache\b/i],
	// "Limit type" is LiteLLM's own; of a server behind it, it repeats the message.
	['LiteLLM', /^litellm\.|\blimit type: (?:requests|tokens)\b/i],
	['ngrok', /\bERR_NGROK_\d/],
	// API Management, and the quota of a deployment
	['Azure', /\bAzure OpenAI\b|^rate limit is exceeded\. try again in \d{1,6} seconds?\b/i],
];

/** Headers of responses that a gateway wrote itself because of its limit, not of those that it passes on. */
const LIMIT_HEADERS: ReadonlyArray<[GatewayName, header: string, RegExp]> = [
	['Kong', 'x-kong-response-latency', /^/],
	['Envoy', 'x-envoy-ratelimited', /^/],
	['AWS', 'x-amzn-errortype', /^(?:TooManyRequests|LimitExceeded|Throttl)/i],
];

/**
 * Sentences by which gateways reject what exceeds their rate limit, with other statuses than 429 as well: Cloudflare, Envoy,
 * Kong, APISIX.
 */
const GATEWAY_LIMIT =
	/\berror (?:code: )?1015\b|^local_rate_limited$|^API rate limit exceeded\b|^requests are too frequent\b|\bERR_NGROK_(?:725|726|727|734)\b/i;

/** All that a gateway without a sentence of its own writes with 429: its status, or the name of its limit. */
const LIMIT_PHRASE =
	/^(?:(?:error )?429\b.{0,40}|too many requests|(?:api )?(?:rate )?limit (?:is |has been |was )?(?:exceeded|reached)|rate exceeded|throttled)\W{0,2}$/i;

/** Words for what a model server can take at once, which is no rate. */
const SERVER_LOAD =
	/\bmodels?\b|\boverload|\bqueue|\bslots?\b|\bllama-swap\b|concurren|\bparallel\b|\bcapacity\b|\bbusy\b|\bat once\b/i;

/** An older llama-swap, for what it lets run at the same time. Go's own phrase, as of Traefik, has capitals. */
const LLAMA_SWAP_LOAD = 'Too many requests';

/**
 * Whether a gateway rejects the request because of its rate limit. Model servers say with JSON that they are busy; a page, a
 * plain text or nothing at all with 429 is a gateway's.
 */
export function isGatewayRateLimit(response: GatewayResponse): boolean {
	const { status, form, message } = response;
	if (status < 400 && !GATEWAY_LIMIT.test(message)) return false;
	if (findLimitingGateway(response) !== undefined && status === 429) return true;
	if (GATEWAY_LIMIT.test(message)) return true;
	const isWordless = form !== 'json' || LIMIT_PHRASE.test(message);
	const isServerLoad =
		[message, ...(response.codes ?? [])].some((text) => SERVER_LOAD.test(text)) ||
		(form === 'text' && message === LLAMA_SWAP_LOAD);
	return status === 429 && isWordless && !isServerLoad;
}

function findLimitingGateway({ headers = {} }: GatewayResponse): GatewayName | undefined {
	return LIMIT_HEADERS.find(
		([, header, value]) => headers[header] !== undefined && value.test(headers[header]),
	)?.[0];
}

/** The gateway that a response names. */
export function findGatewayName(response: GatewayResponse): GatewayName | undefined {
	const { headers = {}, form, message } = response;
	if (isCloudflareStatus(getGatewayStatus(response))) return 'Cloudflare';
	// JSON may come from behind the proxy that sets this header.
	const server = form === 'json' ? '' : (headers.server ?? '');
	const [name] = [message, server].flatMap((text) =>
		NAMES.filter(([, pattern]) => pattern.test(text)).map(([gateway]) => gateway),
	);
	const isLiteLlm = Object.keys(headers).some((header) => header.startsWith('x-litellm-'));
	return findLimitingGateway(response) ?? name ?? (isLiteLlm ? 'LiteLLM' : undefined);
}

/** A number beside words that make it a limit: "Timeout passed=600.0", "timeout of 60000ms", "after 45 seconds". */
const LIMITS: readonly RegExp[] = [
	/\btimeout(?: passed| value| limit)?(?: of |[:= ]{1,3})(\d{1,8}(?:\.\d{1,9})?) ?(ms|milliseconds?|s|sec|seconds?|m|min|minutes?)?\b/i,
	/\b(?:after|within|in) (\d{1,8}(?:\.\d{1,9})?) ?(ms|milliseconds?|s|sec|seconds?|min|minutes?)\b/i,
	/\b(\d{1,8}(?:\.\d{1,9})?)[ -]?(ms|milliseconds?|s|sec|seconds?|min|minutes?) (?:timeout|limit)\b/i,
];

/** Seconds of a day: a longer limit is a number of something else. */
const MAX_LIMIT_SECONDS = 86_400;

function findLimit(message: string): number | undefined {
	for (const pattern of LIMITS) {
		const [, number, unit = 's'] = pattern.exec(message) ?? [];
		if (number === undefined) continue;
		const seconds = Number(number) * toSeconds(unit.toLowerCase());
		if (seconds > 0 && seconds <= MAX_LIMIT_SECONDS) return Math.round(seconds * 10) / 10;
	}
	return undefined;
}

function toSeconds(unit: string) {
	if (unit.startsWith('ms') || unit.startsWith('milli')) return 0.001;
	return unit.startsWith('m') ? 60 : 1;
}
