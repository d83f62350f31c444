import type { DifyClient } from '../client';
import { invalidParam } from '../errors/failure';
import { addNew, listIn, pageSize, rejectEndless, type Limit } from '../paging';
import { finiteNumber, recordOf, type JsonRecord } from '../../values';

/** The only statuses that Dify can filter by. */
export type LoggedStatus = 'succeeded' | 'failed' | 'stopped';

export interface LogFilters {
	/** Part of inputs, outputs, user or run ID. Only ASCII is found, and only the first 30 characters count. */
	keyword?: string;
	status?: LoggedStatus;
	/** ISO 8601. */
	before?: string;
	after?: string;
	/** Who started the run over the API. */
	user?: string;
	/** E-mail address of the person who ran the workflow in Dify itself. */
	account?: string;
}

/** Dify's largest page. */
const MAX_PAGE_SIZE = 100;

/** Passes over the list: rows of one second change places between two pages, so that one can be missed. */
const MAX_PASSES = 3;

/**
 * The runs of a workflow app, newest first (docs/protocols/dify.md 2.4). The list may grow while it is read; duplicates
 * are dropped.
 *
 * @throws {ServerError}
 */
export async function listRuns(
	client: DifyClient,
	filters: LogFilters,
	most: Limit,
): Promise<JsonRecord[]> {
	checkKeyword(filters.keyword);
	const records = new Map<string, JsonRecord>();
	for (let pass = 1; pass <= MAX_PASSES; pass++) {
		const total = await readPages(client, filters, most, records);
		if (most !== 'all' || total === undefined || records.size >= total) break;
	}
	const all = [...records.values()];
	return most === 'all' ? all : all.slice(0, most);
}

/** @returns Dify's total */
async function readPages(
	client: DifyClient,
	filters: LogFilters,
	most: Limit,
	records: Map<string, JsonRecord>,
): Promise<number | undefined> {
	let total: number | undefined;
	const rows = new Map<string, JsonRecord>();
	for (let page = 1; ; page++) {
		rejectEndless(page);
		// All pages of one list have the same size, or rows between them would be left out.
		const limit = pageSize(most, 0, MAX_PAGE_SIZE);
		const answer = await client.get('/workflows/logs', { ...queryOf(filters), page, limit });
		const pageRows = listIn(answer.data);
		addNew(records, pageRows.filter(isOf(filters)));
		total = finiteNumber(answer.total);
		const isEnough = most !== 'all' && records.size >= most;
		// A page without new rows: something in between ignores the page number.
		const isRepeated = addNew(rows, pageRows).length === 0;
		if (answer.has_more !== true || isRepeated || isEnough) break;
	}
	return total;
}

/** Filters rows by user, where Dify does not (see `queryOf`). */
function isOf({ user = '' }: LogFilters) {
	return (row: JsonRecord) => user === '' || recordOf(row.created_by_end_user).session_id === user;
}

function queryOf({ keyword, status, before, after, user, account }: LogFilters) {
	return {
		keyword,
		status,
		created_at__before: before,
		created_at__after: after,
		// Dify 1.16 fails with both (docs/protocols/dify.md 12.3).
		created_by_end_user_session_id: keyword ? undefined : user,
		created_by_account: account,
	};
}

/** Dify searches in JSON text where non-ASCII letters are escaped, so it would find nothing. */
function checkKeyword(keyword = ''): void {
	if (/^[\x20-\x7e]*$/.test(keyword)) return;
	throw invalidParam(
		`Dify cannot search for "${keyword}"`,
		'Its search finds ASCII letters, digits and punctuation only: words with other letters, such as ö or 你, never match. Leave the keyword empty and filter the items in n8n.',
	);
}
