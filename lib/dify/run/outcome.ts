/** How the events of a run ended, before it is completed from what Dify stores. */
import type { ServerError } from '../../errors/server-error';
import { isRunFinished, isSuccessStatus, type RunState } from './run-state';

export type Outcome =
	/** The run has ended. `missing`: an event after its end, or the end after its complete message. */
	| { type: 'ended'; missing?: 'finalEvent' | 'status' }
	/** This client ended the run: it was stopped, its text could not be passed on (`reason`), or was too long (`error`). */
	| { type: 'abandoned'; reason?: string; error?: ServerError }
	| { type: 'timedOut'; error: ServerError }
	/** The stream ended before the run. Without an error, Dify ended it. */
	| { type: 'broken'; error?: ServerError }
	/** Dify or a proxy returned an error response. */
	| { type: 'rejected'; error: ServerError };

export type OutcomeOf<Type extends Outcome['type']> = Extract<Outcome, { type: Type }>;

/** The outcome of a run that this client did not abandon. @param error why its events ended */
export function getOutcome(run: RunState, error: ServerError | undefined): Outcome {
	if (error !== undefined && run.count.isExceeded) return { type: 'abandoned', error };
	if (isRunFinished(run)) return { type: 'ended' };
	if (error?.status !== undefined) return { type: 'rejected', error };
	if (run.end !== undefined)
		return { type: 'ended', missing: isSuccessStatus(run.end.status) ? 'finalEvent' : undefined };
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
