import type { Connection } from '../http/connection';
import type { CallOptions } from '../http/types';
import { LruCache } from '../lru-cache';
import { isRecord, type JsonRecord } from '../values';

/**
 * The JSON object of a route that not every server has; undefined on any failure, which other requests to the server
 * will report.
 */
export async function optionalJson(
	connection: Connection,
	path: string,
	options: CallOptions,
): Promise<JsonRecord | undefined> {
	const json = await jsonAt(connection, connection.url.root + path, options);
	return isRecord(json) ? json : undefined;
}

/** The JSON of a URL that not every server has; undefined on any failure. */
export async function jsonAt(
	connection: Connection,
	url: string,
	options: CallOptions,
): Promise<unknown> {
	const answer = await connection.call(url, options).catch(() => undefined);
	return answer !== undefined && answer.status < 300 ? answer.json : undefined;
}

const answers = LruCache.shared<Promise<unknown>>({ maxEntries: 200, ttlMs: 10 * 60_000 });
const ASK_LIMIT_MS = 3_000;

/**
 * The JSON of a URL that not every server has, cached for ten minutes; undefined on any failure, which is not cached:
 * the request that follows will report it.
 *
 * @param json sent with POST
 */
export async function cachedJson(
	connection: Connection,
	url: string,
	json?: object,
): Promise<unknown> {
	// Per queue limit: a caller that holds a place in the queue must not wait for a request that waits for that place.
	const key = JSON.stringify([url, json, connection.maxConcurrentRequests]);
	const known = answers.get(key);
	if (known !== undefined) return await known;
	const answer = jsonAt(connection, url, { json, timeoutMs: ASK_LIMIT_MS });
	answers.set(key, answer);
	const value = await answer;
	if (value === undefined) answers.delete(key);
	return value;
}
