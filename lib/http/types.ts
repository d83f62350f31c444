import type { ServerError } from '../errors/server-error';
import type { Limits } from './limits';
import type { ServerSentEvent } from './sse';

/** n8n's egress filter, as `helpers.getSecureEgressFilter()` gives it from n8n 2.30 on. */
export interface EgressFilter {
	validateUrl(url: string | URL): Promise<{ ok: boolean; error?: Error }>;
	createSecureLookup(): (hostname: string, options: object, done: (...args: never[]) => void) => void;
	validateRedirectSync(url: string): void;
}

export interface ConnectionSettings {
	/** As the user typed it. */
	baseUrl: string;
	/** Headers that carry the key and the user's extra headers. They never leave the origin of the base URL. */
	headers?: Record<string, string>;
	ignoreSslIssues?: boolean;
	/** Generations at once over this credential; 0 = unlimited. */
	maxConcurrentRequests?: number;
	egressFilter?: EgressFilter;
	/** Milliseconds for making a connection, default 10 s. */
	connectLimitMs?: number;
	/** What is asked, where that is no model server: errors then advise about that. */
	service?: 'dify';
}

export interface RequestOptions {
	method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
	/** Sent as JSON. */
	json?: unknown;
	/** Sent as it is, with its own content type; for uploads. */
	body?: { content: AsyncIterable<Uint8Array> | Uint8Array; contentType: string; length?: number };
	headers?: Record<string, string>;
	signal?: AbortSignal;
	/** Named in errors about the model. */
	model?: string;
}

export interface CallOptions extends RequestOptions {
	/** For the whole call, default 15 s. */
	timeoutMs?: number;
	/** A call that changes something: own connection, never sent twice. Default: every method but GET. */
	once?: boolean;
	/** Longest pause between two pieces of an upload, and before its answer. */
	idleMs?: number;
	/** Longest answer in bytes, default 64 MB. */
	mostBytes?: number;
}

export interface CallAnswer {
	status: number;
	headers: Record<string, string>;
	text: string;
	/** Parsed body, where it is JSON. */
	json: unknown;
	/** Where the answer came from, after redirects. */
	url: string;
	/** Statuses of the redirects, where there were any. */
	redirects?: number[];
}

export interface StreamOptions extends RequestOptions {
	limits?: Partial<Limits>;
	/** How often a refused connection or a server that is too busy to take the request up is tried again. */
	retries?: number;
	/** The error for an answer that is no stream, where the server has error bodies of its own kind. Default: `refusal`. */
	refuse?: (answer: CallAnswer) => ServerError;
	/** Called with every piece of the answer that arrives, also with one that completes no event. */
	onBytes?: () => void;
	/** Called before each wait for a server that is loading or busy. */
	onWait?: (reason: 'loading' | 'busy' | 'refused', elapsedMs: number) => void;
}

/** An answer whose body is being read: batches of events, one batch per piece that arrived from the network. */
export interface EventStream {
	url: string;
	status: number;
	headers: Record<string, string>;
	/** A JSON answer although a stream was asked for comes as one event named `whole-answer`. */
	batches: AsyncIterable<ServerSentEvent[]>;
	/** To be called when the first token arrived: from then on the idle limit counts in place of the first-token limit. */
	firstToken(): void;
	/** To be called when only an end marker can still come: a socket that is left open is then given up after 3 s. */
	finishing(): void;
	/** Lines in the body that were no events. */
	strayLines(): readonly string[];
	/** Closes the connection if it is still open, which frees the server's slot. */
	close(): void;
}
