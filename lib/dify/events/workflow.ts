import {
	recordsIn,
	recordOf,
	asList,
	finiteNumber,
	nonEmptyText,
	text as textOf,
	type JsonRecord,
} from '../../values';
import type { WorkflowRun } from '../types';
import { replace, takeWhole } from './answer';
import { addFile, addForm, singleText, updateWorkflow } from './collect';
import type { RunState } from './state';
import { succeeded } from './termination';

/** The workflow of a run, created by its first event. Without one, moderation answered in place of the chatflow. */
export function workflowOf(state: RunState): WorkflowRun {
	state.workflow ??= { runId: state.workflowRunId, status: 'running', nodes: [], agentLogs: [] };
	return state.workflow;
}

/** Ends the run; for a chatflow only half, since `message_end` must come as well. */
export function workflowFinished(state: RunState, event: JsonRecord, data: JsonRecord): void {
	const workflow = workflowOf(state);
	updateWorkflow(workflow, data);
	if (isStop(workflow.error)) workflow.status = 'stopped';
	for (const file of recordsIn(data.files)) addFile(state, file);
	if (workflow.status === 'paused') {
		paused(state, data);
		return;
	}
	// Every event of a chatflow carries its conversation and message; the replay of a finished run carries neither, and
	// no message_end follows it (docs/protocols/dify.md 2.4).
	const chatflow =
		nonEmptyText(event.conversation_id) !== undefined ||
		nonEmptyText(event.message_id) !== undefined;
	state.workflowEnd = { status: workflow.status, alone: !chatflow };
	if (succeeded(workflow.status)) takeOutputs(state, !chatflow);
}

/**
 * The outputs are the answer, where its pieces are a preview (`text_chunk`, docs/protocols/dify.md 3.3), where some of
 * them may be missing, or where none came. Elsewhere the pieces are the answer.
 */
function takeOutputs(state: RunState, isAlone: boolean): void {
	if (!isAlone && !state.mayHaveGap) {
		state.isTextWhole = true;
		if (state.text !== '') return;
	}
	const whole = textIn(state);
	// An empty output of a workflow is its result, too: nothing of the preview stays.
	if (whole === '' && !isChatflow(state)) replace(state, whole, 'workflow_outputs');
	takeWhole(state, whole, 'workflow_outputs');
}

/** The answer of a chatflow; the only text of other outputs, which have any names. */
function textIn(state: RunState): string | undefined {
	if (state.moderated) return undefined;
	const outputs = recordOf(state.workflow?.outputs);
	if (isChatflow(state)) return textOf(outputs.answer);
	return singleText(outputs);
}

/** Only chatflows belong to a conversation. */
export function isChatflow({ conversationId }: RunState): boolean {
	return conversationId !== undefined;
}

/** The run waits for people: `workflow_paused`, or a run that finished as paused. */
export function paused(state: RunState, data: JsonRecord): void {
	const workflow = workflowOf(state);
	updateWorkflow(workflow, { ...data, status: 'paused' });
	state.workflowRunId ??= workflow.runId;
	if (state.mayHaveGap) takeWhole(state, textOf(recordOf(data.outputs).answer), 'pause');
	const reasons = recordsIn(data.reasons);
	for (const reason of reasons) {
		if (reason.TYPE === 'human_input_required') addForm(state.forms, reason);
	}
	if (state.hints.acrossPauses === true) return;
	state.pause = {
		workflowRunId: state.workflowRunId,
		pausedNodes: asList(data.paused_nodes),
		reasons,
		forms: state.forms,
	};
}

/** Removes a form that was answered or has expired. */
export function formClosed(state: RunState, data: JsonRecord): void {
	state.forms = state.forms.filter((form) => form.nodeId !== nonEmptyText(data.node_id));
}

/** An early stop, or one between two nodes, is reported as a failure (docs/protocols/dify.md 3.6, 12.3). */
function isStop(reason: string | undefined): boolean {
	return /^(?:Run failed: )?(?:Workflow execution )?aborted: /i.test(reason ?? '');
}

/** Dify's `error`, always with a text: its own may be null, empty or missing (docs/protocols/dify.md 3.7). */
export function errorEvent(state: RunState, event: JsonRecord): void {
	const code = nonEmptyText(event.code);
	const status = finiteNumber(event.status);
	const known = [code && `code ${code}`, status && `status ${status}`].filter(Boolean).join(', ');
	const message = trimmedText(event.message) ?? runFailure(state);
	if (isStop(message)) {
		state.workflowEnd = { status: 'stopped', alone: true };
		return;
	}
	state.streamError = {
		cause: 'errorEvent',
		code,
		status,
		message: message ?? `Dify reported an error without a text${known === '' ? '' : ` (${known})`}`,
	};
}

/** What the run or its failed node says, for failures whose own event has no text. */
export function runFailure(state: RunState): string | undefined {
	const failed = state.workflow?.nodes.filter((node) => node.status === 'failed').at(-1);
	return trimmedText(state.workflow?.error) ?? trimmedText(failed?.error);
}

function trimmedText(value: unknown): string | undefined {
	const trimmed = nonEmptyText(value)?.trim();
	return trimmed === '' ? undefined : trimmed;
}
