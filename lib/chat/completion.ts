/** What the model returned in one attempt. */
import type { ErrorType } from '../errors/error-types';
import type { JsonRecord } from '../values';
import type { TextAndReasoning } from '../text/reasoning';
import type { RejectedTextCall, RawToolCall } from '../text/text-tool-calls';
import type { Timings, Usage } from './types';

/** A complete response. */
export interface Completion extends TextAndReasoning {
	type: 'completed';
	toolCalls: RawToolCall[];
	finishReason: string;
	usage?: Usage;
	timings?: Timings;
	/** Model name that the server reported. */
	model?: string;
	/** Whether the calls were read from the text. */
	hasCallsFromText?: true;
	/** Whether a call without a name and arguments was ignored. */
	hasEmptyCall?: true;
	/** A call in the text that is not executed. */
	rejectedCall?: RejectedTextCall;
	logprobs?: JsonRecord[];
}

/** Why a response cannot be used, with its partial output. The caller adds the URL. */
export interface FailedCompletion extends TextAndReasoning {
	type: 'failed';
	errorType: ErrorType;
	serverText?: string;
	status?: number;
	/** Tool of the invalid call. */
	tool?: string;
	/** All calls as received. */
	toolCalls?: RawToolCall[];
	finishReason?: string;
	usage?: Usage;
	timings?: Timings;
	model?: string;
	logprobs?: JsonRecord[];
}

/** The cause alone, without output and usage. */
export type CompletionFailure = Pick<
	FailedCompletion,
	'errorType' | 'serverText' | 'status' | 'tool' | 'toolCalls' | 'finishReason'
>;
