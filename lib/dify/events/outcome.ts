import { joinBase64 } from '../audio';
import type { FinishReason, RunError, RunErrorCause, RunResult, RunStatus } from '../types';
import type { RunState } from './state';
import { plan } from './termination';
import { runFailure } from './workflow';

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
	return { status: 'failed', error: { cause: 'runFailed', message: runFailure(state) ?? unnamed } };
}

const UNFINISHED: Record<FinishReason, { cause: RunErrorCause; message: string }> = {
	eof: { cause: 'endedEarly', message: 'The stream ended early: Dify closed it' },
	closed: { cause: 'endedEarly', message: 'The stream ended early: the connection was closed' },
	abort: { cause: 'cancelled', message: 'The run was cancelled' },
	idle: { cause: 'idle', message: 'A time limit ran out' },
};

function unfinished(state: RunState, reason: FinishReason, detail: string | undefined): RunError {
	const { cause, message } = UNFINISHED[reason];
	let missing = '';
	if (cause === 'endedEarly') missing = ' before the result was complete';
	if (state.messageEnded) missing += ' (workflow_finished is missing)';
	else if (state.workflowEnd !== undefined) missing += ' (message_end is missing)';
	return { cause, message: `${message}${missing}${detail === undefined ? '' : `: ${detail}`}` };
}
