/** What is wrong with a tool call. */
import type { InvalidCall } from '../../errors/issues';
import type { RawToolCall } from '../../text/calls/types';

/** An invalid tool call. */
export interface ToolCallIssue {
	toolCall: RawToolCall;
	type: InvalidCall['type'];
	/** Names of arguments, or why the arguments do not match the schema. */
	details: string[];
}
