/**
 * Finish reasons of failed answers, by kind of failure. Gemini's names come through LiteLLM and OpenRouter. vLLM sends
 * `abort` when it gave up the request; DeepSeek and Zhipu name the missing resource.
 */
const FAILED = [
	['filtered', /^(?:content_filter(?:ed)?|safety|recitation|blocklist|prohibited_content|spii)$/i],
	['toolCallInvalid', /^(?:malformed_(?:function|tool)_call|unexpected_tool_call)$/i],
	[
		'streamError',
		/^(?:abort|error|network_error|insufficient_system_resource|timeout|cancell?ed|malformed_response)$/i,
	],
] as const;

/** The kind of failure that a reason stands for; undefined if the answer did not fail. */
export function failedBy(reason: string): (typeof FAILED)[number][0] | undefined {
	return FAILED.find(([, says]) => says.test(reason))?.[0];
}

/** The finish reason of an answer without one. */
export const NO_FINISH_REASON = 'unknown';

/** For unknown servers: with known ones an empty field means that the answer was cut off (llama-cpp-python). */
export const NOTE_NO_FINISH_REASON =
	'The server never said why its answer ended (finish_reason stayed empty), so it may have been cut off.';

/** For minimal servers. */
export const NOTE_NO_END =
	'The server sends neither a finish_reason nor "data: [DONE]", so an answer that was cut off would look the same.';

/** The more informative of two reasons: some servers send `stop` after `length`. */
export function moreTellingReason(before: string | undefined, next: string): string {
	return before !== undefined && weightOf(before) > weightOf(next) ? before : next;
}

function weightOf(reason: string): number {
	if (failedBy(reason) !== undefined) return 3;
	if (reason === 'length') return 2;
	return reason === 'stop' ? 0 : 1;
}

/** The model ended its answer itself. */
export const NATURAL_END = /^(?:stop|eos|eos_token|end_turn|tool_calls|function_call)$/i;
/** Other reasons that need no note of their own. */
const WHOLE = /^(?:stop_sequence|length|unknown|load)$/;
export const CALLS_FOLLOW = /^(?:tool_calls|function_call)$/;

/** Notes for the user about the end of an answer. */
export function notesOnEnd(finishReason: string, calls: number): string[] {
	const notes: string[] = [];
	if (finishReason === 'length')
		notes.push(
			'The answer was cut off by the token limit. Raise Maximum Tokens or the context of the server.',
		);
	else if (finishReason === 'repetition')
		notes.push(
			'The server ended the answer because it repeated itself. Raise the Repeat Penalty, or ask in another way.',
		);
	else if (!WHOLE.test(finishReason) && !NATURAL_END.test(finishReason))
		notes.push(
			`The server ended the answer with the reason "${finishReason.slice(0, 100)}", so it may not be complete.`,
		);
	if (calls === 0 && CALLS_FOLLOW.test(finishReason))
		notes.push(
			'The server said that the model called a tool, but sent no call, so no tool was called.',
		);
	return notes;
}
