/** Lists of Dify, page by page. */
import { MemoryBudget } from '../memory-budget';
import { TASK_LIMITS } from '../task-limits';
import type { JsonRecord } from '../values/records';
import { asNonEmptyString, asRecords } from '../values/records';
import { pushAll } from '../values/lists';
import { asFiniteNumber } from '../values/numbers';
import { createLocalError } from './create-error';
import type { Query, DifyClient } from './client';

/** Dify's max page size for most lists. */
const PAGE_SIZE = 100;

/** A list with more pages is an error: it may be endless. */
const MAX_PAGES = 1_000;

/** A list of the API. */
export interface ListEndpoint {
	/** From `apiPath`, if it has values. */
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
	/** In the order of the list. */
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
	throw createLocalError('emptyResponse', { about: { difyIssue: { kind: 'noList' } } });
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
 * @throws {ServerError} for more than `MAX_PAGES`, or more memory than the row of Dify's requests allows
 */
export async function* iteratePages(
	client: DifyClient,
	list: ListEndpoint,
	limit: number = list.size ?? PAGE_SIZE,
): AsyncGenerator<JsonRecord[]> {
	const visitedIds = new Set<string>();
	const { keptBytes } = TASK_LIMITS.difyRequest;
	const budget = new MemoryBudget(keptBytes);
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
				about: { difyIssue: { kind: 'largeList', path: list.path, maxBytes: keptBytes } },
			});
		}
		yield records;
		at = page.next;
		if (records.length === 0 || at === undefined) return;
	}
	throw createLocalError('emptyResponse', {
		about: {
			difyIssue: { kind: 'longList', path: list.path, pages: MAX_PAGES, pageSize: limit },
		},
	});
}

/**
 * Reads a list to its end, or up to `max` records. Messages, whose pages go backwards, come in the order of time.
 *
 * @throws {ServerError} as `iteratePages` does
 */
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
