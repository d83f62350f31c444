/** Blocks of calls between marks. What is between them is read by the shapes. */
import { pushAll } from '../../values/lists';
import { BLOCK_MARK, getBlockEnd } from './marks';
import { MAX_CALLS } from './limits';
import { readHeaderCalls } from './header-calls';
import { readLiteralCalls } from './literal-calls';
import { readMarkedJson } from './marked-json';
import { readKeyValueCall, readNamedCall } from './named-arguments';
import type { TextCursor } from './cursor';
import type { CallBlock, CallCandidate, CallProblem } from './types';

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

/** Reads a mark, its calls, and the mark that ends them. */
export function readMarkedBlock(cursor: TextCursor, depth = 0): CallBlock | undefined {
	const from = cursor.at;
	const mark = cursor.match(BLOCK_MARK)?.[0];
	if (mark === undefined) return undefined;
	const rule = getBlockEnd(mark);
	const candidates: CallCandidate[] = [];
	cursor.skipBlanks();
	for (;;) {
		const calls = readContent(cursor, mark, depth);
		if (calls === undefined) break;
		pushAll(candidates, calls);
		if (candidates.length > MAX_CALLS || hasProblem(calls)) break;
		cursor.match(SEPARATOR);
	}
	const last = candidates.at(-1);
	if (last === undefined) {
		cursor.at = from;
		return undefined;
	}
	const hasEnded = rule.close === undefined || cursor.skip(rule.close);
	if (!hasEnded && last.problems.length === 0 && rule.isStopToken !== true)
		candidates[candidates.length - 1] = withProblem(last, cursor.isAtEnd ? 'noEnd' : 'unreadText');
	if (rule.next !== undefined) skipNext(cursor, rule.next);
	if (candidates.length === 1)
		candidates[0] = { ...candidates[0]!, range: { from, to: cursor.at } };
	return { candidates, to: cursor.at, allowsTextAfter: rule.allowsTextAfter === true };
}

/** Calls in further marks, or in one of the shapes. */
function readContent(cursor: TextCursor, mark: string, depth: number): CallCandidate[] | undefined {
	const isOtherMark = !cursor.startsWith(mark);
	const nested = depth < MAX_DEPTH && isOtherMark ? readMarkedBlock(cursor, depth + 1) : undefined;
	if (nested !== undefined) return [...nested.candidates];
	for (const read of READERS) {
		const calls = read(cursor, mark);
		if (calls !== undefined) return calls;
	}
	return undefined;
}

function hasProblem(calls: readonly CallCandidate[]): boolean {
	return calls.some(({ problems }) => problems.length > 0);
}

/** A call with a problem that its block has. */
export function withProblem(call: CallCandidate, problem: CallProblem): CallCandidate {
	return { ...call, problems: [...call.problems, problem] };
}

function skipNext(cursor: TextCursor, mark: string): void {
	const { at } = cursor;
	cursor.skipBlanks();
	if (!cursor.skip(mark)) cursor.at = at;
}
