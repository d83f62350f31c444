import type { Connection } from '../http/connection';
import type { CallAnswer, CallOptions } from '../http/types';
import { pauseFor } from '../http/waiting';
import type { FailureKind } from '../errors/kinds';
import type { ServerError } from '../errors/server-error';
import { networkFailure } from '../errors/network-failure';
import { answerError, difyFailure } from './failure';
import { placesOf, type RunPlaces } from './places';
import { finiteNumber, isRecord, type JsonRecord } from '../values';
import { MAX_RETRY_AFTER_MS } from '../http/retry-after';

export type Query = Record<string, string | number | undefined>;

export interface AskOptions {
	signal?: AbortSignal;
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
export const PASSING: ReadonlySet<FailureKind> = new Set(['refused', 'closedBeforeAnswer', 'connectionLost']);

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
	) {}

	/** The places of the app's runs. Looked up each time: they are forgotten while nothing runs. */
	get places(): RunPlaces {
		return placesOf(this.app);
	}

	/** The same, telling Dify which span its work belongs to. */
	traced({ connection }: { connection: Connection }): DifyClient {
		return connection === this.connection ? this : new DifyClient(connection, this.api, this.app);
	}

	url(path: string, query: Query = {}): string {
		const entries = Object.entries(query).flatMap(([name, value]) =>
			value === undefined ? [] : [[name, String(value)] as [string, string]],
		);
		return `${this.api}${path}${entries.length === 0 ? '' : `?${new URLSearchParams(entries).toString()}`}`;
	}

	/**
	 * Asks for something. Sent again up to twice where that may help, since a GET changes nothing.
	 *
	 * @throws {ServerError} for an answer that is none, and when there is no answer
	 */
	async get(path: string, query: Query = {}, options: AskOptions = {}): Promise<JsonRecord> {
		return await this.object('GET', this.url(path, query), undefined, { ...options, idempotent: true });
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
		return await this.object(method, this.url(path), body, options);
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

	private async object(
		method: Method,
		url: string,
		body: JsonRecord | undefined,
		options: AskOptions,
	): Promise<JsonRecord> {
		return await this.asked(method, url, body, options, (answer) => this.readObject(answer, method));
	}

	private async asked<T>(
		method: Method,
		url: string,
		body: JsonRecord | undefined,
		options: AskOptions,
		read: (answer: CallAnswer) => T,
	): Promise<T> {
		const { signal, timeoutMs } = options;
		const request = { method, signal, timeoutMs, ...(body === undefined ? {} : { json: body }) };
		for (let tries = 0; ; tries++) {
			const outcome = await this.attempt(url, request, read);
			if ('value' in outcome) return outcome.value;
			const backOff = BACK_OFF_MS[tries];
			const pause = backOff === undefined ? undefined : pauseAfter(outcome.failed, backOff);
			if (pause === undefined || options.idempotent !== true || !mayPass(outcome.failed)) throw outcome.failed;
			await this.pause(pause, url, signal);
		}
	}

	private async attempt<T>(
		url: string,
		request: CallOptions,
		read: (answer: CallAnswer) => T,
	): Promise<{ value: T } | { failed: ServerError }> {
		try {
			return { value: read(await this.connection.call(url, request)) };
		} catch (error) {
			return { failed: networkFailure(error, this.connection.contextOf(url)) };
		}
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
	async pause(ms: number, url: string, signal?: AbortSignal): Promise<void> {
		try {
			await pauseFor(ms, signal);
		} catch {
			throw this.cancelled(url);
		}
	}

	/** Waits for a place among the runs of the app. @throws {ServerError} of kind `cancelled` when the signal aborts */
	async enter(places: RunPlaces, url: string, signal?: AbortSignal): Promise<void> {
		try {
			await places.enter(signal);
		} catch {
			throw this.cancelled(url);
		}
	}

	private cancelled(url: string): ServerError {
		return difyFailure('cancelled', { url, remedy: 'Nothing was running in Dify at that moment.' });
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

function mayPass(error: ServerError): boolean {
	if (error.status === undefined) return PASSING.has(error.kind);
	return error.kind !== 'quota' && (error.retryable || PASSING_STATUS.has(error.status));
}
