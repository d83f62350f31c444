/** What a failed request means: an error with a type and a suggestion, and whether the request is sent again. */
import type { RequestOptions, ErrorResponse, Endpoint } from './types';
import type { Watchdog } from './timeouts';
import { formatMegabytes, BodyTooLargeError, TooMuchTextError } from './response-body';
import { classifyErrorResponse } from '../errors/classify-error';
import { createServerError, type ErrorContext } from '../errors/create-error';
import { mask } from '../errors/mask';
import { toNetworkError } from '../errors/network-error';
import { formatDuration, getErrorText } from '../errors/texts';
import type { ServerError } from '../errors/server-error';
import { asFiniteNumber, collectTexts } from '../values';
import { isOneOf } from '../errors/error-types';

export function toErrorContext(endpoint: Endpoint, url: string, model?: string): ErrorContext {
	const { root, typed } = endpoint.url;
	return { root, typed, model, secrets: endpoint.secrets, ...endpoint.errorContext, url };
}

const TIMEOUT_LABELS = {
	firstTokenTimeout: 'First Token Timeout',
	idleTimeout: 'Idle Timeout',
	totalTimeout: 'Total Timeout',
};

/** Converts an exception: aborted, a timeout, a response that is too large, or a network error. */
export function toTransportError(
	error: unknown,
	endpoint: Endpoint,
	options: RequestOptions,
	watchdog: Watchdog,
	hasStarted: boolean,
): ServerError {
	const context = toErrorContext(endpoint, options.url, options.model);
	if (options.signal?.aborted) return createServerError('aborted', context);
	if (watchdog.expired !== undefined)
		return createServerError(watchdog.expired, context, {
			about: { timeoutMs: watchdog.expiredMs },
		});
	if (error instanceof TooMuchTextError)
		return createServerError('invalidResponse', context, {
			title: `The response contains more than ${formatMegabytes(error.maxBytes)} of text, so it was not read further`,
			suggestion:
				'The model may repeat itself: set Maximum Tokens, or use another model. The text received so far is in the details.',
		});
	if (error instanceof BodyTooLargeError)
		return createServerError('invalidResponse', context, {
			title: `The response is larger than ${formatMegabytes(error.maxBytes)}, so reading was stopped`,
			suggestion:
				'Check that the Base URL points to the API: this address may be a webcam, a download or a log.',
		});
	return toNetworkError(error, context, hasStarted);
}

/** The error of a request that was aborted or timed out while it waited in the queue. */
export function createQueueError(
	endpoint: Endpoint,
	options: RequestOptions,
	watchdog: Watchdog,
): ServerError {
	const context = toErrorContext(endpoint, options.url, options.model);
	if (options.signal?.aborted || watchdog.expired === undefined)
		return createServerError('aborted', context);
	return createServerError(watchdog.expired, context, {
		title: `The request waited in the n8n queue until its ${TIMEOUT_LABELS[watchdog.expired]} of ${formatDuration(watchdog.expiredMs)}, and was not sent`,
		suggestion: suggestConcurrency(
			endpoint.maxConcurrentRequests,
			endpoint.getSlots(options.model),
		),
		facts: { queued: true },
	});
}

function suggestConcurrency(limit: number, slots = 1) {
	return limit > 0
		? `All ${limit} concurrent requests of the credential were in use (Max Concurrent Requests). Raise the number if the server has more slots, send fewer requests at the same time, or raise the timeout.`
		: `The server has ${slots} ${slots === 1 ? 'slot' : 'slots'}, and all were busy. Start it with more slots, send fewer requests at the same time, or raise the timeout. To let more requests wait at the server, set Max Concurrent Requests in the credential.`;
}

/** The error that an error response means. */
export function toResponseError(
	endpoint: Endpoint,
	options: RequestOptions,
	response: ErrorResponse,
): ServerError {
	const { status, url, headers } = response;
	// Before the text is shortened, which could leave half a key.
	const text = mask(response.text, endpoint.secrets);
	const context = toErrorContext(endpoint, url, options.model);
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
				headers,
				body: text,
				location: location && URL.canParse(location, url) ? new URL(location, url).href : location,
				// By header names, since a key may be a short word, which would not count as a secret.
				getRequestTexts: () => collectTexts(options.json),
				isKeyMissing: !Object.keys(endpoint.headers).some((name) => /auth|key|token/i.test(name)),
			},
			context,
		)
	);
}

const BACK_OFF_MS = [500, 1000, 2000, 3000, 5000];

/** Share by which a pause is longer or shorter, so that many workers do not return at the same time. */
const JITTER = 0.5;

/** Short, because polling a loading server costs nothing, and a user may be waiting in a chat. */
const MAX_LOADING_DELAY_MS = 2000;

/** Longest accepted pause. If the server requests a longer one, there is no retry. */
const MAX_RETRY_AFTER_MS = 60_000;

/** Statuses while a server behind a gateway is restarting or busy. */
const TRANSIENT_STATUSES = [429, 502, 503, 504];

/** LM Studio unloaded the model during the request. Ollama 0.17.4 with status 400: its runner died; the next is new. */
const MODEL_STOPPED = /\bmodel unloaded\b|do embedding request: .{0,500}EOF/i;

/**
 * Decides whether a failed request is sent again. All requests of an exchange share the retries. A request is repeated
 * if the server cannot have started it (the model is loading, connections are refused, the server is busy), and an
 * idempotent one after a lost connection as well.
 */
export class RetryPolicy {
	private tries = 0;
	private waits = 0;
	private loadingSince: number | undefined;
	private lastLoading: { error: ServerError; at: number } | undefined;

	constructor(
		private readonly maxRetries: number,
		private readonly isIdempotent: boolean,
		private readonly random: () => number = Math.random,
	) {}

	/**
	 * @param remainingMs milliseconds until the first-token timeout; Infinity without one
	 * @param onLoading called before a pause for a loading model
	 * @returns milliseconds to wait before the next attempt
	 * @throws {ServerError} if there is none
	 */
	nextDelayMs(
		error: ServerError,
		remainingMs: number,
		onLoading?: (waitedMs: number) => void,
	): number {
		if (error.type === 'modelLoading')
			return this.nextLoadingDelayMs(error, remainingMs, onLoading);
		if (!this.isTransient(error)) throw error;
		const delayMs = asFiniteNumber(error.facts.retryAfterMs) ?? this.nextBackoffMs();
		const isWorthWaiting = delayMs <= MAX_RETRY_AFTER_MS && delayMs < remainingMs;
		if (this.tries++ < this.maxRetries && isWorthWaiting) return delayMs;
		throw this.toFinalError(error, delayMs);
	}

	private nextLoadingDelayMs(
		error: ServerError,
		remainingMs: number,
		onLoading?: (waitedMs: number) => void,
	): number {
		const at = performance.now();
		this.loadingSince ??= at;
		this.lastLoading = { error, at };
		const delayMs = this.nextBackoffMs(MAX_LOADING_DELAY_MS);
		if (delayMs >= remainingMs) throw this.toLoadingError(error);
		onLoading?.(at - this.loadingSince);
		return delayMs;
	}

	/** The model was still loading if the request that timed out was sent right after the server had said so. */
	toTimeoutError(error: ServerError): ServerError {
		const { lastLoading } = this;
		const isLoading =
			error.type === 'firstTokenTimeout' &&
			lastLoading !== undefined &&
			performance.now() - lastLoading.at < 2 * MAX_LOADING_DELAY_MS;
		return isLoading ? this.toLoadingError(lastLoading.error) : error;
	}

	private toLoadingError(error: ServerError): ServerError {
		const waitedMs = performance.now() - this.loadingSince!;
		const timeoutMs = Math.ceil(waitedMs / 1000) * 1000;
		return error.copyWith({ title: getErrorText('modelLoading', { timeoutMs }).title });
	}

	private isTransient(error: ServerError) {
		const { type, status = 0, serverText = '' } = error;
		if (!this.isIdempotent || isNotStarted(error)) return isNotStarted(error);
		// Sent with 429, but waiting does not help.
		if (type === 'keyBudgetExceeded') return false;
		const isConnectionLost = type === 'closedBeforeResponse' || type === 'connectionLost';
		return (
			isConnectionLost || TRANSIENT_STATUSES.includes(status) || MODEL_STOPPED.test(serverText)
		);
	}

	private nextBackoffMs(maxMs = Infinity) {
		const backoffMs = BACK_OFF_MS[Math.min(this.waits++, BACK_OFF_MS.length - 1)]!;
		const delayMs = Math.min(backoffMs, maxMs);
		return Math.round(delayMs * (1 - JITTER + 2 * JITTER * this.random()));
	}

	private toFinalError(error: ServerError, delayMs: number) {
		// A server that runs out of memory while loading just exits (docs/protocols/llama-server.md 9.2).
		if (error.type === 'connectionRefused' && this.loadingSince !== undefined)
			return error.copyWith({
				type: 'modelLoadFailed',
				title: 'The server exited while loading the model',
				suggestion: createServerError('modelLoadFailed', {}).suggestion,
			});
		if (delayMs <= MAX_RETRY_AFTER_MS) return error;
		return error.withSuggestion(
			`The server requires a wait of ${formatDuration(delayMs)} (Retry-After), so the request was not retried. ${error.suggestion}`,
		);
	}
}

const isRejected = isOneOf('busy', 'connectionRefused', 'modelUnreachable');

/** Whether the server cannot have started the request. */
function isNotStarted({ type, status }: ServerError) {
	// nginx with `limit_req` sends a page with 503, like a proxy whose server is down.
	return isRejected(type) || (type === 'badGateway' && status === 503);
}
