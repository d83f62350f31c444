import type { Connection } from '../http/connection';
import type { CallAnswer, CallOptions, Download, DownloadOptions, EventStream, StreamOptions } from '../http/types';
import { pauseFor } from '../http/waiting';
import type { FailureKind } from '../errors/kinds';
import { asFailed, type ServerError } from '../errors/server-error';
import { networkFailure } from '../errors/network-failure';
import { answerError, difyFailure } from './failure';
import { concurrencyOf, type RunConcurrency } from './run-concurrency';
import { exactJson, finiteNumber, isRecord, type JsonRecord } from '../values';
import { MAX_RETRY_AFTER_MS } from '../http/retry-after';

export type Query = Record<string, string | number | undefined>;

export interface AskOptions {
	/** Milliseconds for the whole call, default 15 s. */
	timeoutMs?: number;
	/** The call may be sent again although it may have been taken up: twice does the same as once. */
	idempotent?: boolean;
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** What is asked of any route. */
export interface AskRequest extends AskOptions {
	query?: Query;
	/** Sent as JSON. */
	body?: JsonRecord;
}

const BACK_OFF_MS = [500, 1_500];

/** Failures of the network that another attempt may not meet again. */
export const TRANSIENT_KINDS: ReadonlySet<FailureKind> = new Set(['refused', 'closedBeforeAnswer', 'connectionLost']);

/** An idempotent call is sent again for what may pass by itself (docs/protocols/dify.md 5.3). */
const PASSING_STATUS: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** One Dify with one key: short calls. Runs are in `run.ts`, uploads in `upload.ts`. */
export class DifyClient {
	/** @param api base URL without trailing slash */
	constructor(
		readonly connection: Connection,
		readonly api: string,
		/** What tells the app from others, for the runs that n8n has in it at once. */
		private readonly app: string = api,
		/** Ends what is asked for, and what waits. */
		readonly signal?: AbortSignal,
		/** Stands for the execution; `inexact` are numbers of answers that JavaScript cannot hold, and that are texts now. */
		readonly execution = { inexact: new Set<string>() },
	) {}

	/** Bounds the runs of the app. Looked up each time: it is forgotten while nothing runs. */
	get concurrency(): RunConcurrency {
		return concurrencyOf(this.app);
	}

	/** The same, until this signal aborts; without one, nothing ends it. */
	within(signal: AbortSignal | undefined): DifyClient {
		return new DifyClient(this.connection, this.api, this.app, signal, this.execution);
	}

	/** The same, telling Dify which span its work belongs to. */
	traced(connection: Connection): DifyClient {
		return new DifyClient(connection, this.api, this.app, this.signal, this.execution);
	}

	/** Of a route. What is empty is left out of the query: it asks for nothing. */
	url(path: string, query: Query = {}): string {
		const entries = Object.entries(query).flatMap(([name, value]) =>
			value === undefined || value === '' ? [] : [[name, String(value)] as [string, string]],
		);
		return `${this.api}${path}${entries.length === 0 ? '' : `?${new URLSearchParams(entries).toString()}`}`;
	}

	/**
	 * Asks for something. Sent again up to twice where that may help, since a GET changes nothing.
	 *
	 * @throws {ServerError} for an answer that is none, and when there is no answer
	 */
	async get(path: string, query: Query = {}, options: AskOptions = {}): Promise<JsonRecord> {
		return await this.asked('GET', this.url(path, query), undefined, { ...options, idempotent: true }, (answer) =>
			this.readObject(answer, 'GET'),
		);
	}

	/**
	 * Changes something. The answer is an object; that of a 204, which has no body, an empty one
	 * (docs/protocols/dify.md 2.8).
	 */
	async send(
		method: 'POST' | 'PUT' | 'DELETE',
		path: string,
		body: JsonRecord,
		options: AskOptions = {},
	): Promise<JsonRecord> {
		return await this.asked(method, this.url(path), body, options, (answer) => this.readObject(answer, method));
	}

	/**
	 * Asks or changes something whose answer may be any JSON, or nothing: the knowledge API answers with objects, lists,
	 * and the number 204 (docs/protocols/dify.md 2.13).
	 *
	 * @throws {ServerError} for a status of 300 and more, for text that is no JSON, and when there is no answer
	 */
	async ask(method: Method, path: string, request: AskRequest = {}): Promise<unknown> {
		const { query, body, ...options } = request;
		return await this.asked(method, this.url(path, query), body, options, (answer) => this.readJson(answer, method));
	}

	/** Opens a stream. It has no limits: whoever reads it watches the time. @throws {ServerError} */
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
			throw difyFailure('cancelled', { url, meaning: 'The execution was stopped before Dify answered' });
		});
	}

	/** Fetches a file, with GET unless there is something to send. @throws {ServerError} also from its pieces */
	async download(path: string, request: Pick<DownloadOptions, 'json' | 'limits'>, query?: Query): Promise<Download> {
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
		const request = { method, signal: this.signal, timeoutMs, ...(body === undefined ? {} : { json: body }) };
		for (let tries = 0; ; tries++) {
			const outcome = await this.attempt(url, request, read);
			if ('value' in outcome) return outcome.value;
			const backOff = BACK_OFF_MS[tries];
			const pause = backOff === undefined ? undefined : pauseAfter(outcome.failed, backOff);
			if (pause === undefined || idempotent !== true || !isTransient(outcome.failed)) throw outcome.failed;
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
			return { value: read({ ...answer, json: this.parse(answer.text, answer.json) }) };
		} catch (error) {
			return { failed: networkFailure(error, this.connection.contextOf(url)) };
		}
	}

	/** JSON as Dify's Python writes it. @param parsed the same, where it was read already */
	parse(json: string, parsed?: unknown): unknown {
		const { value, large } = exactJson(json, parsed);
		large.forEach((number) => this.execution.inexact.add(number));
		return value;
	}

	/** The object in an answer. @throws {ServerError} */
	readObject(answer: CallAnswer, method: string): JsonRecord {
		if (answer.status === 204) return {};
		if (answer.status < 300 && isRecord(answer.json) && !isErrorInside(answer.json)) return answer.json;
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

	/** Waits for a place among the runs of the app. @throws {ServerError} of kind `cancelled` */
	async enter(concurrency: RunConcurrency, url: string): Promise<void> {
		await concurrency.enter(this.signal).catch(() => this.cancelled(url));
	}

	private cancelled(url: string): never {
		throw difyFailure('cancelled', { url, remedy: 'Nothing was running in Dify at that moment.' });
	}
}

/** An error, Dify's own or that of a gateway, which a proxy may have given another status. */
function isErrorInside(json: unknown): boolean {
	if (!isRecord(json)) return false;
	const { code, message, status, error } = json;
	if (isRecord(error) && typeof error.message === 'string') return true;
	return typeof code === 'string' && typeof message === 'string' && (finiteNumber(status) ?? 0) >= 400;
}

/** How long to wait before the same is sent again; undefined where the other side wants a pause that is too long. */
export function pauseAfter(error: ServerError, backOffMs: number): number | undefined {
	const wanted = error.facts.retryAfterMs;
	if (typeof wanted !== 'number') return backOffMs;
	return wanted > MAX_RETRY_AFTER_MS ? undefined : Math.max(wanted, backOffMs);
}

function isTransient(error: ServerError): boolean {
	if (error.status === undefined) return TRANSIENT_KINDS.has(error.kind);
	return error.kind !== 'quota' && (error.retryable || PASSING_STATUS.has(error.status));
}
