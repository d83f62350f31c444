import { delay } from '../../../support/node';
import type { DifySim } from '../../dify';
import { isJson } from '../http';
import { liveOf } from '../runs';
import type { Json, NodeStep, SimApp, Step } from '../types';
import { eventsOf, type StreamEvent } from './compare';
import type { Scene } from './scene';
import { post } from './send';
import { scriptFromStream } from './script-from-stream';

/**
 * A run whose events were requested while it was running or paused: it is brought to the same state, and goes on after the
 * recorded request.
 *
 * @returns false if the recorded stream is not of such a run
 */
export async function joinedRun(
	scene: Scene,
	sim: DifySim,
	app: SimApp,
	id: string,
): Promise<boolean> {
	const events = eventsOf(scene.answer.body).filter(({ event }) => event !== 'ping');
	if (!scene.path.endsWith('/events') || events.length < 2 || isResumption(events[0])) return false;
	const live = events.findIndex((event) => !isReplayed(event));
	const replayed = live < 0 ? events : events.slice(0, live);
	const coming = live < 0 ? [] : events.slice(live);
	const before = scriptFromStream(replayed.flatMap(played), app.mode, false).script.steps;
	const after = scriptFromStream(coming, app.mode, false).script;
	const attached = async () => {
		while ((liveOf(sim.runs[0]!)?.writers.size ?? 0) === 0) await delay(1);
		await delay(5);
	};
	let start = (): void => undefined;
	const waits: Step[] = live < 0 ? [] : [{ wait: new Promise<void>((go) => (start = go)) }];
	const steps = [...before, ...startsOf(coming, replayed), ...waits, ...after.steps];
	app.reply = () => ({ ...after, steps });
	const chat = app.mode !== 'workflow';
	const inputs = inputsOf(events[0]);
	app.form = Object.entries(inputs).map(([variable, value]) => ({
		kind: typeof value === 'number' ? 'number' : 'paragraph',
		variable,
		maxLength: 1000,
	}));
	const body = {
		inputs,
		...(chat ? { query: 'q' } : {}),
		user: scene.user,
		response_mode: 'blocking',
	};
	const running = post(sim, app, chat ? '/v1/chat-messages' : '/v1/workflows/run', body);
	if (live < 0) await running;
	else {
		void running.catch(() => undefined);
		while (sim.runs.length === 0) await delay(1);
		void attached().then(() => start());
	}
	sim.runs[0]!.workflowRunId = id;
	return true;
}

/** Inputs of the run. */
function inputsOf(started: StreamEvent | undefined): Json {
	const inputs = isJson(started?.data) && isJson(started.data.inputs) ? started.data.inputs : {};
	return Object.fromEntries(Object.entries(inputs).filter(([name]) => !name.startsWith('sys.')));
}

function isResumption(event: StreamEvent | undefined): boolean {
	return isJson(event?.data) && event.data.reason === 'resumption';
}

/** Whether the event is part of a snapshot: its nodes have no values, and no fields about truncated values. */
function isReplayed({ event, data }: StreamEvent): boolean {
	if (event === 'node_started' || event === 'node_finished')
		return isJson(data) && !('inputs_truncated' in data);
	return [
		'workflow_started',
		'message_replace',
		'human_input_required',
		'workflow_paused',
	].includes(event);
}

/** The events behind one of a snapshot. */
function played(event: StreamEvent): StreamEvent[] {
	if (event.event === 'message_replace')
		return event.answer === ''
			? []
			: [{ ...event, event: 'message', from_variable_selector: null }];
	// A node that waits for a person has no end event in the original stream.
	return isJson(event.data) && event.event === 'node_finished' && event.data.status === 'paused'
		? []
		: [event];
}

/** Starts of nodes that were running when the run was joined without a snapshot. */
function startsOf(coming: StreamEvent[], replayed: StreamEvent[]): Step[] {
	const begun = new Set<unknown>();
	const steps: Step[] = [];
	for (const { event, data } of [...replayed, ...coming]) {
		if (!isJson(data)) continue;
		if (event === 'node_started') begun.add(data.id);
		else if (event === 'node_finished' && !begun.has(data.id))
			steps.push({ nodeStart: nodeOf(data) });
	}
	return steps;
}

function nodeOf({ id, node_id: nodeId, node_type: type, title }: Json): NodeStep {
	return { id: String(nodeId), executionId: String(id), type: String(type), title: String(title) };
}
