/**
 * Turns the events of a Dify stream into the result of a run: the catalogue of events is here, their handlers in
 * `events/answer.ts` and `events/workflow.ts`, the end of a run in `events/termination.ts`, the result in
 * `events/outcome.ts`.
 */
import { append, messageEnd, messageFile, messageText, replace, replaceMessage } from './answer';
import { addAgentLog, addForm, addNode, addThought, updateWorkflow } from './collect';
import type { RunState } from './state';
import { nextStep } from './termination';
import { errorEvent, formClosed, paused, workflowFinished, workflowOf } from './workflow';
import { recordOf, isRecord, finiteNumber, nonEmptyText, type JsonRecord } from '../../values';
import type { RunStep, WorkflowNode } from '../types';

export { singleText } from './collect';
export { resultByEvents, resultWithoutMessageEnd } from './outcome';
export { createRun, joinTail, knownText, noteGap, reopen, type RunState } from './state';
export { isChatflow } from './workflow';
export { isUnfinished, LATE_EVENTS_MS } from './termination';

/** Applies an event. `data` is the event's object of that name, which holds everything in workflows. */
type Handler = (state: RunState, event: JsonRecord, data: JsonRecord) => void;

/** Handles events of a node. Iterations and loops send no `node_*` for themselves. */
const node =
	(kind: WorkflowNode['kind']): Handler =>
	(state, { event }, data) =>
		addNode(workflowOf(state), state.nodeIndex, kind, String(event), data);

/**
 * All events of docs/protocols/dify.md 3.3, with their handlers. All of it is shown: in the item, or with *Include*, or
 * as a warning. Other events (pings, speech, those of future versions) change nothing.
 */
const HANDLERS: Readonly<Record<string, Handler>> = {
	// The answer, and its files.
	message: messageText,
	message_file: messageFile,
	message_replace: replaceMessage,
	message_end: messageEnd,
	agent_message: (state, event) => {
		state.sawAgentMessage = true;
		append(state, nonEmptyText(event.answer));
	},
	text_chunk: (state, _event, data) => append(state, nonEmptyText(data.text)),
	text_replace: (state, _event, data) =>
		replace(state, nonEmptyText(data.text) ?? '', 'text_replace'),
	// Thinking, and steps of agents.
	agent_thought: addThought,
	agent_log: (state, _event, data) =>
		addAgentLog(workflowOf(state).agentLogs, state.logIndex, data),
	reasoning_chunk: (state, _event, data) =>
		void (state.reasoning += nonEmptyText(data.reasoning) ?? ''),
	// The run, and its end.
	workflow_started: (state, _event, data) => updateWorkflow(workflowOf(state), data),
	workflow_finished: workflowFinished,
	workflow_paused: (state, _event, data) => paused(state, data),
	error: errorEvent,
	// Its nodes; retries of a node are a warning, too.
	node_started: node('node'),
	node_finished: node('node'),
	node_retry: node('node'),
	iteration_started: node('iteration'),
	iteration_next: node('iteration'),
	iteration_completed: node('iteration'),
	loop_started: node('loop'),
	loop_next: node('loop'),
	loop_completed: node('loop'),
	// Forms that wait for people. Answered ones are no longer shown.
	human_input_required: (state, _event, data) => addForm(state.forms, data),
	human_input_form_filled: (state, _event, data) => formClosed(state, data),
	human_input_form_timeout: (state, _event, data) => formClosed(state, data),
};

/** Names of the events with a handler. */
export const EVENTS: readonly string[] = Object.keys(HANDLERS);

/**
 * Applies one parsed event of a Dify stream. Unknown events and fields are ignored. Changes the state in place; it
 * depends only on the hints and the events before, however the bytes were cut.
 */
export function reduce(state: RunState, event: unknown): RunStep {
	state.deltas = [];
	if (!state.closed) {
		if (isRecord(event)) apply(state, event);
		else state.badEvents++;
	}
	const { next, closeAfterMs } = nextStep(state);
	if (next === 'close') state.closed = true;
	return {
		deltas: state.deltas,
		next,
		closeAfterMs,
		restartsWait: next === 'continue',
	};
}

function apply(state: RunState, event: JsonRecord): void {
	const name = nonEmptyText(event.event);
	if (name === undefined) return;
	noteIds(state, event);
	if (Object.hasOwn(HANDLERS, name)) HANDLERS[name]!(state, event, recordOf(event.data));
}

/** `error` has no task id, newer workers' errors have no ids at all: the first value of each stays. */
function noteIds(state: RunState, event: JsonRecord): void {
	// Events about a finished run have the run ID as task ID.
	const taskId = nonEmptyText(event.task_id);
	if (taskId !== event.workflow_run_id) state.taskId ??= taskId;
	state.conversationId ??= nonEmptyText(event.conversation_id);
	state.messageId ??= nonEmptyText(event.message_id);
	state.workflowRunId ??= nonEmptyText(event.workflow_run_id);
	state.createdAt ??= finiteNumber(event.created_at);
}
