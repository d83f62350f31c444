import { recordsIn, finiteNumber, nonEmptyText, type JsonRecord } from '../values';

/** What to collect: at most so many records, or all. */
export type Limit = number | 'all';

/** A list that never ends comes from something else than Dify. */
const MAX_PAGES = 10_000;

/** How many to ask for on the next page. */
export function pageSize(most: Limit, have: number, largest: number): number {
	return most === 'all' ? largest : Math.min(largest, most - have);
}

/**
 * The records of a page that are not known yet. Others write in the list while it is read, so that a record can come
 * twice.
 */
export function added(known: Map<string, JsonRecord>, found: readonly JsonRecord[]): JsonRecord[] {
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
 * Reads a page. `has_more` only means that it is full, or compares with the size that was asked for (docs/protocols/dify.md
 * 2.12, 2.13), so the total decides; where there is none, a full page is followed by another.
 *
 * @param page counted from 1
 */
export function readPage(answer: JsonRecord, page: number, limit: number): Page {
	const records = recordsIn(answer.data);
	const total = finiteNumber(answer.total);
	const more = records.length > 0 && (total === undefined ? records.length >= limit : page * limit < total);
	return { records, more };
}

/**
 * Follows a list with page numbers to its end, or until there are enough. All pages have one size: their number means
 * nothing otherwise. Pages without anything new come from something that does not pass on their number.
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
	for (let page = 1; page <= MAX_PAGES; page++) {
		const { records, more } = readPage(await ask({ page, limit }), page, limit);
		const fresh = added(known, records);
		if (!more || fresh.length === 0 || (most !== 'all' && known.size >= most)) break;
	}
	return firstOf(known, most);
}

function firstOf(known: ReadonlyMap<string, JsonRecord>, most: Limit): JsonRecord[] {
	return [...known.values()].slice(0, most === 'all' ? undefined : most);
}

/** Where a list goes on. */
export interface Continuation {
	/** The record behind which the next page begins. */
	afterId: string;
	/** Records of this page that come again on the next one. */
	again: JsonRecord[];
}

/**
 * Where a list goes on behind a page. Dify compares whole seconds, so that behind the last record all others of its
 * second are left out (129 conversations, 124 listed by 1.12.1 and 1.14.2). The list goes on behind the last record of
 * another second than the last one; what comes twice is dropped. Where a whole page is of one second, the rest of that
 * second cannot be reached.
 *
 * @param found one page in the order of the list
 * @param timeField by which the list is sorted, in Unix seconds
 */
export function continuationOf(found: readonly JsonRecord[], timeField: string): Continuation | undefined {
	const last = found.at(-1);
	const lastId = nonEmptyText(last?.id);
	if (last === undefined || lastId === undefined) return undefined;
	const time = finiteNumber(last[timeField]);
	const at = time === undefined ? -1 : found.findLastIndex((record) => isOtherSecond(record, timeField, time));
	const afterId = nonEmptyText(found[at]?.id);
	return afterId === undefined ? { afterId: lastId, again: [] } : { afterId, again: found.slice(at + 1) };
}

function isOtherSecond(record: JsonRecord, timeField: string, time: number): boolean {
	const other = finiteNumber(record[timeField]);
	return other !== undefined && Math.floor(other) !== Math.floor(time) && nonEmptyText(record.id) !== undefined;
}

export interface AfterList {
	most: Limit;
	/** Dify's largest page. */
	largest: number;
	/** As in `continuationOf`. */
	timeField: string;
	/** Asks for the records behind `lastId`; undefined when that one is gone. */
	page: (limit: number, lastId: string | undefined) => Promise<JsonRecord | undefined>;
}

/** Follows a list that continues behind the id of a record (conversations, variables). */
export async function collectAfter({ most, largest, timeField, page }: AfterList): Promise<JsonRecord[]> {
	const records = new Map<string, JsonRecord>();
	/** What the list can be continued behind: the ids of what was found, the one to go on behind last. */
	let trail: string[] = [];
	const followed = new Set<string>();
	let again = 0;
	let back = 1;
	for (let pages = 0; pages < MAX_PAGES; pages++) {
		const wanted = pageSize(most, records.size, largest);
		if (wanted <= 0) break;
		const answer = await page(Math.min(largest, wanted + again), trail.at(-1));
		if (answer === undefined) {
			// Behind one of those before it there is nothing that is not known or wanted.
			trail = trail.slice(0, -back);
			back *= 2;
			again = 0;
			continue;
		}
		const found = recordsIn(answer.data);
		added(records, found);
		if (answer.has_more !== true) break;
		const next = nextOf(found, timeField, followed);
		// The same page again and again comes from something in between that does not pass on where to continue.
		if (next === undefined) break;
		followed.add(next.afterId);
		again = next.again.length;
		const ids = found.flatMap(({ id }) => nonEmptyText(id) ?? []);
		for (const id of ids.slice(0, ids.indexOf(next.afterId) + 1)) trail.push(id);
	}
	return firstOf(records, most);
}

/** Behind a record of another second; where the list was continued there already, behind the last one. */
export function nextOf(
	found: readonly JsonRecord[],
	timeField: string,
	followed: ReadonlySet<string>,
): Continuation | undefined {
	const next = continuationOf(found, timeField);
	if (next === undefined || !followed.has(next.afterId)) return next;
	const lastId = nonEmptyText(found.at(-1)?.id);
	return lastId === undefined || followed.has(lastId) ? undefined : { afterId: lastId, again: [] };
}
