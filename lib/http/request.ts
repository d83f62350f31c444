/** The one way to ask a server. */
import type { HttpResponse, RequestOptions, QueueStats, Endpoint } from './types';
import { StreamParser, readChunks, readText } from './response-body';
import { acquireChannel } from './dispatcher';
import { toTransportError, createQueueError, toResponseError } from './request-errors';
import { DEFAULT_TIMEOUTS, Watchdog } from './timeouts';
import { acquirePermit } from './queue';
import { RetryPolicy } from './retry-policy';
import { getMethod, sendRequest, type Channel, type RawResponse } from './send-request';
import { sleepWithAbort } from './sleep';
import { isErrorResponse } from '../errors/classify-error';
import { mask } from '../errors/mask';
import { captureError, type ServerError } from '../errors/server-error';
import { parseJson } from '../json';
import { isRecord } from '../values';

const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
const MAX_REFUSAL_BYTES = 512 * 1024;
/** Bytes of a stream: two million tokens have as many. */
const MAX_STREAM_BYTES = 512 * 1024 * 1024;
const MAX_FILE_BYTES = 1024 * 1024 * 1024;
const MAX_END_MS = 3_000;
/** How often a batch gives its place up for a person. */
const MAX_PREEMPTIONS = 2;

/**
 * Asks a server: waits for a place in its queue, sends, tries again where the server cannot have taken it up, and reads.
 * A batch request gives its place up for a person, at most twice, and is then read anew.
 *
 * @param read reads the answer; what it collects must be its own, since it may be called again
 * @throws {ServerError} also for a refusal
 */
export async function request<T>(
	target: Endpoint,
	ask: RequestOptions,
	read: (answer: HttpResponse) => Promise<T>,
): Promise<T> {
	const watchdog = new Watchdog({ ...DEFAULT_TIMEOUTS, ...ask.timeouts }, ask.signal);
	const log: QueueStats = { waitedMs: 0, hasPreemptedBatch: false, timesPreempted: 0 };
	try {
		for (;;) {
			const place = await acquireRequestPermit(target, ask, watchdog, log);
			try {
				return await withRetries(target, ask, read, { watchdog, log, signal: place.signal });
			} catch (error) {
				if (!place.isPreempted() || watchdog.signal.aborted) throw captureError(error).failed;
			} finally {
				place.leave();
			}
		}
	} finally {
		watchdog.stop();
	}
}

interface RequestPermit {
	/** Aborts at a limit, at Stop, and where the place is given up. */
	signal: AbortSignal;
	isPreempted(): boolean;
	leave(): void;
}

/** @throws {ServerError} where a limit or Stop ends the wait */
async function acquireRequestPermit(
	target: Endpoint,
	ask: RequestOptions,
	watchdog: Watchdog,
	log: QueueStats,
): Promise<RequestPermit> {
	const { priority } = ask;
	const mayGiveUp = priority === 'batch' && ask.isPreemptible !== false;
	const { signal } = watchdog;
	if (priority === undefined) return { signal, isPreempted: () => false, leave: () => {} };
	const attempt = new AbortController();
	const preempt = () => {
		if (!mayGiveUp || log.timesPreempted >= MAX_PREEMPTIONS) return false;
		log.timesPreempted++;
		attempt.abort();
		return true;
	};
	const { id, maxConcurrentRequests: most } = target;
	// Different limits have different queues.
	const [queue, limit] =
		most > 0
			? [`${most} ${id}`, most]
			: [`automatic ${id} ${ask.model}`, target.getSlots(ask.model) ?? Infinity];
	try {
		const place = await acquirePermit(queue, limit, { priority, signal, preempt });
		log.waitedMs += place.waitedMs;
		log.hasPreemptedBatch ||= place.hasPreemptedBatch;
		return {
			signal: mayGiveUp ? AbortSignal.any([signal, attempt.signal]) : signal,
			isPreempted: () => attempt.signal.aborted,
			leave: place.release,
		};
	} catch {
		throw createQueueError(target, ask, watchdog);
	}
}

interface ActiveRequest {
	watchdog: Watchdog;
	log: QueueStats;
	signal: AbortSignal;
}

async function withRetries<T>(
	target: Endpoint,
	ask: RequestOptions,
	read: (answer: HttpResponse) => Promise<T>,
	running: ActiveRequest,
): Promise<T> {
	const { isIdempotent = getMethod(ask) === 'GET', maxRetries = 0 } = ask;
	const policy = new RetryPolicy(maxRetries, isIdempotent);
	const { origin } = target.url;
	const { id: scope, ignoreSslIssues, egressFilter } = target;
	const channels = acquireChannel({ origin, scope, ignoreSslIssues, egressFilter });
	const fresh = { dispatcher: channels.fresh, reset: true };
	const open = { dispatcher: channels.keepAlive, reset: false };
	let channel = isIdempotent ? open : fresh;
	try {
		for (;;) {
			const outcome = await attempt(target, ask, read, { ...running, channel });
			if (!('error' in outcome)) return outcome.value;
			// A server closes an idle connection without a word: what was sent there is sent again, which is no retry.
			const wasIdle = channel === open && outcome.error.type === 'closedBeforeResponse';
			if (!wasIdle) await pauseBeforeRetry(outcome, policy, running);
			channel = fresh;
		}
	} finally {
		channels.release();
	}
}

interface FailedAttempt {
	error: ServerError;
	/** Content of the answer was used already. */
	hasEmittedContent: boolean;
}

/** @throws {ServerError} where there is no further attempt */
async function pauseBeforeRetry(
	{ error, hasEmittedContent }: FailedAttempt,
	policy: RetryPolicy,
	{ watchdog, signal }: ActiveRequest,
): Promise<void> {
	if (hasEmittedContent || signal.aborted) throw error;
	await sleepWithAbort(policy.nextDelayMs(error, watchdog.firstTokenRemainingMs), signal);
}

async function attempt<T>(
	target: Endpoint,
	ask: RequestOptions,
	read: (answer: HttpResponse) => Promise<T>,
	{ channel, watchdog, log, signal }: ActiveRequest & { channel: Channel },
): Promise<{ value: T } | FailedAttempt> {
	const progress = { hasBegun: false, wasSeen: false };
	let unread: RawResponse | undefined;
	try {
		unread = await sendRequest(target, withProgress(ask, watchdog), channel, signal);
		if (unread.status >= 300 && ask.allowErrorStatus !== true)
			return { error: await readErrorResponse(target, ask, unread), hasEmittedContent: false };
		return { value: await read(createResponse(unread, { target, ask, watchdog, log, progress })) };
	} catch (error) {
		const failed = toTransportError(error, target, ask, { watchdog, hasBegun: progress.hasBegun });
		return { error: failed, hasEmittedContent: progress.wasSeen };
	} finally {
		unread?.close();
	}
}

/** The same request, which reports each piece of its upload. */
function withProgress(ask: RequestOptions, watchdog: Watchdog): RequestOptions {
	const { upload } = ask;
	if (upload === undefined || upload.content instanceof Uint8Array) return ask;
	return { ...ask, upload: { ...upload, content: watched(upload.content, watchdog) } };
}

async function* watched(
	content: AsyncIterable<Uint8Array>,
	watchdog: Watchdog,
): AsyncGenerator<Uint8Array> {
	for await (const piece of content) {
		watchdog.sent();
		yield piece;
	}
}

/** A refusal with a broken or endless body is still one. */
async function readErrorResponse(
	target: Endpoint,
	ask: RequestOptions,
	unread: RawResponse,
): Promise<ServerError> {
	const text = await readText(unread.body, MAX_REFUSAL_BYTES).catch(() => '');
	return toResponseError(target, ask, { ...unread, text });
}

interface ResponseContext {
	target: Endpoint;
	ask: RequestOptions;
	watchdog: Watchdog;
	log: QueueStats;
	progress: { hasBegun: boolean; wasSeen: boolean };
}

function createResponse(
	unread: RawResponse,
	{ target, ask, watchdog, log, progress }: ResponseContext,
): HttpResponse {
	const { url, status, headers, body } = unread;
	const masked = (text: string) => mask(text, target.secrets);
	const refused = (text: string) => toResponseError(target, ask, { url, status, headers, text });
	const begin = () => {
		progress.hasBegun = true;
		watchdog.onContent();
	};
	const text = async () => {
		begin();
		return masked(await readText(body, ask.maxBytes ?? MAX_ANSWER_BYTES));
	};
	let stray: readonly string[] = [];
	return {
		url,
		status,
		headers,
		queueStats: log,
		text,
		json: async () => {
			const whole = await text();
			const value = parseJson(whole);
			if (isRecord(value) && !isErrorResponse({ status, json: value })) return value;
			throw refused(whole);
		},
		events: async function* (maxLength) {
			const reader = new StreamParser(ask.streamFormat ?? 'events', maxLength);
			stray = reader.nonEventLines;
			for await (const bytes of readChunks(body, ask.maxBytes ?? MAX_STREAM_BYTES, reader)) {
				const events = reader.push(bytes);
				if (events.length > 0) yield events.map(masked);
			}
			const last = reader.end();
			if (last.length > 0) yield last.map(masked);
			if (reader.page !== undefined) throw refused(reader.page);
		},
		bytes: async function* () {
			begin();
			for await (const piece of readChunks(body, ask.maxBytes ?? MAX_FILE_BYTES)) {
				watchdog.onContent();
				yield piece;
			}
		},
		getNonEventLines: () => stray.map(masked),
		markContent: () => {
			progress.wasSeen = true;
			begin();
		},
		expectEnd: () => watchdog.expectEnd(MAX_END_MS),
	};
}
