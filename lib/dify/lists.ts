import { finiteNumber, nonEmptyText, recordsIn, type JsonRecord } from '../values';
import type { DifyClient, Query } from './client';
import { localError } from './errors';

/** Dify's largest page of most lists. */
const PAGE_SIZE = 100;

export interface List {
	path: string;
	query?: Query;
	/** Records on Dify's largest page. Default: 100. */
	size?: number;
	/** The next page begins after the last record, or before the first one; default: pages have numbers. */
	cursor?: 'last_id' | 'first_id';
}

/** Where a page is: its number, counted from 1, or the record after which it begins. */
export type Place = number | string;

export interface Page {
	records: JsonRecord[];
	next?: Place;
}

/** The records of a list that Dify was asked for. @throws {ServerError} for anything else, which is no empty list */
export function listIn(list: unknown): JsonRecord[] {
	if (Array.isArray(list)) return recordsIn(list);
	throw localError('emptyAnswer', 'Dify answered without the list that was asked for');
}

/**
 * Reads one page. `has_more` only means that the page is full, refers to the requested size, or is always false
 * (docs/protocols/dify.md 2.12, 2.13), so the total decides; without one, a full page is followed by another.
 */
export async function readPage(
	client: DifyClient,
	{ path, query, size = PAGE_SIZE, cursor }: List,
	{ at = 1, limit = size }: { at?: Place; limit?: number } = {},
): Promise<Page> {
	const answer = await client.get(path, { ...query, ...placeIn(cursor, at), limit });
	const records = listIn(answer.data);
	const total = finiteNumber(answer.total);
	const isFull = records.length >= limit || answer.has_more === true;
	const more = total === undefined || typeof at === 'string' ? isFull : at * limit < total;
	if (!more || records.length === 0) return { records };
	const last = cursor === 'first_id' ? records[0] : records.at(-1);
	return { records, next: cursor === undefined ? Number(at) + 1 : nonEmptyText(last?.id) };
}

function placeIn(cursor: List['cursor'], at: Place) {
	if (cursor === undefined) return { page: at };
	return { [cursor]: at === 1 ? undefined : at };
}

/**
 * Reads a list to its end, or to `most` records, each of them once: it may change while it is read. All pages have the
 * same size, or their numbers would mean nothing. Ends at a page without new records: something ignores its place.
 */
export async function readList(
	client: DifyClient,
	list: List,
	most = Infinity,
): Promise<JsonRecord[]> {
	const known = new Map<string, JsonRecord>();
	const limit = Math.min(list.size ?? PAGE_SIZE, most);
	let at: Place | undefined = 1;
	while (at !== undefined && known.size < most) {
		const before: number = known.size;
		const page: Page = await readPage(client, list, { at, limit });
		// Of messages, the newest page comes first, but its oldest message.
		const records = list.cursor === 'first_id' ? page.records.toReversed() : page.records;
		for (const record of records) {
			const id = nonEmptyText(record.id) ?? `without ID ${known.size}`;
			if (!known.has(id)) known.set(id, record);
		}
		at = known.size === before ? undefined : page.next;
	}
	const records = [...known.values()].slice(0, most);
	return list.cursor === 'first_id' ? records.reverse() : records;
}
