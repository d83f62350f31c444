import type { FailureContext } from '../errors/failure';
import type { ServerError } from '../errors/server-error';
import type { Pace } from './incoming-body';
import type { Limits } from './limits';
import type { ServerSentEvent } from './sse';

/** What a stream consists of: server-sent events, or JSON values, one per line. */
export type Framing = 'sse' | 'ndjson';

/** n8n's egress filter, as `helpers.getSecureEgressFilter()` gives it from n8n 2.30 on. */
export interface EgressFilter {
	validateUrl(url: string | URL): Promise<{ ok: boolean; error?: Error }>;
	createSecureLookup(): (hostname: string, options: object, done: (...args: never[]) => void) => void;
	validateRedirectSync(url: string): void;
}

/** Where a server is reached. `lib/servers` works it out of what the user typed. */
export interface ServerAddress {
	/** What the user typed, untouched. */
	typed: string;
	/** Scheme, host and port. The credential's headers are sent nowhere else. */
	origin: string;
	/** Origin and path prefix, for routes beside the API; named in advice. */
	root: string;
	/** Where the API is. Tells one credential's queue from another's. */
	api: string;
}

/** What errors may name beside the URL; `lib/errors` knows what it means. */
export type ErrorContext = Partial<Omit<FailureContext, 'url' | 'secrets'>>;

export interface ConnectionSettings {
	address: ServerAddress;
	/** Headers that carry the key and the user's extra headers. They never leave the origin of the base URL. */
	headers?: Record<string, string>;
	ignoreSslIssues?: boolean;
	/** Generations at once over this credential; 0 = unlimited. */
	maxConcurrentRequests?: number;
	egressFilter?: EgressFilter;
	/** n8n's helpers of the node's context, by which `lib/tracing` finds the span of the node. */
	host?: object;
	/** Sent where the headers of the credential are sent. */
	traceHeaders?: Record<string, string>;
	/** Milliseconds for making a connection, default 10 s. */
	connectLimitMs?: number;
	/** For the errors of every request. */
	about?: ErrorContext;
}

export interface RequestOptions {
	method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
	/** Sent as JSON. */
	json?: unknown;
	/** Sent as it is, with its own content type; for uploads. */
	body?: { content: AsyncIterable<Uint8Array> | Uint8Array; contentType: string; length?: number };
	headers?: Record<string, string>;
	signal?: AbortSignal;
	/** What the answer should consist of, where that is no JSON and no event stream. */
	framing?: Framing;
	/** How often the answer is read at most. Default: whenever something arrives. */
	pace?: Pace;
	/** For the errors of this request. */
	about?: ErrorContext;
}

export interface CallOptions extends RequestOptions {
	/** For the whole call, default 15 s. */
	timeoutMs?: number;
	/** A call that changes something: own connection, never sent twice. Default: every method but GET. */
	once?: boolean;
	/** Longest pause between two pieces of an upload, and before its answer. */
	idleMs?: number;
	/** Longest answer in bytes, default 64 MB. */
	maxBytes?: number;
	/** Longest wait for a place in the queue, in milliseconds; default: as long as a generation. */
	placeLimitMs?: number;
}

/** What comes before the body of an answer. */
export interface AnswerHead {
	/** Where it came from, after redirects. */
	url: string;
	status: number;
	/** Names in lower case. */
	headers: Record<string, string>;
}

export interface CallAnswer extends AnswerHead {
	text: string;
	/** Parsed body, where it is JSON. */
	json: unknown;
	/** Statuses of the redirects, where there were any. */
	redirects?: number[];
}

export interface StreamOptions extends RequestOptions {
	/** Of the generations that wait in the queue. */
	inFront?: boolean;
	limits?: Partial<Limits>;
	/** Asked after every attempt that failed before an answer began. Without it there is one attempt. */
	retry?: RetryPolicy;
	/**
	 * May go over a connection that was used before, and leave it open for the next request: a third of the work of a short
	 * one. For requests of which nothing is used before their end, so that one that meets a closed connection is sent again.
	 */
	reuse?: boolean;
	/**
	 * The error for an answer that is no stream, where the server has error bodies of its own kind. Default: `refusal`.
	 */
	refuse?: (answer: CallAnswer) => ServerError | undefined;
	/** Called with every piece of the answer that arrives, also with one that completes no event. */
	onBytes?: () => void;
	/** How the answer is reached again when its socket breaks, where the server keeps it. */
	kept?: KeptAnswer;
	/** What tells where an answer begins. Without it, it begins with its headers. */
	beginning?: Beginning;
}

/**
 * The part of a stream before its first content. A failure there is one of an attempt, like a status: `retry` is asked.
 */
export interface Beginning {
	/** Whether these events begin the answer, or what they say has failed. */
	seen(events: readonly ServerSentEvent[], stream: EventStream): boolean | ServerError;
	/** What it means that the stream ended there; undefined: the answer is taken as it is. */
	ended(stream: EventStream): ServerError | undefined;
}

/** Of a request that is answered with a file. */
export type DownloadOptions = Omit<StreamOptions, 'framing' | 'onBytes'>;

/** An answer that is a file. */
export interface Download extends AnswerHead {
	/** To be read once. */
	pieces: AsyncIterable<Uint8Array>;
	/** Closes the connection if it is still open. */
	close(): void;
}

/** Of a request that is answered as a whole. */
export interface AnswerOptions extends Omit<StreamOptions, 'framing' | 'onBytes'> {
	/** Longest answer in bytes, default 64 MB. */
	maxBytes?: number;
}

/**
 * Decides whether a request is sent again. One per request, since it may count the attempts. What the server may have
 * taken up must never be sent again.
 *
 * @param leftMs milliseconds until the first-token limit; Infinity without one
 * @returns how many milliseconds to wait before the next attempt, or the error to give up with
 */
export type RetryPolicy = (failed: ServerError, leftMs: number) => number | ServerError;

/** An answer whose body is being read: batches of events, one batch per piece that arrived from the network. */
export interface EventStream extends AnswerHead {
	/** A JSON answer although a stream was asked for comes as one event named `whole-answer`. */
	batches: AsyncIterable<ServerSentEvent[]>;
	/**
	 * To be called when something arrived that was asked for, rather than a ping or an empty piece: the idle limit begins
	 * anew, and from the first time on it counts in place of the first-token limit.
	 */
	content(): void;
	/** To be called when only an end marker can still come: after 3 s the stream is given up, whatever else arrives. */
	finishing(): void;
	/** What the body turned out to consist of; undefined for a whole answer, and before anything arrived. */
	framing(): Framing | undefined;
	/** Lines in the body that were no events. */
	strayLines(): readonly string[];
	/** How often the answer was taken up again after its socket broke. */
	resumed(): number;
	/** Closes the connection if it is still open, which frees the server's slot. */
	close(): void;
}

/** An HTTP answer whose body has not been read. */
export interface Answer extends AnswerHead {
	body: AsyncIterable<Uint8Array>;
	/** Statuses of the redirects that led here. */
	redirects?: number[];
	close(): void;
}

/** How an answer that the server keeps is reached again, after the socket broke. */
export interface KeptAnswer {
	/** Sent with the request: they make the server keep the answer. */
	headers: Record<string, string>;
	/** What gives the answer from a byte of its body on. */
	attachUrl(from: number): string;
	/** What ends the generation, by DELETE: closing the socket of a kept answer ends nothing. */
	cancelUrl: string;
}
