import { pushAll, asFiniteNumber, asNonEmptyString, asRecords, type JsonRecord } from '../values';
import type { DifyClient, Query } from './client';
import { createLocalError } from './errors';

/** Dify's max page size for most lists. */
const PAGE_SIZE = 100;
/** A list with more pages is an error: it may be endless. */
const MAX_PAGES = 1_000;

export interface ListEndpoint {
	path: string;
	query?: Query;
	/** Dify's max page size. Default: 100. */
	size?: number;
	/** The next page starts after the last record, or before the first one. Default: numbered pages. */
	cursor?: 'last_id' | 'first_id';
}

/** Position of a page: its number, from 1, or the record that precedes it. */
export type PageCursor = number | string;

export interface Page {
	records: JsonRecord[];
	next?: PageCursor;
}

/** The records of a list. @throws {ServerError} if it is not a list, instead of treating it as empty */
export function parseRecords(list: unknown): JsonRecord[] {
	if (Array.isArray(list)) return asRecords(list);
	throw createLocalError('emptyResponse', 'Dify did not return the requested list');
}

/**
 * Reads one page. `has_more` only means that the page is full, refers to the requested size, or is always false
 * (docs/protocols/dify.md 2.12, 2.13), so the total decides; without one, a full page is followed by another.
 */
export async function fetchPage(
	client: DifyClient,
	{ path, query, size = PAGE_SIZE, cursor }: ListEndpoint,
	{ at = 1, limit = size }: { at?: PageCursor; limit?: number } = {},
): Promise<Page> {
	const response = await client.get(path, { ...query, ...toPageQuery(cursor, at), limit });
	const records = parseRecords(response.data);
	const total = asFiniteNumber(response.total);
	const isFull = records.length >= limit || response.has_more === true;
	const hasMore = total === undefined || typeof at === 'string' ? isFull : at * limit < total;
	if (!hasMore || records.length === 0) return { records };
	return { records, next: toNextCursor(cursor, at, records) };
}

function toNextCursor(
	cursor: ListEndpoint['cursor'],
	at: PageCursor,
	records: readonly JsonRecord[],
): PageCursor | undefined {
	if (cursor === undefined) return Number(at) + 1;
	const last = cursor === 'first_id' ? records[0] : records.at(-1);
	return asNonEmptyString(last?.id);
}

function toPageQuery(cursor: ListEndpoint['cursor'], at: PageCursor) {
	if (cursor === undefined) return { page: at };
	return { [cursor]: at === 1 ? undefined : at };
}

/**
 * Yields the pages of a list, each record once: the list may change meanwhile. All pages have the same size, as their
 * numbers require. Ends at a page without new records, since a proxy may ignore the page number.
 *
 * @throws {ServerError} for more than `MAX_PAGES`
 */
export async function* iteratePages(
	client: DifyClient,
	list: ListEndpoint,
	limit = list.size ?? PAGE_SIZE,
): AsyncGenerator<JsonRecord[]> {
	const visitedIds = new Set<string>();
	let at: PageCursor | undefined = 1;
	for (let pages = 0; at !== undefined; pages++) {
		if (pages >= MAX_PAGES)
			throw createLocalError(
				'emptyResponse',
				`The list at ${list.path} has more than ${MAX_PAGES} pages of ${limit} records`,
				'Check that no proxy changes the pages of Dify, or ask for fewer records.',
			);
		const page: Page = await fetchPage(client, list, { at, limit });
		const records = page.records.filter((record) => {
			const id = asNonEmptyString(record.id) ?? `without ID ${visitedIds.size}`;
			return visitedIds.size < visitedIds.add(id).size;
		});
		yield records;
		at = records.length === 0 ? undefined : page.next;
	}
}

/** Reads a list to its end, or up to `max` records. */
export async function fetchAllPages(
	client: DifyClient,
	list: ListEndpoint,
	max = Infinity,
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
