/** Shape (a): JSON between marks, one object, a list, or several after each other. */
import { splitJson } from '../json-members';
import { parseJsonCall } from './json-calls';
import { MAX_CALLS } from './limits';
import type { TextCursor } from './cursor';
import type { CallCandidate, CallSyntax, TextRange } from './types';

/** Reads an object or a list of calls. */
export function readMarkedJson(cursor: TextCursor): CallCandidate[] | undefined {
	const from = cursor.at;
	const json = cursor.readJson();
	const calls =
		json === undefined ? undefined : toCandidates(json, 'markedJson', { from, to: cursor.at });
	if (calls === undefined) cursor.at = from;
	return calls;
}

/**
 * The calls of an object or a list.
 *
 * @param json valid JSON
 * @returns undefined if one of its elements names no tool
 */
export function toCandidates(
	json: string,
	syntax: CallSyntax,
	range: TextRange,
): CallCandidate[] | undefined {
	const sources = json.startsWith('[') ? splitJson(json).map(({ value }) => value) : [json];
	const calls = sources.slice(0, MAX_CALLS + 1).map((source) => parseJsonCall(source));
	if (calls.length === 0 || calls.includes(undefined)) return undefined;
	return calls.flatMap((call) => (call === undefined ? [] : [{ ...call, syntax, range }]));
}
