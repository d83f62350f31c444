/**
 * Decides whether the calls in the text of a response run: all of them, or none. A call runs only if all of this holds:
 *
 * 1. Its name is that of an offered tool.
 * 2. Its arguments are stated and complete. A definition of a tool states none.
 * 3. Every character of its block belongs to it, and its end is there: its own mark, or the end of a complete response.
 * 4. The token limit did not end the response.
 * 5. Only calls follow it, no other markup of a call is left unread, and it is not in code, a quotation or a list, unless
 *    it is in a code block that is the complete response.
 * 6. It stands in no text of a user, a tool or a file (`quotations.ts`).
 */
import { MAX_CALLS, MAX_RESPONSE_WITH_CALLS } from './limits';
import { hasBeginning, readQuotedCalls, readTextCalls } from './read-text-calls';
import type { QuotationCheck } from './quotations';
import type { TextCallReading } from './read-text-calls';
import type { CallCandidate, RawToolCall } from './types';
import type { RejectedTextCall, RejectionReason } from '../../rejected-call';
import { findCodeContents, withoutOuterFence } from '../code-blocks';
import { findUnreadCall, hasCallMark } from './unread-calls';

/** A response, and what is known of its request. */
export interface TextResponse {
	text: string;
	/** Names of the tools that may be called. */
	tools: readonly string[];
	/** Whether the token limit ended the response. */
	isCutOff: boolean;
	/** Whether the server said that the response has ended: a connection may also break off. */
	hasEnded: boolean;
	/** Compares a call with the request. */
	findQuotation: QuotationCheck;
}

/** What of a response is text, and what runs. */
export interface TextCallDecision {
	/** The text around the calls that run; the complete text, if none does. */
	text: string;
	calls: RawToolCall[];
	/** Why none runs, if the text contains what looks like a call. */
	rejectedCall?: RejectedTextCall;
}

/** What looks like a fence within a block. */
const FENCE_LINE = /^ {0,3}(?:```|~~~)[^\n]*$/gm;
/** A text with more code that names tools is about them. */
const MAX_CODE = 100;

export function decideTextCalls(response: TextResponse): TextCallDecision {
	const { text, tools } = response;
	if (text.length > MAX_RESPONSE_WITH_CALLS) return rejectAll(response);
	const reading = readTextCalls(text);
	const rejectedCall =
		reading.candidates.length === 0
			? findUnknownCall(text, tools)
			: findRejection(reading, response);
	if (rejectedCall !== undefined || reading.candidates.length === 0)
		return { text, calls: [], rejectedCall };
	return { text: getTextAround(reading), calls: reading.candidates.map(toRawToolCall) };
}

/** Of a response that is too long: the hint comes from its beginning. */
function rejectAll(response: TextResponse): TextCallDecision {
	const beginning = response.text.slice(0, MAX_RESPONSE_WITH_CALLS);
	const { calls, rejectedCall } = decideTextCalls({ ...response, text: beginning });
	const called = rejectedCall ?? calls[0];
	return {
		text: response.text,
		calls: [],
		rejectedCall: called && { name: called.name, reason: 'longResponse' },
	};
}

function findUnknownCall(text: string, tools: readonly string[]): RejectedTextCall | undefined {
	const isCall = ({ name, problems }: CallCandidate) =>
		problems.length === 0 && tools.includes(name);
	// Searched for once: a text may have megabytes, and most texts have none.
	const mayHaveCalls = hasBeginning(text);
	const findQuoted = (isInCode: boolean) =>
		mayHaveCalls ? readQuotedCalls(text, isInCode).find(isCall) : undefined;
	const quoted = findQuoted(false);
	if (quoted !== undefined) return { name: quoted.name, reason: 'inCodeBlock' };
	const name = findUnreadCall(text, tools);
	if (name !== undefined) return { name, reason: 'unknownSyntax' };
	const call = findQuoted(true) ?? findCallsInCode(text, tools).find(isCall);
	if (call !== undefined) return { name: call.name, reason: 'inCodeBlock' };
	const content = withoutOuterFence(text);
	const nameInBlock = content === text ? undefined : findUnreadCall(content, tools);
	return nameInBlock === undefined ? undefined : { name: nameInBlock, reason: 'unknownSyntax' };
}

/** What would be a call as a complete response. */
function findCallsInCode(text: string, tools: readonly string[]): CallCandidate[] {
	return findCodeContents(text)
		.filter((code) => tools.some((tool) => code.includes(tool)))
		.slice(0, MAX_CODE)
		.flatMap((code) => readTextCalls(code.replaceAll(FENCE_LINE, '')).candidates);
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
	// A name may be incomplete, too.
	if (incomplete !== undefined) return reject(incomplete, incomplete.problems[0]!);
	if (unknown !== undefined) return reject(unknown, 'unknownTool');
	if (reading.isOpen && !response.hasEnded) return reject(candidates.at(-1), 'noEnd');
	if (hasOtherMarkup(reading, tools)) return reject(first, 'otherMarkup');
	if (!isTextAfterAllowed(reading)) return reject(candidates.at(-1), 'textAfter');
	for (const call of candidates) {
		const source = reading.text.slice(call.range.from, call.range.to);
		const reason = response.findQuotation(source);
		if (reason !== undefined) return reject(call, reason);
	}
	return undefined;
}

/** Whether there is markup of a call that was not read, before or after the calls. */
function hasOtherMarkup({ text, range }: TextCallReading, tools: readonly string[]): boolean {
	const others = [text.slice(0, range.from), text.slice(range.to)];
	return others.some((part) => hasCallMark(part) || findUnreadCall(part, tools) !== undefined);
}

function isTextAfterAllowed({ text, range, allowsTextAfter }: TextCallReading): boolean {
	const isAtEnd = text.slice(range.to).trim() === '';
	return isAtEnd || (allowsTextAfter && text.slice(0, range.from).trim() === '');
}

function getTextAround({ text, range }: TextCallReading): string {
	return text.slice(0, range.from).trimEnd() + text.slice(range.to).trim();
}

function toRawToolCall({ name, arguments: args = '', hasNullTexts }: CallCandidate): RawToolCall {
	return { name, arguments: args, ...(hasNullTexts && { hasNullTexts }) };
}
