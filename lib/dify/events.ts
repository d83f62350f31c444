import { joinBase64 } from './audio';
import {
	addAgentLog,
	addFile,
	addForm,
	addNode,
	addThought,
	isNodeEvent,
	singleText,
	updateWorkflow,
	type NodeIndex,
} from './collect';
import { fields, fieldsList, isFields, list, number, parseJson, says, text, type Fields } from './read';
import type {
	AgentThought,
	DifyFile,
	DifyUsage,
	FinishReason,
	HumanForm,
	RetrieverResource,
	RunError,
	RunErrorCause,
	RunHints,
	RunNext,
	RunPause,
	RunResult,
	RunStatus,
	RunStep,
	TextDelta,
	WorkflowRun,
} from './types';

/** How long to wait, after a run is known to be over, for an event that one of the versions sends late (contract 3.8). */
export const GRACE_MS = 2000;

/** Dify keeps the stream open for about five seconds after the answer for speech that is still being made. */
export const AUDIO_GRACE_MS = 5000;

/** Everything known so far. The ids may be read at any time, for instance to stop the run; the rest belongs to this file. */
export interface RunState {
	readonly hints: Readonly<RunHints>;
	taskId?: string;
	conversationId?: string;
	messageId?: string;
	workflowRunId?: string;
	createdAt?: number;
	text: string;
	reasoning: string;
	usage?: DifyUsage;
	metadata?: Record<string, unknown>;
	retrieverResources: RetrieverResource[];
	files: DifyFile[];
	thoughts: AgentThought[];
	workflow?: WorkflowRun;
	nodeIndex: NodeIndex;
	forms: HumanForm[];
	pause?: RunPause;
	streamError?: RunError;
	audioPieces: string[];
	audioEnded: boolean;
	/** Text came as `agent_message`, so that a `message` is the closing full answer of a New Agent. */
	sawAgentMessage: boolean;
	sawMessage: boolean;
	messageEnded: boolean;
	/** `workflow_finished` came; `alone` when no `message_end` belongs to it (workflow apps, replays of finished runs). */
	workflowEnd?: { status: string; alone: boolean };
	/** Payloads that were no JSON object. */
	badEvents: number;
	/** The outcome stands; what follows, in the same packet or not, must not change it. */
	closed: boolean;
}

/** Starts the reduction of one run. */
export function createRun(hints: RunHints = {}): RunState {
	return {
		hints: { ...hints },
		text: '',
		reasoning: '',
		retrieverResources: [],
		files: [],
		thoughts: [],
		nodeIndex: new Map(),
		forms: [],
		audioPieces: [],
		audioEnded: false,
		sawAgentMessage: false,
		sawMessage: false,
		messageEnded: false,
		badEvents: 0,
		closed: false,
	};
}

/** Reduces the data of one server-sent event. Text that is no JSON object is counted and reported, never thrown. */
export function reduceData(state: RunState, data: string): RunStep<RunState> {
	return reduce(state, parseJson(data));
}

/**
 * Takes in one parsed event of a Dify stream. Unknown events and fields are ignored. The state is changed in place and
 * depends on nothing but the hints and the events before, so any cutting of the bytes gives the same result.
 */
export function reduce(state: RunState, event: unknown): RunStep<RunState> {
	const deltas: TextDelta[] = [];
	if (!state.closed) {
		if (isFields(event)) apply(state, event, deltas);
		else state.badEvents++;
	}
	const { next, graceMs } = plan(state);
	if (next === 'close') state.closed = true;
	return graceMs === undefined ? { state, deltas, next } : { state, deltas, next, graceMs };
}

function apply(state: RunState, event: Fields, deltas: TextDelta[]): void {
	const name = text(event.event);
	if (name === undefined) return;
	if (name === 'tts_message' || name === 'tts_message_end') {
		addAudio(state, name, event);
		return;
	}
	// While only speech is waited for, the answer is complete and accepted: nothing else may change it.
	if (plan(state).settled) return;
	noteIds(state, event);
	const data = fields(event.data);
	if (isNodeEvent(name)) {
		const workflow = workflowOf(state);
		addNode(workflow.nodes, state.nodeIndex, name, data);
		return;
	}
	switch (name) {
		case 'message':
			messageText(state, event, deltas);
			break;
		case 'message_file':
			// Easy apps label the text chunks of an answer with files so (contract 3.3); those have an answer and no url.
			if (typeof event.answer === 'string') messageText(state, event, deltas);
			else addFile(state.files, pick(event, ['id', 'type', 'belongs_to', 'url']));
			break;
		case 'agent_message':
			state.sawAgentMessage = true;
			append(state, text(event.answer), deltas);
			break;
		case 'message_replace':
			replace(state, text(event.answer) ?? '', text(event.reason) ?? 'message_replace', deltas);
			break;
		case 'text_chunk':
			append(state, text(data.text), deltas);
			break;
		case 'text_replace':
			replace(state, text(data.text) ?? '', 'text_replace', deltas);
			break;
		case 'agent_thought':
			addThought(state.thoughts, event);
			break;
		case 'reasoning_chunk':
			state.reasoning += text(data.reasoning) ?? '';
			break;
		case 'message_end':
			messageEnd(state, event);
			break;
		case 'workflow_started':
			updateWorkflow(workflowOf(state), data);
			break;
		case 'workflow_finished':
			workflowFinished(state, event, data, deltas);
			break;
		case 'agent_log':
			addAgentLog(workflowOf(state).agentLogs, data);
			break;
		case 'human_input_required':
			addForm(state.forms, data);
			break;
		case 'human_input_form_filled':
		case 'human_input_form_timeout':
			state.forms = state.forms.filter((form) => form.nodeId !== text(data.node_id));
			break;
		case 'workflow_paused':
			paused(state, data);
			break;
		case 'error':
			errorEvent(state, event);
			break;
	}
}

function pick(event: Fields, keys: string[]): Fields {
	return Object.fromEntries(keys.filter((key) => says(event[key])).map((key) => [key, event[key]]));
}

/** `error` has no task id, newer workers' errors have no ids at all: the first value of each stays. */
function noteIds(state: RunState, event: Fields): void {
	state.taskId ??= text(event.task_id);
	state.conversationId ??= text(event.conversation_id);
	state.messageId ??= text(event.message_id);
	state.workflowRunId ??= text(event.workflow_run_id);
	state.createdAt ??= number(event.created_at);
}

/** The first event about a workflow also tells a chatflow that runs from one that moderation answered. */
function workflowOf(state: RunState): WorkflowRun {
	state.workflow ??= { runId: state.workflowRunId, status: 'running', nodes: [], agentLogs: [] };
	return state.workflow;
}

function append(state: RunState, piece: string | undefined, deltas: TextDelta[]): void {
	if (piece === undefined) return;
	state.text += piece;
	deltas.push({ type: 'append', text: piece });
}

/** A replacement that only lengthens the text is a piece like any other, which a live display can show. */
function replace(state: RunState, whole: string, reason: string, deltas: TextDelta[]): void {
	if (whole.startsWith(state.text)) {
		append(state, text(whole.slice(state.text.length)), deltas);
		return;
	}
	state.text = whole;
	deltas.push({ type: 'replace', text: whole, reason });
}

/**
 * Contract 3.5: after `agent_message` pieces the first `message` repeats the complete answer (New Agent), without them it is
 * a piece (chat, chatflow, moderation and annotation in agent apps). An empty one repeats nothing.
 */
function messageText(state: RunState, event: Fields, deltas: TextDelta[]): void {
	const answer = text(event.answer);
	if (answer === undefined) return;
	if (state.sawAgentMessage && !state.sawMessage) replace(state, answer, 'full_message', deltas);
	else append(state, answer, deltas);
	state.sawMessage = true;
}

function messageEnd(state: RunState, event: Fields): void {
	state.messageEnded = true;
	state.messageId ??= text(event.id);
	if (isFields(event.metadata)) {
		state.metadata = event.metadata;
		if (says(event.metadata.usage)) state.usage = fields(event.metadata.usage);
		state.retrieverResources = fieldsList(event.metadata.retriever_resources);
	}
	for (const file of fieldsList(event.files)) addFile(state.files, file);
}

function workflowFinished(state: RunState, event: Fields, data: Fields, deltas: TextDelta[]): void {
	const workflow = workflowOf(state);
	updateWorkflow(workflow, data);
	for (const file of fieldsList(data.files)) addFile(state.files, file);
	if (workflow.status === 'paused') {
		paused(state, data);
		return;
	}
	// Every event of a chatflow carries its conversation and message; the replay of a finished run carries neither, and no
	// message_end follows it (contract 2.4).
	const chatflow = text(event.conversation_id) !== undefined || text(event.message_id) !== undefined;
	state.workflowEnd = { status: workflow.status, alone: !chatflow };
	if (!chatflow && succeeded(workflow.status)) {
		// text_chunk is a preview; the outputs are the result (contract 3.3).
		const whole = singleText(workflow.outputs);
		if (whole !== undefined) replace(state, whole, 'workflow_outputs', deltas);
	}
}

function paused(state: RunState, data: Fields): void {
	const workflow = workflowOf(state);
	updateWorkflow(workflow, { ...data, status: 'paused' });
	state.workflowRunId ??= workflow.runId;
	const reasons = fieldsList(data.reasons);
	for (const reason of reasons) {
		if (reason.TYPE === 'human_input_required') addForm(state.forms, reason);
	}
	state.pause = {
		workflowRunId: state.workflowRunId,
		pausedNodes: list(data.paused_nodes),
		reasons,
		forms: state.forms,
	};
}

function errorEvent(state: RunState, event: Fields): void {
	const code = text(event.code);
	const status = number(event.status);
	const known = [code && `code ${code}`, status && `status ${status}`].filter(Boolean).join(', ');
	const message = blankless(event.message) ?? runFailure(state);
	state.streamError = {
		cause: 'error-event',
		code,
		status,
		message: message ?? `Dify reported an error without a text${known === '' ? '' : ` (${known})`}`,
	};
}

function blankless(value: unknown): string | undefined {
	const trimmed = text(value)?.trim();
	return trimmed === '' ? undefined : trimmed;
}

/** What the run or its failed node says, for failures whose own event has no text. */
function runFailure(state: RunState): string | undefined {
	const failed = state.workflow?.nodes.filter((node) => node.status === 'failed').at(-1);
	return blankless(state.workflow?.error) ?? blankless(failed?.error);
}

function addAudio(state: RunState, name: string, event: Fields): void {
	if (state.hints.wantAudio !== true) return;
	const piece = text(event.audio);
	if (piece !== undefined) state.audioPieces.push(piece);
	if (name === 'tts_message_end') state.audioEnded = true;
}

function succeeded(status: string): boolean {
	return status === 'succeeded' || status === 'partial-succeeded';
}

interface Plan {
	next: RunNext;
	graceMs?: number;
	/** Success is certain and only speech is waited for. */
	settled?: boolean;
}

/** The termination rules of contract 3.8, from the state alone. They hold for every version, so none has to be known. */
function plan(state: RunState): Plan {
	if (state.streamError !== undefined || state.pause !== undefined) return { next: 'close' };
	const end = state.workflowEnd;
	if (end !== undefined) {
		if (end.alone || state.messageEnded) return succeeded(end.status) ? afterSuccess(state) : { next: 'close' };
		// 1.12 sends message_end or error after a failed or stopped chatflow, 1.14 nothing; a good run always has both events.
		return succeeded(end.status) ? { next: 'continue' } : { next: 'grace', graceMs: GRACE_MS };
	}
	if (!state.messageEnded) return { next: 'continue' };
	// Newer chatflows send message_end first, and main does so for failed runs too: only workflow_finished tells.
	if (state.workflow !== undefined) return { next: 'continue' };
	// Moderation or annotation answered in place of the chatflow; newer servers then leave the socket open.
	if (state.hints.mode === 'advanced-chat') return { next: 'grace', graceMs: GRACE_MS };
	return afterSuccess(state);
}

function afterSuccess(state: RunState): Plan {
	if (state.hints.wantAudio !== true || state.audioEnded) return { next: 'close' };
	return { next: 'grace', graceMs: AUDIO_GRACE_MS, settled: true };
}

/**
 * The result as it stands. A run without its terminal events is a failure whatever the reason, with all text and ids so far.
 * @param detail what the caller knows of the cause ("other side closed", "no data for 60 s"); it goes into the message.
 */
export function finish(state: RunState, reason: FinishReason, detail?: string): RunResult {
	const { status, error } = outcome(state, reason, detail);
	const warnings: string[] = [];
	if (state.badEvents > 0) {
		warnings.push(`${state.badEvents} event(s) of the stream could not be read and were left out.`);
	}
	if (status === 'partial-succeeded') {
		const count = state.workflow?.exceptionsCount;
		warnings.push(`${count ?? 'Some'} node(s) of the workflow failed and were handled by their error branch.`);
	}
	return {
		status,
		text: state.text,
		conversationId: state.conversationId,
		messageId: state.messageId,
		taskId: state.taskId,
		workflowRunId: state.workflowRunId ?? state.workflow?.runId,
		createdAt: state.createdAt,
		usage: state.usage,
		metadata: state.metadata,
		retrieverResources: state.retrieverResources,
		files: state.files,
		thoughts: state.thoughts,
		reasoning: state.reasoning,
		workflow: state.workflow,
		audio:
			state.audioPieces.length === 0
				? undefined
				: { base64: joinBase64(state.audioPieces), mimeType: 'audio/mpeg', complete: state.audioEnded },
		pause: state.pause,
		error,
		warnings,
	};
}

interface Outcome {
	status: RunStatus;
	error?: RunError;
}

function outcome(state: RunState, reason: FinishReason, detail: string | undefined): Outcome {
	if (state.streamError !== undefined) return { status: 'failed', error: state.streamError };
	if (state.pause !== undefined) return { status: 'paused' };
	if (plan(state).next === 'continue') return { status: 'failed', error: unfinished(state, reason, detail) };
	const status = state.workflowEnd?.status ?? 'succeeded';
	if (status === 'succeeded' || status === 'partial-succeeded' || status === 'stopped') return { status };
	const unnamed =
		status === 'failed'
			? 'The workflow run failed, and Dify gave no reason'
			: `The workflow run ended with the unknown status "${status}"`;
	return { status: 'failed', error: { cause: 'run-failed', message: runFailure(state) ?? unnamed } };
}

const UNFINISHED: Record<FinishReason, { cause: RunErrorCause; message: string }> = {
	eof: { cause: 'ended-early', message: 'The stream ended early: Dify closed it' },
	closed: { cause: 'ended-early', message: 'The stream ended early: the connection was closed' },
	abort: { cause: 'cancelled', message: 'The run was cancelled' },
	idle: { cause: 'idle', message: 'A time limit ran out' },
};

function unfinished(state: RunState, reason: FinishReason, detail: string | undefined): RunError {
	const { cause, message } = UNFINISHED[reason];
	let missing = '';
	if (cause === 'ended-early') missing = ' before the result was complete';
	if (state.messageEnded) missing += ' (workflow_finished is missing)';
	else if (state.workflowEnd !== undefined) missing += ' (message_end is missing)';
	return { cause, message: `${message}${missing}${detail === undefined ? '' : `: ${detail}`}` };
}
