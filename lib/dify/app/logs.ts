import type { DifyClient } from '../client';
import { addNew, listIn, pageSize, rejectEndless, type Limit } from '../paging';
import { recordOf, type JsonRecord } from '../../values';

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
	const records = new Map<string, JsonRecord>();
	const seen = new Map<string, JsonRecord>();
	// All pages of one list have the same size, or rows between them would be left out.
	const limit = pageSize(most, 0, MAX_PAGE_SIZE);
	for (let page = 1; ; page++) {
		rejectEndless(page);
		const answer = await client.get('/workflows/logs', { ...queryOf(filters), page, limit });
		const rows = listIn(answer.data);
		addNew(records, rows.filter(isOf(filters)));
		const isEnough = most !== 'all' && records.size >= most;
		// A page without new rows: something in between ignores the page number.
		const isRepeated = addNew(seen, rows).length === 0;
		if (answer.has_more !== true || isRepeated || isEnough) break;
	}
	const all = [...records.values()];
	return most === 'all' ? all : all.slice(0, most);
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
