import type { HttpResponse, RequestOptions, Endpoint } from '../http/types';
import { toResponseError } from '../http/request-errors';
import { createFormBody, type FileSource, type UploadProgress } from '../http/multipart';
import { request } from '../http/request';
import { sleepWithAbort } from '../http/sleep';
import { parseJson } from '../json';
import { isRecord, type JsonRecord } from '../values';
import { createDifyError, parseErrorBody, explainUploadError } from './errors';

export type Query = Record<string, string | number | undefined>;
export type Method = NonNullable<RequestOptions['method']>;

interface DifyEndpoint extends Endpoint {
	/** The helpers of the node's context, from which tracing gets the node's span. */
	readonly host?: object;
}

interface DifyRequestOptions {
	query?: Query;
	json?: JsonRecord;
	/** Milliseconds for all of it, retries included. Default: 60 s. */
	limitMs?: number;
	/** It may be sent again even if Dify may have processed it: twice does the same as once. Default: GET only. */
	isIdempotent?: boolean;
}

interface UploadOptions {
	/** Text fields of the form, in front of the file. */
	fields?: Record<string, string>;
	/** Longest pause in sending, and longest wait for Dify to store the file, in milliseconds. Default: two minutes. */
	idleMs?: number;
}

const LIMIT_MS = 60_000;
const UPLOAD_IDLE_MS = 120_000;
/** Retries of what may be sent twice. */
const RETRIES = 2;

/** Client of one Dify with one key. Runs are in `run/`. */
export class DifyClient {
	constructor(
		readonly target: DifyEndpoint,
		/** Aborts requests and pauses. */
		readonly signal?: AbortSignal,
	) {}

	/** The same client with another signal; undefined: it cannot be aborted. */
	withSignal(signal: AbortSignal | undefined): DifyClient {
		return new DifyClient(this.target, signal);
	}

	/** URL of a route. Empty values are left out of the query. */
	href(path: string, query: Query = {}): string {
		const search = new URLSearchParams();
		for (const [name, value] of Object.entries(query))
			if (value !== undefined && value !== '') search.set(name, String(value));
		return `${this.target.url.api}${path}${search.size === 0 ? '' : `?${search.toString()}`}`;
	}

	/** An object by GET, which is sent again after passing failures. @throws {ServerError} for anything else */
	async get(path: string, query?: Query): Promise<JsonRecord> {
		return await this.object('GET', path, { query });
	}

	/** Sends a change. The answer is an object, empty for a 204 (docs/protocols/dify.md 2.8). */
	async send(
		method: Exclude<Method, 'GET'>,
		path: string,
		json: JsonRecord,
		options: DifyRequestOptions = {},
	): Promise<JsonRecord> {
		return await this.object(method, path, { ...options, json });
	}

	/**
	 * Any JSON, or nothing: the knowledge API answers with objects, lists, and the number 204 (docs/protocols/dify.md
	 * 2.13).
	 *
	 * @throws {ServerError} for a refusal, for text that is no JSON, and when there is no answer
	 */
	async ask(
		method: Method,
		path: string,
		{ query, json, limitMs = LIMIT_MS, isIdempotent = method === 'GET' }: DifyRequestOptions = {},
	): Promise<unknown> {
		const asked: RequestOptions = {
			method,
			url: this.href(path, query),
			json,
			isIdempotent,
			retries: isIdempotent ? RETRIES : 0,
			limits: { firstTokenMs: 0, idleMs: 0, totalMs: limitMs },
		};
		return await this.open(asked, async (answer) => await this.jsonOf(answer, asked));
	}

	/** Streams a file as a form, so that it is never whole in memory. @throws {ServerError} */
	async upload(
		path: string,
		file: FileSource,
		{ fields = {}, idleMs = UPLOAD_IDLE_MS }: UploadOptions = {},
	): Promise<JsonRecord> {
		// The part of the file must be called `file`, and needs a MIME type (docs/protocols/dify.md 2.9).
		const upload = createFormBody([
			...Object.entries(fields).map(([field, value]) => ({ field, value })),
			{ field: 'file', file },
		]);
		const limits = { firstTokenMs: idleMs, idleMs, totalMs: 0 };
		const asked: RequestOptions = { url: this.href(path), upload, limits };
		const sent: UploadProgress = upload.sent;
		const sending = this.open(asked, async (answer) => await this.jsonOf(answer, asked));
		const json = await sending.catch((error: unknown) => {
			throw explainUploadError(error, file, { ...sent, idleMs });
		});
		return this.objectIn(json, path);
	}

	/** Opens a route and reads its answer. @throws {ServerError} */
	async open<T>(asked: RequestOptions, read: (answer: HttpResponse) => Promise<T>): Promise<T> {
		return await request(this.target, { signal: this.signal, ...asked }, read);
	}

	/** Waits before another attempt. @throws {ServerError} of kind `cancelled` */
	async pause(ms: number): Promise<void> {
		await sleepWithAbort(ms, this.signal).catch(() => {
			throw createDifyError('cancelled');
		});
	}

	private async object(
		method: Method,
		path: string,
		options: DifyRequestOptions,
	): Promise<JsonRecord> {
		return this.objectIn((await this.ask(method, path, options)) ?? {}, path);
	}

	private objectIn(json: unknown, path: string): JsonRecord {
		if (isRecord(json)) return json;
		throw createDifyError('emptyAnswer', {
			url: this.href(path),
			message: 'Dify returned an unexpected response',
		});
	}

	/** A proxy may change the status of a refusal to 200, and some answers have no body. */
	private async jsonOf(answer: HttpResponse, asked: RequestOptions): Promise<unknown> {
		const text = await answer.text();
		const json = parseJson(text);
		const isReadable = json !== undefined || text.trim() === '';
		if (isReadable && parseErrorBody(json) === undefined) return json;
		const { url, status, headers } = answer;
		throw toResponseError(this.target, asked, { url, status, headers, text });
	}
}
