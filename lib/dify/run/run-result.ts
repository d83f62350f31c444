/** How the events of a run ended, and its result, or the received part of a lost run. */
import { formatMegabytes } from '../../http/body-limits';
import { asNonEmptyString, asRecord } from '../../values/records';
import type { RunResult, RunStatus, WorkflowNode } from '../types';
import { getRunFailureText, NO_REASON } from './merge-events';
import type { RunRecord } from './run-record';
import type { RunState } from './run-state';
import { isSuccessStatus, isRunFinished } from './run-state';
import type { ServerError } from '../../errors/server-error';

/** The result of a run, or the received part of a lost one. */
export function toRunResult(run: RunState): RunResult {
	const { status, error } = getEnd(run);
	const {
		text,
		createdAt,
		metadata,
		retrieverResources,
		files,
		thoughts,
		workflow,
		pause,
		submittedForms,
		conversationId,
		messageId,
		taskId,
		workflowRunId,
	} = run;
	return {
		status,
		text,
		...(error?.cause !== 'rejected' && {
			conversationId,
			messageId,
			taskId,
			workflowRunId: workflowRunId ?? workflow?.runId,
		}),
		createdAt,
		usage: getUsage(run, status),
		metadata,
		retrieverResources,
		files,
		thoughts,
		reasoning: run.reasoning || run.textReasoning || getStoredReasoning(run),
		workflow,
		pause,
		submittedForms,
		error,
		warnings: collectWarnings(run, status),
	};
}

function getEnd(run: RunState): Pick<RunResult, 'status' | 'error'> {
	if (run.error !== undefined) return { status: 'failed', error: run.error };
	if (run.pause !== undefined) return { status: 'paused' };
	const { status } = run.end ?? { status: 'succeeded' };
	if (isSuccessStatus(status) || status === 'stopped') return { status };
	return {
		status: 'failed',
		error: {
			cause: isRejected(run) ? 'rejected' : 'runFailed',
			message: getRunFailureText(run) ?? NO_REASON,
		},
	};
}

/** Dify 1.15 and later report an input error as a run without steps, which is not stored (docs/protocols/dify.md 12.3). */
function isRejected(run: RunState) {
	const { workflow, taskId, text } = run;
	if (taskId !== undefined || text !== '' || getRunFailureText(run) === undefined) return false;
	return workflow?.totalSteps === 0 && workflow.nodes.length === 0;
}

/** Since 1.15, `message_end` has the reasoning of each LLM node by ID, even if it was not streamed. */
function getStoredReasoning({ metadata }: RunState) {
	return Object.values(asRecord(asRecord(metadata).reasoning))
		.flatMap((thought) => asNonEmptyString(thought) ?? [])
		.join('\n\n');
}

/**
 * Token counts, if Dify counted: stopped runs have zeros, and New Agent runs if the backend does not count
 * (docs/protocols/dify.md 3.5, 12.1, 12.2).
 */
function getUsage({ usage, workflow, text }: RunState, status: RunStatus) {
	const counts = [usage?.prompt_tokens, usage?.completion_tokens, usage?.total_tokens];
	const isZero = counts.includes(0) && counts.every((count) => !count);
	const isCounted = workflow === undefined ? text === '' : isSuccessStatus(status);
	return isZero && !isCounted ? undefined : usage;
}

/** Nodes that warnings name. */
const MAX_NAMED = 20;

function collectWarnings(run: RunState, status: RunStatus) {
	const warnings: string[] = [];
	if (run.invalidEvents > 0) {
		warnings.push(
			`${run.invalidEvents} event(s) of the stream could not be read and were skipped.`,
		);
	}
	for (const text of run.difyWarnings) warnings.push(`Dify warns: "${text}"`);
	if (status === 'partial-succeeded') warnings.push(getHandledErrorsWarning(run));
	const retriedNodes = (run.workflow?.nodes ?? []).filter(({ retries = 0 }) => retries > 0);
	for (const node of retriedNodes.slice(0, MAX_NAMED)) {
		warnings.push(`The workflow node "${getNodeName(node)}" was retried ${node.retries} time(s).`);
	}
	if (retriedNodes.length > MAX_NAMED) {
		warnings.push(`${retriedNodes.length - MAX_NAMED} more workflow nodes were retried.`);
	}
	for (const title of run.expiredForms) warnings.push(getExpiryWarning(title));
	if (status === 'stopped') warnings.push(getStopWarning(run));
	if (run.kept.omissions > 0) {
		warnings.push(
			`The run sent more data than is kept (${formatMegabytes(run.kept.maxBytes)} of memory), so ${run.kept.omissions} parts of nodes, files, thoughts or forms are missing. The log in Dify has them.`,
		);
	}
	return warnings;
}

function getNodeName({ title, nodeId, id }: WorkflowNode) {
	return title ?? nodeId ?? id;
}

/** Warning about a form that nobody submitted in time. */
export function getExpiryWarning(title: string): string {
	return `The form "${title}" expired before it was submitted, so the run takes the timeout branch of its node.`;
}

function getStopWarning({ isModerated, workflow }: RunState) {
	if (isModerated) {
		return "The output moderation of the app stopped the run: the response is the moderation text, not the model's.";
	}
	// Dify also stops runs itself; 1.16 even those with a submitted form.
	const reason = workflow?.error === undefined ? '' : ` Dify reports: "${workflow.error}".`;
	return `The run was stopped by a user or by a Dify timeout, so the response may be incomplete.${reason}`;
}

function getHandledErrorsWarning({ workflow }: RunState) {
	const handledNodes = (workflow?.nodes ?? []).filter(({ status }) => status === 'exception');
	const titles = [...new Set(handledNodes.map((node) => `"${getNodeName(node)}"`))];
	const count = workflow?.exceptionsCount ?? (handledNodes.length || 'Some');
	const rest = titles.length > MAX_NAMED ? ', …' : '';
	const names = titles.length > 0 ? `: ${titles.slice(0, MAX_NAMED).join(', ')}${rest}` : '';
	return `${count} workflow node(s) failed and were handled by their error branch${names}.`;
}

/** The run has ended. */
interface Ended {
	type: 'ended';
	/** An event after its end, or the end after its complete message. */
	missing?: 'finalEvent' | 'status';
}

/** This client ended the run. */
interface Abandoned {
	type: 'abandoned';
	/** Its text could not be passed on. */
	reason?: string;
	/** Its text was too long. */
	error?: ServerError;
}

/** Only pings arrived, and the record has the end of the run. */
interface Silent {
	type: 'silent';
	record: RunRecord;
}

interface TimedOut {
	type: 'timedOut';
	error: ServerError;
}

/** The stream ended before the run. */
interface Broken {
	type: 'broken';
	/** Missing if Dify ended it. */
	error?: ServerError;
}

/** Dify or a proxy returned an error response. */
interface Rejected {
	type: 'rejected';
	error: ServerError;
}

type Outcome = Ended | Abandoned | Silent | TimedOut | Broken | Rejected;

export type OutcomeOf<Type extends Outcome['type']> = Extract<Outcome, { type: Type }>;

/**
 * The outcome of a run that this client did not abandon.
 *
 * @param error why its events ended; undefined if Dify ended them
 * @param record why its reading was ended, after silence
 */
export function getOutcome(
	run: RunState,
	error: ServerError | undefined,
	record?: RunRecord,
): Outcome {
	if (error !== undefined && run.count.isExceeded) return { type: 'abandoned', error };
	if (isRunFinished(run)) return { type: 'ended' };
	if (record !== undefined) return { type: 'silent', record };
	if (error?.status !== undefined) return { type: 'rejected', error };
	if (run.end !== undefined) {
		return { type: 'ended', missing: isSuccessStatus(run.end.status) ? 'finalEvent' : undefined };
	}
	// Text, sources, token counts and files of a chatflow arrived, read from its first event on.
	if (run.hasMessageEnd && !run.mayLackText) return { type: 'ended', missing: 'status' };
	if (isTimeout(error) && !run.hasMessageEnd) return { type: 'timedOut', error };
	return { type: 'broken', error };
}

function isTimeout(error: ServerError | undefined): error is ServerError {
	return ['firstTokenTimeout', 'idleTimeout', 'totalTimeout'].includes(error?.type ?? '');
}

/** Whether only pings arrived. */
export function hasReceivedNothing({
	taskId,
	messageId,
	conversationId,
	text,
	invalidEvents,
}: RunState): boolean {
	return invalidEvents === 0 && [taskId, messageId, conversationId, text].every((value) => !value);
}

/** Whether Dify has a record of the run, or the message of an agent, that can be fetched. */
export function isStored({
	workflowRunId,
	thoughts,
	conversationId,
	messageId,
}: RunState): boolean {
	if (workflowRunId !== undefined) return true;
	return thoughts.length > 0 && conversationId !== undefined && messageId !== undefined;
}
