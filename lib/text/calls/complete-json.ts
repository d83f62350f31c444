/** Shape (e): a complete response that is the JSON of calls, or a list of calls that are written like Python. */
import { isRecord } from '../../values/records';
import { parseJson } from '../../values/json';
import { pushAll } from '../../values/lists';
import { splitJson } from '../json-members';
import { TextCursor } from './cursor';
import { MAX_CALLS } from './limits';
import { readLiteralCalls } from './literal-calls';
import { toCandidates } from './marked-json';
import type { CallCandidate, CallProblem } from './types';

/** Llama 3 puts a semicolon between its calls (vllm-project/vllm, `llama_tool_parser.py`). */
const SEPARATOR = /[\s\u200B]*;?[\s\u200B]*/y;
/** What makes JSON a text about a tool: then it is no call, not even a broken one. */
const ABOUT: ReadonlySet<CallProblem> = new Set(['noArguments', 'notOnlyACall']);

/**
 * Reads a complete response.
 *
 * @returns undefined if it is anything else than calls
 */
export function readCompleteJson(text: string): CallCandidate[] | undefined {
	const cursor = new TextCursor(text);
	cursor.skipBlanks();
	const candidates: CallCandidate[] = [];
	while (!cursor.isAtEnd) {
		const calls = readJsonCalls(cursor) ?? (candidates.length === 0 ? readList(cursor) : undefined);
		if (calls === undefined) return undefined;
		pushAll(candidates, calls);
		// None of so many runs, whatever follows them.
		if (candidates.length > MAX_CALLS) return candidates;
		cursor.match(SEPARATOR);
	}
	return candidates.length === 0 ? undefined : candidates;
}

function readJsonCalls(cursor: TextCursor): CallCandidate[] | undefined {
	const from = cursor.at;
	const json = cursor.readJson();
	const calls =
		json === undefined ? undefined : toCandidates(json, 'completeJson', { from, to: cursor.at });
	const isAbout = calls?.some(
		({ problems, arguments: args }) =>
			problems.some((problem) => ABOUT.has(problem)) || listsTypes(args),
	);
	if (calls !== undefined && isAbout === false && !definesTools(json!)) return calls;
	cursor.at = from;
	return undefined;
}

/**
 * Whether a list has a tool with `"parameters":{}`. That defines a tool without parameters as well as it calls one; models
 * that write `parameters` in calls do not write lists.
 */
function definesTools(json: string): boolean {
	if (!json.startsWith('[')) return false;
	return splitJson(json).some(({ value }) =>
		splitJson(value).some(
			(member) => member.key === 'parameters' && /^\{\s*\}$/.test(member.value),
		),
	);
}

/** Llama 4 and Olmo: `[N(a=1), N(a=2)]` without marks (vllm-project/vllm, `pythonic_tool_parser.py`). */
function readList(cursor: TextCursor): CallCandidate[] | undefined {
	return cursor.startsWith('[') ? readLiteralCalls(cursor) : undefined;
}

const TYPE_NAME =
	/^(?:string|str|text|number|float|integer|int|boolean|bool|array|list|object|dict)(?:\[\])?\??(?:\s?\([^()]{0,60}\))?$/i;

/** Whether arguments name types instead of values: `{"city":"string"}`, `{"city":{"type":"string"}}`. */
function listsTypes(args: string | undefined): boolean {
	const value = args === undefined ? undefined : parseJson(args);
	const fields = isRecord(value) ? Object.values(value) : [];
	return fields.length > 0 && fields.every(isTypeName);
}

function isTypeName(field: unknown): boolean {
	const type = isRecord(field) ? field.type : field;
	return typeof type === 'string' && TYPE_NAME.test(type);
}
