/** Shape (d): a header with the name, and JSON. */
import { findArgumentsProblem, parseJsonCall } from './json-calls';
import { readCallsInJson } from './marked-json';
import type { TextCursor } from './cursor';
import type { CallBlock, CallCandidate } from './types';
import type { CallProblem } from '../../rejected-call';

/**
 * Kimi K2's `functions.N:0`, DeepSeek V3.1's `N` (vllm-project/vllm, `tool_parsers`), and Solar Open's ID with the name (its
 * chat template), before the mark of the arguments.
 */
const HEADER =
	/(?:functions\.|\w{1,40}<\|tool_call:name\|>)?([\w.-]{1,128}?)(?::\d{1,5})?\s*<[|｜]tool[\w▁ \\:]{0,20}(?:sep|args|argument[\w▁]{0,10}begin)[|｜]>\s*(?=\{)/y;
/** DeepSeek V3 and R1: `function<｜tool▁sep｜>N`, and JSON in a code block. */
const TYPE_HEADER =
	/function\s*<[|｜]tool[\w▁ \\]{0,20}sep[|｜]>\s*([\w.-]{1,128})\s*\n```(?:json)?\s*\n?(?=\{)/y;
const FENCE_END = /\s*```/y;
/** Laguna: `N` and JSON in the next line (ollama/ollama, `laguna.go`). */
const NAME_HEADER = /([\w.-]{1,128})\s*(?=\{)/y;

/** Reads a header between marks, and its JSON. */
export function readHeaderCalls(cursor: TextCursor): CallCandidate[] | undefined {
	const from = cursor.at;
	const header = cursor.match(HEADER);
	const typeHeader = header === undefined ? cursor.match(TYPE_HEADER) : undefined;
	const nameHeader = (header ?? typeHeader) === undefined ? cursor.match(NAME_HEADER) : undefined;
	const name = (header ?? typeHeader ?? nameHeader)?.[1];
	if (name === undefined) return undefined;
	const json = cursor.readJson();
	const isCut = typeHeader !== undefined && cursor.match(FENCE_END) === undefined;
	const isCall = nameHeader !== undefined && json !== undefined && statesCall(json);
	const problem = isCut ? 'noEnd' : isCall ? 'ambiguous' : undefined;
	return [toCandidate({ name, json, problem, from, to: cursor.at })];
}

/** Whether JSON after a name states a call itself, so that it is not the arguments. */
function statesCall(json: string): boolean {
	return parseJsonCall(json)?.arguments !== undefined;
}

interface HeaderCall {
	name: string;
	/** Undefined if no complete object follows the header. */
	json: string | undefined;
	problem?: CallProblem;
	from: number;
	to: number;
}

function toCandidate({ name, json, problem, from, to }: HeaderCall): CallCandidate {
	const found = findArgumentsProblem(json) ?? problem;
	return {
		syntax: 'header',
		name,
		arguments: json,
		range: { from, to },
		problems: found === undefined ? [] : [found],
	};
}

/** Calls are made on `commentary` (OpenAI's Harmony format), and seen on `analysis`. What is on `final` is for the user. */
const HARMONY_CHANNEL = String.raw`<\|channel\|>(?:commentary|analysis) {0,4}`;
const HARMONY_NAME = String.raw`to=functions\.([\w.-]{1,128}) {0,4}`;
/**
 * gpt-oss (OpenAI's Harmony format; vllm-project/vllm, issue 22578). The channel may be before or after the name, and
 * `<|call|>` is a stop token, which servers remove.
 */
const HARMONY_HEADER = new RegExp(
	String.raw`(?:(?:<\|start\|>assistant)?${HARMONY_CHANNEL}${HARMONY_NAME}|<\|start\|>assistant {0,4}${HARMONY_NAME}${HARMONY_CHANNEL})(?:<\|constrain\|>)?(?:json|code)? {0,4}<\|message\|>`,
	'y',
);
const HARMONY_END = /\s*<\|(?:call|end)\|>/y;

/** Reads a message of Harmony that calls a function. */
export function readHarmonyCall(cursor: TextCursor): CallBlock | undefined {
	const from = cursor.at;
	const header = cursor.match(HARMONY_HEADER);
	const name = header?.[1] ?? header?.[2];
	if (name === undefined) return undefined;
	cursor.skipBlanks();
	const json = cursor.readJson();
	cursor.match(HARMONY_END);
	const { at: to } = cursor;
	return { candidates: [toCandidate({ name, json, from, to })], to, allowsTextAfter: false };
}

const MISTRAL_MARK = '[TOOL_CALLS]';
/** Templates of Ollama have a mark after the list, too (ollama/ollama, `tools_test.go`). */
const MISTRAL_CLOSE = '[/TOOL_CALLS]';
/** Since Devstral: `N[ARGS]{…}`, perhaps with an ID. */
const MISTRAL_HEADER = /([\w.-]{1,128})(?:\[CALL_ID\]\w{1,40})?(?:\[ARGS\])?\s*(?=\{)/y;
/** Ends the turn (Mistral's templates). */
const MISTRAL_END = '</s>';

/** Reads `[TOOL_CALLS]` with a list, or with a header and its JSON. */
export function readMistralCalls(cursor: TextCursor): CallBlock | undefined {
	const from = cursor.at;
	if (!cursor.skip(MISTRAL_MARK)) return undefined;
	cursor.skipBlanks();
	const candidates = readMistralContent(cursor, from);
	if (candidates === undefined) {
		cursor.at = from;
		return undefined;
	}
	cursor.skip(MISTRAL_CLOSE);
	cursor.skip(MISTRAL_END);
	return { candidates, to: cursor.at, allowsTextAfter: false };
}

function readMistralContent(cursor: TextCursor, from: number): CallCandidate[] | undefined {
	const name = cursor.match(MISTRAL_HEADER)?.[1];
	if (name === undefined) return readCallsInJson(cursor, { syntax: 'header', from });
	const json = cursor.readJson();
	return [toCandidate({ name, json, from, to: cursor.at })];
}

const FUNCTOOLS_MARK = 'functools';

/** Reads `functools[…]` (vllm-project/vllm, `phi4mini_tool_parser.py`). The bracket ends the list. */
export function readFunctoolsCalls(cursor: TextCursor): CallBlock | undefined {
	const from = cursor.at;
	const candidates = cursor.skip(FUNCTOOLS_MARK)
		? readCallsInJson(cursor, { syntax: 'header', from })
		: undefined;
	if (candidates === undefined) {
		cursor.at = from;
		return undefined;
	}
	return { candidates, to: cursor.at, allowsTextAfter: false };
}
