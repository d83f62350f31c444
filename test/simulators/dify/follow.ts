import { isJson, notFound, without } from './http';
import { workflowBased } from './plain';
import { liveOf, notWorkflow, play } from './runs';
import type { Live } from './runs';
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
	run.status = 'running';
	const { action, inputs } = filled;
	live.done = play(store, live, live.transcript.resumption({ form: issued.form, action, inputs }));
}

/**
 * `GET /workflow/:id/events`: one replayed event for a finished run, otherwise its further events (docs/protocols/dify.md 2.4).
 */
export async function workflowEvents(call: Call): Promise<void> {
	const { store, app, ids, query, user } = call;
	if (!workflowBased(app.mode)) throw notWorkflow();
	const run = store.runs.find((each) => each.app === app && each.workflowRunId === ids[0]);
	const live = run === undefined ? undefined : liveOf(run);
	if (run === undefined || live === undefined || run.user !== user.sessionId)
		throw notFound('Workflow run not found');
	const writer: StreamWriter = new StreamWriter(call.res, store.stream, store.clock, () =>
		live.writers.delete(writer),
	);
	if (run.status !== 'running' && run.status !== 'paused') return await replayEnd(writer, run);
	live.writers.add(writer);
	const staysOn = query.get('continue_on_pause') === 'true';
	if (staysOn) live.patient.add(writer);
	writer.start({ 'Cache-Control': 'no-cache' });
	// Events of the run are queued after these.
	const written = [writer.write({ kind: 'ping' })];
	const hasSnapshot = query.get('include_state_snapshot') === 'true';
	if (hasSnapshot)
		for (const event of createSnapshot(run, live))
			written.push(writer.write({ kind: 'event', event }));
	await Promise.all(written);
	const events = countAudible(run, live, writer);
	if (events !== undefined) writer.hears = { events, then: hasSnapshot ? 'pings' : 'reset' };
	if (!hasSnapshot || run.status !== 'paused' || staysOn) return;
	live.writers.delete(writer);
	await writer.finish(false);
}

/** From 1.15 on, a disconnecting reader ends the streams of the others (docs/protocols/dify.md 12.3). */
function countAudible(run: SimRun, live: Live, own: StreamWriter): number | undefined {
	const hasLeaver =
		run.clientLeft || [...live.writers].some((writer) => writer !== own && writer.isGone);
	return run.status === 'running' && hasLeaver ? 2 : undefined;
}

async function replayEnd(writer: StreamWriter, run: SimRun): Promise<void> {
	const end = run.events.findLast((event) => event.event === 'workflow_finished');
	// The run's ID, since its task has ended.
	const event = { ...end, task_id: run.workflowRunId, workflow_run_id: run.workflowRunId };
	writer.start({ 'Cache-Control': 'no-cache' });
	await writer.write({ kind: 'event', event });
	await writer.finish(false);
}

/**
 * Snapshot of a running run: its ended nodes without values, and its open forms. Its text is stored at a pause only
 * (docs/protocols/dify.md 2.4).
 */
function createSnapshot(run: SimRun, live: Live): Json[] {
	const { events, status, app } = run;
	const isPaused = status === 'paused';
	const started = events.filter(({ event }) => event === 'workflow_started').slice(0, 1);
	const text = started.map((event) => ({
		...without(without(event, 'data'), 'workflow_run_id'),
		event: 'message_replace',
		answer: isPaused ? live.transcript.text : '',
		reason: '',
	}));
	const nodes = events.filter(({ event }) => event === 'node_started' || event === 'node_finished');
	const replayed = [
		...started,
		...(app.mode === 'advanced-chat' ? text : []),
		...nodes.map((event) => ({ ...event, data: withoutValues(event.data as Json) })),
	];
	if (!isPaused) return replayed;
	const open = new Set(live.transcript.openForms.map(({ formId }) => formId));
	const forms = events.filter(
		({ event, data }) =>
			event === 'human_input_required' && isJson(data) && open.has(String(data.form_id)),
	);
	const paused = events.findLast(({ event }) => event === 'workflow_paused');
	return [
		...replayed,
		...findWaitingNodes(nodes),
		...forms,
		...(paused === undefined ? [] : [paused]),
	];
}

function withoutValues(data: Json): Json {
	return { ...data, inputs: null, process_data: null, outputs: null, execution_metadata: null };
}

/** The end of nodes that wait for a person (`paused`), which the stream of the run itself does not contain. */
function findWaitingNodes(nodes: Json[]): Json[] {
	const idOf = ({ data }: Json) => (data as Json).id;
	const ended = nodes.filter(({ event }) => event === 'node_finished').map(idOf);
	return nodes
		.filter((node) => !ended.includes(idOf(node)))
		.map((node) => ({
			...node,
			event: 'node_finished',
			data: { ...withoutValues(node.data as Json), status: 'paused', error: null },
		}));
}
