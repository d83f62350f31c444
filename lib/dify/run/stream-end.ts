/** How the events of a run ended, and whether the rest of the run can be read elsewhere. */
import type { RunRecord } from './run-record';
import type { RunState } from './run-state';
import { isSuccessStatus, hasLastEvent } from './run-state';
import type { ServerError } from '../../errors/server-error';

/** The run has ended. */
interface RunEnded {
	type: 'runEnded';
	/** `finalEvent`: the run reported its end, but not the event that follows it. `status`: the message is complete, but how the run ended was not reported. */
	missing?: 'finalEvent' | 'status';
}

/** The text of the run was too long. */
interface TextTooLong {
	type: 'textTooLong';
	error: ServerError;
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
interface ErrorResponseEnd {
	type: 'errorResponse';
	error: ServerError;
}

/** How the events of a run ended that this client did not cancel. */
export type StreamEnd = RunEnded | TextTooLong | Silent | TimedOut | Broken | ErrorResponseEnd;

/**
 * How the events of a run ended that this client did not cancel.
 *
 * @param error why its events ended; undefined if Dify ended them
 * @param record why its reading was ended, after silence
 */
export function getStreamEnd(
	run: RunState,
	error: ServerError | undefined,
	record?: RunRecord,
): StreamEnd {
	if (error !== undefined && run.textCount.isExceeded) return { type: 'textTooLong', error };
	if (hasLastEvent(run)) return { type: 'runEnded' };
	if (record !== undefined) return { type: 'silent', record };
	if (error?.status !== undefined) return { type: 'errorResponse', error };
	if (run.reportedEnd !== undefined) {
		return {
			type: 'runEnded',
			missing: isSuccessStatus(run.reportedEnd.status) ? 'finalEvent' : undefined,
		};
	}
	// Text, sources, token counts and files of a chatflow arrived, read from its first event on.
	if (run.hasMessageEnd && !run.mayLackText) return { type: 'runEnded', missing: 'status' };
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
export function isRecoverable({
	workflowRunId,
	thoughts,
	conversationId,
	messageId,
}: RunState): boolean {
	if (workflowRunId !== undefined) return true;
	return thoughts.length > 0 && conversationId !== undefined && messageId !== undefined;
}
