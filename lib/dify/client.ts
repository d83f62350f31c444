import type { Connection } from '../http/connection';
import type {
	CallAnswer,
	CallOptions,
	Download,
	DownloadOptions,
	EventStream,
	StreamOptions,
} from '../http/types';
import { pauseFor } from '../http/waiting';
import type { FailureKind } from '../errors/kinds';
import { asFailed, type ServerError } from '../errors/server-error';
import { networkFailure } from '../errors/network-failure';
import { answerError, difyFailure, stoppedEarly } from './errors/failure';
import { finiteNumber, isRecord, type JsonRecord, optional } from '../values';
import { MAX_RETRY_AFTER_MS } from '../http/retry-after';

export type Query = Record<string, string | number | undefined>;

interface AskOptions {
	/** Milliseconds for the whole call, default 15 s. */
	timeoutMs?: number;
	/** The call may be retried even if Dify may have processed it: twice does the same as once. */
	idempotent?: boolean;
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** A request to any route. */
interface AskRequest extends AskOptions {
	query?: Query;
	/** Sent as JSON. */
	body?: JsonRecord;
}

const BACK_OFF_MS = [500, 1_500];

/** Network failures after which a retry may succeed. */
const TRANSIENT_KINDS: ReadonlySet<FailureKind> = new Set([
	'refused',
	'closedBeforeAnswer',
	'connectionLost',
]);

/** Statuses after which an idempotent call is retried (docs/protocols/dify.md 5.3). */
const TRANSIENT_STATUS: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** Client of one Dify with one key, for short calls. Runs are in `run.ts`, uploads in `upload.ts`. */
export class DifyClient {
	/** @param api base URL without trailing slash */
	constructor(
		readonly connection: Connection,
		readonly api: string,
		/** Aborts requests and pauses. */
		readonly signal?: AbortSignal,
	) {}

	/** The same client with another signal; undefined: it cannot be aborted. */
	withSignal(signal: AbortSignal | undefined): DifyClient {
		return new DifyClient(this.connection, this.api, signal);
	}

	/** The same client with a connection that sends the tracing span to Dify. */
	traced(connection: Connection): DifyClient {
		return new DifyClient(connection, this.api, this.signal);
	}

	/** URL of a route. Empty values are left out of the query. */
	url(path: string, query: Query = {}): string {
		const entries = Object.entries(query).flatMap(([name, value]) =>
			value === undefined || value === '' ? [] : [[name, String(value)] as [string, string]],
		);
		return `${this.api}${path}${entries.length === 0 ? '' : `?${new URLSearchParams(entries).toString()}`}`;
	}

	/**
	 * Sends a GET. Retried up to twice after transient failures.
	 *
	 * @throws {ServerError} for an error or unreadable answer, and when there is no answer
	 */
	async get(path: string, query: Query = {}, options: AskOptions = {}): Promise<JsonRecord> {
		return await this.asked(
			'GET',
			this.url(path, query),
			undefined,
			{ ...options, idempotent: true },
			(answer) => this.readObject(answer, 'GET'),
		);
	}

	/** Sends a change. The answer is an object, empty for a 204 (docs/protocols/dify.md 2.8). */
	async send(
		method: Exclude<Method, 'GET'>,
		path: string,
		body: JsonRecord,
		options: AskOptions = {},
	): Promise<JsonRecord> {
		return await this.asked(method, this.url(path), body, options, (answer) =>
			this.readObject(answer, method),
		);
	}

	/**
	 * Sends a request whose answer may be any JSON, or nothing: the knowledge API answers with objects, lists, and the
	 * number 204 (docs/protocols/dify.md 2.13).
	 *
	 * @throws {ServerError} for a status of 300 and more, for text that is not JSON, and when there is no answer
	 */
	async ask(method: Method, path: string, request: AskRequest = {}): Promise<unknown> {
		const { query, body, ...options } = request;
		return await this.asked(method, this.url(path, query), body, options, (answer) =>
			this.readJson(answer, method),
		);
	}

	/** Opens a stream. It has no time limits: the reader watches them. @throws {ServerError} */
	async stream(
		url: string,
		request: Pick<StreamOptions, 'method' | 'json' | 'onBytes' | 'signal'>,
	): Promise<EventStream> {
		const { method = 'POST' } = request;
		const opening = this.connection.stream(url, {
			signal: this.signal,
			...request,
			limits: { firstTokenMs: 0, idleMs: 0, totalMs: 0 },
			refuse: (answer) => answerError(this.connection, answer, method),
		});
		return await opening.catch((error: unknown) => {
			if (asFailed(error).failed.kind !== 'aborted') throw error;
			throw stoppedEarly(url);
		});
	}

	/** Fetches a file, with GET unless there is something to send. @throws {ServerError} also from its pieces */
	async download(
		path: string,
		request: Pick<DownloadOptions, 'json' | 'limits'>,
		query?: Query,
	): Promise<Download> {
		const method = request.json === undefined ? 'GET' : 'POST';
		return await this.connection.download(this.url(path, query), {
			...request,
			method,
			signal: this.signal,
			refuse: (answer) => answerError(this.connection, answer, method),
		});
	}

	private async asked<T>(
		method: Method,
		url: string,
		body: JsonRecord | undefined,
		{ timeoutMs, idempotent }: AskOptions,
		read: (answer: CallAnswer) => T,
	): Promise<T> {
		const request = {
			method,
			signal: this.signal,
			timeoutMs,
			...optional({ json: body }),
		};
		for (let tries = 0; ; tries++) {
			const outcome = await this.attempt(url, request, read);
			if ('value' in outcome) return outcome.value;
			const backOff = BACK_OFF_MS[tries];
			const pause = backOff === undefined ? undefined : retryDelay(outcome.failed, backOff);
			if (pause === undefined || idempotent !== true || !isWorthRetrying(outcome.failed))
				throw outcome.failed;
			await this.pause(pause, url);
		}
	}

	private async attempt<T>(
		url: string,
		request: CallOptions,
		read: (answer: CallAnswer) => T,
	): Promise<{ value: T } | { failed: ServerError }> {
		try {
			const answer = await this.connection.call(url, request);
			return { value: read(answer) };
		} catch (error) {
			return { failed: networkFailure(error, this.connection.contextOf(url)) };
		}
	}

	/** The object in an answer. @throws {ServerError} */
	readObject(answer: CallAnswer, method: string): JsonRecord {
		if (answer.status === 204) return {};
		if (answer.status < 300 && isRecord(answer.json) && !isErrorInside(answer.json))
			return answer.json;
		throw answerError(this.connection, answer, method);
	}

	private readJson(answer: CallAnswer, method: string): unknown {
		const isReadable = answer.json !== undefined || answer.text.trim() === '';
		if (answer.status < 300 && isReadable && !isErrorInside(answer.json)) return answer.json;
		throw answerError(this.connection, answer, method);
	}

	/** Waits before another attempt. @throws {ServerError} of kind `cancelled` */
	async pause(ms: number, url: string): Promise<void> {
		await pauseFor(ms, this.signal).catch(() => this.cancelled(url));
	}

	private cancelled(url: string): never {
		throw difyFailure('cancelled', { url, remedy: 'Nothing was running in Dify at that moment.' });
	}
}

/** Whether the body is an error (of Dify or a gateway) although a proxy changed its status. */
function isErrorInside(json: unknown): boolean {
	if (!isRecord(json)) return false;
	const { code, message, status, error } = json;
	if (isRecord(error) && typeof error.message === 'string') return true;
	return (
		typeof code === 'string' && typeof message === 'string' && (finiteNumber(status) ?? 0) >= 400
	);
}

/** Milliseconds before a retry: the backoff or a longer Retry-After; undefined where that is too long. */
export function retryDelay(error: ServerError, backOffMs: number): number | undefined {
	const retryAfterMs = error.facts.retryAfterMs;
	if (typeof retryAfterMs !== 'number') return backOffMs;
	return retryAfterMs > MAX_RETRY_AFTER_MS ? undefined : Math.max(retryAfterMs, backOffMs);
}

function isWorthRetrying(error: ServerError): boolean {
	if (error.status === undefined) return TRANSIENT_KINDS.has(error.kind);
	return error.kind !== 'quota' && (error.retryable || TRANSIENT_STATUS.has(error.status));
}
