/** HTTP client of Dify's Service API. */
import { parseHostAndPort } from '../errors/host-and-port';
import type { HttpResponse, RequestOptions, Endpoint } from '../http/types';
import type { FileSource } from '../http/multipart';
import { createFormBody } from '../http/multipart';
import { RequestQueue } from '../http/queue';
import { request } from '../http/request';
import { keepWithin } from '../kept';
import type { LruCache } from '../lru-cache';
import { fetchOnce } from '../lru-cache';
import { sleepWithAbort } from '../http/sleep';
import { TASK_LIMITS } from '../task-limits';
import type { JsonRecord } from '../values/records';
import { isRecord, isUnset } from '../values/records';
import { parseJsonExactly } from '../values/exact-json';
import { collectTexts } from '../values/text';
import { parseErrorBody } from './response-error';
import { explainUploadError } from './upload-error';
import { createDifyError } from './create-error';
import { getRouteObjects } from './missing-object';
import { withoutSent } from '../errors/secrets';
import type { MissingObject } from '../errors/facts';
import { ServerError } from '../errors/server-error';
import { getAppType, toAppTypeError } from './app-type';

/** Of a URL. Empty values are omitted. */
export type Query = Record<string, string | number | undefined>;

export type Method = NonNullable<RequestOptions['method']>;

interface DifyEndpoint extends Endpoint {
	/** Helpers of the node's context, for the node's span in tracing. */
	readonly n8nHelpers?: object;
}

/** Of a request that is no upload and no stream. */
interface DifyRequestOptions {
	query?: Query;
	json?: JsonRecord;
	/** Total time in milliseconds, retries included. Default: 60 s. */
	timeoutMs?: number;
	/** Whether it may be resent after Dify may have processed it. Default: GET only. */
	isIdempotent?: boolean;
}

interface ChangeOptions extends DifyRequestOptions {
	json: JsonRecord;
}

interface UploadOptions {
	/** Text fields of the form, before the file. */
	fields?: Record<string, string>;
	/** Longest pause in sending, and longest wait for Dify to store the file, in milliseconds. Default: two minutes. */
	idleMs?: number;
}

/** Of a request, with its retries. */
const TIMEOUT_MS = 60_000;

const UPLOAD_IDLE_TIMEOUT_MS = 120_000;

/** Retries of idempotent requests. */
const MAX_RETRIES = 2;

/** What all clients of an execution have in common. */
interface SharedState {
	/** Responses of `getCached`, by path. */
	cache: LruCache<Promise<JsonRecord>>;
	runs: RequestQueue;
}

/** Client of one Dify with one key. Runs are in `run/`. */
export class DifyClient {
	constructor(
		readonly endpoint: DifyEndpoint,
		/** Aborts requests and pauses. */
		readonly signal?: AbortSignal | undefined,
		private readonly shared: SharedState = {
			cache: keepWithin('difyLookups'),
			runs: new RequestQueue(),
		},
	) {}

	/** Passed by the runs of an execution, of which fewer are sent at the same time once Dify has refused one. */
	get runs(): RequestQueue {
		return this.shared.runs;
	}

	/** Host name of Dify, as errors know it. */
	get host(): string | undefined {
		return parseHostAndPort(this.endpoint.url.api).host;
	}

	/** The same client, with the same cache and queue, for another signal; undefined: it cannot be aborted. */
	withSignal(signal: AbortSignal | undefined): DifyClient {
		return new DifyClient(this.endpoint, signal, this.shared);
	}

	/** The same client for all requests of a run. What the one that starts it contains is not masked in its result. */
	forRun(body: JsonRecord): DifyClient {
		const secrets = withoutSent(this.endpoint.secrets, body);
		return new DifyClient({ ...this.endpoint, secrets }, this.signal, this.shared);
	}

	/** The same client for signed URLs, which may be on another host. */
	withoutKey(): DifyClient {
		return new DifyClient({ ...this.endpoint, headers: {} }, this.signal);
	}

	/** URL of a route. Empty values are omitted from the query. */
	buildUrl(path: string, query: Query = {}): string {
		const search = new URLSearchParams();
		for (const [name, value] of Object.entries(query)) {
			if (!isUnset(value)) search.set(name, String(value));
		}
		return `${this.endpoint.url.api}${path}${search.size === 0 ? '' : `?${search.toString()}`}`;
	}

	/**
	 * GETs an object, with retries after transient errors.
	 *
	 * @throws {ServerError}
	 */
	async get(path: string, query?: Query): Promise<JsonRecord> {
		return await this.requestObject('GET', path, { query });
	}

	/**
	 * GETs an object once in the life of the client, which is an execution.
	 *
	 * @throws {ServerError}
	 */
	async getCached(path: string): Promise<JsonRecord> {
		return await fetchOnce(this.shared.cache, path, async () => await this.get(path));
	}

	/**
	 * Sends a change.
	 *
	 * @returns the response; an empty object for a 204 (docs/protocols/dify.md 2.8)
	 * @throws {ServerError}
	 */
	async sendJson(
		method: Exclude<Method, 'GET'>,
		path: string,
		options: ChangeOptions,
	): Promise<JsonRecord> {
		return await this.requestObject(method, path, options);
	}

	/**
	 * Sends a request with any JSON as its response: the knowledge API returns objects, lists, the number 204, or no body
	 * (docs/protocols/dify.md 2.13).
	 *
	 * @returns undefined if there is no body
	 * @throws {ServerError} for an error response, invalid JSON, and a missing response
	 */
	async requestJson(
		method: Method,
		path: string,
		{
			query,
			json,
			timeoutMs = TIMEOUT_MS,
			isIdempotent = method === 'GET',
		}: DifyRequestOptions = {},
	): Promise<unknown> {
		return await this.sendAndRead(
			{
				method,
				url: this.buildUrl(path, query),
				json,
				isIdempotent,
				maxRetries: isIdempotent ? MAX_RETRIES : 0,
				limits: TASK_LIMITS.difyRequest.received,
				timeouts: { firstTokenMs: 0, idleMs: 0, totalMs: timeoutMs },
			},
			readJson,
		);
	}

	/**
	 * Streams a file as a form, without loading it into memory.
	 *
	 * @throws {ServerError}
	 */
	async upload(
		path: string,
		file: FileSource,
		{ fields = {}, idleMs = UPLOAD_IDLE_TIMEOUT_MS }: UploadOptions = {},
	): Promise<JsonRecord> {
		// The part of the file must be called `file`, and needs a MIME type (docs/protocols/dify.md 2.9).
		const upload = createFormBody(fields, [{ field: 'file', file }]);
		const timeouts = { firstTokenMs: idleMs, idleMs };
		const limits = TASK_LIMITS.difyUpload.received;
		const uploading = this.sendAndRead(
			{ url: this.buildUrl(path), upload, limits, timeouts },
			readJson,
		);
		const json = await uploading.catch((error: unknown) => {
			throw explainUploadError(error, file, { ...upload.sent, idleMs });
		});
		return this.assertObject(json, path);
	}

	/**
	 * Sends a request and reads the response.
	 *
	 * @throws {ServerError}
	 */
	async sendAndRead<T>(
		requestOptions: RequestOptions,
		read: (response: HttpResponse) => Promise<T>,
	): Promise<T> {
		// A request to Dify has only texts of users and of expressions.
		const textsOfOthers = collectTexts(requestOptions.json);
		const options = { signal: this.signal, textsOfOthers, ...requestOptions };
		const sent = request(this.endpoint, options, read);
		return await sent.catch(async (error: unknown) => {
			throw await this.explainMissing(await this.explainAppType(error));
		});
	}

	/**
	 * Dify only says that the route is for other apps, so the type of the app is looked up: behind every request, since any
	 * of them may be the first one with the wrong key.
	 */
	private async explainAppType(error: unknown): Promise<unknown> {
		if (!(error instanceof ServerError) || error.type !== 'wrongAppType') return error;
		const info = await this.getCached('/info').catch((): JsonRecord => ({}));
		const app = getAppType(info.mode);
		return app === undefined ? error : toAppTypeError(error, app);
	}

	/** A 404 whose object is known. A page without a code is a missing route. */
	private async explainMissing(error: unknown): Promise<unknown> {
		if (!(error instanceof ServerError) || error.status !== 404 || error.code === undefined)
			return error;
		const objects = getRouteObjects(this.getPath(error.url));
		const [object, outer] = [objects.at(-1), objects.at(-2)];
		if (object === undefined) return error;
		const outerError: unknown =
			outer && (await this.get(outer.path).catch((reason: unknown) => reason));
		if (outerError instanceof ServerError)
			return withMissing(error, outerError.known.missingObject);
		const { kind, id } = object;
		return kind === 'batch' ? error : withMissing(error, { kind, id });
	}

	/** Path of a URL of this Dify, without the root of the API. */
	private getPath(url = '') {
		const { api } = this.endpoint.url;
		return url.startsWith(api) ? url.slice(api.length).replace(/[?#].*/s, '') : '';
	}

	/**
	 * Waits before another attempt.
	 *
	 * @throws {ServerError} of type `aborted`
	 */
	async sleep(ms: number): Promise<void> {
		await sleepWithAbort(ms, this.signal).catch(() => {
			throw createDifyError('aborted');
		});
	}

	private async requestObject(method: Method, path: string, options: DifyRequestOptions) {
		return this.assertObject((await this.requestJson(method, path, options)) ?? {}, path);
	}

	private assertObject(json: unknown, path: string) {
		if (isRecord(json)) return json;
		throw createDifyError('emptyResponse', {
			url: this.buildUrl(path),
			about: { difyIssue: { kind: 'noObject' } },
		});
	}
}

/** The error with the object that is missing; unchanged if it is not known. */
function withMissing(error: ServerError, missingObject: MissingObject | undefined) {
	if (missingObject === undefined) return error;
	const known = error.withFacts({ missingObject });
	return missingObject.kind === 'knowledgeBase' ? known.asType('datasetNotFound') : known;
}

/** A proxy may change the status of an error response to 200, and some responses have no body. */
async function readJson(response: HttpResponse) {
	const text = await response.text();
	const json = parseJsonExactly(text);
	const isReadable = json !== undefined || text.trim() === '';
	if (isReadable && parseErrorBody(json) === undefined) return json;
	throw response.toError(text);
}
