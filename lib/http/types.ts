import type { FailureContext } from '../errors/failure';
import type { FailureKind } from '../errors/kinds';
import type { ServerError } from '../errors/server-error';
import type { Pace } from './incoming-body';
import type { Limits } from './limits';
import type { Place } from './place';
import type { Priority } from './scheduler';
import type { ServerSentEvent } from './sse';

/** The framing of a stream: server-sent events, or one JSON value per line. */
export type Framing = 'sse' | 'ndjson';

/** n8n's egress filter, from `helpers.getSecureEgressFilter()` in n8n 2.30 and newer. */
export interface EgressFilter {
	validateUrl(url: string | URL): Promise<{ ok: boolean; error?: Error }>;
	createSecureLookup(): (
		hostname: string,
		options: object,
		done: (...args: never[]) => void,
	) => void;
	validateRedirectSync(url: string): void;
}

/** The addresses of a server, which `lib/servers` derives from what the user typed. */
export interface ServerAddress {
	/** What the user typed, unchanged. */
	typed: string;
	/** Scheme, host and port. The credential's headers are sent only there. */
	origin: string;
	/** Origin and path prefix, for routes outside the API, and for advice. */
	root: string;
	/** URL of the API. Part of the key of the credential's queue. */
	api: string;
}

/** Facts besides the URL that errors may contain. */
export type ErrorContext = Partial<Omit<FailureContext, 'url' | 'secrets'>>;

export interface ConnectionSettings {
	address: ServerAddress;
	/** The key and the user's extra headers. They are sent only to the origin of the base URL. */
	headers?: Record<string, string>;
	/** Other keys and headers of the credential, by names of their own. They are masked, and never sent here. */
	keysElsewhere?: Record<string, string>;
	ignoreSslIssues?: boolean;
	/** Concurrent generations with this credential; 0 = as many as `knownSlots` returns. */
	maxConcurrentRequests?: number;
	/** Generations that the server handles at once, if it is known. Absent: without a limit. */
	knownSlots?: () => number | undefined;
	/** Called where several generations run at once, and the user set no limit: the time to learn `knownSlots`. */
	onShared?(model?: string): void;
	/** The class of generations in the queue. Default: as those for a person. */
	priority?: Priority;
	egressFilter?: EgressFilter;
	/** The helpers of the node's context, from which `lib/tracing` gets the node's span. */
	host?: object;
	/** Sent together with the headers of the credential. */
	traceHeaders?: Record<string, string>;
	/** Connect timeout in milliseconds, default 10 s. */
	connectLimitMs?: number;
	/** The kind of server that the user chose, by a name of `lib/servers`. */
	chosenKind?: string;
	/** Facts for the errors of all requests. */
	about?: ErrorContext;
	/** What to do about a failure on this kind of server; undefined: as on any other. */
	remedyFor?(kind: FailureKind, model?: string): string | undefined;
}

export interface RequestOptions {
	method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
	/** Sent as JSON. A function returns it when the request is sent, after the wait in the queue. */
	json?: unknown;
	/** Sent unchanged, with its own content type; for uploads. */
	body?: { content: AsyncIterable<Uint8Array> | Uint8Array; contentType: string; length?: number };
	headers?: Record<string, string>;
	signal?: AbortSignal;
	/** Expected framing of a stream; default: server-sent events. */
	framing?: Framing;
	/** Least time between two reads of the answer. Default: read whenever something arrives. */
	pace?: Pace;
	/** The error in place of following a redirect to this URL, if any. */
	refuseRedirect?: (url: string) => ServerError | undefined;
	/** Facts for the errors of this request. */
	about?: ErrorContext;
}

export interface CallOptions extends RequestOptions {
	/** Limit for the whole call in milliseconds, default 15 s. */
	timeoutMs?: number;
	/** Never send twice, and use a new connection. Default: for every method except GET. */
	once?: boolean;
	/** Longest pause in milliseconds between two pieces of an upload, and before its answer. */
	idleMs?: number;
	/** Longest answer in bytes, default 64 MB. */
	maxBytes?: number;
}

/** URL, status and headers of an answer. */
export interface AnswerHead {
	/** Its URL, after redirects. */
	url: string;
	status: number;
	/** Names in lower case. */
	headers: Record<string, string>;
}

export interface CallAnswer extends AnswerHead {
	text: string;
	/** The parsed body, if it is JSON. */
	json: unknown;
	/** Statuses of the redirects, if any. */
	redirects?: number[];
}

export interface StreamOptions extends RequestOptions {
	/** The class in the queue, in place of the connection's. */
	priority?: Priority;
	/** Its place in the queue, which that of a batch gives up for a person. */
	place?: Place;
	limits?: Partial<Limits>;
	/** Called after every attempt that failed before an answer began. Default: one attempt only. */
	retry?: RetryPolicy;
	/**
	 * May reuse a pooled connection and leave it open, which saves a third of the work of a short request. Only if
	 * nothing of the answer is used before its end, so that a request on a closed connection can be sent again.
	 */
	reuse?: boolean;
	/** The error for a refusal, if the server has its own kind of error bodies. Default: `refusal`. */
	refuse?: (answer: CallAnswer) => ServerError | undefined;
	/** Called for every piece of the answer, also if it completes no event. */
	onBytes?: () => void;
	/** Decides where an answer begins. Default: after its headers. */
	beginning?: Beginning;
}

/**
 * Checks the part of a stream before its first content. A failure there is handled like an error status, including
 * `retry`.
 */
export interface Beginning {
	/** Whether the answer has begun with these events, or the failure that they report. */
	seen(events: readonly ServerSentEvent[], stream: EventStream): boolean | ServerError;
	/** The failure if the stream ended before it began; undefined: it is accepted. */
	ended(stream: EventStream): ServerError | undefined;
}

/** Options of a request for a file. */
export interface DownloadOptions extends Omit<StreamOptions, 'framing' | 'onBytes'> {
	/** Largest file in bytes, default 1 GB. */
	maxBytes?: number;
}

/** An answer that is a file. */
export interface Download extends AnswerHead {
	/** Can be read only once. */
	pieces: AsyncIterable<Uint8Array>;
	/** Closes the connection if it is still open. */
	close(): void;
}

/** Options of a request whose answer is read as a whole. */
export interface AnswerOptions extends Omit<StreamOptions, 'framing' | 'onBytes'> {
	/** Longest answer in bytes, default 64 MB. */
	maxBytes?: number;
}

/**
 * Decides whether a request is retried. One instance per request, since it may count attempts. A request that the
 * server may have started on must not be retried, unless it is idempotent.
 *
 * @param leftMs milliseconds until the first-token limit; Infinity without one
 * @returns milliseconds to wait before the next attempt, or the error to throw
 */
export type RetryPolicy = (failed: ServerError, leftMs: number) => number | ServerError;

/** An answer whose body is being read, in batches of events: one batch per read. */
export interface EventStream extends AnswerHead {
	/** A JSON answer in place of a stream is one event named `whole-answer`. */
	batches: AsyncIterable<ServerSentEvent[]>;
	/**
	 * To be called when content arrives, not for a ping or an empty piece. Resets the idle limit, which replaces the
	 * first-token limit from the first call on.
	 */
	content(): void;
	/** To be called when only an end marker may follow: the stream is then aborted after 3 s. */
	expectEnd(): void;
	/** The actual framing; undefined for a whole answer, and before anything arrived. */
	framing(): Framing | undefined;
	/** Lines in the body that were no events. */
	strayLines(): readonly string[];
	/** Closes the connection if it is still open, which frees the server's slot. */
	close(): void;
}

/** An HTTP answer whose body has not been read. */
export interface UnreadAnswer extends AnswerHead {
	body: AsyncIterable<Uint8Array>;
	/** Statuses of the redirects that led here. */
	redirects?: number[];
	close(): void;
}
