/** Sends all requests to servers. */
import type { Endpoint, HttpResponse, RequestOptions, StreamPart } from './types';
import { readChunks, readText } from './response-body';
import { StreamParser } from './stream-parser';
import { BodyTooLargeError } from './body-limits';
import { acquirePools } from './dispatcher';
import {
	toErrorContext,
	toTransportError,
	createQueueError,
	toResponseError,
} from './request-errors';
import { RetryPolicy } from './retry-policy';
import { DEFAULT_TIMEOUTS, Watchdog } from './timeouts';
import type { Permit, QueueStats } from './queue';
import { acquirePermit } from './queue';
import type { RequestConnection, RawResponse } from './send-request';
import { getMethod, sendRequest } from './send-request';
import { sleepWithAbort } from './sleep';
import { isErrorResponse } from '../errors/error-body';
import { maskBody, maskDeep } from '../errors/mask';
import { getWrittenSecrets, withoutSent } from '../errors/secrets';
import { asServerErrorOrThrow, ServerError } from '../errors/server-error';
import { isRecord } from '../values/records';
import { parseJson } from '../values/json';

/** Bytes of an error response. */
const MAX_ERROR_BYTES = 512 * 1024;

/** How long to wait for the end marker of a complete stream. */
const MAX_END_MS = 3_000;

/** How often a batch request is canceled for interactive ones. */
const MAX_PREEMPTIONS = 2;

/**
 * Waits for a permit of the server's queue, sends the request, retries if the server cannot have started it, and reads
 * the response. A batch request may be preempted by interactive ones, at most twice, and is then repeated.
 *
 * @param readBody - Reads the response; it may be called again, so it must not keep state between calls.
 * @throws a `ServerError` also for an error response.
 */
export async function request<T>(
	endpoint: Endpoint,
	options: RequestOptions,
	readBody: (response: HttpResponse) => Promise<T>,
): Promise<T> {
	return await new RequestRun(endpoint, options, readBody).send();
}

/** How far an attempt came. */
interface AttemptProgress {
	/** A part of the response arrived. */
	hasStarted: boolean;
	/** Content of the response was used already. */
	hasEmittedContent: boolean;
	/** Whether the server accepted a connection for it. */
	hasConnected(): boolean;
}

/** A permit of the queue, while a request is sent. */
interface SendingPermit extends Pick<Permit, 'onAccept' | 'onRefuse'> {
	/** Aborts at a timeout, at Stop, and if the request is preempted. */
	signal: AbortSignal;
}

/** For a request that passes no queue. */
const NO_PERMIT: Permit = { release: () => {}, onAccept: () => {}, onRefuse: () => {} };

/** How long a request waits for a busy server. */
class Pause {
	constructor(readonly ms: number) {}
}

/** Cancels a batch request for an interactive one. */
class Preemption {
	private readonly controller = new AbortController();
	isPreempted = false;

	/**
	 * Not `AbortSignal.any`, which takes ten times as long (0.05 ms for each request).
	 *
	 * @param requestSignal - Cancels the request, too.
	 */
	constructor(private readonly requestSignal: AbortSignal) {
		if (requestSignal.aborted) this.onRequestAbort();
		else requestSignal.addEventListener('abort', this.onRequestAbort, { once: true });
	}

	/** Aborts if the request is preempted, and with the signal of the request. */
	get signal(): AbortSignal {
		return this.controller.signal;
	}

	preempt() {
		this.isPreempted = true;
		this.controller.abort();
	}

	/** Call this at the end of the request. */
	end() {
		this.requestSignal.removeEventListener('abort', this.onRequestAbort);
	}

	private readonly onRequestAbort = () => this.controller.abort(this.requestSignal.reason);
}

/** One request, with all its attempts. */
class RequestRun<T> {
	/** Without the secrets that the request contains. */
	private readonly endpoint: Endpoint;
	private readonly watchdog: Watchdog;
	private readonly queueStats: QueueStats;
	private preemptions = 0;
	/** Whether the last response said that the model is loading. */
	private isLoading = false;
	private readonly isIdempotent: boolean;
	private readonly retryPolicy: RetryPolicy;

	constructor(
		endpoint: Endpoint,
		private readonly options: RequestOptions,
		private readonly readBody: (response: HttpResponse) => Promise<T>,
	) {
		this.endpoint = {
			...endpoint,
			secrets: withoutSent(endpoint.secrets, options.json ?? options.upload?.fields),
		};
		const { timeouts, waitedMs, signal, maxRetries } = options;
		this.watchdog = new Watchdog({ ...DEFAULT_TIMEOUTS, ...timeouts }, signal, waitedMs);
		const noWait = { waitedMs: 0, hasPreemptedBatch: false, timesPreempted: 0 };
		this.queueStats = options.queueStats ?? noWait;
		this.isIdempotent = options.isIdempotent ?? getMethod(options) === 'GET';
		const { isIdempotent } = this;
		this.retryPolicy = options.retryPolicy ?? new RetryPolicy({ maxRetries, isIdempotent });
	}

	async send() {
		try {
			for (;;) {
				const permit = await this.acquirePermit();
				let pauseMs = 0;
				try {
					const result = await this.sendWithRetries(permit);
					if (!(result instanceof Pause)) return result;
					pauseMs = result.ms;
				} catch (error) {
					if (!permit.isPreempted() || this.watchdog.signal.aborted) {
						const serverError = asServerErrorOrThrow(error);
						this.endLoading(serverError);
						throw serverError;
					}
				} finally {
					permit.release();
				}
				await this.pause(pauseMs, this.watchdog.signal);
			}
		} finally {
			this.watchdog.stop();
		}
	}

	/**
	 * Its signal aborts at a timeout, at Stop, and if the request is preempted.
	 *
	 * @throws a `ServerError` if a timeout or Stop ends the wait.
	 */
	private async acquirePermit() {
		const { endpoint, options, queueStats: stats } = this;
		const { priority } = options;
		const { signal } = this.watchdog;
		if (priority === undefined) return { ...NO_PERMIT, signal, isPreempted: () => false };
		const isPreemptible = priority === 'batch' && options.isPreemptible !== false;
		const preemption = isPreemptible ? new Preemption(signal) : undefined;
		const preempt = () => {
			if (!preemption || this.preemptions >= MAX_PREEMPTIONS) return false;
			this.preemptions++;
			stats.timesPreempted++;
			preemption.preempt();
			return true;
		};
		const { id, maxConcurrentRequests: maxConcurrent } = endpoint;
		// Each limit has a separate queue.
		const { queueId, limit } =
			maxConcurrent > 0
				? { queueId: `${maxConcurrent} ${id}`, limit: maxConcurrent }
				: {
						queueId: `automatic ${id} ${options.model}`,
						limit: endpoint.getSlots(options.model) ?? Infinity,
					};
		try {
			const permit = await acquirePermit(queueId, limit, { priority, signal, preempt, stats });
			const release = () => {
				preemption?.end();
				permit.release();
			};
			const isPreempted = () => preemption?.isPreempted === true;
			return { ...permit, signal: preemption?.signal ?? signal, release, isPreempted };
		} catch {
			preemption?.end();
			throw createQueueError(endpoint, options, this.watchdog);
		}
	}

	/** @returns a pause if the server is too busy, so that others may use the permit meanwhile. */
	private async sendWithRetries({ signal, onAccept, onRefuse }: SendingPermit): Promise<T | Pause> {
		const pools = acquirePools(this.endpoint);
		const singleUse = { dispatcher: pools.singleUse, isSingleUse: true };
		const keepAlive = { dispatcher: pools.keepAlive, isSingleUse: false };
		let connection = this.isIdempotent ? keepAlive : singleUse;
		try {
			for (;;) {
				const { hasConnected } = pools;
				const progress = { hasStarted: false, hasEmittedContent: false, hasConnected };
				const result = await this.runAttempt(connection, progress, signal).catch(
					asServerErrorOrThrow,
				);
				if (!(result instanceof ServerError)) {
					onAccept();
					return result;
				}
				// Servers close idle connections silently: repeating a request sent there does not count as a retry.
				const wasIdle = connection === keepAlive && result.type === 'closedBeforeResponse';
				connection = singleUse;
				if (wasIdle) continue;
				if (signal.aborted) throw this.retryPolicy.toTimeoutError(result);
				if (progress.hasEmittedContent) throw result;
				const isBusy = this.retryPolicy.waitsFor(result);
				if (isBusy) onRefuse();
				const delayMs = this.retryPolicy.takeDelayMsOrThrow(result, {
					remainingMs: this.watchdog.firstTokenRemainingMs,
					onLoading: this.endpoint.onLoading,
				});
				if (isBusy) return new Pause(delayMs);
				this.isLoading ||= result.type === 'modelLoading';
				await this.pause(delayMs, signal);
			}
		} finally {
			pools.release();
		}
	}

	private async pause(ms: number, signal: AbortSignal) {
		if (ms === 0) return;
		await sleepWithAbort(ms, signal).catch((error: unknown) => {
			const { endpoint, options, watchdog } = this;
			throw toTransportError(error, { endpoint, options, watchdog, hasStarted: false });
		});
	}

	private endLoading(error?: ServerError) {
		if (this.isLoading) this.endpoint.onLoaded?.(error);
		this.isLoading = false;
	}

	/** @throws a `ServerError`. */
	private async runAttempt(
		connection: RequestConnection,
		progress: AttemptProgress,
		signal: AbortSignal,
	) {
		const { endpoint, options, watchdog } = this;
		let rawResponse: RawResponse | undefined;
		let responseError: ServerError;
		this.retryPolicy.onSend();
		const onEnd = options.onSend?.();
		try {
			rawResponse = await sendRequest({
				endpoint,
				options: this.withProgress(),
				connection,
				signal,
			});
			if (rawResponse.status < 300 || options.allowErrorStatus === true) {
				this.endLoading();
				this.retryPolicy.onAccept();
				return await this.readBody(this.createResponse(rawResponse, progress));
			}
			// An error response with a broken or endless body is still an error.
			const text = await readText(rawResponse.body, {
				...options.limits,
				bytes: MAX_ERROR_BYTES,
			}).catch(getReceived);
			responseError = toResponseError(endpoint, options, { ...rawResponse, text });
		} catch (error) {
			throw toTransportError(error, {
				endpoint,
				options,
				watchdog,
				hasStarted: progress.hasStarted,
				hasConnected: progress.hasConnected(),
			});
		} finally {
			rawResponse?.close();
			onEnd?.();
		}
		throw responseError;
	}

	/** The same request, reporting each chunk of its upload. */
	private withProgress(): RequestOptions {
		const { options, watchdog, retryPolicy } = this;
		const { upload } = options;
		if (!upload) return options;
		async function* reportChunks() {
			for await (const chunk of upload!.content) {
				watchdog.onUpload();
				retryPolicy.onUpload();
				yield chunk;
			}
		}
		return { ...options, upload: { ...upload, content: reportChunks() } };
	}

	private createResponse({ body, ...head }: RawResponse, progress: AttemptProgress): HttpResponse {
		const { endpoint, options, watchdog, queueStats } = this;
		const { limits } = options;
		const secrets =
			options.isWritten === true ? getWrittenSecrets(endpoint.secrets) : endpoint.secrets;
		const maskSecrets = (text: string) => maskBody(text, secrets);
		// A longer text is no message. To search it for one would block n8n.
		const toError: HttpResponse['toError'] = (text, isAfterOutput) =>
			toResponseError(endpoint, options, {
				...head,
				text: text.slice(0, MAX_ERROR_BYTES),
				isAfterOutput,
			});
		const begin = () => {
			progress.hasStarted = true;
			watchdog.onContent();
		};
		const hasRate = limits.minBytesPerSecond > 0;
		const onChunk = ({ byteLength }: Uint8Array) =>
			watchdog.onBytes(byteLength, limits.minBytesPerSecond);
		// Gateways send blanks while a server works: they are no content, whose rate is measured.
		let isWaiting = hasRate;
		const onTextChunk = (chunk: Uint8Array) => {
			if (isWaiting && isBlank(chunk)) return;
			if (isWaiting) begin();
			isWaiting = false;
			onChunk(chunk);
		};
		const text: HttpResponse['text'] = async (onBroken) => {
			progress.hasStarted = true;
			if (!hasRate) begin();
			return maskSecrets(
				await readText(body, limits, {
					onBroken: onBroken && ((received) => onBroken(maskSecrets(received))),
					onChunk: hasRate ? onTextChunk : undefined,
				}),
			);
		};
		const maskParts = (parts: readonly StreamPart[]) =>
			secrets.length === 0
				? parts
				: parts.map((part) => ({ type: part.type, text: maskSecrets(part.text) }));
		return {
			...head,
			headers: maskDeep(head.headers, endpoint.secrets),
			queueStats,
			errorContext: toErrorContext(endpoint, { url: head.url, model: options.model }),
			toError,
			text,
			json: async () => {
				const fullText = await text();
				const json = parseJson(fullText);
				if (isRecord(json) && !isErrorResponse({ ...head, json })) return json;
				throw toError(fullText);
			},
			parts: async function* () {
				const reader = new StreamParser(options.streamFormat ?? 'events', limits.eventLength);
				for await (const bytes of readChunks(body, limits.bytes, reader)) {
					const parts = reader.push(bytes);
					if (parts.length > 0) yield maskParts(parts);
					reader.assertSmall();
				}
				const last = reader.end();
				if (last.length > 0) yield maskParts(last);
				reader.assertSmall();
				if (reader.page !== undefined) throw toError(reader.page);
			},
			bytes: async function* () {
				begin();
				for await (const chunk of readChunks(body, limits.bytes)) {
					onChunk(chunk);
					yield chunk;
				}
			},
			markContent: () => {
				progress.hasEmittedContent = true;
				begin();
			},
			expectEnd: () => watchdog.expectEnd(MAX_END_MS),
		};
	}
}

/** Whether it has only spaces and line breaks, which JSON may have around it. */
function isBlank(chunk: Uint8Array): boolean {
	return chunk.every((byte) => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d));
}

/** What arrived of an error response. */
function getReceived(error: unknown): string {
	return error instanceof BodyTooLargeError ? error.received : '';
}
