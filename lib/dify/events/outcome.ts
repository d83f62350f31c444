import type {
	DifyUsage,
	FinishReason,
	RunError,
	RunErrorCause,
	RunResult,
	RunStatus,
	WorkflowNode,
} from '../types';
import { nonEmptyText, recordOf } from '../../values';
import { knownText, type RunState } from './state';
import { isUnfinished, succeeded } from './termination';
import { isChatflow, runFailure } from './workflow';

/**
 * The result of a run as its events tell it so far. A run without its terminal events is a failure whatever the reason, with all text and IDs so
 * far.
 * @param detail the cause for the message, if known: "other side closed", "no data for 60 s"
 */
export function resultByEvents(state: RunState, reason: FinishReason, detail?: string): RunResult {
	const { status, error } = outcome(state, reason, detail);
	const warnings = warningsOf(state, status);
	const ids = error?.cause === 'refused' ? {} : idsIn(state);
	return {
		status,
		text: knownText(state),
		...ids,
		createdAt: state.createdAt,
		usage: countedUsage(state, status),
		metadata: state.metadata,
		retrieverResources: state.retrieverResources,
		files: state.files,
		thoughts: state.thoughts,
		reasoning: state.reasoning || storedReasoning(state),
		workflow: state.workflow,
		pause: state.pause,
		error,
		warnings,
	};
}

/** From 1.15 on `message_end` has the reasoning of each language model node by its ID, even where none was streamed. */
function storedReasoning({ metadata }: RunState): string {
	const thoughts = Object.values(recordOf(recordOf(metadata).reasoning));
	return thoughts.flatMap((each) => nonEmptyText(each) ?? []).join('\n\n');
}

function idsIn({ conversationId, messageId, taskId, workflowRunId, workflow }: RunState) {
	return { conversationId, messageId, taskId, workflowRunId: workflowRunId ?? workflow?.runId };
}

function warningsOf(state: RunState, status: RunStatus): string[] {
	return [
		...unreadable(state),
		...(status === 'partial-succeeded' ? [handledFailures(state)] : []),
		...retriedNodes(state),
		...(hasGap(state) && status !== 'failed' ? [GAP] : []),
		...(status === 'stopped' ? [stopWarning(state)] : []),
	];
}

const GAP =
	'The stream broke off, so the text that came on the way may have a gap. The outputs are whole.';

/** Whether the text is the preview of a workflow, and may have a gap. */
function hasGap(state: RunState): boolean {
	const isPreview = !isChatflow(state) && knownText(state) !== '';
	return isPreview && state.mayHaveGap && !state.isTextWhole;
}

function unreadable({ badEvents }: RunState): string[] {
	if (badEvents === 0) return [];
	return [`${badEvents} event(s) of the stream could not be read and were left out.`];
}

function retriedNodes({ workflow }: RunState): string[] {
	const retried = workflow?.nodes.filter(({ retries = 0 }) => retries > 0) ?? [];
	return retried.map(
		(node) => `The node "${nameOf(node)}" of the workflow was tried again ${node.retries} time(s).`,
	);
}

function nameOf({ title, nodeId, id }: WorkflowNode): string {
	return title ?? nodeId ?? id;
}

function stopWarning(state: RunState): string {
	if (state.moderated)
		return 'The output moderation of the app stopped the run: the answer is its text, not that of the model.';
	return `Somebody or a time limit of Dify stopped the run, so the answer may be incomplete.${stopReason(state)}`;
}

/** Dify stops runs by itself too, 1.16 also those whose form was answered. */
function stopReason({ workflow }: RunState): string {
	return workflow?.error === undefined ? '' : ` Dify says: "${workflow.error}".`;
}

function handledFailures({ workflow }: RunState): string {
	const titles = (workflow?.nodes ?? [])
		.filter(({ status }) => status === 'exception')
		.map((node) => `"${nameOf(node)}"`);
	const count = workflow?.exceptionsCount ?? (titles.length > 0 ? titles.length : 'Some');
	const names = titles.length > 0 ? `: ${[...new Set(titles)].join(', ')}` : '';
	return `${count} node(s) of the workflow failed and were handled by their error branch${names}.`;
}

/**
 * Token counts, if Dify counted: stopped runs have zeros, and those of the New Agent where its backend counts nothing
 * (docs/protocols/dify.md 3.5, 12.1, 12.2).
 */
function countedUsage(
	{ usage, workflow, text }: RunState,
	status: RunStatus,
): DifyUsage | undefined {
	const counts = [usage?.prompt_tokens, usage?.completion_tokens, usage?.total_tokens];
	const isZero =
		counts.some((count) => count === 0) &&
		counts.every((count) => count === 0 || count === undefined);
	if (!isZero) return usage;
	const isCounted =
		workflow === undefined ? text === '' : status === 'succeeded' || status === 'partial-succeeded';
	return isCounted ? usage : undefined;
}

/** The same where `message_end` will not come any more, which brings token counts, sources and files. */
export function resultWithoutMessageEnd(state: RunState): RunResult {
	return resultByEvents({ ...state, messageEnded: true }, 'closed');
}

type Outcome = Pick<RunResult, 'status' | 'error'>;

function outcome(state: RunState, reason: FinishReason, detail: string | undefined): Outcome {
	const failure = (error: RunError): Outcome => ({ status: 'failed', error });
	if (state.abandoned === true)
		return isOverBefore(state) ? endOf(state) : failure(unfinished(state, reason, detail));
	if (state.streamError !== undefined) return failure(state.streamError);
	if (state.pause !== undefined) return { status: 'paused' };
	if (isUnfinished(state)) return failure(unfinished(state, reason, detail));
	return endOf(state);
}

/** The end of a chat does not show a stop, that of a workflow does: whether this one was over before. */
function isOverBefore(state: RunState): boolean {
	if (state.workflowEnd === undefined || isUnfinished(state)) return false;
	return succeeded(state.workflowEnd.status);
}

/** The outcome of a run that has ended. */
function endOf(state: RunState): Outcome {
	const status = state.workflowEnd?.status ?? 'succeeded';
	if (succeeded(status) && lacksText(state)) return { status: 'failed', error: TEXT_LOST };
	if (succeeded(status) || status === 'stopped') return { status };
	const message = runFailure(state);
	if (message !== undefined && isRefusedRun(state))
		return { status: 'failed', error: { cause: 'refused', message } };
	const cause = 'runFailed';
	return { status: 'failed', error: { cause, message: message ?? unnamedFailure(status) } };
}

function unnamedFailure(status: string): string {
	if (status === 'failed') return 'The workflow run failed, and Dify gave no reason';
	return `The workflow run ended with the unknown status "${status}"`;
}

/** The run succeeded, but its answer has a gap. */
const TEXT_LOST: RunError = {
	cause: 'textLost',
	message:
		'The connection broke off in the middle of the answer, and Dify did not send the whole again: a part of the text is missing',
};

/** Whether a part of a chatflow's answer may be missing. The result of a workflow is its outputs. */
function lacksText(state: RunState): boolean {
	return state.mayHaveGap && !state.isTextWhole && isChatflow(state);
}

/**
 * Dify 1.15 and later report an input error as a run without steps, which does not exist (docs/protocols/dify.md 12.3).
 */
function isRefusedRun({ workflow, taskId, text }: RunState): boolean {
	if (workflow === undefined || taskId !== undefined || text !== '') return false;
	return workflow.totalSteps === 0 && workflow.nodes.length === 0;
}

const UNFINISHED: Readonly<Record<FinishReason, { cause: RunErrorCause; message: string }>> = {
	eof: { cause: 'endedEarly', message: 'The stream ended early: Dify closed it' },
	closed: { cause: 'endedEarly', message: 'The stream ended early: the connection was closed' },
	cancelled: { cause: 'cancelled', message: 'The run was cancelled' },
	idle: { cause: 'idle', message: 'A time limit ran out' },
	queued: { cause: 'queued', message: 'A time limit ran out' },
};

function unfinished(state: RunState, reason: FinishReason, detail: string | undefined): RunError {
	if (reason === 'eof' && detail === undefined && isUntouched(state))
		return {
			cause: 'queued',
			message: 'The stream ended early: Dify closed it before the run began',
		};
	const { cause, message } = UNFINISHED[reason];
	let missing = '';
	if (cause === 'endedEarly') {
		missing = ' before the result was complete';
		if (state.messageEnded) missing += ' (workflow_finished is missing)';
		else if (state.workflowEnd !== undefined) missing += ' (message_end is missing)';
	}
	return { cause, message: `${message}${missing}${detail === undefined ? '' : `: ${detail}`}` };
}

/** Whether nothing but pings came. */
function isUntouched({
	taskId,
	messageId,
	conversationId,
	workflowRunId,
	text,
	badEvents,
}: RunState): boolean {
	return (
		badEvents === 0 &&
		[taskId, messageId, conversationId, workflowRunId, text].every((each) => !each)
	);
}
