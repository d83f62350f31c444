/** The result of a run that is over, or of what came of one that was lost. */
import { asNonEmptyString, asRecord } from '../../values';
import type { DifyUsage, RunResult, RunStatus, WorkflowNode } from '../types';
import { NO_REASON, type RunState, getRunFailureText, isSuccessStatus } from './run-state';

type RunOutcome = Pick<RunResult, 'status' | 'error'>;

export function toRunResult(run: RunState): RunResult {
	const { status, error } = outcomeOf(run);
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
	} = run;
	return {
		status,
		text,
		...(error?.cause === 'refused' ? {} : idsOf(run)),
		createdAt,
		usage: getUsage(run, status),
		metadata,
		retrieverResources,
		files,
		thoughts,
		reasoning: run.reasoning || run.thinking || storedReasoning(run),
		workflow,
		pause,
		submittedForms,
		error,
		warnings: collectWarnings(run, status),
	};
}

function outcomeOf(run: RunState): RunOutcome {
	if (run.error !== undefined) return { status: 'failed', error: run.error };
	if (run.pause !== undefined) return { status: 'paused' };
	const { status } = run.end ?? { status: 'succeeded' };
	if (isSuccessStatus(status) || status === 'stopped') return { status };
	const cause = isRefused(run) ? 'refused' : 'runFailed';
	return { status: 'failed', error: { cause, message: getRunFailureText(run) ?? NO_REASON } };
}

/** Dify 1.15 and later report an input error as a run without steps, which does not exist (docs/protocols/dify.md 12.3). */
function isRefused(run: RunState): boolean {
	const { workflow, taskId, text } = run;
	if (taskId !== undefined || text !== '' || getRunFailureText(run) === undefined) return false;
	return workflow?.totalSteps === 0 && workflow.nodes.length === 0;
}

function idsOf({ conversationId, messageId, taskId, workflowRunId, workflow }: RunState) {
	return { conversationId, messageId, taskId, workflowRunId: workflowRunId ?? workflow?.runId };
}

/** From 1.15 on `message_end` has the reasoning of each language model node by its ID, even where none was streamed. */
function storedReasoning({ metadata }: RunState): string {
	const thoughts = Object.values(asRecord(asRecord(metadata).reasoning));
	return thoughts.flatMap((each) => asNonEmptyString(each) ?? []).join('\n\n');
}

/**
 * Token counts, if Dify counted: stopped runs have zeros, and those of the New Agent where its backend counts nothing
 * (docs/protocols/dify.md 3.5, 12.1, 12.2).
 */
function getUsage({ usage, workflow, text }: RunState, status: RunStatus): DifyUsage | undefined {
	const counts = [usage?.prompt_tokens, usage?.completion_tokens, usage?.total_tokens];
	const isZero = counts.includes(0) && counts.every((count) => !count);
	const isCounted = workflow === undefined ? text === '' : isSuccessStatus(status);
	return isZero && !isCounted ? undefined : usage;
}

function collectWarnings(run: RunState, status: RunStatus): string[] {
	const warnings: string[] = [];
	if (run.invalidEvents > 0)
		warnings.push(
			`${run.invalidEvents} event(s) of the stream could not be read and were skipped.`,
		);
	if (status === 'partial-succeeded') warnings.push(handledFailures(run));
	for (const node of run.workflow?.nodes ?? [])
		if ((node.retries ?? 0) > 0)
			warnings.push(`The workflow node "${nameOf(node)}" was retried ${node.retries} time(s).`);
	if (status === 'stopped') warnings.push(stopWarning(run));
	return warnings;
}

function nameOf({ title, nodeId, id }: WorkflowNode): string {
	return title ?? nodeId ?? id;
}

function stopWarning({ isModerated, workflow }: RunState): string {
	if (isModerated)
		return "The output moderation of the app stopped the run: the response is the moderation text, not the model's.";
	// Dify stops runs by itself too, 1.16 also those whose form was answered.
	const reason = workflow?.error === undefined ? '' : ` Dify reports: "${workflow.error}".`;
	return `The run was stopped by a user or by a Dify timeout, so the response may be incomplete.${reason}`;
}

function handledFailures({ workflow }: RunState): string {
	const handled = (workflow?.nodes ?? []).filter(({ status }) => status === 'exception');
	const titles = [...new Set(handled.map((node) => `"${nameOf(node)}"`))];
	const count = workflow?.exceptionsCount ?? (handled.length > 0 ? handled.length : 'Some');
	const names = titles.length > 0 ? `: ${titles.join(', ')}` : '';
	return `${count} workflow node(s) failed and were handled by their error branch${names}.`;
}
