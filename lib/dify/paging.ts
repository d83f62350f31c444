import { recordsIn, finiteNumber, nonEmptyText, type JsonRecord } from '../values';
import { localError } from './errors/failure';

/** What to collect: at most so many records, or all. */
export type Limit = number | 'all';

/** More than n8n can hold. Dify itself sends no endless lists. */
const MAX_PAGES = 10_000;

/** @throws {ServerError} for a list that does not end */
export function rejectEndless(page: number): void {
	if (page <= MAX_PAGES) return;
	throw localError(
		'emptyAnswer',
		`The list does not end: ${MAX_PAGES} pages of it were read`,
		'Where the node has Return All, set a Limit in place of it. If the list should be short, check what answers at the Base URL.',
	);
}

/** The records of a list that Dify was asked for. @throws {ServerError} for anything else, which is no empty list */
export function listIn(list: unknown): JsonRecord[] {
	if (Array.isArray(list)) return recordsIn(list);
	throw localError('emptyAnswer', 'Dify answered without the list that was asked for');
}

/** How many to ask for on the next page. */
export function pageSize(most: Limit, have: number, largest: number): number {
	return most === 'all' ? largest : Math.min(largest, most - have);
}

/**
 * Adds the records of a page to `known`, and returns the new ones. A record can come twice if the list changes while it
 * is read.
 */
export function addNew(known: Map<string, JsonRecord>, found: readonly JsonRecord[]): JsonRecord[] {
	return found.filter((record) => {
		const id = nonEmptyText(record.id) ?? `without id ${known.size}`;
		if (known.has(id)) return false;
		known.set(id, record);
		return true;
	});
}

/** One page of a list with page numbers. */
export interface Page {
	records: JsonRecord[];
	/** Whether another page may follow. */
	more: boolean;
}

/**
 * Reads a page. `has_more` only means that the page is full, or refers to the requested size (docs/protocols/dify.md
 * 2.12, 2.13), so the total decides; without one, a full page is followed by another.
 *
 * @param page counted from 1
 */
export function readPage(answer: JsonRecord, page: number, limit: number): Page {
	const records = listIn(answer.data);
	const total = finiteNumber(answer.total);
	const more =
		records.length > 0 && (total === undefined ? records.length >= limit : page * limit < total);
	return { records, more };
}

/**
 * Reads a list with page numbers to its end or limit. All pages have the same size, or their numbers would mean
 * nothing. Stops at a page without new records: something ignores the page number.
 *
 * @param largest Dify's largest page
 */
export async function collectPages(
	most: Limit,
	largest: number,
	ask: (paging: { page: number; limit: number }) => Promise<JsonRecord>,
): Promise<JsonRecord[]> {
	const known = new Map<string, JsonRecord>();
	const limit = pageSize(most, 0, largest);
	for (let page = 1; ; page++) {
		rejectEndless(page);
		const { records, more } = readPage(await ask({ page, limit }), page, limit);
		const fresh = addNew(known, records);
		if (!more || fresh.length === 0 || (most !== 'all' && known.size >= most)) break;
	}
	return firstOf(known, most);
}

function firstOf(known: ReadonlyMap<string, JsonRecord>, most: Limit): JsonRecord[] {
	return [...known.values()].slice(0, most === 'all' ? undefined : most);
}

/** Where the next page of a list begins. */
interface Continuation {
	/** Cursor: the next page begins after this record. */
	afterId: string;
	/** Records of this page that come again on the next one. */
	again: JsonRecord[];
}

/**
 * The cursor after a page. Dify compares whole seconds, so after the last record it leaves out all others of its second
 * (129 conversations, 124 listed by 1.12.1 and 1.14.2). So the cursor is the last record of an earlier second, and
 * repeated records are dropped. If a whole page has the same second, the rest of that second cannot be reached.
 *
 * @param found one page in the order of the list
 * @param timeField by which the list is sorted, in Unix seconds
 */
export function continuationOf(
	found: readonly JsonRecord[],
	timeField: string,
): Continuation | undefined {
	const last = found.at(-1);
	const lastId = nonEmptyText(last?.id);
	if (last === undefined || lastId === undefined) return undefined;
	const time = finiteNumber(last[timeField]);
	const at =
		time === undefined
			? -1
			: found.findLastIndex((record) => isOtherSecond(record, timeField, time));
	const afterId = nonEmptyText(found[at]?.id);
	return afterId === undefined
		? { afterId: lastId, again: [] }
		: { afterId, again: found.slice(at + 1) };
}

function isOtherSecond(record: JsonRecord, timeField: string, time: number): boolean {
	const other = finiteNumber(record[timeField]);
	return (
		other !== undefined &&
		Math.floor(other) !== Math.floor(time) &&
		nonEmptyText(record.id) !== undefined
	);
}

interface AfterList {
	most: Limit;
	/** Dify's largest page. */
	largest: number;
	/** As in `continuationOf`. */
	timeField: string;
	/** Requests the records after `lastId`; undefined when that one is gone. */
	page: (limit: number, lastId: string | undefined) => Promise<JsonRecord | undefined>;
}

/** Reads a list whose cursor is the ID of a record (conversations, variables). */
export async function collectAfter({
	most,
	largest,
	timeField,
	page,
}: AfterList): Promise<JsonRecord[]> {
	const records = new Map<string, JsonRecord>();
	/** Possible cursors: the IDs of the records so far, the current cursor last. */
	let trail: string[] = [];
	const followed = new Set<string>();
	let again = 0;
	let back = 1;
	for (let pages = 1; ; pages++) {
		const remaining = pageSize(most, records.size, largest);
		if (remaining <= 0) break;
		rejectEndless(pages);
		const answer = await page(Math.min(largest, remaining + again), trail.at(-1));
		if (answer === undefined) {
			// The cursor is gone: an earlier one gives known records and the missing ones.
			trail = trail.slice(0, -back);
			back *= 2;
			again = 0;
			continue;
		}
		const pageRecords = listIn(answer.data);
		addNew(records, pageRecords);
		if (answer.has_more !== true) break;
		const next = nextCursor(pageRecords, timeField, followed);
		// Something in between does not pass on the cursor: the same page comes again.
		if (next === undefined) break;
		followed.add(next.afterId);
		again = next.again.length;
		const ids = pageRecords.flatMap(({ id }) => nonEmptyText(id) ?? []);
		for (const id of ids.slice(0, ids.indexOf(next.afterId) + 1)) trail.push(id);
	}
	return firstOf(records, most);
}

/** The next cursor: a record of an earlier second, or the last record if that cursor was used already. */
export function nextCursor(
	found: readonly JsonRecord[],
	timeField: string,
	followed: ReadonlySet<string>,
): Continuation | undefined {
	const next = continuationOf(found, timeField);
	if (next === undefined || !followed.has(next.afterId)) return next;
	const lastId = nonEmptyText(found.at(-1)?.id);
	return lastId === undefined || followed.has(lastId) ? undefined : { afterId: lastId, again: [] };
}
