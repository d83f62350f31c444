/** Shape (a): JSON between marks, one object, a list, or several after each other. */
import { splitJson } from '../json-members';
import { parseJsonCall } from './json-calls';
import { MAX_CALLS } from './limits';
import type { TextCursor } from './cursor';
import type { CallCandidate, CallSyntax, TextRange } from './types';

/** Reads an object or a list of calls. */
export function readMarkedJson(cursor: TextCursor): CallCandidate[] | undefined {
	return readCallsInJson(cursor, { syntax: 'markedJson', from: cursor.at });
}

/** What is known of JSON before it is read. */
interface JsonPlace {
	syntax: CallSyntax;
	/** Where the text of its calls begins. */
	from: number;
}

/**
 * Reads an object or a list of calls after what announces them, also one that is not complete.
 *
 * @returns undefined if it names no tool. The cursor then stays
 */
export function readCallsInJson(
	cursor: TextCursor,
	{ syntax, from }: JsonPlace,
): CallCandidate[] | undefined {
	const start = cursor.at;
	const json = cursor.readJson();
	if (json === undefined) {
		const name = cursor.match(NAME)?.[1];
		return name === undefined ? undefined : [toBrokenCall(name, syntax, { from, to: cursor.at })];
	}
	const calls = toCandidates(json, syntax, { from, to: cursor.at });
	if (calls === undefined) cursor.at = start;
	return calls;
}

/** The name in JSON that is not complete, but none in its arguments. */
const NAME =
	/\[?\s*\{(?:[^{}]|\{[^{}]{0,500}\}|(?<=function["']\s?:\s?)\{){0,2000}?["']name["']\s*:\s*["']([\w.-]{1,128})/y;

function toBrokenCall(name: string, syntax: CallSyntax, range: TextRange): CallCandidate {
	return { syntax, name, arguments: undefined, range, problems: ['brokenArguments'] };
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
