import { type JsonRecord, nonEmptyText } from '../../values';
import type { Query } from '../client';
import { collectPages, readPage, type Limit, type Page } from '../paging';
import type { KnowledgeApi } from './api';

/**
 * Dify's largest page. For a larger limit it sends this many, and says that there is no more (docs/protocols/dify.md
 * 2.13).
 */
export const PAGE_SIZE = 100;

/** A list of bases, documents or chunks. */
export interface PagedList {
	path: string;
	query?: Query;
}

/** One page of a list. @param page counted from 1 */
export async function pageOf(
	api: KnowledgeApi,
	{ path, query }: PagedList,
	page: number,
): Promise<Page> {
	return readPage(await api.get(path, { ...query, page, limit: PAGE_SIZE }), page, PAGE_SIZE);
}

/** Reads a list to its end or limit. */
export async function listOf(
	api: KnowledgeApi,
	most: Limit,
	path: string,
	query?: Query,
): Promise<JsonRecord[]> {
	return await collectPages(
		most,
		PAGE_SIZE,
		async (paging) => await api.get(path, { ...query, ...paging }),
	);
}

/** The ID of a record, where Dify gives one. */
export function idOf(record: JsonRecord): string | undefined {
	return nonEmptyText(record.id);
}
