/** State of a run, built from its events: text, IDs, nodes, end (docs/protocols/dify.md 3). */
import type { TextAndReasoning } from '../../text/reasoning';
import { TASK_LIMITS } from '../../task-limits';
import type { JsonRecord } from '../../values/records';
import {
	asArray,
	isNonEmpty,
	isRecord,
	asNonEmptyString,
	asRecord,
	asRecords,
	asString,
} from '../../values/records';
import { asFiniteNumber } from '../../values/numbers';
import { SPLIT_REASONING } from '../../text/reasoning';
import { createMaskStage } from '../../errors/mask-stage';
import type { Stage } from '../../stage';
import { TextCount } from '../../http/body-limits';
import { MemoryBudget } from '../../memory-budget';
import type { DifyEvent, HumanForm, RunFailure, RunResult, RunSummary, TextDelta } from '../types';
import { adoptText, isBeginning } from './adopt-text';
import type { TextParts } from './adopt-text';
import { FormList } from './form-list';
import {
	addFile,
	addForm,
	addNode,
	addSubmittedForm,
	addThought,
	addWarning,
	ensureWorkflow,
	updateWorkflow,
} from './merge-events';
import { getRunFailureText, NO_REASON, toTrimmed } from './failure-text';
import type { CollectedParts } from './merge-events';
import { getOutputText } from './output-text';

/** The end of a run as Dify reports it, before its last event. */
interface ReportedEnd {
	/** Dify's status. */
	status: string;
	/** No `message_end` follows: workflow apps, and replays of finished runs. */
	isLastEvent: boolean;
}

/** The text of a run as Dify says it at the end. */
interface ClosingText {
	/** As received, with its thinking. */
	text: string;
	/** Status of the run in the same event or record. */
	status: string;
	/** From a record that does not say when the run ended. */
	mayBeOlder: boolean;
	/** The stored message, which has the text of replacements. */
	isMessage?: true;
}

/** A run while it is read. */
export interface RunState
	extends Omit<RunResult, 'status' | 'error' | 'warnings'>, CollectedParts, TextParts {
	/** Text events may be missing: the run was followed, or read from its record. Its outputs are its text. */
	mayLackText: boolean;
	/** Keep reading after the first pause: the run continues after its form is submitted. */
	readonly continueAfterPause: boolean;
	/** Keys of the forms that the first pause waits for; a pause for another form ends the reading. */
	readonly awaitedFormKeys: Set<string>;
	error?: RunFailure;
	/** Length of the streamed text. Full texts are limited by the event length. */
	readonly textCount: TextCount;
	/** Start of the text already compared with a stored one, so that events do not compare it again. */
	comparedText: string;
	/** Masks secrets that several deltas contain together. */
	readonly mask: Stage<string, string, string>;
	/** The end of the reasoning that may be the beginning of a secret. */
	heldReasoning: string;
	/** Text arrived as `agent_message`, so each `message` is the full response of a New Agent. */
	hasAgentMessage: boolean;
	hasMessageEnd: boolean;
	/** Set by `workflow_finished`, or the error of a stop. */
	reportedEnd?: ReportedEnd;
	/** The last non-empty text that Dify said at the end (`finalize-text.ts`). */
	closingText?: ClosingText;
	/** Dify replaced the response: this text stays, also against the closing one. */
	isReplaced: boolean;
	/** Output moderation replaced the response. */
	isModerated: boolean;
	/** Number of events that were not JSON objects. */
	invalidEvents: number;
	/** Texts of Dify's warnings, each once. */
	readonly difyWarnings: Set<string>;
	/** Texts to mask, such as keys. */
	readonly secrets: readonly string[];
}

interface RunStateOptions {
	/** Default: false, as for a run that is read from its first event. */
	mayLackText?: boolean;
	/** Default: false. */
	continueAfterPause?: boolean;
	/** Default: empty. */
	awaitedFormKeys?: Set<string>;
	/** Default: false. */
	keepsNodeValues?: boolean;
	/** Texts to mask, such as keys. */
	secrets?: readonly string[];
}

/** The state before the first event. */
export function createRunState({
	mayLackText = false,
	continueAfterPause = false,
	awaitedFormKeys = new Set(),
	keepsNodeValues = false,
	secrets = [],
}: RunStateOptions = {}): RunState {
	return {
		text: '',
		reasoning: '',
		retrieverResources: [],
		files: [],
		thoughts: [],
		nodeIndex: new Map(),
		fileIndex: new Map(),
		thoughtIndex: new Map(),
		mayLackText,
		continueAfterPause,
		awaitedFormKeys,
		forms: new FormList(),
		expiredForms: new Set(),
		nodeCounts: { paused: 0, answered: 0 },
		submittedForms: [],
		submittedIndex: new Map(),
		keepsNodeValues,
		partsBudget: new MemoryBudget(TASK_LIMITS.difyRun.keptBytes),
		textCount: new TextCount(),
		comparedText: '',
		mask: createMaskStage(secrets),
		heldText: '',
		heldReasoning: '',
		split: SPLIT_REASONING.start,
		textReasoning: '',
		hasAgentMessage: false,
		hasMessageEnd: false,
		isReplaced: false,
		isModerated: false,
		invalidEvents: 0,
		difyWarnings: new Set(),
		secrets,
	};
}

/** Applies an event to the run, and returns the text changes. */
type Handler<Event> = (run: RunState, event: Event, data: JsonRecord) => TextDelta[] | void;

const applyNodeEvent: Handler<DifyEvent> = (run, { event }, data) => {
	addNode(run, event, data);
	// A run that is followed after its form was submitted sends no other event about it.
	if (data.node_type === 'human-input' && data.status === 'succeeded') removeForm(run, data);
	const { __action_id: action, ...outputs } = asRecord(data.outputs);
	addSubmittedForm(run, { title: data.title, action, values: withoutInternalNames(outputs) });
};

/** The outputs of a form's node are its values, and names that begin with two underscores. */
function withoutInternalNames(outputs: JsonRecord) {
	return Object.fromEntries(Object.entries(outputs).filter(([name]) => !name.startsWith('__')));
}

/** Other events (pings, speech, events of later versions) are ignored. */
const HANDLER_BY_EVENT: { readonly [Event in DifyEvent as Event['event']]: Handler<Event> } = {
	message: applyMessage,
	// In chatbots and agents, text of a response with files also arrives as this event (docs/protocols/dify.md 3.3).
	message_file: (run, event) => {
		if (typeof event.answer === 'string') return applyMessage(run, event);
		const keys = (['id', 'type', 'belongs_to', 'url'] as const).filter((key) =>
			isNonEmpty(event[key]),
		);
		addFile(run, Object.fromEntries(keys.map((key) => [key, event[key]])));
	},
	/**
	 * Applies the moderation text; without a reason, or after Dify ended the run, the start of the response as Dify stored
	 * it, possibly empty.
	 */
	message_replace: (run, event) => {
		const reason = asNonEmptyString(event.reason);
		const answer = asString(event.answer) ?? '';
		if (answer.length > run.comparedText.length) run.comparedText = run.text;
		const isSnapshot = reason === undefined ? run.mayLackText : STORED_TEXT.test(reason);
		const isKnown = run.comparedText.startsWith(answer) || answer.trim() === '';
		if (isSnapshot && isKnown) return [];
		// An empty one without a reason says nothing about the closing text.
		run.isReplaced ||= !isSnapshot && (reason !== undefined || answer.trim() !== '');
		run.isModerated ||= reason === 'output_moderation';
		return replaceText(run, answer, reason ?? 'message_replace');
	},
	message_end: (run, event) => {
		run.hasMessageEnd = true;
		run.messageId ??= asNonEmptyString(event.id);
		if (isRecord(event.metadata)) {
			run.metadata = event.metadata;
			if (isNonEmpty(event.metadata.usage)) run.usage = asRecord(event.metadata.usage);
			run.retrieverResources = asRecords(event.metadata.retriever_resources);
		}
		for (const file of asRecords(event.files)) addFile(run, file);
	},
	agent_message: (run, event) => {
		run.hasAgentMessage = true;
		return appendText(run, event.answer);
	},
	text_chunk: (run, _event, data) => appendText(run, data.text),
	agent_thought: addThought,
	reasoning_chunk: (run, _event, data) => {
		const delta = asString(data.reasoning) ?? '';
		const [reasoning, held] = run.mask.step(run.heldReasoning, delta);
		run.reasoning += reasoning;
		run.heldReasoning = held;
		run.textCount.add(delta.length);
	},
	workflow_started: (run, _event, data) => updateWorkflow(ensureWorkflow(run), data),
	/** Ends the run; chatflows also need `message_end`. */
	workflow_finished: (run, event, data) => {
		const workflow = ensureWorkflow(run);
		updateWorkflow(workflow, data);
		workflow.status = getEndStatus(workflow);
		for (const file of asRecords(data.files)) addFile(run, file);
		if (workflow.status === 'paused') return applyPause(run, data);
		// The replay of a finished run has no conversation and no message_end (docs/protocols/dify.md 2.4).
		const ids = [event.conversation_id, event.message_id].map(asNonEmptyString);
		const isLastEvent = ids.every((id) => id === undefined);
		run.reportedEnd = { status: workflow.status, isLastEvent };
		addClosingText(run, asFiniteNumber(data.finished_at));
	},
	workflow_paused: (run, _event, data) => applyPause(run, data),
	/** Applies Dify's error with a message: Dify's may be null, empty or missing (docs/protocols/dify.md 3.7). */
	error: (run, event) => {
		const code = asNonEmptyString(event.code);
		const status = asFiniteNumber(event.status);
		const message = toTrimmed(event.message) ?? getRunFailureText(run);
		if (isStopMessage(message)) run.reportedEnd = { status: 'stopped', isLastEvent: true };
		else run.error = { cause: 'errorEvent', code, status, message: message ?? NO_REASON };
	},
	node_started: applyNodeEvent,
	node_finished: applyNodeEvent,
	node_retry: applyNodeEvent,
	iteration_started: applyNodeEvent,
	iteration_next: applyNodeEvent,
	iteration_completed: applyNodeEvent,
	loop_started: applyNodeEvent,
	loop_next: applyNodeEvent,
	loop_completed: applyNodeEvent,
	human_input_required: (run, _event, data) => addForm(run, data),
	/** Something that did not end the run, in Dify's words (docs/protocols/dify.md 3.3). */
	warning: (run, event, data) => {
		const words = [event.message, data.message, event.warning, event.data, event.code];
		addWarning(
			run,
			words.map(toTrimmed).find((text) => text !== undefined),
		);
	},
	human_input_form_filled: closeForm,
	human_input_form_timeout: (run, event, data) => {
		const title = asNonEmptyString(data.node_title) ?? asNonEmptyString(data.node_id) ?? '';
		if (!run.expiredForms.has(title) && run.partsBudget.take(title)) run.expiredForms.add(title);
		closeForm(run, event, data);
	},
};

/** Names of the events with a handler. */
export const EVENT_NAMES: readonly string[] = Object.keys(HANDLER_BY_EVENT);

/** Applies one event. */
export function applyEvent(run: RunState, event: unknown): TextDelta[] {
	if (!isRecord(event)) run.invalidEvents++;
	if (!isRecord(event) || hasLastEvent(run)) return [];
	if (asNonEmptyString(event.event) === undefined) return [];
	keepIds(run, event);
	if (!isDifyEvent(event)) return [];
	const rest = COMPARING_EVENTS.has(event.event) ? flushMasked(run) : [];
	const handle = HANDLER_BY_EVENT[event.event] as Handler<DifyEvent>;
	return [...rest, ...(handle(run, event, asRecord(event.data)) ?? [])];
}

/** Events that end the text, or compare it with another one. */
const COMPARING_EVENTS: ReadonlySet<string> = new Set([
	'message_replace',
	'message_end',
	'workflow_finished',
	'workflow_paused',
	'error',
]);

function isDifyEvent(event: JsonRecord): event is JsonRecord & DifyEvent {
	return Object.hasOwn(HANDLER_BY_EVENT, String(event.event));
}

/** `error` has no task ID, and errors of newer workers have no IDs: the first value of each ID is kept. */
function keepIds(run: RunState, event: JsonRecord) {
	// Events about a finished run have the run ID as task ID.
	const taskId = asNonEmptyString(event.task_id);
	if (taskId !== event.workflow_run_id) run.taskId ??= taskId;
	run.conversationId ??= asNonEmptyString(event.conversation_id);
	run.messageId ??= asNonEmptyString(event.message_id);
	run.workflowRunId ??= asNonEmptyString(event.workflow_run_id);
	run.createdAt ??= asFiniteNumber(event.created_at);
}

/** Whether no relevant event can follow (docs/protocols/dify.md 3.8). Newer servers keep the socket open for minutes. */
export function hasLastEvent(run: RunState): boolean {
	if (run.error !== undefined || run.pause !== undefined) return true;
	const { reportedEnd, hasMessageEnd } = run;
	// Without a workflow, moderation or an annotation responded instead of the chatflow.
	if (reportedEnd === undefined) return hasMessageEnd && run.workflow === undefined;
	return reportedEnd.isLastEvent || hasMessageEnd;
}

/** Whether an event of the end arrived, so at most one more follows: chatflows end with two, in any order. */
export function hasEndEvent({ reportedEnd, hasMessageEnd }: RunState): boolean {
	return reportedEnd !== undefined || hasMessageEnd;
}

/** Whether a run has its outputs, possibly with handled errors. */
export function isSuccessStatus(status: string): status is 'succeeded' | 'partial-succeeded' {
	return status === 'succeeded' || status === 'partial-succeeded';
}

function appendText(run: RunState, value: unknown) {
	const delta = asString(value) ?? '';
	const [text, held] = run.mask.step(run.heldText, delta);
	run.heldText = held;
	const deltas = appendDelta(run, text);
	run.textCount.add(delta.length);
	return deltas;
}

function appendDelta(run: RunState, delta: string) {
	const [output, split] = SPLIT_REASONING.step(run.split, delta);
	run.split = split;
	return addText(run, output);
}

function addText(run: RunState, { text, reasoning }: TextAndReasoning): TextDelta[] {
	run.textReasoning += reasoning;
	run.text += text;
	return text === '' ? [] : [{ type: 'append', text }];
}

/** Emits text held back as a possible secret or tag, at the end of the text. */
export function flushText(run: RunState): TextDelta[] {
	const rest = flushMasked(run);
	const output = SPLIT_REASONING.end(run.split);
	run.split = { ...run.split, searched: '', pending: '' };
	return [...rest, ...addText(run, output)];
}

function flushMasked(run: RunState) {
	run.reasoning += run.mask.end(run.heldReasoning);
	run.heldReasoning = '';
	const text = run.mask.end(run.heldText);
	run.heldText = '';
	return appendDelta(run, text);
}

/** Replaces the text. If the new one only extends it, the rest is appended, which a live display supports. */
function replaceText(run: RunState, fullText: unknown, reason: string): TextDelta[] {
	const previousText = run.text;
	run.split = SPLIT_REASONING.start;
	run.heldText = '';
	run.text = '';
	run.comparedText = '';
	const previousReasoning = run.textReasoning;
	run.textReasoning = '';
	appendDelta(run, asString(fullText) ?? '');
	run.textReasoning ||= previousReasoning;
	const { text } = run;
	// Texts of a workflow with several outputs are streamed with line breaks between them.
	if (text.trimEnd() === previousText.trimEnd()) return [];
	if (!text.startsWith(previousText)) return [{ type: 'replace', text, reason }];
	return [{ type: 'append', text: text.slice(previousText.length) }];
}

/**
 * docs/protocols/dify.md 3.5: after `agent_message` deltas, each `message` repeats the full response (New Agent); without
 * them it is a delta (chat, chatflow, moderation and annotation in agent apps).
 */
function applyMessage(run: RunState, { answer }: { answer?: unknown }): TextDelta[] {
	const delta = asNonEmptyString(answer);
	if (!run.hasAgentMessage || delta === undefined) return appendText(run, delta);
	const rest = flushMasked(run);
	// The repeated response lacks text before tool calls; its end was then displayed already.
	const isDisplayed = run.text.trimEnd().endsWith(delta.trim());
	const deltas = adoptText(run, delta);
	return isDisplayed ? rest : [...rest, ...deltas];
}

/** Keeps the text of the outputs. Which text the run has is decided at its end (`finalize-text.ts`). */
function addClosingText(run: RunState, finishedAt: number | undefined) {
	const { workflow, mayLackText } = run;
	const text = workflow && getOutputText(run, workflow.outputs);
	if (text === undefined) return;
	const mayBeOlder = mayLackText && finishedAt === undefined;
	run.closingText = { text, status: workflow!.status, mayBeOlder };
}

/** The run waits for human input: `workflow_paused`, or a run that finished as paused. */
function applyPause(run: RunState, data: JsonRecord) {
	const workflow = ensureWorkflow(run);
	updateWorkflow(workflow, { ...data, status: 'paused' });
	run.workflowRunId ??= workflow.runId;
	const { answer } = asRecord(data.outputs);
	const isNewer =
		isNonEmpty(answer) && !isBeginning({ part: String(answer), completeText: run.text });
	const deltas = run.mayLackText && isNewer ? replaceText(run, answer, 'pause') : [];
	const reasons = asRecords(data.reasons);
	for (const reason of reasons) {
		if (reason.TYPE === 'human_input_required') addForm(run, reason);
	}
	if (!isAwaitedPause(run)) {
		run.pause = {
			workflowRunId: run.workflowRunId,
			pausedNodes: asArray(data.paused_nodes),
			reasons,
			forms: run.forms.toArray(),
		};
	}
	return deltas;
}

/**
 * Whether to keep reading: the forms were open when this client attached, or are the first ones of the run. Only a
 * replayed pause has nodes with the status `paused`.
 */
function isAwaitedPause({
	continueAfterPause,
	awaitedFormKeys,
	forms,
	submittedForms,
	nodeCounts,
}: RunState) {
	const ids = forms.toArray().map(getFormKey);
	if (!continueAfterPause || ids.length === 0) return false;
	const isReplayed = nodeCounts.paused > 0;
	const isAnswered = submittedForms.length > 0 || nodeCounts.answered > 0;
	if (awaitedFormKeys.size === 0 && (isReplayed || !isAnswered)) {
		for (const id of ids) awaitedFormKeys.add(id);
	}
	return ids.every((id) => awaitedFormKeys.has(id));
}

function getFormKey({ formId, formToken, nodeId }: HumanForm) {
	return formId ?? formToken ?? nodeId ?? '';
}

/** The form was submitted, or has expired. */
function closeForm(run: RunState, _event: DifyEvent, data: JsonRecord) {
	removeForm(run, data);
	addSubmittedForm(run, {
		title: data.node_title,
		action: data.action_id,
		values: data.submitted_data,
	});
}

function removeForm(run: RunState, data: JsonRecord) {
	run.forms.removeNode(asNonEmptyString(data.node_id));
}

/** Reasons of `message_replace` with the text that Dify stored of a run that it ended itself (docs/protocols/dify.md 3.3). */
const STORED_TEXT = /^workflow_\w+_terminal$/;

/** A stop may be reported as a failure (docs/protocols/dify.md 3.6, 12.3), and a limit as a stop (5.2). */
function getEndStatus({ status, error }: RunSummary) {
	if (isStopMessage(error)) return 'stopped';
	return status === 'stopped' && isLimitMessage(error) ? 'failed' : status;
}

function isStopMessage(reason = '') {
	return (
		/^(?:Run failed: )?(?:Workflow execution )?aborted: /i.test(reason) && !isLimitMessage(reason)
	);
}

/** Dify ended the run because it was too long. */
function isLimitMessage(reason = '') {
	return /\bMaximum execution (?:steps|time) exceeded\b/i.test(reason);
}
