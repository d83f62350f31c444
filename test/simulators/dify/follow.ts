import { crashed, isJson, isUuid, notFound, without } from './http';
import { workflowBased } from './plain';
import { liveOf, notWorkflow, play, type Live } from './runs';
import type { Call, Store } from './store';
import type { Json, SimRun } from './types';
import { StreamWriter } from './wire';

/** Resumes a paused run; streams of the events route get its events. */
export function resume(
	store: Store,
	run: SimRun,
	filled: { formId: string; action: string; inputs: Json },
): void {
	const live = liveOf(run);
	const issued = live?.transcript.forms.find(({ formId }) => formId === filled.formId);
	if (live === undefined || issued === undefined) return;
	// Other forms of the same pause are still open.
	if (live.transcript.answer(issued)) return;
	const go = async () => {
		run.status = 'running';
		const { action, inputs } = filled;
		await play(store, live, live.transcript.resumption({ form: issued.form, action, inputs }));
	};
	live.done = go();
}

/**
 * `GET /workflow/:id/events`: one replayed event for a finished run, otherwise its further events (docs/protocols/dify.md 2.4).
 */
export async function workflowEvents(call: Call): Promise<void> {
	const { store, app, ids, query, user } = call;
	if (!workflowBased(app.mode)) throw notWorkflow();
	if (!isUuid(ids[0] ?? '')) throw crashed();
	const run = store.runs.find((each) => each.app === app && each.workflowRunId === ids[0]);
	const live = run === undefined ? undefined : liveOf(run);
	if (run === undefined || live === undefined || run.user !== user.sessionId)
		throw notFound('Workflow run not found');
	if (run.status !== 'running' && run.status !== 'paused') return await replayEnd(call, run);
	const writer: StreamWriter = new StreamWriter(call.res, store.stream, store.clock, () =>
		live.writers.delete(writer),
	);
	live.writers.add(writer);
	const staysOn = query.get('continue_on_pause') === 'true';
	if (staysOn) live.patient.add(writer);
	writer.start({ 'Cache-Control': 'no-cache' });
	// Events of the run are queued after these.
	const written = [writer.write({ kind: 'ping' })];
	const withSnapshot = query.get('include_state_snapshot') === 'true';
	if (withSnapshot)
		for (const event of snapshot(run, live)) written.push(writer.write({ kind: 'event', event }));
	await Promise.all(written);
	const events = deafAfter(run, live, writer);
	if (events !== undefined) writer.hears = { events, then: withSnapshot ? 'pings' : 'reset' };
	if (!withSnapshot || run.status !== 'paused' || staysOn) return;
	live.writers.delete(writer);
	await writer.finish(false);
}

/** From 1.15 on, a disconnecting reader ends the streams of the others (docs/protocols/dify.md 12.3). */
function deafAfter(run: SimRun, live: Live, own: StreamWriter): number | undefined {
	const someoneLeft =
		run.clientLeft || [...live.writers].some((writer) => writer !== own && writer.isGone);
	return run.status === 'running' && someoneLeft ? 2 : undefined;
}

async function replayEnd({ res, store }: Call, run: SimRun): Promise<void> {
	const end = run.events.findLast((event) => event.event === 'workflow_finished');
	const event = {
		event: 'workflow_finished',
		// The run's ID, since its task has ended.
		task_id: run.workflowRunId,
		workflow_run_id: run.workflowRunId,
		data: end?.data,
	};
	const writer = new StreamWriter(res, store.stream, store.clock, () => undefined);
	writer.start({ 'Cache-Control': 'no-cache' });
	await writer.write({ kind: 'event', event, spaced: true }, true);
	await writer.finish(false);
}

const NODE_FIELDS = new Set([
	...[
		'id',
		'node_id',
		'node_type',
		'title',
		'index',
		'predecessor_node_id',
		'inputs',
		'created_at',
		'extras',
	],
	...[
		'process_data',
		'outputs',
		'status',
		'error',
		'elapsed_time',
		'execution_metadata',
		'finished_at',
		'files',
	],
	...['iteration_id', 'loop_id'],
]);

/**
 * Snapshot of a running run: its ended nodes without values, and its open forms. Its text is stored at a pause only
 * (docs/protocols/dify.md 2.4).
 */
function snapshot(run: SimRun, live: Live): Json[] {
	const started = run.events.find((event) => event.event === 'workflow_started');
	const replayed: Json[] = started === undefined ? [] : [withTimestamp(run, started)];
	if (run.app.mode === 'advanced-chat' && started !== undefined) {
		const shared = without(without(started, 'data'), 'workflow_run_id');
		replayed.push({
			...shared,
			event: 'message_replace',
			answer: run.status === 'paused' ? live.transcript.text : '',
			reason: '',
		});
	}
	let index = 0;
	for (const event of run.events) {
		const { data } = event;
		if (!isJson(data)) continue;
		if (event.event === 'node_started') index++;
		if (event.event === 'node_started' || event.event === 'node_finished')
			replayed.push({ ...event, data: { ...bareNode(data), index } });
	}
	if (run.status !== 'paused') return replayed;
	replayed.push(...waitingNodes(replayed));
	const open = new Set(live.transcript.openForms.map(({ formId }) => formId));
	const requiredInputs = run.events.filter(
		(event) =>
			event.event === 'human_input_required' &&
			isJson(event.data) &&
			open.has(String(event.data.form_id)),
	);
	const paused = run.events.findLast((event) => event.event === 'workflow_paused');
	return [
		...replayed,
		...requiredInputs,
		...(paused === undefined ? [] : [pausedAgain(run, live, paused)]),
	];
}

/** The stored inputs of a workflow have one variable more than those in its stream. */
function withTimestamp(run: SimRun, started: Json): Json {
	if (run.app.mode !== 'workflow') return started;
	const data = started.data as Json;
	return {
		...started,
		data: { ...data, inputs: { ...(data.inputs as Json), 'sys.timestamp': run.startedAt } },
	};
}

/** Adds the end of nodes that wait for a person (`paused`), which the stream of the run itself does not contain. */
function waitingNodes(replayed: Json[]): Json[] {
	const nodes = replayed.filter(({ event }) => String(event).startsWith('node_'));
	const ended = nodes
		.filter(({ event }) => event === 'node_finished')
		.map(({ data }) => (data as Json).id);
	return nodes
		.filter(({ data }) => !ended.includes((data as Json).id))
		.map((event) => {
			const data = event.data as Json;
			const values = {
				process_data: null,
				outputs: null,
				status: 'paused',
				error: null,
				elapsed_time: 0.01,
			};
			const rest = { execution_metadata: null, finished_at: data.created_at, files: [] };
			return {
				...event,
				event: 'node_finished',
				data: { ...without(data, 'extras'), ...values, ...rest },
			};
		});
}

function bareNode(data: Json): Json {
	const known = Object.entries(data).filter(([name]) => NODE_FIELDS.has(name));
	const values = ['inputs', 'process_data', 'outputs', 'error', 'execution_metadata'];
	return Object.fromEntries(
		known.map(([name, value]) => [name, values.includes(name) ? null : value]),
	);
}

function pausedAgain(run: SimRun, live: Live, paused: Json): Json {
	const data = paused.data as Json;
	const text = { answer: live.transcript.text, files: { value_type: 'array[file]', value: [] } };
	const outputs = run.app.mode === 'advanced-chat' ? text : data.outputs;
	return { ...paused, data: { ...data, outputs, elapsed_time: 0, total_tokens: 0 } };
}
