import { pushAll, asFiniteNumber, asNonEmptyString, asRecords, type JsonRecord } from '../values';
import type { DifyClient, Query } from './client';
import { createLocalError } from './errors';

/** Dify's largest page of most lists. */
const PAGE_SIZE = 100;
/** A list of more pages is an error: it may have no end. */
const MAX_PAGES = 1_000;

export interface ListEndpoint {
	path: string;
	query?: Query;
	/** Records on Dify's largest page. Default: 100. */
	size?: number;
	/** The next page begins after the last record, or before the first one; default: pages have numbers. */
	cursor?: 'last_id' | 'first_id';
}

/** Where a page is: its number, counted from 1, or the record after which it begins. */
export type PageCursor = number | string;

export interface Page {
	records: JsonRecord[];
	next?: PageCursor;
}

/** The records of a list that Dify was asked for. @throws {ServerError} for anything else, which is no empty list */
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
	const answer = await client.get(path, { ...query, ...toPageQuery(cursor, at), limit });
	const records = parseRecords(answer.data);
	const total = asFiniteNumber(answer.total);
	const isFull = records.length >= limit || answer.has_more === true;
	const more = total === undefined || typeof at === 'string' ? isFull : at * limit < total;
	if (!more || records.length === 0) return { records };
	const last = cursor === 'first_id' ? records[0] : records.at(-1);
	return { records, next: cursor === undefined ? Number(at) + 1 : asNonEmptyString(last?.id) };
}

function toPageQuery(cursor: ListEndpoint['cursor'], at: PageCursor) {
	if (cursor === undefined) return { page: at };
	return { [cursor]: at === 1 ? undefined : at };
}

/**
 * The pages of a list, each record once: it may change while it is read. All pages have the same size, or their numbers
 * would mean nothing. Ends at a page without new records: something ignores its place.
 *
 * @throws {ServerError} for more than `MAX_PAGES`
 */
export async function* pagesOf(
	client: DifyClient,
	list: ListEndpoint,
	limit = list.size ?? PAGE_SIZE,
): AsyncGenerator<JsonRecord[]> {
	const known = new Set<string>();
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
			const id = asNonEmptyString(record.id) ?? `without ID ${known.size}`;
			return known.size < known.add(id).size;
		});
		yield records;
		at = records.length === 0 ? undefined : page.next;
	}
}

/** Reads a list to its end, or to `most` records. */
export async function fetchAllPages(
	client: DifyClient,
	list: ListEndpoint,
	most = Infinity,
): Promise<JsonRecord[]> {
	const records: JsonRecord[] = [];
	const isBackwards = list.cursor === 'first_id';
	if (most <= 0) return records;
	for await (const page of pagesOf(client, list, Math.min(list.size ?? PAGE_SIZE, most))) {
		// Of messages, the newest page comes first, but its oldest message.
		pushAll(records, isBackwards ? page.toReversed() : page);
		if (records.length >= most) break;
	}
	const kept = records.slice(0, most);
	return isBackwards ? kept.reverse() : kept;
}
