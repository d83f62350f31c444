/**
 * Failures of a gateway: a proxy, a tunnel or a program such as LiteLLM in front of the model server. Whose words a
 * response has is decided by its status and place before any other words.
 */
import type { GatewayResponse } from './gateway-name';
import { findGatewayName, getGatewayStatus } from './gateway-name';
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

/** What the status means if it is that of a gateway. Known sentences of a model server count more. */
export function findGatewayErrorByStatus(response: GatewayResponse): GatewayErrorType | undefined {
	const status = getGatewayStatus(response);
	// Servers send 503 as JSON: they are busy, or load a model.
	if (status === 503 && response.form === 'json') return undefined;
	return GATEWAY_ERROR_BY_STATUS[status] ?? (isGatewayStatus(status) ? 'badGateway' : undefined);
}

/**
 * The status that a gateway received: the phrase of Traefik's middleware Errors, whose own status is another one (seen: a 404
 * with the text "Bad Gateway"), and what httpx and requests say.
 */
const REPEATED =
	/^(?:bad gateway|gateway time-?out)$|\b(50[24]) (?:bad gateway|gateway time-?out)\b|\bserver error '?(50[24])\b/i;

/** The error of a gateway behind the one that responds, by the status that its message repeats. */
export function findRepeatedError({
	status,
	message,
}: Pick<GatewayResponse, 'status' | 'message'>): GatewayErrorType | undefined {
	const [phrase, first, second] = (status >= 400 && REPEATED.exec(message)) || [];
	if (phrase === undefined) return undefined;
	const repeated = Number(first ?? second ?? (/bad/i.test(phrase) ? 502 : 504));
	return GATEWAY_ERROR_BY_STATUS[repeated];
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
