/** What is asked of a server, and what it answers. */
import type { Timeouts } from './timeouts';
import type { Priority } from './queue';
import type { ErrorContext } from '../errors/create-error';
import type { ServerError } from '../errors/server-error';
import type { JsonRecord } from '../values';

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

/** A server as requests see it. */
export interface Endpoint {
	readonly url: ServerAddress;
	/** Identifies server and credential. Holds no key. */
	readonly id: string;
	/** The key and the user's extra headers, by lower-case names. They go to the origin of the base URL only. */
	readonly headers: Readonly<Record<string, string>>;
	readonly ignoreSslIssues: boolean;
	/** Generations at once, as the user set it; 0: as many as `slots` says. */
	readonly maxConcurrentRequests: number;
	/** How many generations the server handles at once with a model; undefined: not known. */
	getSlots(model?: string): number | undefined;
	readonly egressFilter?: EgressFilter;
	/** Hidden in all texts from outside. */
	readonly secrets: readonly string[];
	/** The failure that a refusal means, of a service with errors of its own; undefined where it is not from there. */
	toResponseError?(answer: ErrorResponse, context: ErrorContext): ServerError | undefined;
	/** What errors know of the server beside its address. */
	getErrorContext(model?: string): Partial<ErrorContext>;
}

export interface ResponseHead {
	/** After redirects. */
	url: string;
	status: number;
	/** Names in lower case. */
	headers: Record<string, string>;
}

/** An answer that was read because it is a refusal. */
export interface ErrorResponse extends ResponseHead {
	text: string;
}

/** A body that is sent as it is: a form with files. */
export interface UploadBody {
	content: AsyncIterable<Uint8Array> | Uint8Array;
	contentType: string;
	/** Bytes. */
	length?: number;
}

export interface RequestOptions {
	/** Default: GET without a body, else POST. */
	method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
	url: string;
	json?: JsonRecord;
	upload?: UploadBody;
	headers?: Readonly<Record<string, string>>;
	/** How a stream is framed. Default: server-sent events. */
	streamFormat?: 'events' | 'lines';
	timeouts?: Partial<Timeouts>;
	signal?: AbortSignal;
	/**
	 * Of a batch: where a person waits, it gives its place up, at most twice, and is sent anew. Default: yes. False
	 * where somebody sees the answer before its end.
	 */
	isPreemptible?: boolean;
	/** Its class in the queue. Without one it does not wait for a place: lists of models and other short requests. */
	priority?: Priority;
	/** How often it is sent again where the server cannot have taken it up. Default: not at all. */
	maxRetries?: number;
	/** It may be sent again after a lost connection, too, so it may use one that is open already. Default: GET only. */
	isIdempotent?: boolean;
	/** The failure where a redirect leads to an address that is not fetched. */
	rejectRedirect?(url: string): ServerError | undefined;
	/** Longest response in bytes. Default: 64 MB, of a stream 512 MB. */
	maxBytes?: number;
	/** Refusals are answers, too: for what tells a server apart. */
	allowErrorStatus?: boolean;
	/** The model that errors name. */
	model?: string;
}

/** An answer whose body is still to be read. */
export interface HttpResponse extends ResponseHead {
	text(): Promise<string>;
	/** @throws {ServerError} for anything but a JSON object that is no refusal */
	json(): Promise<JsonRecord>;
	/** The data of its events, as many as arrived at once. A whole JSON answer is one. */
	events(maxLength?: number): AsyncIterable<string[]>;
	/** The bytes of a file. */
	bytes(): AsyncIterable<Uint8Array>;
	/** Lines of a stream that were no events. */
	getNonEventLines(): readonly string[];
	/**
	 * To be called when content came, not for a ping. The idle limit takes the place of the first-token limit, and the
	 * request is not sent again.
	 */
	markContent(): void;
	/** To be called when only an end marker may follow: the stream is read for 3 s more. */
	expectEnd(): void;
	/** How it came through the queue. */
	queueStats: QueueStats;
}

export interface QueueStats {
	waitedMs: number;
	/** A batch gave up its place for it. */
	hasPreemptedBatch: boolean;
	/** How often it gave up its own place for a person. */
	timesPreempted: number;
}
