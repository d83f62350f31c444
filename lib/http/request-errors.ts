/** What a failed request means: an error with a type and a suggestion, and whether the request is sent again. */
import type { RequestOptions, ErrorResponse, Endpoint } from './types';
import { hasAnswered } from './answered-origins';
import { hasFiles } from './sent-files';
import type { Watchdog } from './timeouts';
import {
	BodyTooLargeError,
	MAX_RECEIVED_LENGTH,
	TooManyValuesError,
	TooMuchTextError,
} from './body-limits';
import { ConnectionFailure } from './connection-failure';
import { BrokenCompressionError, UnknownCompressionError } from './compressed-body';
import { classifyErrorResponse } from '../errors/classify-error';
import { mask, maskBody } from '../errors/mask';
import type { KnownFacts } from '../errors/facts';
import { toNetworkError } from '../errors/network-error';
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
			about: { timeoutMs: watchdog.expiredMs, missedRate: watchdog.missedRate },
			facts: hasStarted || hasConnected === true ? { connected: true } : {},
		});
	const unreadable = findUnreadable(error);
	if (unreadable !== undefined) {
		const { received = '', ...about } = unreadable;
		const serverText = received === '' ? undefined : received.slice(0, MAX_RECEIVED_LENGTH);
		return createServerError('invalidResponse', context, { about, serverText });
	}
	if (error instanceof ConnectionFailure)
		return toNetworkError(error.cause, toConnectionContext(endpoint, options), hasStarted);
	if (error instanceof ServerError) return error;
	throw withoutSecrets(error, endpoint.secrets);
}

/** Why a response cannot be read. */
interface UnreadableResponse extends Pick<KnownFacts, 'compression' | 'excess'> {
	/** Its beginning, if it may be shown. */
	received?: string;
}

function findUnreadable(error: unknown): UnreadableResponse | undefined {
	if (error instanceof UnknownCompressionError)
		return { compression: { encoding: error.encoding } };
	if (error instanceof BrokenCompressionError)
		return { compression: { encoding: error.encoding, reason: error.cause.message } };
	if (error instanceof TooMuchTextError)
		return { excess: { of: 'text', maxBytes: error.maxBytes, isJson: false } };
	if (error instanceof TooManyValuesError)
		return {
			excess: { of: 'values', maxBytes: error.maxBytes, isJson: true },
			received: error.received,
		};
	if (!(error instanceof BodyTooLargeError)) return undefined;
	const isJson = /^\s*[{[]/.test(error.received);
	return {
		excess: { of: 'bytes', maxBytes: error.maxBytes, isJson },
		// Not the bytes of a picture.
		received: isJson ? error.received : undefined,
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
		about: {
			timeoutMs: watchdog.expiredMs,
			queue: { limit: endpoint.maxConcurrentRequests, slots: endpoint.getSlots(options.model) },
		},
		facts: { queued: true },
	});
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
