/** Why a run failed, in Dify's words. */
import { asNonEmptyString, asString } from '../../values/records';
import type { RunResult } from '../types';

export const NO_REASON = 'The run failed without a reason from Dify';

/** Error text of the run or its failed node, for error events without text. */
export function getRunFailureText({ workflow }: Pick<RunResult, 'workflow'>): string | undefined {
	const failedNode = workflow?.nodes.filter(({ status }) => status === 'failed').at(-1);
	return toTrimmed(workflow?.error) ?? toTrimmed(failedNode?.error);
}

/** The trimmed text; undefined if it is blank or no text. */
export function toTrimmed(value: unknown): string | undefined {
	return asNonEmptyString(asString(value)?.trim());
}
