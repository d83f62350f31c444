/** What a failed request means: an error with a type and a suggestion, and whether the request is sent again. */
import type { RequestOptions, ErrorResponse, Endpoint } from './types';
import { hasAnswered } from './answered-origins';
import { hasFiles } from './sent-files';
import type { Watchdog } from './timeouts';
import {
	formatMegabytes,
	BodyTooLargeError,
	MAX_RECEIVED_LENGTH,
	TooManyValuesError,
	TooMuchTextError,
} from './body-limits';
import { ConnectionFailure } from './connection-failure';
import { BrokenCompressionError, UnknownCompressionError } from './compressed-body';
import { classifyErrorResponse } from '../errors/classify-error';
import { mask, maskBody } from '../errors/mask';
import { toNetworkError } from '../errors/network-error';
import { formatDuration } from '../values/duration';
import { ServerError } from '../errors/server-error';
import type { ErrorContext } from '../errors/create-error';
import { createServerError } from '../errors/create-error';

/** What an error says about its request. */
interface NamedRequest {
	/** Resolved. */
	url: string;
	model?: string;
}

/** Where an error of a request happened. */
export function toErrorContext(endpoint: Endpoint, { url, model }: NamedRequest): ErrorContext {
	const { root, typed } = endpoint.url;
	const { secrets, errorContext } = endpoint;
	return { root, typed, model, secrets, ...errorContext, url };
}

/** Where a connection failed, and whether the server has answered there before. */
export function toConnectionContext(endpoint: Endpoint, request: NamedRequest): ErrorContext {
	return { ...toErrorContext(endpoint, request), hasAnswered: hasAnswered(request.url) };
}

const TIMEOUT_LABELS = {
	firstTokenTimeout: 'First Token Timeout',
	idleTimeout: 'Idle Timeout',
	totalTimeout: 'Total Timeout',
};

const COMPRESSION_SUGGESTION =
	'A proxy in front of the server compresses it (nginx, Cloudflare): turn that off for the API, which also lets streams through without delay, or use the address of the server itself.';

/** The request that failed. */
interface FailedTransport {
	endpoint: Endpoint;
	options: RequestOptions;
	watchdog: Watchdog;
	/** Whether the response had begun. */
	hasStarted: boolean;
	/** Whether the server had accepted a connection for it. Default: not known. */
	hasConnected?: boolean;
}

/**
 * Converts an exception: aborted, a timeout, a response that is too large, or a network error.
 *
 * @throws an exception of the code that reads the response, unchanged but for its secrets: it says nothing about a server
 */
export function toTransportError(
	error: unknown,
	{ endpoint, options, watchdog, hasStarted, hasConnected }: FailedTransport,
): ServerError {
	const context = toErrorContext(endpoint, options);
	if (options.signal?.aborted) return createServerError('aborted', context);
	if (watchdog.expired !== undefined)
		return createServerError(watchdog.expired, context, {
			...describeMissedRate(watchdog),
			about: { timeoutMs: watchdog.expiredMs },
			facts: hasStarted || hasConnected === true ? { connected: true } : {},
		});
	if (error instanceof UnknownCompressionError)
		return createServerError('invalidResponse', context, {
			title: `The response is compressed with ${error.encoding}, which was not asked for`,
			suggestion: COMPRESSION_SUGGESTION,
		});
	if (error instanceof BrokenCompressionError)
		return createServerError('invalidResponse', context, {
			title: `The response is said to be compressed with ${error.encoding}, but cannot be decompressed: ${error.cause.message}`,
			suggestion: COMPRESSION_SUGGESTION,
		});
	if (error instanceof TooMuchTextError)
		return createServerError('invalidResponse', context, {
			title: `The response contains more than ${formatMegabytes(error.maxBytes)} of text, so it was not read further`,
			suggestion: 'The model may repeat itself: set Maximum Tokens, or use another model.',
		});
	if (error instanceof TooManyValuesError)
		return createServerError('invalidResponse', context, {
			title: `The response has so many values that they would take more than ${formatMegabytes(error.maxBytes)} of memory, so it was not read`,
			suggestion:
				'Request less at a time, or check that the Base URL points to the API. The beginning of the response is in the details.',
			serverText: error.received.slice(0, MAX_RECEIVED_LENGTH),
		});
	if (error instanceof BodyTooLargeError) {
		const isJson = /^\s*[{[]/.test(error.received);
		return createServerError('invalidResponse', context, {
			title: `The response is larger than ${formatMegabytes(error.maxBytes)}, so reading was stopped`,
			suggestion: isJson
				? 'Request less at a time, for example with Maximum Tokens: the model may repeat itself. What was received is in the details.'
				: 'Check that the Base URL points to the API: this address may be a webcam, a download or a log.',
			// Not the bytes of a picture.
			serverText: isJson ? error.received.slice(0, MAX_RECEIVED_LENGTH) : undefined,
		});
	}
	if (error instanceof ConnectionFailure)
		return toNetworkError(error.cause, toConnectionContext(endpoint, options), hasStarted);
	if (error instanceof ServerError) return error;
	throw withoutSecrets(error, endpoint.secrets);
}

/** The texts of an idle timeout that expired although bytes arrived. */
function describeMissedRate({ missedRate, expiredMs }: Watchdog) {
	if (missedRate === undefined) return {};
	return {
		title: `The response is too slow: less than ${missedRate} bytes per second arrived for ${formatDuration(expiredMs)}`,
		suggestion: 'Check the server log, and the network between n8n and the server.',
	};
}

function withoutSecrets(error: unknown, secrets: readonly string[] | undefined): unknown {
	// V8 quotes what it cannot parse.
	if (error instanceof Error) error.message = mask(error.message, secrets);
	return error;
}

/** The error of a request that was aborted or timed out while it waited in the queue. */
export function createQueueError(
	endpoint: Endpoint,
	options: RequestOptions,
	watchdog: Watchdog,
): ServerError {
	const context = toErrorContext(endpoint, options);
	if (options.signal?.aborted || watchdog.expired === undefined)
		return createServerError('aborted', context);
	return createServerError(watchdog.expired, context, {
		title: `The request waited in the n8n queue until its ${TIMEOUT_LABELS[watchdog.expired]} of ${formatDuration(watchdog.expiredMs)}, and was not sent`,
		suggestion: suggestConcurrency({
			limit: endpoint.maxConcurrentRequests,
			slots: endpoint.getSlots(options.model),
		}),
		facts: { queued: true },
	});
}

/** What bounds the requests at the same time. */
interface ConcurrencyLimits {
	/** Of the credential; 0: that of the server. */
	limit: number;
	/** Of the server. */
	slots: number | undefined;
}

function suggestConcurrency({ limit, slots = 1 }: ConcurrencyLimits) {
	return limit > 0
		? `All ${limit} concurrent requests of the credential were in use (Max Concurrent Requests). Raise the number if the server has more slots, send fewer requests at the same time, or raise the timeout.`
		: `The server has ${slots} ${slots === 1 ? 'slot' : 'slots'}, and all were busy. Start it with more slots, send fewer requests at the same time, or raise the timeout. To let more requests wait at the server, set Max Concurrent Requests in the credential.`;
}

/** What an error response is about. */
type SentRequest = Pick<RequestOptions, 'url' | 'model' | 'json' | 'upload' | 'textsOfOthers'>;

/** The error that an error response means. */
export function toResponseError(
	endpoint: Endpoint,
	options: SentRequest,
	response: ErrorResponse,
): ServerError {
	const { status, url, headers, isAfterOutput } = response;
	// Before the text is shortened, which could leave half a key.
	const text = maskBody(response.text, endpoint.secrets);
	const context = toErrorContext(endpoint, { url, model: options.model });
	// The key was not sent to another origin, so it may still be right.
	if (status === 401 && new URL(url).origin !== endpoint.url.origin)
		return createServerError(
			'unexpectedRedirect',
			{ ...context, url: options.url },
			{ status, about: { location: url } },
		);
	// Sent by the HTTP proxy of the environment, which the status does not show.
	const { location = '', 'x-squid-error': code } = headers;
	if (code !== undefined)
		return createServerError('proxyError', context, { status, about: { code } });
	return (
		endpoint.toResponseError?.({ ...response, text }, context) ??
		classifyErrorResponse(
			{
				status,
				isAfterOutput,
				headers,
				body: text,
				location: location && URL.canParse(location, url) ? new URL(location, url).href : location,
				// By header names, since a key may be a short word, which would not count as a secret.
				textsOfOthers: options.textsOfOthers,
				hasFiles: () => hasFiles(options),
				isKeyMissing: !Object.keys(endpoint.headers).some((name) => /auth|key|token/i.test(name)),
			},
			context,
		)
	);
}
