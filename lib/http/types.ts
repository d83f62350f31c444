/** Requests and responses, independent of the HTTP client. */
import type { Timeouts } from './timeouts';
import type { Priority, QueueStats } from './queue';
import type { RetryPolicy } from './retry-policy';
import type { ServerError } from '../errors/server-error';
import type { ErrorContext } from '../errors/create-error';
import type { ResponseLimits } from '../task-limits';
import type { JsonRecord } from '../values/records';

/** The result of n8n's egress filter for one URL. */
export interface EgressResult {
	ok: boolean;
	/** Why the URL is blocked. */
	error?: Error;
}

/** Called with the result of a lookup: Node's sockets pass several signatures. */
export type LookupCallback = (...results: never[]) => void;

/** A lookup of host names, as Node's sockets take it. */
export type SecureLookup = (hostname: string, options: object, done: LookupCallback) => void;

/** n8n's egress filter, from `helpers.getSecureEgressFilter()` in n8n 2.30 and newer. */
export interface EgressFilter {
	validateUrl(url: string | URL): Promise<EgressResult>;
	/** A lookup that fails for a host whose address is blocked. */
	createSecureLookup(): SecureLookup;
	/** @throws an error for a URL that is blocked. */
	validateRedirectSync(url: string): void;
}

/** The URLs of a server, which `lib/servers` derives from the Base URL. */
export interface ServerAddress {
	/** The Base URL as entered. */
	typed: string;
	/** Scheme, host and port. The credential's headers are sent only there. */
	origin: string;
	/** Origin and path prefix, for routes outside the API and for suggestions. */
	root: string;
	/** URL of the API, as the Base URL says. */
	api: string;
}

/** A server as requests see it. */
export interface Endpoint {
	readonly url: ServerAddress;
	/** Identifies server and credential. Contains no key. */
	readonly id: string;
	/** The key and the user's extra headers, by lower-case names. They go to the origin of the base URL only. */
	readonly headers: Readonly<Record<string, string>>;
	readonly ignoreSslIssues: boolean;
	/** Concurrent generations as set by the user; 0: as many as `getSlots` returns. */
	readonly maxConcurrentRequests: number;
	/** Concurrent generations that the server supports with a model; undefined: unknown. */
	getSlots(model?: string): number | undefined;
	readonly egressFilter?: EgressFilter;
	/** Masked in what is received: `lib/errors/secrets.ts`. */
	readonly secrets: readonly string[];
	/** For a service with specific errors: the error of an error response; undefined if another program sent it. */
	toResponseError?(response: ErrorResponse, context: ErrorContext): ServerError | undefined;
	/** Called when a request waits for a loading model, before each pause. */
	onLoading?(waitedMs: number): void;
	/** Called when a request no longer waits for a loading model: it is loaded, or the request failed. */
	onLoaded?(error?: ServerError): void;
	/** Facts about the server for errors, in addition to its URL. */
	readonly errorContext: Partial<ErrorContext>;
}

/** What comes before the body of a response. */
export interface ResponseHead {
	/** After redirects. */
	url: string;
	status: number;
	/** Names in lower case. */
	headers: Record<string, string>;
}

/** An error response with its text. */
export interface ErrorResponse extends ResponseHead {
	text: string;
	/** Whether output of a model came before the text. Default: false. */
	isAfterOutput?: boolean;
}

/** A body that is sent unchanged: a form with files. */
export interface UploadBody {
	content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
	contentType: string;
	/** Bytes. */
	length: number;
	/** What the form contains beside its file. Default: nothing. */
	fields?: JsonRecord;
}

/** One request: what is sent, how long to wait, how often to retry, and how much of the response to read. */
export interface RequestOptions {
	/** Default: GET without a body, otherwise POST. */
	method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
	url: string;
	/** Sent as a JSON body. */
	json?: JsonRecord;
	/** Sent as it is, instead of `json`. */
	upload?: UploadBody;
	/** In addition to those of the endpoint. */
	headers?: Readonly<Record<string, string>>;
	/** How a stream is framed. Default: server-sent events. */
	streamFormat?: 'events' | 'lines';
	/** Default: `DEFAULT_TIMEOUTS`. */
	timeouts?: Partial<Timeouts>;
	/** Milliseconds that the request has waited before, of its time for the first token and of its total time. Default: 0. */
	waitedMs?: number;
	/** Called when it leaves the queue, each time that it is sent. What it returns is called when that response has ended. */
	onSend?(): () => void;
	/** Aborts the request, also while it waits. */
	signal?: AbortSignal;
	/**
	 * Whether a batch request may be canceled for an interactive one, at most twice, and sent again. Default: true. False
	 * if a user sees the response before its end.
	 */
	isPreemptible?: boolean;
	/** Priority in the queue. Requests without one do not wait: model lists and other short requests. */
	priority?: Priority;
	/** The waits of the request are added to these. Default: those of a new one. */
	queueStats?: QueueStats;
	/** How often to retry if the server cannot have started the request. Default: 0. */
	maxRetries?: number;
	/** The retries of several requests together, instead of `maxRetries`. */
	retryPolicy?: RetryPolicy;
	/** May also be sent again after a lost connection, so an open connection can be reused. Default: GET only. */
	isIdempotent?: boolean;
	/** The error if a redirect leads to a URL that must not be fetched. */
	rejectRedirect?(url: string): ServerError | undefined;
	/** How much of the response is read. */
	limits: ResponseLimits;
	/** A model wrote the response: only secrets that nobody guesses are masked in it. Default: false. */
	isWritten?: boolean;
	/** Return error responses instead of throwing: used to identify servers. */
	allowErrorStatus?: boolean;
	/** Named in errors. */
	model?: string;
	/** Texts of the request that neither the author nor this package wrote: no title repeats them. Default: none. */
	textsOfOthers?: readonly string[];
}

/** A part of a streamed response, as it arrived. What it means is decided by its reader. */
export interface StreamPart {
	/**
	 * `event`: framed as the protocol says, or one of several JSON lines. `line`: any other line, such as a router's
	 * `proxy error: …`, or an event whose `data: ` a gateway has omitted. `document`: the body was one JSON value, complete to
	 * its last bracket, instead of a stream.
	 */
	type: 'event' | 'line' | 'document';
	/** The data of the event, or the line. */
	text: string;
}

/** A response whose body has not been read. */
export interface HttpResponse extends ResponseHead {
	/** For errors about the response. */
	errorContext: ErrorContext;
	/**
	 * The error that a text in the response means.
	 *
	 * @param isAfterOutput - Whether output of the model came before it. Default: false.
	 */
	toError(text: string, isAfterOutput?: boolean): ServerError;
	/**
	 * The full body, with secrets masked.
	 *
	 * @param onBroken - Called with what arrived if the body breaks off.
	 * @throws a `BodyTooLargeError`.
	 */
	text(onBroken?: (received: string) => void): Promise<string>;
	/** @throws a `ServerError` for anything but a JSON object without an error. */
	json(): Promise<JsonRecord>;
	/** All parts of a stream in their order, as many as arrived together. */
	parts(): AsyncIterable<readonly StreamPart[]>;
	/** The bytes of a file. */
	bytes(): AsyncIterable<Uint8Array>;
	/**
	 * Call this when content arrives, not for a ping. The idle timeout then replaces the first-token timeout, and the
	 * request is not sent again.
	 */
	markContent(): void;
	/** Call this when only an end marker may follow: the stream is read for 3 s more. */
	expectEnd(): void;
	/** How the request passed the queue. */
	queueStats: QueueStats;
}
