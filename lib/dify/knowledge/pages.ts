import { asFailed } from '../../errors/server-error';
import { finiteNumber, type JsonRecord, nonEmptyText, optional, recordsIn } from '../../values';
import { added, type Most } from '../paging';
import type { KnowledgeApi } from './api';

/** Dify cuts larger pages to this, and says then that there is no more (docs/protocols/dify.md 2.13). */
export const PAGE_SIZE = 100;

/** A list that never ends comes from something else than Dify. */
const MAX_PAGES = 10_000;

export interface PagedList {
	path: string;
	query?: Record<string, string | number | undefined>;
	most: Most;
}

/** One page of a list with page numbers. */
export interface Page {
	records: JsonRecord[];
	/** All records of the list; undefined where Dify does not say. */
	total?: number;
	/** Whether another page may follow. */
	more: boolean;
}

/**
 * A page of bases, documents or chunks. `has_more` only means that the page is full, so the total decides; where there
 * is none, a full page is followed by another.
 *
 * @param page counted from 1
 */
export async function pageOf(
	api: KnowledgeApi,
	{ path, query }: Pick<PagedList, 'path' | 'query'>,
	page: number,
	limit = PAGE_SIZE,
): Promise<Page> {
	const answer = await api.get(path, { ...query, page, limit });
	const records = recordsIn(answer.data);
	const total = finiteNumber(answer.total);
	const more = records.length > 0 && (total === undefined ? records.length >= limit : page * limit < total);
	return { records, ...optional({ total }), more };
}

/**
 * Follows a list to its end, or until there are enough. New records come first, so that while others write, a record
 * can come again on the next page; each is kept once.
 */
export async function collectPages(api: KnowledgeApi, list: PagedList): Promise<JsonRecord[]> {
	const records = new Map<string, JsonRecord>();
	const { most } = list;
	const limit = most === 'all' ? PAGE_SIZE : Math.min(PAGE_SIZE, most);
	for (let page = 1; page <= MAX_PAGES; page++) {
		const { records: found, more } = await pageOf(api, list, page, limit);
		const fresh = added(records, found);
		if (!more || fresh.length === 0 || (most !== 'all' && records.size >= most)) break;
	}
	const all = [...records.values()];
	return most === 'all' ? all : all.slice(0, most);
}

/** The ID of a record, where Dify gives one. */
export function idOf(record: JsonRecord): string | undefined {
	return nonEmptyText(record.id);
}

/**
 * The answer, or undefined where Dify says that there is no such thing. A page of HTML, which means that there is no
 * such route, stays a failure.
 */
export async function unlessMissing<T>(answer: Promise<T>): Promise<T | undefined> {
	const outcome = await answer.then((value) => ({ value }), asFailed);
	if ('value' in outcome) return outcome.value;
	const { failed } = outcome;
	if (failed.status === 404 && failed.kind === 'notFound') return undefined;
	throw failed;
}
