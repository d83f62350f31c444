/** HTTP client of Dify's Service API: requests, lists, and checked parts of paths. */
import type { HttpResponse, RequestOptions, Endpoint } from '../http/types';
import type { FileSource } from '../http/multipart';
import { createFormBody } from '../http/multipart';
import { request } from '../http/request';
import { formatMegabytes } from '../http/body-limits';
import { MemoryBudget } from '../json-memory';
import { fetchOnce } from '../lru-cache';
import { sleepWithAbort } from '../http/sleep';
import type { JsonRecord } from '../values/records';
import { isRecord, isUnset, asNonEmptyString, asRecords } from '../values/records';
import { parseJsonExactly } from '../values/exact-json';
import { pushAll } from '../values/lists';
import { asFiniteNumber } from '../values/numbers';
import { toText } from '../values/text';
import { parseErrorBody } from './response-error';
import { explainUploadError } from './upload-error';
import { createDifyError, createLocalError, createParamError } from './create-error';
import { createInputError } from '../errors/create-error';
import { ServerError } from '../errors/server-error';
import { getAppType, toAppTypeError } from './app-type';

export type Query = Record<string, string | number | undefined>;
export type Method = NonNullable<RequestOptions['method']>;

interface DifyEndpoint extends Endpoint {
	/** Helpers of the node's context, for the node's span in tracing. */
	readonly n8nHelpers?: object;
}

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
	/** Longest pause in sending, and longest wait for Dify to store the file. Default: two minutes. */
	idleMs?: number;
}

const TIMEOUT_MS = 60_000;
const UPLOAD_IDLE_TIMEOUT_MS = 120_000;
/** Retries of idempotent requests. */
const MAX_RETRIES = 2;

/** Client of one Dify with one key. Runs are in `run/`. */
export class DifyClient {
	constructor(
		readonly endpoint: DifyEndpoint,
		/** Aborts requests and pauses. */
		readonly signal?: AbortSignal | undefined,
		/** Responses of `getCached`, by path. */
		private readonly cache: Map<string, Promise<JsonRecord>> = new Map(),
	) {}

	/** The same client, with the same cache, for another signal; undefined: it cannot be aborted. */
	withSignal(signal: AbortSignal | undefined): DifyClient {
		return new DifyClient(this.endpoint, signal, this.cache);
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
		return await fetchOnce(this.cache, path, async () => await this.get(path));
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
		return await this.open(
			{
				method,
				url: this.buildUrl(path, query),
				json,
				isIdempotent,
				maxRetries: isIdempotent ? MAX_RETRIES : 0,
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
		const upload = createFormBody(fields, file);
		const timeouts = { firstTokenMs: idleMs, idleMs };
		const uploading = this.open({ url: this.buildUrl(path), upload, timeouts }, readJson);
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
	async open<T>(
		requestOptions: RequestOptions,
		read: (response: HttpResponse) => Promise<T>,
	): Promise<T> {
		const sent = request(this.endpoint, { signal: this.signal, ...requestOptions }, read);
		return await sent.catch(async (error: unknown) => {
			throw await this.explainAppType(error);
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
			title: 'Dify returned an unexpected response',
		});
	}
}

/** A proxy may change the status of an error response to 200, and some responses have no body. */
async function readJson(response: HttpResponse) {
	const text = await response.text();
	const json = parseJsonExactly(text);
	const isReadable = json !== undefined || text.trim() === '';
	if (isReadable && parseErrorBody(json) === undefined) return json;
	throw response.toError(text);
}

/** Dify's max page size for most lists. */
const PAGE_SIZE = 100;

/** A list with more pages is an error: it may be endless. */
const MAX_PAGES = 1_000;

/** Memory of all records of a list: 100,000 of them, each with twenty fields. */
const MAX_LIST_BYTES = 256 * 1024 * 1024;

export interface ListEndpoint {
	path: string;
	query?: Query;
	/** Dify's max page size. Default: 100. */
	size?: number;
	/** The next page starts after the last record, or before the first one. Default: numbered pages. */
	cursor?: 'last_id' | 'first_id';
}

/** Position of a page: its number, from 1, or the record that precedes it. */
type PageCursor = number | string;

interface PageOptions {
	/** Default: the first page. */
	at?: PageCursor;
	/** Max records. Default: the size of the list's pages. */
	limit?: number;
}

interface Page {
	records: JsonRecord[];
	/** Missing for the last page. */
	next?: PageCursor;
}

/**
 * The records of a list.
 *
 * @throws {ServerError} if it is not a list, instead of treating it as empty
 */
export function parseRecords(list: unknown): JsonRecord[] {
	if (Array.isArray(list)) return asRecords(list);
	throw createLocalError('emptyResponse', { title: 'Dify did not return the requested list' });
}

/**
 * Reads one page. `has_more` only means that the page is full, refers to the requested size, or is always false
 * (docs/protocols/dify.md 2.12, 2.13), so the total decides; without one, a full page is followed by another.
 */
export async function fetchPage(
	client: DifyClient,
	{ path, query, size = PAGE_SIZE, cursor }: ListEndpoint,
	{ at, limit = size }: PageOptions = {},
): Promise<Page> {
	const position = at ?? (cursor === undefined ? 1 : undefined);
	const response = await client.get(path, { ...query, [cursor ?? 'page']: position, limit });
	const records = parseRecords(response.data);
	const total = asFiniteNumber(response.total);
	const isFull = records.length >= limit || response.has_more === true;
	const hasMore =
		total === undefined || typeof position !== 'number' ? isFull : position * limit < total;
	if (!hasMore || records.length === 0) return { records };
	return { records, next: toNextCursor(cursor, position, records) };
}

function toNextCursor(
	cursor: ListEndpoint['cursor'],
	position: PageCursor | undefined,
	records: readonly JsonRecord[],
) {
	if (typeof position === 'number') return position + 1;
	return asNonEmptyString(records.at(cursor === 'first_id' ? 0 : -1)?.id);
}

/**
 * Yields the pages of a list, each record once: the list may change meanwhile. All pages have the same size, as their
 * numbers require. Ends at a page without new records, since a proxy may ignore the page number.
 *
 * @throws {ServerError} for more than `MAX_PAGES`, or more than `MAX_LIST_BYTES` in memory
 */
export async function* iteratePages(
	client: DifyClient,
	list: ListEndpoint,
	limit: number = list.size ?? PAGE_SIZE,
): AsyncGenerator<JsonRecord[]> {
	const visitedIds = new Set<string>();
	const budget = new MemoryBudget(MAX_LIST_BYTES);
	let at: PageCursor | undefined;
	for (let pages = 0; pages < MAX_PAGES; pages++) {
		const page: Page = await fetchPage(client, list, { at, limit });
		const records = page.records.filter((record) => {
			const id = asNonEmptyString(record.id) ?? `without ID ${visitedIds.size}`;
			const isNew = !visitedIds.has(id);
			visitedIds.add(id);
			return isNew;
		});
		if (!budget.take(records)) {
			throw createLocalError('emptyResponse', {
				title: `The list at ${list.path} takes more than ${formatMegabytes(MAX_LIST_BYTES)} of memory`,
				suggestion: 'Ask for fewer records.',
			});
		}
		yield records;
		at = page.next;
		if (records.length === 0 || at === undefined) return;
	}
	throw createLocalError('emptyResponse', {
		title: `The list at ${list.path} has more than ${MAX_PAGES} pages of ${limit} records`,
		suggestion: 'Check that no proxy changes the pages of Dify, or ask for fewer records.',
	});
}

/** Reads a list to its end, or up to `max` records. */
export async function fetchAllPages(
	client: DifyClient,
	list: ListEndpoint,
	max: number = Infinity,
): Promise<JsonRecord[]> {
	const records: JsonRecord[] = [];
	const isBackwards = list.cursor === 'first_id';
	if (max <= 0) return records;
	for await (const page of iteratePages(client, list, Math.min(list.size ?? PAGE_SIZE, max))) {
		// Message lists start with the newest page, but each page with its oldest message.
		pushAll(records, isBackwards ? page.toReversed() : page);
		if (records.length >= max) break;
	}
	const firstRecords = records.slice(0, max);
	return isBackwards ? firstRecords.reverse() : firstRecords;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Dify's database column is 255 characters wide; a longer value would be a 500 (docs/protocols/dify.md 1.4). */
const MAX_USER_LENGTH = 255;

interface UuidOptions {
	/** What to do if there is none. */
	emptySuggestion?: string;
}

/**
 * Parses an ID for a path. Dify returns an HTML page for invalid IDs (docs/protocols/dify.md 6.3), so it is checked
 * here.
 *
 * @param label name of the ID in errors, for example "message ID"
 * @throws {ServerError} of type `invalidId`
 */
export function parseUuid(
	value: unknown,
	label: string,
	{ emptySuggestion }: UuidOptions = {},
): string {
	const id = typeof value === 'string' ? value.trim() : '';
	if (UUID.test(id)) return id.toLowerCase();
	if (id === '')
		throw createLocalError('invalidId', {
			title: `The ${label} is empty`,
			suggestion: emptySuggestion,
		});
	throw createLocalError('invalidId', {
		title: `The ${label} is not valid: ${JSON.stringify(value).slice(0, 100)}`,
	});
}

/** Like `parseUuid`, but undefined if blank: Dify then starts a new conversation (docs/protocols/dify.md 2.1). */
export function parseOptionalUuid(value: unknown, label: string): string | undefined {
	return isBlank(value) ? undefined : parseUuid(value, label);
}

function isBlank(value: unknown) {
	return isUnset(typeof value === 'string' ? value.trim() : value);
}

/**
 * The user that conversations, messages and files belong to. Upload, run, stop and feedback must use the same value, so
 * it is never modified.
 *
 * @throws {ServerError} of type `missingUser`
 */
export function parseUser(value: unknown): string {
	const user = typeof value === 'number' && Number.isFinite(value) ? String(value) : value;
	if (isBlank(user)) throw createLocalError('missingUser', { title: 'The user is empty' });
	if (typeof user !== 'string') {
		throw createLocalError('missingUser', {
			title: `The user must be a string or a number, but is ${toText(user).slice(0, 100)}`,
		});
	}
	const isTooLong = user.length > 2 * MAX_USER_LENGTH || [...user].length > MAX_USER_LENGTH;
	if (isTooLong) {
		throw createParamError({
			title: `The user is longer than ${MAX_USER_LENGTH} characters`,
			suggestion: 'Use a shorter value, such as an ID.',
		});
	}
	return user;
}

/**
 * Checks a trace ID: Dify silently ignores an invalid one (docs/protocols/dify.md 1.1).
 *
 * @throws {ServerError} of type `invalidParam`
 */
export function parseTraceId(value: unknown): string | undefined {
	if (isUnset(value)) return undefined;
	const id = String(value).trim();
	if (/^[\w-]{1,128}$/.test(id)) return id;
	throw createParamError({
		title: 'The trace ID is not valid',
		suggestion: 'A trace ID consists of 1 to 128 letters, digits, hyphens and underscores.',
	});
}

/** A path segment that is not a UUID: a batch, a token, a model type. */
export class PathSegment {
	constructor(readonly value: string) {}
}

/**
 * Builds a path from UUIDs and encoded `PathSegment`s. An agent may supply them, and dots would lead to another route:
 * with `..` as a document ID, Dify deleted the knowledge base.
 *
 * @throws {ServerError} of type `invalidId` or `invalidInput`
 */
export function apiPath(
	parts: TemplateStringsArray,
	...values: ReadonlyArray<string | PathSegment>
): string {
	const encoded = values.map((value) =>
		value instanceof PathSegment
			? encodePathSegment(value.value)
			: parseUuid(value, 'ID in the path'),
	);
	return String.raw({ raw: parts }, ...encoded);
}

/**
 * Encodes an untrusted value as one path segment. Dots alone would lead to another route, since URLs resolve them, also
 * as `%2e` (WHATWG URL, "double-dot URL path segment").
 *
 * @throws {ServerError} of type `invalidInput` for `.` and `..`
 */
export function encodePathSegment(value: string): string {
	if (/^\.{1,2}$/.test(value)) {
		throw createInputError(
			`"${value}" is not a valid ID or name`,
			'Check the expression or the value in the field.',
		);
	}
	return encodeURIComponent(value.toWellFormed());
}
