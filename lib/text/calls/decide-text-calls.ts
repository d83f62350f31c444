/** Decides whether the calls in the text of a response run: all of them, or none. */
import { MAX_CALLS } from './marked-blocks';
import { readTextCalls } from './read-text-calls';
import type { TextCallReading } from './read-text-calls';
import type { CallCandidate, RawToolCall, RejectedTextCall, RejectionReason } from './types';
import { findUnreadCall } from './unread-calls';

/** A response, and what is known of its request. */
export interface TextResponse {
	text: string;
	/** Names of the tools that may be called. */
	tools: readonly string[];
	/** Whether the token limit ended the response. */
	isCutOff: boolean;
	/**
	 * Whether the request contains a call.
	 *
	 * @param source the text of the call, with its marks
	 */
	isQuotation(source: string, call: RawToolCall): boolean;
}

/** What of a response is text, and what runs. */
export interface TextCallDecision {
	/** The text around the calls that run; the complete text, if none does. */
	text: string;
	calls: RawToolCall[];
	/** Why none runs, if the text contains what looks like a call. */
	rejectedCall?: RejectedTextCall;
}

/** The conditions of a call that runs are in docs/decisions.md. */
export function decideTextCalls(response: TextResponse): TextCallDecision {
	const { text, tools } = response;
	const reading = readTextCalls(text);
	const rejectedCall =
		reading.candidates.length === 0
			? findUnknownCall(text, tools)
			: findRejection(reading, response);
	if (rejectedCall !== undefined || reading.candidates.length === 0)
		return { text, calls: [], rejectedCall };
	return { text: getTextAround(reading), calls: reading.candidates.map(toRawToolCall) };
}

function findUnknownCall(text: string, tools: readonly string[]): RejectedTextCall | undefined {
	const name = findUnreadCall(text, tools);
	return name === undefined ? undefined : { name, reason: 'unknownSyntax' };
}

/** The first condition that a call does not meet, in the order in which a reader would notice it. */
function findRejection(
	reading: TextCallReading,
	response: TextResponse,
): RejectedTextCall | undefined {
	const { candidates } = reading;
	const { tools } = response;
	const [first] = candidates;
	const reject = (call: CallCandidate | undefined, reason: RejectionReason) =>
		call && { name: call.name, reason };
	if (candidates.length > MAX_CALLS) return reject(first, 'tooManyCalls');
	const unknown = candidates.find(({ name }) => !tools.includes(name));
	const incomplete = candidates.find(({ problems }) => problems.length > 0);
	if (response.isCutOff) return reject(incomplete ?? first, 'cutOff');
	if (unknown !== undefined) return reject(unknown, 'unknownTool');
	if (incomplete !== undefined) return reject(incomplete, incomplete.problems[0]!);
	const otherName = findOtherMarkup(reading, tools);
	if (otherName !== undefined) return { name: otherName, reason: 'otherMarkup' };
	if (!isTextAfterAllowed(reading)) return reject(candidates.at(-1), 'textAfter');
	const quoted = candidates.find((call) =>
		response.isQuotation(reading.text.slice(call.range.from, call.range.to), toRawToolCall(call)),
	);
	return reject(quoted, 'quotation');
}

/** The tool of markup that was not read, before or after the calls. */
function findOtherMarkup(
	{ text, range }: TextCallReading,
	tools: readonly string[],
): string | undefined {
	return (
		findUnreadCall(text.slice(0, range.from), tools) ?? findUnreadCall(text.slice(range.to), tools)
	);
}

function isTextAfterAllowed({ text, range, allowsTextAfter }: TextCallReading): boolean {
	const isAtEnd = text.slice(range.to).trim() === '';
	return isAtEnd || (allowsTextAfter && text.slice(0, range.from).trim() === '');
}

function getTextAround({ text, range }: TextCallReading): string {
	return text.slice(0, range.from).trimEnd() + text.slice(range.to).trim();
}

function toRawToolCall({ name, arguments: args = '' }: CallCandidate): RawToolCall {
	return { name, arguments: args };
}
