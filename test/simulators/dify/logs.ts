import type { Call } from './store';
import type { Json, SimRun } from './types';
import { getPage, invalid } from './http';

/** `GET /workflows/logs`: newest first, including running ones. */
export function workflowLogs({ store, app, query, reply }: Call): void {
	const status = query.get('status');
	if (status === 'partial-succeeded')
		throw invalid("Input should be 'succeeded', 'failed' or 'stopped'");
	const session = query.get('created_by_end_user_session_id');
	const all = store.runs
		.filter((run) => run.app === app)
		.filter((run) => status === null || run.status === status)
		.filter((run) => session === null || run.user === session)
		.toReversed();
	const { data, ...page } = getPage(query, all);
	const rows = data.map((run) => toRow(store.newId('log'), run));
	reply(200, { ...page, has_more: page.page * page.limit < page.total, data: rows });
}

const toRow = (id: string, run: SimRun): Json => ({
	id,
	workflow_run: {
		id: run.workflowRunId,
		status: run.status,
		error: run.error ?? null,
		created_at: run.startedAt,
		finished_at: run.finishedAt ?? null,
	},
	created_from: 'service-api',
	created_at: run.startedAt,
});
