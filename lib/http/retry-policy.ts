/** Decides when a request is sent again because of its connection, or because the server did not start it. */
import type { ServerError } from '../errors/server-error';
import { asFiniteNumber } from '../values/numbers';
import { forgetWaitInVain, hasWaitedInVain, isBusy, isOfBudget, storeWaitInVain } from './busy';

/** Requests of one exchange, without those that a server did not start. */
export const MAX_REQUESTS = 8;

/** Pauses before the first repetition and those after it. */
const BACK_OFF_MS = [500, 1000, 2000, 3000, 5000, 10_000];

/** Share by which a pause is longer or shorter, so that many workers do not return at the same time. */
const JITTER = 0.5;

/** Short, because polling a loading server costs nothing, and a user may be waiting in a chat. */
const MAX_LOADING_DELAY_MS = 2000;

/** Longest own pause after a failed connection. */
const MAX_DELAY_MS = 5000;

/** Longest own pause while a server is busy. */
const MAX_BUSY_DELAY_MS = 10_000;

/** All pauses while a server is busy, unless it requests a longer one. */
const MAX_BUSY_MS = 2 * 60_000;

/** Shortest pause that a busy server may request: for a shorter one, the own pauses apply. */
const MIN_REQUESTED_MS = 500;

/** Longest pause of a request that does not wait for a busy server. */
const MAX_RETRY_AFTER_MS = 60_000;

/** Statuses while a server behind a gateway is restarting or busy. */
const TRANSIENT_STATUSES = [429, 502, 503, 504, 529];

/** A response that said that the model is loading. */
interface LoadingError {
	error: ServerError;
	/** By `performance.now()`. */
	at: number;
}

/** How often a request was sent again after a pause, by the reason. */
export interface Waits {
	/** The server did not take it. */
	busy: number;
	/** The model was loading. */
	loading: number;
	/** The connection failed, or a gateway did not reach the server. */
	connection: number;
}

/** What a caller wants. */
export interface RetryOptions {
	/** The setting *Retries*. Default: 0. */
	maxRetries?: number;
	/** Whether the request may be sent twice, whatever became of it. Default: false. */
	isIdempotent?: boolean;
	/**
	 * Of the server and the model, if the request waits while that server is busy, as long as its time allows. Default: it is
	 * repeated as often as after a failed connection.
	 */
	busyKey?: string;
	/** Default: `Math.random`. */
	random?(): number;
}

/** What is known when a request has failed. */
export interface RetryMoment {
	/** Milliseconds until the first-token timeout. Default: none. */
	remainingMs?: number;
	/** Called before a pause for a loading model. */
	onLoading?(waitedMs: number): void;
}

/**
 * Decides whether a failed request is sent again. All requests of an exchange share the retries. A request is repeated
 * if the server cannot have started it (the model is loading, connections are refused, the server is busy), and an
 * idempotent one after a lost connection as well.
 */
export class RetryPolicy {
	/** Requests that a server may have started. */
	requestCount = 0;
	/** Why the last request was sent again, if a server may have started it. */
	lastRepeated: ServerError | undefined;
	/** For the log. */
	readonly waits: Waits = { busy: 0, loading: 0, connection: 0 };
	private sentAt = 0;
	private tries = 0;
	private pauses = 0;
	private busyMs = 0;
	private loadingSince: number | undefined;
	private lastLoading: LoadingError | undefined;

	constructor(private readonly options: RetryOptions = {}) {}

	/** Call this before a request is sent. */
	onSend(): void {
		this.requestCount++;
		this.sentAt = performance.now();
	}

	/** Call this when a part of an upload was sent: a server responds after all of it. */
	onUpload(): void {
		this.sentAt = performance.now();
	}

	/** Call this when a server has taken a request. */
	onAccept(): void {
		if (this.options.busyKey !== undefined) forgetWaitInVain(this.options.busyKey);
	}

	/** Milliseconds since the last request was sent. */
	get elapsedMs(): number {
		return performance.now() - this.sentAt;
	}

	/** Whether a request waits for the server without a permit of the queue, before it is sent again. */
	waitsFor(error: ServerError): boolean {
		const { busyKey, maxRetries = 0 } = this.options;
		return busyKey !== undefined && maxRetries > 0 && isBusy(error, this.elapsedMs);
	}

	/**
	 * Takes the next retry, if there is one for this error.
	 *
	 * @returns milliseconds to wait before the retry.
	 * @throws the error, reworded if more is known, if the request is not sent again.
	 */
	takeDelayMsOrThrow(
		error: ServerError,
		{ remainingMs = Infinity, onLoading }: RetryMoment = {},
	): number {
		if (error.type === 'modelLoading') {
			this.requestCount--;
			const loadingDelayMs = this.nextLoadingDelayMs(error, remainingMs);
			onLoading?.(performance.now() - this.loadingSince!);
			this.waits.loading++;
			return loadingDelayMs;
		}
		return this.waitsFor(error)
			? this.takeBusyDelayMsOrThrow(error, remainingMs)
			: this.takeRetryDelayMsOrThrow(error, remainingMs);
	}

	private takeBusyDelayMsOrThrow(error: ServerError, remainingMs: number) {
		const { busyKey } = this.options;
		if (hasWaitedInVain(busyKey!)) throw error;
		const ownMs = this.nextBackoffMs(this.waits.busy, MAX_BUSY_DELAY_MS);
		const requestedMs = asFiniteNumber(error.facts.retryAfterMs) ?? 0;
		// Requests without a pause (`Retry-After: 0`, a date in the past) would be a loop that no limit of time ends.
		const delayMs =
			requestedMs >= MIN_REQUESTED_MS ? requestedMs : Math.min(MAX_BUSY_DELAY_MS, ownMs);
		if (delayMs >= remainingMs || this.busyMs + delayMs > Math.max(MAX_BUSY_MS, requestedMs)) {
			if (this.waits.busy === 0) throw this.withRequestedPause(error, delayMs);
			storeWaitInVain(busyKey!);
			throw error.withFacts({
				refusedForMs: Math.max(1, Math.round(this.busyMs / 1000)) * 1000,
			});
		}
		this.requestCount--;
		this.waits.busy++;
		this.busyMs += delayMs;
		return delayMs;
	}

	private takeRetryDelayMsOrThrow(error: ServerError, remainingMs: number) {
		const { maxRetries = 0 } = this.options;
		const isNotSent = error.type === 'connectionRefused' || isBusy(error, this.elapsedMs);
		const canRepeat = isNotSent || (this.isTransient(error) && this.requestCount < MAX_REQUESTS);
		if (!canRepeat) throw error;
		const delayMs = asFiniteNumber(error.facts.retryAfterMs) ?? this.nextBackoffMs(this.pauses++);
		const isWorthWaiting = delayMs <= MAX_RETRY_AFTER_MS && delayMs < remainingMs;
		if (this.tries++ >= maxRetries || !isWorthWaiting) throw this.toFinalError(error, delayMs);
		if (isNotSent) this.requestCount--;
		else this.lastRepeated = error;
		this.waits.connection++;
		return delayMs;
	}

	private nextLoadingDelayMs(error: ServerError, remainingMs: number) {
		const at = performance.now();
		this.loadingSince ??= at;
		this.lastLoading = { error, at };
		const delayMs = this.nextBackoffMs(this.pauses++, MAX_LOADING_DELAY_MS);
		if (delayMs >= remainingMs) throw this.toLoadingError(error);
		return delayMs;
	}

	/** The model was still loading if the request that timed out was sent right after the server had reported it. */
	toTimeoutError(error: ServerError): ServerError {
		const { lastLoading } = this;
		const isLoading =
			error.type === 'firstTokenTimeout' &&
			lastLoading !== undefined &&
			performance.now() - lastLoading.at < 2 * MAX_LOADING_DELAY_MS;
		return isLoading ? this.toLoadingError(lastLoading.error) : error;
	}

	private toLoadingError(error: ServerError) {
		const waitedMs = performance.now() - this.loadingSince!;
		const timeoutMs = Math.ceil(waitedMs / 1000) * 1000;
		// How long it loads says more than that it does.
		return error.copyWith({ sentence: undefined, known: { ...error.known, timeoutMs } });
	}

	/** Of an idempotent request: the connection was lost, or a gateway does not reach the server. */
	private isTransient(error: ServerError) {
		const { type, report, status = 0 } = error;
		if (this.options.isIdempotent !== true || isOfBudget(error)) return false;
		const isConnectionLost = type === 'closedBeforeResponse' || type === 'connectionLost';
		return isConnectionLost || TRANSIENT_STATUSES.includes(report?.status ?? status);
	}

	/** @param count - Pauses before this one */
	private nextBackoffMs(count: number, maxMs = MAX_DELAY_MS) {
		const { random = Math.random } = this.options;
		const delayMs = Math.min(BACK_OFF_MS[Math.min(count, BACK_OFF_MS.length - 1)]!, maxMs);
		return Math.round(delayMs * (1 - JITTER + 2 * JITTER * random()));
	}

	private toFinalError(error: ServerError, delayMs: number) {
		// A server that runs out of memory while loading just exits (docs/protocols/llama-server.md 9.2).
		if (error.type === 'connectionRefused' && this.loadingSince !== undefined)
			return error.copyWith({
				type: 'modelLoadFailed',
				known: { ...error.known, hasExitedWhileLoading: true },
			});
		return delayMs > MAX_RETRY_AFTER_MS ? this.withRequestedPause(error, delayMs) : error;
	}

	private withRequestedPause(error: ServerError, delayMs: number) {
		if (error.facts.retryAfterMs === undefined) return error;
		return error.withFacts({ requestedPauseMs: delayMs });
	}
}
