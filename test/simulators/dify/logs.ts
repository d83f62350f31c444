import { crashed, invalid, pydantic } from './http';
import { limitOf } from './records';
import type { Call, Store } from './store';
import type { Json, SimRun } from './types';

const STATUSES = ['succeeded', 'failed', 'stopped'];

/** `GET /workflows/logs`: newest first, including running ones. Empty for apps without workflow runs. */
export function workflowLogs(call: Call): void {
	const { store, app, query } = call;
	const model = 'WorkflowLogQuery';
	const status = query.get('status');
	if (status !== null && !STATUSES.includes(status)) {
		const text = "Input should be 'succeeded', 'failed' or 'stopped'";
		throw pydantic(model, [{ field: 'status', text, type: 'literal_error', input: status }]);
	}
	const page = limitOf(query, { model, most: 99_999, usual: 1 }, 'page');
	const limit = limitOf(query, { model, most: 100 });
	const [before, after] = [
		timeIn(query.get('created_at__before')),
		timeIn(query.get('created_at__after')),
	];
	const account = query.get('created_by_account');
	const session = query.get('created_by_end_user_session_id');
	const keyword = query.get('keyword') ?? '';
	// PostgreSQL's `DuplicateAlias`: 1.16 joins the table of users twice.
	if (session !== null && keyword !== '') throw crashed();
	const all = store.runs
		.filter((run) => run.app === app && app.mode === 'workflow' && account === null)
		// A stopped run is not saved again, except when the stop counts as a failure.
		.filter((run) => status === null || run.status === status)
		.filter((run) => session === null || run.user === session)
		.filter(
			({ startedAt }) => startedAt >= (after ?? -Infinity) && startedAt <= (before ?? Infinity),
		)
		.filter((run) => keyword === '' || isFound(run, keyword))
		.toReversed();
	const data = all.slice((page - 1) * limit, page * limit).map((run) => rowOf(store, run));
	call.reply(200, { page, limit, total: all.length, has_more: page * limit < all.length, data });
}

/** Python's parsing of ISO times, with its error texts. */
function timeIn(value: string | null): number | undefined {
	if (value === null) return undefined;
	if (/^\d{4}-\d\d-\d\d/.test(value))
		return (
			Date.parse(
				/[zZ]|[+-]\d\d:\d\d$/.test(value)
					? value
					: `${value.length === 10 ? `${value}T00:00:00` : value}Z`,
			) / 1000
		);
	if (/^\d+$/.test(value)) throw invalid('ISO time too short');
	throw invalid(`invalid literal for int() with base 10: b'${value.slice(0, 4)}'`);
}

/** Searches the stored values, which are JSON escaped to ASCII. */
function isFound(run: SimRun, keyword: string): boolean {
	const stored = [run.inputs, run.outputs].map((values) =>
		JSON.stringify(values).replace(
			/[\u0080-\uffff]/g,
			(letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`,
		),
	);
	const query = keyword.slice(0, 30).toLowerCase();
	return [...stored, run.user, run.workflowRunId ?? ''].some((text) =>
		text.toLowerCase().includes(query),
	);
}

function rowOf(store: Store, run: SimRun): Json {
	const isOver = run.status !== 'running';
	return {
		id: store.newId('log'),
		workflow_run: {
			id: run.workflowRunId,
			version: '2026-11-20 19:00:25.746424',
			status: run.status,
			triggered_from: 'app-run',
			error: run.error ?? null,
			elapsed_time: isOver ? 1.5 : 0,
			total_tokens: 20,
			total_steps: 3,
			created_at: run.startedAt,
			finished_at: run.finishedAt ?? null,
			exceptions_count: 0,
		},
		details: null,
		created_from: 'service-api',
		created_by_role: 'end_user',
		created_by_account: null,
		created_by_end_user: {
			id: store.endUser(run.app, run.user).id,
			type: 'service-api',
			is_anonymous: false,
			session_id: run.user,
		},
		created_at: run.startedAt,
	};
}
