/** The result of a run in its error. */
import { ServerError } from '../errors/server-error';
import type { RunResult } from './types';

/** IDs to find a run in Dify. */
type RunIds = Pick<RunResult, 'conversationId' | 'messageId' | 'taskId' | 'workflowRunId'>;

/** Undefined: the run has not got the ID yet. */
export function getRunIds({ conversationId, messageId, taskId, workflowRunId }: RunResult): RunIds {
	return { conversationId, messageId, taskId, workflowRunId };
}

/** What an error knows of a run. */
type PartialDetails = Partial<
	Pick<ServerError, 'result' | 'partialText' | 'partialReasoning' | 'retryable'>
>;

/** What was received of a run, as details of its error. A run that has started must not be repeated. */
export function toPartialDetails(result: RunResult): PartialDetails {
	return {
		result,
		partialText: result.text || undefined,
		partialReasoning: result.reasoning || undefined,
		// The same request would start a second run.
		...(hasRunStarted(result) && { retryable: false }),
	};
}

/** The partial result of a failed run. */
export function getPartialResult(error: unknown): RunResult | undefined {
	return error instanceof ServerError ? (error.result as RunResult | undefined) : undefined;
}

/** Whether Dify started the run: otherwise its worker sends no IDs. A message with an ID is stored. */
export function hasRunStarted(result: RunResult | undefined): boolean {
	if (result === undefined) return false;
	return result.text !== '' || Object.values(getRunIds(result)).some((id) => id !== undefined);
}
