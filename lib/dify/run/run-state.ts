/** What the events of a run mean: its text, its IDs, its nodes, its end (docs/protocols/dify.md 3). */
import {
	asArray,
	asFiniteNumber,
	isNonEmpty,
	isRecord,
	type JsonRecord,
	asNonEmptyString,
	asRecord,
	asRecords,
	asString as textOf,
} from '../../values';
import { ReasoningSplitter } from '../../chat/reasoning';
import { TextCount } from '../../http/response-body';
import type {
	AgentThought,
	DifyFile,
	HumanForm,
	RunError,
	RunResult,
	TextDelta,
	WorkflowNode,
	WorkflowRun,
} from '../types';
import {
	addFile,
	addForm,
	addNode,
	addThought,
	findSingleText,
	updateWorkflow,
} from './merge-events';

/** All that is known of a run so far. */
export interface RunState extends Omit<RunResult, 'status' | 'error' | 'warnings'> {
	/** By kind and execution ID, so that a loop of thousands of passes is not searched again and again. */
	readonly nodeIndex: Map<string, WorkflowNode>;
	/** Files by each of their names, thoughts by ID: there may be thousands. */
	readonly fileIndex: Map<string, DifyFile>;
	readonly thoughtIndex: Map<string, AgentThought>;
	/** Events of its beginning may be missing: it was attached to, or comes from its record. Its outputs are its text. */
	isAttached: boolean;
	/** A pause is no end: the run goes on once its form is answered. */
	readonly continueAfterPause: boolean;
	forms: HumanForm[];
	error?: RunError;
	/** Of the text that comes in pieces. Whole texts are bounded by the length of their event. */
	readonly count: TextCount;
	/** Beginning of the text that was compared with a stored one, so that no event compares all of it again. */
	compared: string;
	/** Splits thinking off the pieces of the text. */
	splitter: ReasoningSplitter;
	/** Thinking that stood in the text. */
	thinking: string;
	/** Text came as `agent_message`, so that each `message` is the full answer of a New Agent. */
	hasAgentMessage: boolean;
	hasMessageEnd: boolean;
	/** `workflow_finished` came; `alone` where no `message_end` belongs to it (workflow apps, replays of finished runs). */
	end?: { status: string; alone: boolean };
	/** Output moderation put its text in place of the answer. */
	isModerated: boolean;
	/** Number of events that were no JSON objects. */
	invalidEvents: number;
}

export function createRunState({
	isPartial: isAttached = false,
	acrossPauses: continueAfterPause = false,
} = {}): RunState {
	return {
		text: '',
		reasoning: '',
		retrieverResources: [],
		files: [],
		thoughts: [],
		nodeIndex: new Map(),
		fileIndex: new Map(),
		thoughtIndex: new Map(),
		isAttached,
		continueAfterPause,
		forms: [],
		submittedForms: [],
		count: new TextCount(),
		compared: '',
		splitter: new ReasoningSplitter(false),
		thinking: '',
		hasAgentMessage: false,
		hasMessageEnd: false,
		isModerated: false,
		invalidEvents: 0,
	};
}

/** Changes the run by the event, and returns the changes of its text. */
type Handler = (run: RunState, event: JsonRecord, data: JsonRecord) => TextDelta[] | void;

/** Events of a node. Iterations and loops send no `node_*` for themselves. */
const node =
	(kind: WorkflowNode['kind']): Handler =>
	(run, { event }, data) => {
		addNode(ensureWorkflow(run), run.nodeIndex, kind, String(event), data);
		// A run that is followed after its form was answered brings no other event about it.
		addSubmittedForm(run, data.title, asRecord(data.outputs).__action_id);
	};

/** Others (pings, speech, those of later versions) change nothing. */
const HANDLERS: Readonly<Record<string, Handler>> = {
	message: messageText,
	// In chatbots and agents, text of an answer with files comes as this event, too (docs/protocols/dify.md 3.3).
	message_file: (run, event) =>
		typeof event.answer === 'string' ? messageText(run, event) : addFile(run, fileOf(event)),
	message_replace: replaceMessage,
	message_end: messageEnd,
	agent_message: (run, event) => {
		run.hasAgentMessage = true;
		return append(run, event.answer);
	},
	text_chunk: (run, _event, data) => append(run, data.text),
	agent_thought: addThought,
	reasoning_chunk: (run, _event, data) => {
		const piece = textOf(data.reasoning) ?? '';
		run.reasoning += piece;
		run.count.add(piece.length);
	},
	workflow_started: (run, _event, data) => updateWorkflow(ensureWorkflow(run), data),
	workflow_finished: workflowFinished,
	workflow_paused: (run, _event, data) => applyPause(run, data),
	error: errorEvent,
	node_started: node('node'),
	node_finished: node('node'),
	node_retry: node('node'),
	iteration_started: node('iteration'),
	iteration_next: node('iteration'),
	iteration_completed: node('iteration'),
	loop_started: node('loop'),
	loop_next: node('loop'),
	loop_completed: node('loop'),
	human_input_required: (run, _event, data) => addForm(run.forms, data),
	human_input_form_filled: closeForm,
	human_input_form_timeout: closeForm,
};

/** Names of the events with a handler. */
export const EVENT_NAMES: readonly string[] = Object.keys(HANDLERS);

/** Applies one event. It depends only on the events before, however the bytes were cut. */
export function applyEvent(run: RunState, event: unknown): TextDelta[] {
	if (!isRecord(event)) run.invalidEvents++;
	if (!isRecord(event) || isRunFinished(run)) return [];
	const name = asNonEmptyString(event.event);
	if (name === undefined) return [];
	recordIds(run, event);
	const handler = Object.hasOwn(HANDLERS, name) ? HANDLERS[name] : undefined;
	return handler?.(run, event, asRecord(event.data)) ?? [];
}

/** `error` has no task ID, newer workers' errors have no IDs at all: the first value of each stays. */
function recordIds(run: RunState, event: JsonRecord): void {
	// Events about a finished run have the run ID as task ID.
	const taskId = asNonEmptyString(event.task_id);
	if (taskId !== event.workflow_run_id) run.taskId ??= taskId;
	run.conversationId ??= asNonEmptyString(event.conversation_id);
	run.messageId ??= asNonEmptyString(event.message_id);
	run.workflowRunId ??= asNonEmptyString(event.workflow_run_id);
	run.createdAt ??= asFiniteNumber(event.created_at);
}

/** Whether nothing of interest can follow (docs/protocols/dify.md 3.8). Newer servers keep the socket open for minutes. */
export function isRunFinished(run: RunState): boolean {
	if (run.error !== undefined || run.pause !== undefined) return true;
	const { end, hasMessageEnd } = run;
	// Without a workflow, moderation or an annotation answered in place of the chatflow.
	if (end === undefined) return hasMessageEnd && run.workflow === undefined;
	return end.alone || hasMessageEnd;
}

/** Whether only one more event may follow: chatflows have two at their end, in any order. */
export function isRunFinishing({ end, hasMessageEnd }: RunState): boolean {
	return end !== undefined || hasMessageEnd;
}

export function isSuccessStatus(status: string): status is 'succeeded' | 'partial-succeeded' {
	return status === 'succeeded' || status === 'partial-succeeded';
}

/** Only chatflows belong to a conversation. */
function isChatflow({ conversationId }: RunState): boolean {
	return conversationId !== undefined;
}

export function ensureWorkflow(run: RunState): WorkflowRun {
	run.workflow ??= { runId: run.workflowRunId, status: 'running', nodes: [] };
	return run.workflow;
}

function append(run: RunState, value: unknown): TextDelta[] {
	const piece = textOf(value) ?? '';
	const deltas = split(run, piece);
	run.count.add(piece.length);
	return deltas;
}

function split(run: RunState, piece: string): TextDelta[] {
	const { text, reasoning } = run.splitter.push(piece);
	return added(run, text, reasoning);
}

function added(run: RunState, text: string, reasoning: string): TextDelta[] {
	run.thinking += reasoning;
	run.text += text;
	return text === '' ? [] : [{ type: 'append', text }];
}

/** At the end of the text: what may have been the beginning of a tag. */
export function flushText(run: RunState): TextDelta[] {
	const { text, reasoning } = run.splitter.end();
	return added(run, text, reasoning);
}

/** Puts another text in place. If it only extends the old one, the rest is appended, which a live display can show. */
function replace(run: RunState, whole: unknown, reason: string): TextDelta[] {
	const before = run.text;
	run.splitter = new ReasoningSplitter(false);
	run.text = run.compared = '';
	const thinkingBefore = run.thinking;
	run.thinking = '';
	split(run, textOf(whole) ?? '');
	run.thinking ||= thinkingBefore;
	const { text } = run;
	// Texts of a workflow with several outputs are streamed with line breaks between them.
	if (text.trimEnd() === before.trimEnd()) return [];
	if (!text.startsWith(before)) return [{ type: 'replace', text, reason }];
	return [{ type: 'append', text: text.slice(before.length) }];
}

/**
 * docs/protocols/dify.md 3.5: after `agent_message` pieces a `message` repeats the complete answer (New Agent), however
 * often it comes; without them it is a piece (chat, chatflow, moderation and annotation in agent apps).
 */
function messageText(run: RunState, { answer }: JsonRecord): TextDelta[] {
	const piece = asNonEmptyString(answer);
	if (!run.hasAgentMessage || piece === undefined) return append(run, piece);
	// What was said before a tool call is no part of the repeated answer; then its end was shown already.
	const isShown = run.text.trimEnd().endsWith(piece.trim());
	const deltas = replace(run, piece, 'full_message');
	return isShown ? [] : deltas;
}

/** The text of the moderation; without a reason, the beginning of the answer as Dify has stored it, or nothing yet. */
function replaceMessage(run: RunState, event: JsonRecord): TextDelta[] {
	const reason = asNonEmptyString(event.reason);
	const answer = textOf(event.answer) ?? '';
	if (answer.length > run.compared.length) run.compared = run.text;
	if (run.isAttached && reason === undefined && run.compared.startsWith(answer)) return [];
	run.isModerated ||= reason === 'output_moderation';
	return replace(run, answer, reason ?? 'message_replace');
}

function fileOf(event: JsonRecord): JsonRecord {
	const keys = ['id', 'type', 'belongs_to', 'url'].filter((key) => isNonEmpty(event[key]));
	return Object.fromEntries(keys.map((key) => [key, event[key]]));
}

function messageEnd(run: RunState, event: JsonRecord): void {
	run.hasMessageEnd = true;
	run.messageId ??= asNonEmptyString(event.id);
	if (isRecord(event.metadata)) {
		run.metadata = event.metadata;
		if (isNonEmpty(event.metadata.usage)) run.usage = asRecord(event.metadata.usage);
		run.retrieverResources = asRecords(event.metadata.retriever_resources);
	}
	for (const file of asRecords(event.files)) addFile(run, file);
}

/** Ends the run; of a chatflow only half, since `message_end` must come as well. */
function workflowFinished(run: RunState, event: JsonRecord, data: JsonRecord): TextDelta[] {
	const workflow = ensureWorkflow(run);
	updateWorkflow(workflow, data);
	if (isStop(workflow.error)) workflow.status = 'stopped';
	for (const file of asRecords(data.files)) addFile(run, file);
	if (workflow.status === 'paused') return applyPause(run, data);
	// The replay of a finished run carries no conversation, and no message_end follows it (docs/protocols/dify.md 2.4).
	const ids = [event.conversation_id, event.message_id].map(asNonEmptyString);
	const alone = ids.every((id) => id === undefined);
	run.end = { status: workflow.status, alone };
	return isSuccessStatus(workflow.status) ? applyOutputs(run, alone) : [];
}

/**
 * The outputs are the text where its pieces are a preview (`text_chunk`, docs/protocols/dify.md 3.3), where some may be
 * missing, or where none came. Elsewhere the pieces are the answer.
 */
function applyOutputs(run: RunState, alone: boolean): TextDelta[] {
	const isWhole = !alone && !run.isAttached && run.text + run.thinking !== '';
	if (isWhole || run.isModerated) return [];
	const outputs = asRecord(run.workflow?.outputs);
	const whole = isChatflow(run) ? asNonEmptyString(outputs.answer) : findSingleText(outputs);
	return whole === undefined ? [] : replace(run, whole, 'workflow_outputs');
}

/** The run waits for people: `workflow_paused`, or a run that finished as paused. */
function applyPause(run: RunState, data: JsonRecord): TextDelta[] {
	const workflow = ensureWorkflow(run);
	updateWorkflow(workflow, { ...data, status: 'paused' });
	run.workflowRunId ??= workflow.runId;
	const { answer } = asRecord(data.outputs);
	const deltas = run.isAttached && isNonEmpty(answer) ? replace(run, answer, 'pause') : [];
	const reasons = asRecords(data.reasons);
	for (const reason of reasons)
		if (reason.TYPE === 'human_input_required') addForm(run.forms, reason);
	if (!run.continueAfterPause)
		run.pause = {
			workflowRunId: run.workflowRunId,
			pausedNodes: asArray(data.paused_nodes),
			reasons,
			forms: run.forms,
		};
	return deltas;
}

/** The form was answered, or has expired. */
function closeForm(run: RunState, _event: JsonRecord, data: JsonRecord): void {
	run.forms = run.forms.filter((form) => form.nodeId !== asNonEmptyString(data.node_id));
	addSubmittedForm(run, data.node_title, data.action_id);
}

/** The button that counted. */
function addSubmittedForm({ submittedForms }: RunState, title: unknown, action: unknown): void {
	const [nodeTitle, actionId] = [title, action].map(asNonEmptyString);
	const isSame = (known: (typeof submittedForms)[number]) =>
		known.nodeTitle === nodeTitle && known.actionId === actionId;
	if (actionId === undefined || submittedForms.some(isSame)) return;
	submittedForms.push({ nodeTitle, actionId });
}

/** An early stop, or one between two nodes, is reported as a failure (docs/protocols/dify.md 3.6, 12.3). */
function isStop(reason: string | undefined): boolean {
	return /^(?:Run failed: )?(?:Workflow execution )?aborted: /i.test(reason ?? '');
}

/** Dify's `error`, always with a text: its own may be null, empty or missing (docs/protocols/dify.md 3.7). */
function errorEvent(run: RunState, event: JsonRecord): void {
	const code = asNonEmptyString(event.code);
	const status = asFiniteNumber(event.status);
	const message = trimmed(event.message) ?? getRunFailureText(run);
	if (isStop(message)) run.end = { status: 'stopped', alone: true };
	else run.error = { cause: 'errorEvent', code, status, message: message ?? NO_REASON };
}

export const NO_REASON = 'The run failed without a reason from Dify';

/** What the run or its failed node says, for failures whose own event has no text. */
export function getRunFailureText({ workflow }: RunState): string | undefined {
	const failed = workflow?.nodes.filter(({ status }) => status === 'failed').at(-1);
	return trimmed(workflow?.error) ?? trimmed(failed?.error);
}

function trimmed(value: unknown): string | undefined {
	return asNonEmptyString(textOf(value)?.trim());
}
