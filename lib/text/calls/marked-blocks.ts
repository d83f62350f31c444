/** Blocks of calls between marks. What is between them is read by the shapes. */
import { pushAll } from '../../values/lists';
import {
	findBlockMark,
	getBlockEnd,
	isBareToken,
	isBlockMark,
	namesOnlyATool,
	RESULT_AT_END,
	TOKEN_AT_END,
} from './call-marks';
import { MAX_CALLS } from './limits';
import { readHeaderCalls } from './header-calls';
import { readLiteralCalls } from './literal-calls';
import { readMarkedJson } from './marked-json';
import { readKeyValueCall, readNamedCall } from './named-arguments';
import type { TextCursor } from './cursor';
import type { CallBlock, CallCandidate } from './types';
import type { CallProblem } from '../../rejected-call';

/** Deeper marks are not read. */
const MAX_DEPTH = 3;

/**
 * Reads the calls that begin at the cursor, which stays there if there are none.
 *
 * @param mark the mark around them
 */
export type CallReader = (cursor: TextCursor, mark: string) => CallCandidate[] | undefined;

const READERS: readonly CallReader[] = [
	readNamedCall,
	readKeyValueCall,
	readMarkedJson,
	readHeaderCalls,
	readLiteralCalls,
];

const SEPARATOR = /[\s\u200B]*[,;]?[\s\u200B]*/y;

/** Reads a mark, its calls, and the mark that ends them, or the end of the response. */
export function readMarkedBlock(cursor: TextCursor, depth = 0): CallBlock | undefined {
	const from = cursor.at;
	const mark = readBlockMark(cursor);
	if (mark === undefined) return undefined;
	const candidates = readCalls(cursor, mark, depth);
	const last = candidates.at(-1);
	if (last === undefined) {
		cursor.at = from;
		return undefined;
	}
	const end = getBlockEnd(mark);
	const hasEnd = end.marks.some((close) => cursor.skip(close));
	const isAtEnd =
		skipEndOfResponse(cursor, { hasEnd, isBare: !end.isRequired }) || isNext(cursor, mark);
	const problem = hasEnd
		? undefined
		: findEndProblem(last, { isAtEnd, isRequired: end.isRequired });
	if (problem !== undefined) candidates[candidates.length - 1] = withProblem(last, problem);
	return {
		candidates,
		to: cursor.at,
		allowsTextAfter: end.allowsTextAfter,
		...(!hasEnd && end.isRequired && { isOpen: true as const }),
	};
}

/** What is known of a block whose end is missing. */
interface OpenBlock {
	/** Whether the response ends with it, or the next block begins. */
	isAtEnd: boolean;
	/** Whether it needs an end. */
	isRequired: boolean;
}

/** What a call lacks if the mark at its end is missing. JSON is complete with its last brace; further pairs of keys and values may have followed. */
function findEndProblem(
	{ syntax, problems }: CallCandidate,
	{ isAtEnd, isRequired }: OpenBlock,
): CallProblem | undefined {
	if (problems.length > 0) return undefined;
	if (!isAtEnd) return isRequired ? 'unreadText' : undefined;
	return syntax === 'keysAndValues' ? 'noEnd' : undefined;
}

function readBlockMark(cursor: TextCursor): string | undefined {
	const mark = cursor.isExhausted ? undefined : findBlockMark(cursor.text, cursor.at);
	if (mark !== undefined) {
		cursor.charge(mark.length);
		cursor.skip(mark);
	}
	return mark;
}

function readCalls(cursor: TextCursor, mark: string, depth: number): CallCandidate[] {
	const candidates: CallCandidate[] = [];
	cursor.skipBlanks();
	for (;;) {
		const calls = readContent(cursor, mark, depth);
		if (calls === undefined) return candidates;
		pushAll(candidates, calls);
		if (candidates.length > MAX_CALLS || hasProblem(calls)) return candidates;
		cursor.match(SEPARATOR);
	}
}

/** Whether the mark of a block comes next, which begins the next one: Granite 20B has no mark at the end. */
function isNext(cursor: TextCursor, mark: string): boolean {
	const { at } = cursor;
	cursor.skipBlanks();
	const isSame = cursor.startsWith(mark);
	cursor.at = at;
	return isSame;
}

/** How a block has ended until here. */
interface BlockState {
	/** Whether the mark that ends it was read. */
	hasEnd: boolean;
	/** Whether its mark is a token without an end of its own. */
	isBare: boolean;
}

/**
 * Reads to the end of the response, if only blanks and one mark that belongs to no call are left: the token that ends the turn
 * of a bare mark, or the beginning of the result.
 *
 * @returns whether the response ends here
 */
function skipEndOfResponse(cursor: TextCursor, { hasEnd, isBare }: BlockState): boolean {
	const { at } = cursor;
	cursor.skipBlanks();
	const token = isBare && !hasEnd ? cursor.match(TOKEN_AT_END)?.[0] : undefined;
	if (hasEnd) cursor.match(RESULT_AT_END);
	cursor.skipBlanks();
	if (cursor.isAtEnd && (token === undefined || !isBlockMark(token) || isBareToken(token)))
		return true;
	cursor.at = at;
	return false;
}

/** Calls in further marks, or in one of the shapes. */
function readContent(cursor: TextCursor, mark: string, depth: number): CallCandidate[] | undefined {
	const isOtherMark = !cursor.startsWith(mark);
	const nested = depth < MAX_DEPTH && isOtherMark ? readMarkedBlock(cursor, depth + 1) : undefined;
	if (nested !== undefined) return [...nested.candidates];
	for (const read of READERS) {
		const calls = read(cursor, mark);
		if (calls === undefined) continue;
		return namesOnlyATool(mark) && calls.some(isDefinition) ? undefined : calls;
	}
	return undefined;
}

/** Whether a name without arguments may be that of a definition: `<tool>{"name":"N","parameters":{}}</tool>`. */
function isDefinition(call: CallCandidate): boolean {
	return call.arguments === '{}';
}

function hasProblem(calls: readonly CallCandidate[]): boolean {
	return calls.some(({ problems }) => problems.length > 0);
}

/** A call with a problem that its block has. */
export function withProblem(call: CallCandidate, problem: CallProblem): CallCandidate {
	return { ...call, problems: [...call.problems, problem] };
}
