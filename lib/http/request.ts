/** Sends all requests to servers. */
import type { HttpResponse, RequestOptions, QueueStats, Endpoint } from './types';
import { readChunks, readText } from './response-body';
import { StreamParser } from './stream-parser';
import { acquirePools } from './dispatcher';
import { toTransportError, createQueueError, toResponseError } from './request-errors';
import { DEFAULT_TIMEOUTS, Watchdog } from './timeouts';
import { acquirePermit } from './queue';
import { RetryPolicy } from './retry-policy';
import { getMethod, sendRequest, type RequestConnection, type RawResponse } from './send-request';
import { sleepWithAbort } from './sleep';
import { isErrorResponse } from '../errors/classify-error';
import { mask } from '../errors/mask';
import { captureError, type ServerError } from '../errors/server-error';
import { parseJson } from '../json';
import { isRecord } from '../values';

const MAX_RESPONSE_BYTES = 64 * 1024 * 1024;
const MAX_ERROR_BYTES = 512 * 1024;
/** Bytes of a stream: about two million tokens. */
const MAX_STREAM_BYTES = 512 * 1024 * 1024;
const MAX_FILE_BYTES = 1024 * 1024 * 1024;
const MAX_END_MS = 3_000;
/** How often a batch request is canceled for interactive ones. */
const MAX_PREEMPTIONS = 2;

/**
 * Waits for a permit of the server's queue, sends the request, retries if the server cannot have started it, and reads
 * the response. A batch request may be preempted by interactive ones, at most twice, and is then repeated.
 *
 * @param read reads the response; it may be called again, so it must not keep state between calls
 * @throws {ServerError} also for an error response
 */
export async function request<T>(
	endpoint: Endpoint,
	options: RequestOptions,
	read: (response: HttpResponse) => Promise<T>,
): Promise<T> {
	const watchdog = new Watchdog({ ...DEFAULT_TIMEOUTS, ...options.timeouts }, options.signal);
	const queueStats: QueueStats = { waitedMs: 0, hasPreemptedBatch: false, timesPreempted: 0 };
	const { maxRetries = 0, retryPolicy = new RetryPolicy(maxRetries, isIdempotent(options)) } =
		options;
	try {
		for (;;) {
			const permit = await acquireRequestPermit(endpoint, options, watchdog, queueStats);
			try {
				return await withRetries(endpoint, options, read, {
					watchdog,
					queueStats,
					retryPolicy,
					signal: permit.signal,
				});
			} catch (error) {
				if (!permit.isPreempted() || watchdog.signal.aborted) throw captureError(error);
			} finally {
				permit.release();
			}
		}
	} finally {
		watchdog.stop();
	}
}

interface RequestPermit {
	/** Aborts at a timeout, at Stop, and if the request is preempted. */
	signal: AbortSignal;
	isPreempted(): boolean;
	release(): void;
}

/** @throws {ServerError} if a timeout or Stop ends the wait */
async function acquireRequestPermit(
	endpoint: Endpoint,
	options: RequestOptions,
	watchdog: Watchdog,
	queueStats: QueueStats,
): Promise<RequestPermit> {
	const { priority } = options;
	const isPreemptible = priority === 'batch' && options.isPreemptible !== false;
	const { signal } = watchdog;
	if (priority === undefined) return { signal, isPreempted: () => false, release: () => {} };
	const preemption = new AbortController();
	const preempt = () => {
		if (!isPreemptible || queueStats.timesPreempted >= MAX_PREEMPTIONS) return false;
		queueStats.timesPreempted++;
		preemption.abort();
		return true;
	};
	const { id, maxConcurrentRequests: maxConcurrent } = endpoint;
	// Each limit has a separate queue.
	const [queue, limit] =
		maxConcurrent > 0
			? [`${maxConcurrent} ${id}`, maxConcurrent]
			: [`automatic ${id} ${options.model}`, endpoint.getSlots(options.model) ?? Infinity];
	try {
		const permit = await acquirePermit(queue, limit, { priority, signal, preempt });
		queueStats.waitedMs += permit.waitedMs;
		queueStats.hasPreemptedBatch ||= permit.hasPreemptedBatch;
		return {
			signal: isPreemptible ? AbortSignal.any([signal, preemption.signal]) : signal,
			isPreempted: () => preemption.signal.aborted,
			release: permit.release,
		};
	} catch {
		throw createQueueError(endpoint, options, watchdog);
	}
}

function isIdempotent(options: RequestOptions): boolean {
	return options.isIdempotent ?? getMethod(options) === 'GET';
}

interface ActiveRequest {
	retryPolicy: RetryPolicy;
	watchdog: Watchdog;
	queueStats: QueueStats;
	signal: AbortSignal;
}

async function withRetries<T>(
	endpoint: Endpoint,
	options: RequestOptions,
	read: (response: HttpResponse) => Promise<T>,
	running: ActiveRequest,
): Promise<T> {
	const { origin } = endpoint.url;
	const { id: scope, ignoreSslIssues, egressFilter } = endpoint;
	const pools = acquirePools({ origin, scope, ignoreSslIssues, egressFilter });
	const singleUse = { dispatcher: pools.singleUse, isSingleUse: true };
	const keepAlive = { dispatcher: pools.keepAlive, isSingleUse: false };
	let connection = isIdempotent(options) ? keepAlive : singleUse;
	try {
		for (;;) {
			const result = await runAttempt(endpoint, options, read, { ...running, connection });
			if (!('error' in result)) return result.value;
			// Servers close idle connections silently: repeating a request sent there does not count as a retry.
			const wasIdle = connection === keepAlive && result.error.type === 'closedBeforeResponse';
			if (!wasIdle) await pauseBeforeRetry(result, running);
			connection = singleUse;
		}
	} finally {
		pools.release();
	}
}

interface FailedAttempt {
	error: ServerError;
	/** Content of the response was used already. */
	hasEmittedContent: boolean;
}

/** @throws {ServerError} if there is no further attempt */
async function pauseBeforeRetry(
	{ error, hasEmittedContent }: FailedAttempt,
	{ retryPolicy, watchdog, signal }: ActiveRequest,
): Promise<void> {
	if (hasEmittedContent || signal.aborted) throw error;
	await sleepWithAbort(retryPolicy.nextDelayMs(error, watchdog.firstTokenRemainingMs), signal);
}

async function runAttempt<T>(
	endpoint: Endpoint,
	options: RequestOptions,
	read: (response: HttpResponse) => Promise<T>,
	{ connection, watchdog, queueStats, signal }: ActiveRequest & { connection: RequestConnection },
): Promise<{ value: T } | FailedAttempt> {
	const progress = { hasStarted: false, hasEmittedContent: false };
	let rawResponse: RawResponse | undefined;
	try {
		rawResponse = await sendRequest(endpoint, withProgress(options, watchdog), connection, signal);
		if (rawResponse.status >= 300 && options.allowErrorStatus !== true)
			return {
				error: await readErrorResponse(endpoint, options, rawResponse),
				hasEmittedContent: false,
			};
		return {
			value: await read(
				createResponse(rawResponse, { endpoint, options, watchdog, queueStats, progress }),
			),
		};
	} catch (error) {
		const transportError = toTransportError(error, endpoint, options, {
			watchdog,
			hasStarted: progress.hasStarted,
		});
		return { error: transportError, hasEmittedContent: progress.hasEmittedContent };
	} finally {
		rawResponse?.close();
	}
}

/** The same request, reporting each chunk of its upload. */
function withProgress(options: RequestOptions, watchdog: Watchdog): RequestOptions {
	const { upload } = options;
	if (upload === undefined || upload.content instanceof Uint8Array) return options;
	return { ...options, upload: { ...upload, content: reportChunks(upload.content, watchdog) } };
}

async function* reportChunks(
	content: AsyncIterable<Uint8Array>,
	watchdog: Watchdog,
): AsyncGenerator<Uint8Array> {
	for await (const chunk of content) {
		watchdog.onUpload();
		yield chunk;
	}
}

/** An error response with a broken or endless body is still an error. */
async function readErrorResponse(
	endpoint: Endpoint,
	options: RequestOptions,
	rawResponse: RawResponse,
): Promise<ServerError> {
	const text = await readText(rawResponse.body, MAX_ERROR_BYTES).catch(() => '');
	return toResponseError(endpoint, options, { ...rawResponse, text });
}

interface ResponseContext {
	endpoint: Endpoint;
	options: RequestOptions;
	watchdog: Watchdog;
	queueStats: QueueStats;
	progress: { hasStarted: boolean; hasEmittedContent: boolean };
}

function createResponse(
	rawResponse: RawResponse,
	{ endpoint, options, watchdog, queueStats, progress }: ResponseContext,
): HttpResponse {
	const { url, status, headers, body } = rawResponse;
	const maskSecrets = (text: string) => mask(text, endpoint.secrets);
	const toError = (text: string) =>
		toResponseError(endpoint, options, { url, status, headers, text });
	const begin = () => {
		progress.hasStarted = true;
		watchdog.onContent();
	};
	const text = async () => {
		begin();
		return maskSecrets(await readText(body, options.maxBytes ?? MAX_RESPONSE_BYTES));
	};
	let nonEventLines: readonly string[] = [];
	return {
		url,
		status,
		headers,
		queueStats,
		text,
		json: async () => {
			const fullText = await text();
			const value = parseJson(fullText);
			if (isRecord(value) && !isErrorResponse({ status, json: value })) return value;
			throw toError(fullText);
		},
		events: async function* (maxLength) {
			const reader = new StreamParser(options.streamFormat ?? 'events', maxLength);
			nonEventLines = reader.nonEventLines;
			for await (const bytes of readChunks(body, options.maxBytes ?? MAX_STREAM_BYTES, reader)) {
				const events = reader.push(bytes);
				if (events.length > 0) yield events.map(maskSecrets);
			}
			const last = reader.end();
			if (last.length > 0) yield last.map(maskSecrets);
			if (reader.page !== undefined) throw toError(reader.page);
		},
		bytes: async function* () {
			begin();
			for await (const chunk of readChunks(body, options.maxBytes ?? MAX_FILE_BYTES)) {
				watchdog.onContent();
				yield chunk;
			}
		},
		getNonEventLines: () => nonEventLines.map(maskSecrets),
		markContent: () => {
			progress.hasEmittedContent = true;
			begin();
		},
		expectEnd: () => watchdog.expectEnd(MAX_END_MS),
	};
}
