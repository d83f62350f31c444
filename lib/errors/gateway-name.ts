/** Which gateway a response is of: a proxy, a tunnel or a program such as LiteLLM in front of the model server. */
import type { ParsedErrorBody } from './error-body';
import type { GatewayName } from './gateway-status';
import { isCloudflareStatus, isGatewayStatus } from './gateway-status';
import { getOwn } from '../values/own-properties';

/** What decides who speaks. */
export interface GatewayResponse extends Pick<ParsedErrorBody, 'form' | 'message'> {
	/** Type and code of the error: llama-swap (seen: 0bdb372) names its limit there, `concurrency_limit`. */
	codes?: readonly string[];
	status: number;
	/** Names in lower case. */
	headers?: Readonly<Record<string, string>>;
}

/** Words of a gateway. */
interface GatewayWords {
	gateway: GatewayName;
	pattern: RegExp;
}

/** The innermost gateway counts: its page or text is inside the message of the next. */
const GATEWAY_WORDS: readonly GatewayWords[] = [
	// Built on nginx, which their pages name as well
	// Tyk writes "API Rate limit exceeded".
	{ gateway: 'Kong', pattern: /\b[Kk]ong\b|^API rate limit exceeded\W?$/ },
	{ gateway: 'APISIX', pattern: /\bAPISIX\b/i },
	{ gateway: 'nginx', pattern: /\b(?:nginx|openresty)\b/i },
	{ gateway: 'Cloudflare', pattern: /\bcloudflare\b|\berror (?:code: )?1015\b/i },
	// Its page of a 504
	{
		gateway: 'HAProxy',
		pattern:
			/\bserver didn't respond in time\b|\bno server is available to handle this request\b|\bhaproxy\b/i,
	},
	{
		gateway: 'Envoy',
		pattern:
			/\bupstream (?:request timeout|connect error)\b|\bno healthy upstream\b|\benvoy\b|^local_rate_limited$/i,
	},
	{ gateway: 'Traefik', pattern: /\btraefik\b/i },
	{ gateway: 'Caddy', pattern: /\bcaddy\b/i },
	{
		gateway: 'Apache',
		pattern: /\bproxy server (?:received an invalid response|could not handle)|\bapache\b/i,
	},
	// "Limit type" is LiteLLM's own; of a server behind it, it repeats the message.
	{ gateway: 'LiteLLM', pattern: /^litellm\.|\blimit type: (?:requests|tokens)\b/i },
	{ gateway: 'ngrok', pattern: /\bERR_NGROK_\d/ },
	// API Management, and the quota of a deployment
	{
		gateway: 'Azure',
		pattern: /\bAzure OpenAI\b|^rate limit is exceeded\. try again in \d{1,6} seconds?\b/i,
	},
];

/** A header of responses that a gateway wrote itself because of its limit, not of those that it passes on. */
interface LimitHeader {
	gateway: GatewayName;
	/** In lower case. */
	header: string;
	/** Default: any value. */
	value?: RegExp;
}

const LIMIT_HEADERS: readonly LimitHeader[] = [
	{ gateway: 'Kong', header: 'x-kong-response-latency' },
	{ gateway: 'Envoy', header: 'x-envoy-ratelimited' },
	{
		gateway: 'AWS',
		header: 'x-amzn-errortype',
		value: /^(?:TooManyRequests|LimitExceeded|Throttl)/i,
	},
];

/** The gateway that a response names. */
export function findGatewayName(response: GatewayResponse): GatewayName | undefined {
	const { headers = {}, form, message } = response;
	if (isCloudflareStatus(getGatewayStatus(response))) return 'Cloudflare';
	// JSON may come from behind the proxy that sets this header.
	const server = form === 'json' ? '' : (headers.server ?? '');
	const [name] = [message, server].flatMap((text) =>
		GATEWAY_WORDS.filter(({ pattern }) => pattern.test(text)).map(({ gateway }) => gateway),
	);
	const isLiteLlm = Object.keys(headers).some((header) => header.startsWith('x-litellm-'));
	return findLimitingGateway(response) ?? name ?? (isLiteLlm ? 'LiteLLM' : undefined);
}

/** The gateway whose headers say that it wrote the response because of its limit. */
export function findLimitingGateway({ headers = {} }: GatewayResponse): GatewayName | undefined {
	return LIMIT_HEADERS.find(
		({ header, value = /^/ }) =>
			Object.hasOwn(headers, header) && value.test(getOwn(headers, header) ?? ''),
	)?.gateway;
}

/** Cloudflare's whole response is such a text; clients repeat it, or the page of nginx, in their message. */
const STATUS_IN_TEXT = /\berror code: (\d{3,4})\b|<title>(\d{3}) [\w -]{1,40}<\/title>/i;

/** Cloudflare's number for a tunnel without a connection, which it sends with 530. */
const TUNNEL_ERROR = 1033;

/** The status of the gateway: that of the response, or of the one that a gateway repeats. */
export function getGatewayStatus({ status, message }: GatewayResponse): number {
	if (isGatewayStatus(status) || status < 500) return status;
	const [, code, title] = STATUS_IN_TEXT.exec(message) ?? [];
	const repeated = Number(code ?? title ?? status);
	return repeated === TUNNEL_ERROR ? 530 : repeated;
}
