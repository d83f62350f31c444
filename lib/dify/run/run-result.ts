/** From the state of a run to its result, or to the received part of one that failed. */
import { formatMegabytes } from '../../values/size';
import { asNonEmptyString, asRecord } from '../../values/records';
import type { RunResult, RunStatus, WorkflowNode } from '../types';
import { getRunFailureText, NO_REASON } from './failure-text';
import type { RunState } from './run-state';
import { isSuccessStatus } from './run-state';

/** The result of a run, or the received part of one that failed. */
export function toRunResult(run: RunState): RunResult {
	const { status, error } = toStatus(run);
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

function toStatus(run: RunState): Pick<RunResult, 'status' | 'error'> {
	if (run.error !== undefined) return { status: 'failed', error: run.error };
	if (run.pause !== undefined) return { status: 'paused' };
	const { status } = run.reportedEnd ?? { status: 'succeeded' };
	if (isSuccessStatus(status) || status === 'stopped') return { status };
	return {
		status: 'failed',
		error: {
			cause: isRejectedStart(run) ? 'rejected' : 'runFailed',
			message: getRunFailureText(run) ?? NO_REASON,
		},
	};
}

/** Dify 1.15 and later report an input error as a run without steps, which is not stored (docs/protocols/dify.md 12.3). */
function isRejectedStart(run: RunState) {
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
	if (run.partsBudget.omissions > 0) {
		warnings.push(
			`The run sent more data than is kept (${formatMegabytes(run.partsBudget.maxBytes)} of memory), so ${run.partsBudget.omissions} parts of nodes, files, thoughts or forms are missing. The log in Dify has them.`,
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
	const { error } = workflow ?? {};
	// Dify also stops runs itself; 1.16 even those with a submitted form. It names the user after its timeout, too.
	const isByUser = error === undefined || /\buser\b/i.test(error);
	const source = isByUser ? ' by a user or by a Dify timeout' : '';
	const reason = error === undefined ? '' : ` Dify reports: "${error}".`;
	return `The run was stopped${source}, so the response may be incomplete.${reason}`;
}

function getHandledErrorsWarning({ workflow }: RunState) {
	const handledNodes = (workflow?.nodes ?? []).filter(({ status }) => status === 'exception');
	const titles = [...new Set(handledNodes.map((node) => `"${getNodeName(node)}"`))];
	const count = workflow?.exceptionsCount ?? (handledNodes.length || 'Some');
	const rest = titles.length > MAX_NAMED ? ', …' : '';
	const names = titles.length > 0 ? `: ${titles.slice(0, MAX_NAMED).join(', ')}${rest}` : '';
	return `${count} workflow node(s) failed and were handled by their error branch${names}.`;
}
