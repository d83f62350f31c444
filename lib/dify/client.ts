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
	timeoutMs?: number;
	/** It may be sent again even if Dify may have processed it: twice does the same as once. Default: GET only. */
	isIdempotent?: boolean;
}

interface UploadOptions {
	/** Text fields of the form, in front of the file. */
	fields?: Record<string, string>;
	/** Longest pause in sending, and longest wait for Dify to store the file, in milliseconds. Default: two minutes. */
	idleTimeoutMs?: number;
}

const LIMIT_MS = 60_000;
const UPLOAD_IDLE_MS = 120_000;
/** Retries of what may be sent twice. */
const RETRIES = 2;

/** Client of one Dify with one key. Runs are in `run/`. */
export class DifyClient {
	constructor(
		readonly endpoint: DifyEndpoint,
		/** Aborts requests and pauses. */
		readonly signal?: AbortSignal,
	) {}

	/** The same client with another signal; undefined: it cannot be aborted. */
	withSignal(signal: AbortSignal | undefined): DifyClient {
		return new DifyClient(this.endpoint, signal);
	}

	/** URL of a route. Empty values are left out of the query. */
	buildUrl(path: string, query: Query = {}): string {
		const search = new URLSearchParams();
		for (const [name, value] of Object.entries(query))
			if (value !== undefined && value !== '') search.set(name, String(value));
		return `${this.endpoint.url.api}${path}${search.size === 0 ? '' : `?${search.toString()}`}`;
	}

	/** An object by GET, which is sent again after passing failures. @throws {ServerError} for anything else */
	async get(path: string, query?: Query): Promise<JsonRecord> {
		return await this.requestObject('GET', path, { query });
	}

	/** Sends a change. The answer is an object, empty for a 204 (docs/protocols/dify.md 2.8). */
	async sendJson(
		method: Exclude<Method, 'GET'>,
		path: string,
		json: JsonRecord,
		options: DifyRequestOptions = {},
	): Promise<JsonRecord> {
		return await this.requestObject(method, path, { ...options, json });
	}

	/**
	 * Any JSON, or nothing: the knowledge API answers with objects, lists, and the number 204 (docs/protocols/dify.md
	 * 2.13).
	 *
	 * @throws {ServerError} for a refusal, for text that is no JSON, and when there is no answer
	 */
	async requestJson(
		method: Method,
		path: string,
		{ query, json, timeoutMs = LIMIT_MS, isIdempotent = method === 'GET' }: DifyRequestOptions = {},
	): Promise<unknown> {
		const asked: RequestOptions = {
			method,
			url: this.buildUrl(path, query),
			json,
			isIdempotent,
			maxRetries: isIdempotent ? RETRIES : 0,
			timeouts: { firstTokenMs: 0, idleMs: 0, totalMs: timeoutMs },
		};
		return await this.open(asked, async (answer) => await this.readJson(answer, asked));
	}

	/** Streams a file as a form, so that it is never whole in memory. @throws {ServerError} */
	async upload(
		path: string,
		file: FileSource,
		{ fields = {}, idleTimeoutMs = UPLOAD_IDLE_MS }: UploadOptions = {},
	): Promise<JsonRecord> {
		// The part of the file must be called `file`, and needs a MIME type (docs/protocols/dify.md 2.9).
		const upload = createFormBody([
			...Object.entries(fields).map(([field, value]) => ({ field, value })),
			{ field: 'file', file },
		]);
		const timeouts = { firstTokenMs: idleTimeoutMs, idleMs: idleTimeoutMs, totalMs: 0 };
		const asked: RequestOptions = { url: this.buildUrl(path), upload, timeouts };
		const sent: UploadProgress = upload.sent;
		const sending = this.open(asked, async (answer) => await this.readJson(answer, asked));
		const json = await sending.catch((error: unknown) => {
			throw explainUploadError(error, file, { ...sent, idleMs: idleTimeoutMs });
		});
		return this.assertObject(json, path);
	}

	/** Opens a route and reads its answer. @throws {ServerError} */
	async open<T>(asked: RequestOptions, read: (answer: HttpResponse) => Promise<T>): Promise<T> {
		return await request(this.endpoint, { signal: this.signal, ...asked }, read);
	}

	/** Waits before another attempt. @throws {ServerError} of kind `cancelled` */
	async sleep(ms: number): Promise<void> {
		await sleepWithAbort(ms, this.signal).catch(() => {
			throw createDifyError('aborted');
		});
	}

	private async requestObject(
		method: Method,
		path: string,
		options: DifyRequestOptions,
	): Promise<JsonRecord> {
		return this.assertObject((await this.requestJson(method, path, options)) ?? {}, path);
	}

	private assertObject(json: unknown, path: string): JsonRecord {
		if (isRecord(json)) return json;
		throw createDifyError('emptyResponse', {
			url: this.buildUrl(path),
			message: 'Dify returned an unexpected response',
		});
	}

	/** A proxy may change the status of a refusal to 200, and some answers have no body. */
	private async readJson(answer: HttpResponse, asked: RequestOptions): Promise<unknown> {
		const text = await answer.text();
		const json = parseJson(text);
		const isReadable = json !== undefined || text.trim() === '';
		if (isReadable && parseErrorBody(json) === undefined) return json;
		const { url, status, headers } = answer;
		throw toResponseError(this.endpoint, asked, { url, status, headers, text });
	}
}
